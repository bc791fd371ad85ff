"""One connection to one libvirtd, kept: reconnect, resynchronise, and a deadline on every call."""

import contextlib
import copy
import logging
import threading
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TypeVar

import attrs
import libvirt

from computekit.clock import Deadline
from computekit.errors import (
    ComputekitError,
    DeadlineExceeded,
    HypervisorUnavailable,
    Overloaded,
    Unsupported,
)
from computekit.ids import InstanceId
from computekit.runtime import Pool, Runtime
from computekit.units import Seconds
from computekit.virt.libvirt.domains import read_all
from computekit.virt.libvirt.event_loop import check_process, start_event_loop
from computekit.virt.libvirt.events import DomainWatch
from computekit.virt.libvirt.refusals import connection_is_lost, translated

__all__ = ["ConnectionState", "LibvirtConnection"]

_log = logging.getLogger(__name__)

R = TypeVar("R")

OLDEST_LIBVIRT = 9_000_000
"""9.0.0, as `major * 1_000_000 + minor * 1_000 + micro`."""

# A libvirtd that answers nothing for 3 s x (3 + 1) is given up: only that ends calls that hang.
_KEEP_ALIVE_INTERVAL_S, _KEEP_ALIVE_COUNT = 3, 3

_OPEN_TIMEOUT_S = Seconds(15.0)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = Seconds(0.1), Seconds(2.0)
_REST_S = Seconds(3600.0)


