"""Taking turns: a fair lock whose holder can hand it on with what it has begun."""

import threading
from collections import deque

from computekit.units import Seconds

__all__ = ["Turn", "Waiter"]


class Waiter:
    """One who waits for a turn, once.

    Args:
        shares: whether it may go on with what the holder before it has begun.
    """

    __slots__ = ("_bell", "granted", "shares")

    def __init__(self, *, shares: bool) -> None:
        self.shares: bool = shares
        self.granted: bool = False
        self._bell = threading.Lock()
        self._bell.acquire()

    def wait(self, timeout_s: Seconds) -> bool:
        """Wait for the turn; return whether it came in time."""
        return self._bell.acquire(timeout=timeout_s)

    def grant(self) -> None:
        """Give the turn."""
        self.granted = True
        self._bell.release()


class Turn:
    """Who comes first has the turn first."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[Waiter] = deque()
        self._taken = False

    def take(self, waiter: Waiter, timeout_s: Seconds) -> bool:
        """Wait for the turn; return whether it came in time.

        If waiting is interrupted, `waiter.granted` says whether it has the turn nevertheless.
        """
        with self._mutex:
            if not self._taken:
                self._taken = waiter.granted = True
                return True
            self._queue.append(waiter)
        try:
            waiter.wait(timeout_s)
        finally:
            with self._mutex:
                if not waiter.granted:
                    self._queue.remove(waiter)
        return waiter.granted

    def hand_on(self) -> bool:
        """Give the turn to the next if it shares; return whether it was given."""
        with self._mutex:
            if not self._queue or not self._queue[0].shares:
                return False
            self._queue.popleft().grant()
            return True

    def end(self) -> None:
        """Give the turn to the next, or to whoever comes."""
        with self._mutex:
            if self._queue:
                self._queue.popleft().grant()
            else:
                self._taken = False
