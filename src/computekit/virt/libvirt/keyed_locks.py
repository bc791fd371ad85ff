"""One lock for each key that is in use."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from computekit.clock import Deadline
from computekit.errors import DeadlineExceeded
from computekit.units import Seconds

__all__ = ["KeyedLocks"]


@attrs.define
class _Entry:
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    users: int = 0


class KeyedLocks:
    """Locks by key; one that nobody holds or waits for takes no memory."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    @contextmanager
    def holding(self, key: str, deadline: Deadline) -> Iterator[None]:
        """Hold the lock of `key`.

        Raises:
            DeadlineExceeded: another held it until the deadline.
        """
        waited_s = deadline.left_s()
        with self._guard:
            entry = self._entries.setdefault(key, _Entry())
            entry.users += 1
        try:
            if not entry.lock.acquire(timeout=waited_s):
                raise DeadlineExceeded(f"an earlier call on {key}", Seconds(round(waited_s, 1)))
            try:
                yield
            finally:
                entry.lock.release()
        finally:
            with self._guard:
                entry.users -= 1
                if not entry.users:
                    del self._entries[key]
