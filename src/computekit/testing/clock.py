"""A clock that stands still until it is told."""

from computekit.units import Seconds

__all__ = ["ManualClock"]


class ManualClock:
    """A `Clock` for tests: time passes when it is advanced, and when somebody sleeps.

    Args:
        wall_s: what the wall clock shows first, seconds since the Unix epoch.
    """

    def __init__(self, wall_s: Seconds = Seconds(1_700_000_000.0)) -> None:
        self._wall_s = wall_s
        self._monotonic_s = Seconds(0.0)

    def wall_s(self) -> Seconds:
        return self._wall_s

    def monotonic_s(self) -> Seconds:
        return self._monotonic_s

    def sleep(self, duration_s: Seconds) -> None:
        """Let `duration_s` seconds pass at once."""
        self.advance(duration_s)

    def advance(self, duration_s: Seconds) -> None:
        """Let `duration_s` seconds pass on both scales.

        Raises:
            ValueError: `duration_s` is below zero.
        """
        if duration_s < 0:
            raise ValueError("time does not go back; the wall clock may jump")
        self._monotonic_s = Seconds(self._monotonic_s + duration_s)
        self.jump_wall(duration_s)

    def jump_wall(self, by_s: Seconds) -> None:
        """Set the wall clock forward, or back, by `by_s` seconds; no time passes."""
        self._wall_s = Seconds(self._wall_s + by_s)
