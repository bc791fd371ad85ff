"""A server inside the process: waitress, whose main loop reads and writes, whose threads work.

A request reaches a thread when all of it has arrived, so that a slow caller costs memory only; and
that is bounded, in bytes and in time. Bodies that are longer than memory are handed on while they
arrive, to threads of their own.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from computekit.clock import Clock, Deadline
from computekit.http.streaming import DISCARDED_MOST, Door, Feed, StreamingParser
from computekit.units import Bytes, Seconds

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["Server", "listening_socket"]

KEEP_ALIVE_S = 120
"""How long a connection may stay open without a request."""
HEADER_LIMIT = Bytes(64 * 1024)
"""The longest request line with all headers; the peer's clients ask with URLs of some KiB."""
CONNECTION_LIMIT = 1000
BACKLOG = 1024
SLOWEST = 8 * 1024
"""Bytes a second below which the sender of a long body is taken for one who only wants to hold a
thread."""
LOOK_S = Seconds(0.5)
"""How often slow callers are looked for."""
RECEIVED_AT_ONCE = 64 * 1024
IN_MEMORY = 64 * 1024 * 1024
"""Bodies up to here stay in memory; with the limit on bodies that is all of them."""


class _Channel(HTTPChannel):
    """A connection that knows since when it waits for the rest of a request."""

    since_s: Seconds | None = None
    _of: object | None = None

    def __init__(
        self,
        server: object,
        sock: socket.socket,
        addr: object,
        adj: object,
        map: Mapping[int, object] | None = None,  # noqa: A002  waitress calls it so
        *,
        door: Door,
    ) -> None:
        super().__init__(server, sock, addr, adj, map=map)
        self._door = door
        self.parser_class = partial(StreamingParser, door=door)

    def received(self, data: bytes) -> bool:
        done = super().received(data)
        if self.request is None:
            self.since_s = self._of = None
        elif self.request is not self._of:
            self.since_s, self._of = Seconds(self.last_activity), self.request
        self._hand_on()
        return done

    def readable(self) -> bool:
        feed = self.feed
        if feed is None:
            return super().readable()
        return not (self.will_close or self.close_when_flushed or feed.full)

    def handle_close(self) -> None:
        self.give_up()
        super().handle_close()

    def give_up(self) -> None:
        """Let a thread that reads from here know that no more will come."""
        if self.feed is not None:
            self.feed.fail()

    def overdue(self, now_s: float, receive_s: Seconds) -> bool:
        """Return whether the caller takes too long over a request."""
        if self.since_s is None:
            return False
        feed = self.feed
        if feed is None:
            return now_s - self.since_s > receive_s
        if feed.full:  # it is we who take long
            self.last_activity = now_s
        if now_s - self.last_activity > receive_s:
            return True
        return now_s - self.since_s > receive_s + feed.received / SLOWEST

    @property
    def feed(self) -> Feed | None:
        """Where the body goes that is handed on while it arrives."""
        request = self.request
        if isinstance(request, StreamingParser) and request.handed_on:
            return request.feed
        return None

    def _hand_on(self) -> None:
        request = self.request
        if not isinstance(request, StreamingParser) or request.feed is None:
            return
        if request.feed.discarded > DISCARDED_MOST:
            self.will_close = True
        if request.handed_on:
            return
        with self.requests_lock:
            request.handed_on = True
            self.requests.append(request)
            first = len(self.requests) == 1
        if first:  # else who serves the one before goes on with this one
            self._door.dispatcher.add_task(self)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way in either direction."""
        return not (self.requests or self.total_outbufs_len or self.request is not None)


class _Quiet:
    """Where waitress would say how long its queue is: each line would cost as much as a request."""

    def warning(self, _text: str, *_values: object) -> None:
        return None


def _never(_method: str, _path: str) -> bool:
    return False


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host` and `port`; port 0 takes a free one.

    Raises:
        OSError: that cannot be done.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


class Server:
    """One WSGI application behind one socket.

    Args:
        application: what answers; called on several threads at once.
        listener: a socket that listens; taken over.
        clock: measures how long callers take.
        threads: requests that are worked on at the same time.
        body_limit: the longest body; one byte more is a 413.
        receive_s: how long a caller may take to send one request.
        connections: that are open at the same time; when they run short, those that were not used
            for longest make way.
        streams: whether the body of a request of this method and path is handed on while it
            arrives; the application bounds its length.
        streaming_threads: such requests that are worked on at the same time.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        listener: socket.socket,
        clock: Clock,
        *,
        threads: int = 8,
        body_limit: Bytes = Bytes(IN_MEMORY),
        receive_s: Seconds = Seconds(30.0),
        connections: int = CONNECTION_LIMIT,
        streams: Callable[[str, str], bool] = _never,
        streaming_threads: int = 4,
    ) -> None:
        self._clock = clock
        self._receive_s = receive_s
        self._connections = connections
        self._stopping = threading.Event()
        self._look_at_s = 0.0
        self._map: dict[int, object] = {}
        self._server = create_server(
            application,
            map=self._map,
            sockets=[listener],
            threads=threads,
            backlog=BACKLOG,
            connection_limit=connections,
            channel_timeout=KEEP_ALIVE_S,
            max_request_body_size=body_limit,
            max_request_header_size=HEADER_LIMIT,
            asyncore_use_poll=True,
            ident=None,
            recv_bytes=RECEIVED_AT_ONCE,
            inbuf_overflow=IN_MEMORY,
            outbuf_overflow=IN_MEMORY,
            outbuf_high_watermark=IN_MEMORY,
        )
        self._streaming = ThreadedTaskDispatcher()
        self._streaming.queue_logger = _Quiet()
        self._streaming.set_thread_count(0 if streams is _never else streaming_threads)
        door = Door(streams, self._streaming, self._server.pull_trigger)
        self._server.channel_class = partial(_Channel, door=door)
        self._server.task_dispatcher.queue_logger = _Quiet()

    def stop(self) -> None:
        """Let `serve` come to its end; from any thread or signal handler, any number of times."""
        self._stopping.set()
        self._server.pull_trigger()

    def serve(self, drain_s: Seconds = Seconds(10.0)) -> None:
        """Answer requests until `stop`, then those that are under way.

        Args:
            drain_s: how long those may take that are under way.
        """
        while not self._stopping.is_set():
            self._turn()
        self._server.del_channel(self._map)
        self._server.socket.close()
        deadline = Deadline(self._clock, drain_s)
        while not deadline.passed and not all(it.idle for it in self._channels()):
            self._turn(Seconds(0.05))
        for channel in self._channels():
            channel.give_up()
        self._streaming.shutdown(timeout=max(1.0, deadline.left_s()))
        self._server.task_dispatcher.shutdown(timeout=max(0.1, deadline.left_s()))
        wasyncore.close_all(self._map, ignore_all=True)

    def _turn(self, timeout_s: Seconds = LOOK_S) -> None:
        wasyncore.loop(timeout=timeout_s, use_poll=True, map=self._map, count=1)
        now_s = self._clock.wall_s()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_S
        channels = self._channels()
        for channel in channels:
            if channel.overdue(now_s, self._receive_s):
                channel.will_close = True
        # Where all are taken nobody else is let in; who asks nothing is not to keep others out.
        if len(channels) >= self._connections * 3 // 4:
            idle = sorted((it for it in channels if it.idle), key=lambda it: it.last_activity)
            for channel in idle[: self._connections // 4]:
                channel.will_close = True

    def _channels(self) -> list[_Channel]:
        channels = tuple(self._server.active_channels.values())
        return [channel for channel in channels if isinstance(channel, _Channel)]
