"""Bodies that are longer than memory: handed on while they arrive.

waitress collects a request before a thread has it. For the few operations that take files that
would be a second copy on the disk, made for whoever asks; here such a request gets a thread as soon
as its headers are there, and the connection is read only as fast as the thread reads.
"""

import copy
import threading
from collections import deque
from collections.abc import Callable

import attrs
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.task import ThreadedTaskDispatcher

__all__ = ["DISCARDED_MOST", "Door", "Feed", "StreamingParser"]

FULL = 4 * 1024 * 1024
"""So many bytes wait for the thread, and no more are read."""
DISCARDED_MOST = 64 * 1024 * 1024
"""So much of a body that nobody wants is read, so that its sender gets to see the answer."""
WAIT_S = 300.0
"""The server cuts who is slow long before; this bounds the wait whatever happens."""
_UNBOUNDED = 2**62


class Feed:
    """Bytes between the server's loop, which appends, and a thread, which reads.

    Args:
        wake: called when there is room again.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._ended = self._failed = self._unwanted = False
        self.received: int = 0
        self.discarded: int = 0

    @property
    def full(self) -> bool:
        """Whether no more is to be appended for now."""
        return self._waiting >= FULL

    def append(self, data: bytes) -> None:
        """Take bytes from the connection."""
        with self._changed:
            self.received += len(data)
            if self._unwanted:
                self.discarded += len(data)
                return
            self._pieces.append(bytes(data))
            self._waiting += len(data)
            self._changed.notify()

    def end(self) -> None:
        """Say that all has come."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def fail(self) -> None:
        """Say that no more will come, and that it was not all."""
        with self._changed:
            self._failed = not self._ended
            self._changed.notify()

    def read(self, size: int = -1, /) -> bytes:
        """Return `size` bytes, fewer only where it ends; wait for them.

        Raises:
            ConnectionAbortedError: the connection ended before.
        """
        wanted = FULL if size < 0 else min(size, FULL)
        with self._changed:
            while self._waiting < wanted and not (self._ended or self._failed):
                if not self._changed.wait(WAIT_S):
                    self._failed = True
            if self._failed:
                raise ConnectionAbortedError("the connection ended before the body did")
            was_full = self.full
            found = self._taken(wanted)
        if was_full and not self.full:
            self._wake()
        return found

    def close(self) -> None:
        """Let go of what has come, and throw away what still comes."""
        with self._changed:
            self._unwanted = True
            self._pieces.clear()
            self._waiting = 0
        self._wake()

    def getfile(self) -> "Feed":
        """Return what an application reads; waitress asks its buffers so."""
        return self

    def __len__(self) -> int:
        return self.received

    def __bool__(self) -> bool:
        return True

    def _taken(self, wanted: int) -> bytes:
        parts: list[bytes] = []
        while wanted and self._pieces:
            piece = self._pieces.popleft()
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            parts.append(piece)
            wanted -= len(piece)
            self._waiting -= len(piece)
        return b"".join(parts)


@attrs.frozen
class Door:
    """What the connections of one server share.

    Attributes:
        streams: whether a request of this method and path is handed on while it arrives.
        dispatcher: threads for such requests.
        wake: lets the loop look at its connections again.
    """

    streams: Callable[[str, str], bool]
    dispatcher: ThreadedTaskDispatcher
    wake: Callable[[], None]


class StreamingParser(HTTPRequestParser):
    """Collects a request, or feeds its body to a thread.

    Args:
        adj: waitress's settings.
        door: what the connections of the server share.
    """

    adj: Adjustments
    body_rcv: ChunkedReceiver | FixedStreamReceiver | None
    empty: bool

    def __init__(self, adj: Adjustments, door: Door) -> None:
        super().__init__(adj)
        self._door = door
        self.feed: Feed | None = None
        self.handed_on = False

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is None or not self._door.streams(self.command, self.path):
            return
        self.feed = Feed(self._door.wake)
        self.adj = copy.copy(self.adj)
        self.adj.max_request_body_size = _UNBOUNDED
        self.body_rcv = (
            ChunkedReceiver(self.feed)
            if self.chunked
            else FixedStreamReceiver(self.content_length, self.feed)
        )

    def received(self, data: bytes) -> int:
        consumed = super().received(data)
        if self.feed is not None and self.completed:
            if self.error is None:
                self.feed.end()
            else:
                self.feed.fail()
            # A thread has it already: the channel is not to queue it again.
            self.empty = self.empty or self.handed_on
        return consumed
