"""Where time comes from: a `Clock` that is passed in, never the `time` module."""

import time
from typing import Protocol

from computekit.errors import DeadlineExceeded
from computekit.units import Seconds

__all__ = ["Clock", "Deadline", "SystemClock"]


class Clock(Protocol):
    """A source of time."""

    def wall_s(self) -> Seconds:
        """Return seconds since the Unix epoch; may jump."""
        ...

    def monotonic_s(self) -> Seconds:
        """Return seconds since an arbitrary point; never goes back."""
        ...

    def sleep(self, duration_s: Seconds) -> None:
        """Let `duration_s` seconds pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def wall_s(self) -> Seconds:
        """Return seconds since the Unix epoch; may jump."""
        return Seconds(time.time())

    def monotonic_s(self) -> Seconds:
        """Return seconds since an arbitrary point; never goes back."""
        return Seconds(time.monotonic())

    def sleep(self, duration_s: Seconds) -> None:
        """Let `duration_s` seconds pass."""
        time.sleep(duration_s)


class Deadline:
    """A point on a clock's monotonic scale after which waiting stops."""

    __slots__ = ("_at_s", "_clock", "_timeout_s")

    def __init__(self, clock: Clock, timeout_s: Seconds) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._at_s = clock.monotonic_s() + timeout_s

    def left_s(self) -> Seconds:
        """Return the seconds that are left; never below zero."""
        return Seconds(max(0.0, self._at_s - self._clock.monotonic_s()))

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.left_s() <= 0

    def check(self, what: str) -> None:
        """Go on only if there is time left.

        Args:
            what: takes the time.

        Raises:
            DeadlineExceeded: nothing is left.
        """
        if self.passed:
            raise DeadlineExceeded(what, self._timeout_s)
