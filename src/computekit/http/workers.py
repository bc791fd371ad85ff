"""Several processes behind one port: Granian, whose workers each make an application of their own.

The kernel spreads connections over the workers. A worker ends when the process that started it is
gone, however that ended.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import attrs

from computekit.clock import Clock, SystemClock
from computekit.units import Seconds

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["Workers", "free_port"]

LOOK_S = Seconds(0.5)
"""How often a worker looks for its parent, and a parent for its first worker."""
HEADER_READ_MS = 30_000
BUFFER = 64 * 1024
"""The longest request line with all headers, in bytes."""
LOG: dict[str, object] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(message)s"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
}
"""Granian's own words go to standard error; standard output is the caller's."""


def free_port(host: str, port: int) -> int:
    """Return `port`, or a free one for 0, after nobody else was found to listen there.

    Workers share their port with whoever says the same; who was there first would lose callers.

    Raises:
        OSError: somebody listens there already, or it is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.create_server((host, port), family=family)) as probe:
        found: int = probe.getsockname()[1]
        return found


@attrs.frozen
class _Made:
    """Makes the application in a worker; can be sent to a process that shares nothing."""

    make: "Callable[[], WSGIApplication]"
    parent: int
    drain_s: Seconds
    clock: Clock

    def __call__(self, _target: str | None = None) -> "WSGIApplication":
        watch = threading.Thread(target=self._end_with_parent, name="parent", daemon=True)
        watch.start()
        return self.make()

    def _end_with_parent(self) -> None:
        while os.getppid() == self.parent:
            self.clock.sleep(LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)
        self.clock.sleep(self.drain_s)
        os._exit(1)


@attrs.frozen
class Workers:
    """What runs one application in several processes.

    Attributes:
        make: makes the application, in each worker; a module's own function or a value of a
            module's own class, for it may have to be pickled.
        host: address to listen on.
        port: to listen on.
        workers: processes.
        threads: requests that each works on at the same time.
        drain_s: how long requests that are under way may take when it ends.
        clock: measures waiting.
    """

    make: "Callable[[], WSGIApplication]"
    host: str
    port: int
    workers: int
    threads: int = 4
    drain_s: Seconds = Seconds(10.0)
    clock: Clock = attrs.field(factory=SystemClock)

    def serve(self, ready: Callable[[], None]) -> None:
        """Answer requests until SIGTERM or SIGINT; to be called on the main thread.

        Args:
            ready: called, on another thread, when a worker answers.

        Raises:
            SystemExit: workers do not stay alive; standard error has the reason.
        """
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings
        from granian.log import LogLevels
        from granian.server.mp import MPServer

        server = MPServer(
            "computekit",
            address=self.host,
            port=self.port,
            interface=Interfaces.WSGI,
            workers=self.workers,
            blocking_threads=self.threads,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_READ_MS, max_buffer_size=BUFFER
            ),
            log_level=LogLevels.error,
            log_dictconfig=LOG,
            respawn_failed_workers=True,
            workers_kill_timeout=max(1, int(self.drain_s)),
        )
        waiting = threading.Thread(target=self._wait, args=(ready,), name="ready", daemon=True)
        server.on_startup(waiting.start)
        made = _Made(self.make, os.getpid(), self.drain_s, self.clock)
        server.serve(target_loader=made, wrap_loader=False)

    def _wait(self, ready: Callable[[], None]) -> None:
        while True:
            try:
                with socket.create_connection((self.host, self.port), timeout=LOOK_S):
                    break
            except OSError:
                self.clock.sleep(Seconds(LOOK_S / 10))
        ready()
