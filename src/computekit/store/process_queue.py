"""A queue of the processes that want to write to one SQLite file.

SQLite knows no queue: who finds its one write lock taken looks again later, and a process that
commits and begins anew at once is there first each time, so that others starve. Here a process
first takes the place at the door, a lock on a small file beside the database, and keeps it until
it has the write lock. So only one looks for that lock, often, and who has just had it stands in
line behind. The kernel gives the place up for a process that dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from computekit.clock import Clock, Deadline
from computekit.errors import StoreUnavailable
from computekit.units import Seconds

__all__ = ["POLL_S", "ProcessQueue"]

POLL_S = Seconds(0.001)
"""The shortest rest between two looks."""
LONGEST_POLL_S = Seconds(0.05)
LOOKS = 16
"""How often one looks in about the time that it takes to get in: were it more often, a crowd would
keep the machine from those whom it waits for."""


class ProcessQueue:
    """The place at the door of one database.

    Args:
        path: of the file that is locked; made if it is not there. Never the database itself:
            closing a second descriptor of that would drop SQLite's own locks.
        clock: for resting.

    Raises:
        StoreUnavailable: the file cannot be opened.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._clock = clock
        self._last_s = Seconds(0.0)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreUnavailable(f"{path}: {error.strerror}") from error

    @contextmanager
    def first(self, deadline: Deadline) -> Iterator[None]:
        """Hold the place.

        Raises:
            StoreUnavailable: those before have not gone in by the deadline.
        """
        began_s = self._clock.monotonic_s()
        waited_s = Seconds(0.0)
        while not self._try_lock():
            if deadline.passed:
                raise StoreUnavailable("other processes stand before this one for too long")
            rest_s = max(waited_s, self._last_s) / LOOKS
            rest_s = min(max(rest_s, POLL_S), LONGEST_POLL_S, max(deadline.left_s(), POLL_S))
            self._clock.sleep(Seconds(rest_s))
            waited_s = Seconds(self._clock.monotonic_s() - began_s)
        self._last_s = waited_s
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave for good."""
        os.close(self._file)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
