"""How long a search may go on: choosing providers for groups is bin packing, and may never end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from computekit.clock import Deadline

__all__ = ["Moved", "Patience", "check"]

# Work that is done before the lock is let go of: a search that is begun is 1, a stop of it 8.
_AT_ONCE = 128


class Moved(Exception):
    """What is searched has changed while the lock was let go of; never leaves the index."""


def check(deadline: Deadline | None) -> None:
    """Go on only if somebody waits.

    Raises:
        DeadlineExceeded: nobody does.
    """
    if deadline is not None:
        deadline.check("the search for candidates")


class Patience:
    """What the searches of one index ask whether somebody still waits, for them or for the lock.

    Used by who holds the lock of the index; without a deadline there is no end.

    Args:
        lock: of the index; None: there is none.
        version: of what is searched.
    """

    __slots__ = ("_deadline", "_lock", "_version", "_work")

    def __init__(
        self, lock: "threading.RLock | None" = None, version: Callable[[], object] = lambda: None
    ) -> None:
        self._lock = lock
        self._version = version
        self._deadline: Deadline | None = None
        self._work = 0

    @contextmanager
    def until(self, deadline: Deadline | None) -> Iterator[None]:
        """Let searches go on until `deadline`; None: as long as they take."""
        before, self._deadline = self._deadline, deadline
        self._work = 0
        try:
            yield
        finally:
            self._deadline = before

    def check(self) -> None:
        """Go on only if somebody waits for the answer.

        Raises:
            DeadlineExceeded: nobody does.
        """
        check(self._deadline)

    def worn(self, work: int) -> bool:
        """Return whether others have been kept out for long enough, after this work too."""
        self._work += work
        return self._work > _AT_ONCE

    @contextmanager
    def aside(self) -> Iterator[Deadline | None]:
        """Let go of the lock for what needs none; give the deadline of it.

        Raises:
            Moved: others have changed something meanwhile: what was read under the lock is void.
        """
        if self._lock is None:
            yield self._deadline
            return
        deadline, self._deadline = self._deadline, None
        before = self._version()
        self._lock.release()
        try:
            yield deadline
        finally:
            self._lock.acquire()
            self._deadline, self._work = deadline, 0
        if self._version() != before:
            raise Moved