class ConnectionState(Enum):
    """Where a connection is in its life."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    RESYNCHRONISING = "resynchronising"
    READY = "ready"
    CLOSED = "closed"


@attrs.define(eq=False)
class _Link:
    """One time of being connected.

    Each call has a connection of its own while it runs: two threads on one connection would share
    a client whose wake-ups get lost (libvirt before 10.0), and whose end frees what the other is
    still in.

    Attributes:
        epoch: which time, counted from 1.
        connection: the one that events come from, and no calls go to.
        callbacks: what deregisters our callbacks on it.
        idle: connections for calls that nobody uses now.
        given_up: whether it is over.
    """

    epoch: int
    connection: libvirt.virConnect | None = None
    callbacks: tuple[int, ...] = ()
    idle: list[libvirt.virConnect] = attrs.field(factory=list)
    given_up: bool = False


class LibvirtConnection:
    """Keeps one connection open; every call on it ends by its deadline.

    A lost connection is opened again by a thread of `runtime`, callbacks first, and then what is
    there is compared with what was. Until then calls wait if an attempt is under way, and fail at
    once between two attempts.

    Args:
        uri: of the libvirtd.
        runtime: owns the threads.
        watch: is told what happens to domains.
    """

    def __init__(self, uri: str, runtime: Runtime, watch: DomainWatch) -> None:
        start_event_loop()
        self.uri = uri
        self._runtime = runtime
        self._watch = watch
        self._changed = threading.Condition()
        self._state = ConnectionState.DISCONNECTED
        self._link = _Link(0)
        self._failure: ComputekitError | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._pool = runtime.pool("libvirt-connect", 4)
        self._bell = runtime.loop("libvirt-connection", self._connect, self._after_error)

    @property
    def state(self) -> ConnectionState:
        """Where it is in its life."""
        return self._state

    def call(
        self,
        what: str,
        fn: Callable[[libvirt.virConnect], R],
        pool: Pool,
        timeout_s: Seconds,
        instance: InstanceId | None = None,
    ) -> R:
        """Run `fn` with libvirt's connection on a thread of `pool`.

        Raises:
            DeadlineExceeded: `fn` has not ended in time; its effect is in doubt.
            HypervisorUnavailable: there is no connection, or it was lost; likewise.
            HostError: what libvirt refused.
        """
        deadline = Deadline(self._runtime.clock, timeout_s)
        link = self._ready(what, deadline)

        def work() -> R:
            try:
                with self._line(link) as connection:
                    return fn(connection)
            except libvirt.libvirtError as error:
                if connection_is_lost(error):
                    self._lose(link, str(error))
                raise translated(error, self.uri, what, instance) from error

        try:
            return pool.call(work, deadline.left_s(), what)
        except DeadlineExceeded:
            if pool.health().stuck * 2 >= pool.size:
                self._lose(link, "too many calls hang")
            raise DeadlineExceeded(what, timeout_s) from None

    def close(self) -> None:
        """End the connection; calls fail from now on."""
        with self._changed:
            link = self._link
            link.given_up = True
            self._state = ConnectionState.CLOSED
            self._failure = HypervisorUnavailable(self.uri, "the connection was closed")
            self._changed.notify_all()
        try:
            self._pool.call(lambda: self._release(link), Seconds(2.0), "close")
        except Overloaded:  # the pool has ended before us
            self._release(link)
        except DeadlineExceeded:
            _log.warning("libvirtd at %s does not answer to its connection's end", self.uri)

    # Waiting for it.

    def _ready(self, what: str, deadline: Deadline) -> _Link:
        check_process()
        with self._changed:
            while self._state is not ConnectionState.READY:
                if self._failure is not None:
                    raise copy.copy(self._failure)
                if not self._changed.wait(deadline.left_s()) and deadline.passed:
                    raise HypervisorUnavailable(self.uri, f"no connection in time to {what}")
            return self._link

    # Losing and regaining it.

    def _lose(self, link: _Link, why: str) -> None:
        """Give `link` up, unless that has happened; called from any thread, callbacks too."""
        with self._changed:
            if link.given_up:
                return
            link.given_up = True
            self._state = ConnectionState.DISCONNECTED
            self._failure = None
            self._changed.notify_all()
        _log.warning("connection %d to %s is lost: %s", link.epoch, self.uri, why)
        self._bell.ring()

    def _connect(self) -> Seconds:
        with self._changed:
            if self._state in {ConnectionState.READY, ConnectionState.CLOSED}:
                return _REST_S
            self._state = ConnectionState.CONNECTING
            old, link = self._link, _Link(self._link.epoch + 1)
            self._link = link
        try:
            if old.connection is not None:
                self._pool.submit(lambda: self._release(old))
            self._pool.call(lambda: self._open(link), _OPEN_TIMEOUT_S, f"connecting to {self.uri}")
        except ComputekitError as error:
            return self._failed(link, error)
        self._pause_s, self._failure = _FIRST_PAUSE_S, None
        _log.info("connection %d to %s is ready", link.epoch, self.uri)
        return _REST_S

    def _open(self, link: _Link) -> None:
        """Open `link`; only what has all its callbacks and was compared is published in it."""
        try:
            connection = self._dial()
        except libvirt.libvirtError as error:
            raise translated(error, self.uri, "connect") from error
        callbacks: tuple[int, ...] = ()
        try:
            _check_version(connection)
            connection.registerCloseCallback(self._on_close, link)
            callbacks = self._watch.register(connection)
            self._enter(link, ConnectionState.RESYNCHRONISING)
            found = read_all(connection)
        except libvirt.libvirtError as error:
            _dispose(connection, callbacks)
            raise translated(error, self.uri, "connect") from error
        except BaseException:
            _dispose(connection, callbacks)
            raise
        link.connection, link.callbacks = connection, callbacks
        if self._enter(link, ConnectionState.READY):
            self._watch.resynchronise(found)
        else:
            self._release(link)

    def _enter(self, link: _Link, state: ConnectionState) -> bool:
        with self._changed:
            if link.given_up:
                return False
            self._state = state
            self._changed.notify_all()
            return True

    @contextlib.contextmanager
    def _line(self, link: _Link) -> Iterator[libvirt.virConnect]:
        """Hand out a connection for one call; it is kept for the next if it is still good."""
        with self._changed:
            if link.given_up:
                raise HypervisorUnavailable(self.uri, "the connection was lost before the call")
            found = link.idle.pop() if link.idle else None
        connection = found or self._dial()
        good = True
        try:
            yield connection
        except libvirt.libvirtError as error:
            good = not connection_is_lost(error)
            raise
        finally:
            with self._changed:
                good = good and not link.given_up
                if good:
                    link.idle.append(connection)
            if not good:
                _close(connection)

    def _dial(self) -> libvirt.virConnect:
        connection = libvirt.open(self.uri)
        try:
            connection.setKeepAlive(_KEEP_ALIVE_INTERVAL_S, _KEEP_ALIVE_COUNT)
        except libvirt.libvirtError:
            _close(connection)
            raise
        return connection

    def _release(self, link: _Link) -> None:
        """Give everything back that belongs to a link that is given up."""
        with self._changed:
            connection, link.connection = link.connection, None
            idle, link.idle = link.idle, []
        for line in idle:
            _close(line)
        if connection is not None:
            _dispose(connection, link.callbacks)

    def _on_close(self, _c: libvirt.virConnect, reason: int, link: _Link) -> None:
        self._lose(link, _REASONS.get(reason, f"reason {reason}"))

    def _failed(self, link: _Link, error: ComputekitError) -> Seconds:
        with self._changed:
            link.given_up = True
            if self._state is ConnectionState.CLOSED:
                return _REST_S
            self._state = ConnectionState.DISCONNECTED
            self._failure = error
            self._changed.notify_all()
        pause_s, self._pause_s = self._pause_s, Seconds(min(self._pause_s * 2, _LONGEST_PAUSE_S))
        _log.log(
            logging.DEBUG if pause_s > _FIRST_PAUSE_S else logging.WARNING,
            "no connection to %s, next attempt in %.1f s: %s",
            self.uri,
            pause_s,
            error,
        )
        return pause_s

    def _after_error(self, error: Exception) -> Seconds:
        _log.error("connecting to %s failed unexpectedly", self.uri, exc_info=error)
        return self._failed(self._link, HypervisorUnavailable(self.uri, str(error)))


_REASONS = {
    libvirt.VIR_CONNECT_CLOSE_REASON_ERROR: "an error",
    libvirt.VIR_CONNECT_CLOSE_REASON_EOF: "libvirtd has ended it",
    libvirt.VIR_CONNECT_CLOSE_REASON_KEEPALIVE: "libvirtd does not answer",
    libvirt.VIR_CONNECT_CLOSE_REASON_CLIENT: "we have ended it",
}


def _check_version(connection: libvirt.virConnect) -> None:
    found = connection.getLibVersion()
    if found < OLDEST_LIBVIRT:
        major, minor = divmod(found // 1_000, 1_000)
        raise Unsupported(f"libvirt {major}.{minor}", "9.0 is the oldest that is known to do")


def _dispose(connection: libvirt.virConnect, callbacks: tuple[int, ...]) -> None:
    """Give back what libvirt keeps for a connection; it refuses some of it on one that is lost."""
    for callback in callbacks:
        with contextlib.suppress(libvirt.libvirtError):
            connection.domainEventDeregisterAny(callback)
    with contextlib.suppress(libvirt.libvirtError):
        connection.unregisterCloseCallback()
    _close(connection)


def _close(connection: libvirt.virConnect) -> None:
    with contextlib.suppress(libvirt.libvirtError):
        connection.close()
