"""A wire inside one process; what goes over it is text all the same."""

import threading
from collections.abc import Callable

from computekit.errors import TransportFailed
from computekit.ids import HostName
from computekit.runtime import Pool, Runtime
from computekit.units import Seconds

__all__ = ["InProcessWire"]


class InProcessWire:
    """Delivers text to handlers of this process, on threads of its own, with a deadline.

    Each host has its own threads, so that one that hangs keeps nobody from the others.

    Args:
        runtime: owns the threads.
        size: messages that a host handles at the same time.
        queue_limit: messages that may wait for a host.
    """

    def __init__(self, runtime: Runtime, size: int = 8, queue_limit: int = 256) -> None:
        self._runtime = runtime
        self._size = size
        self._queue_limit = queue_limit
        self._lock = threading.Lock()
        self._pools: dict[HostName, Pool] = {}
        self._handlers: dict[HostName, Callable[[str], str]] = {}

    def attach(self, host: HostName, handler: Callable[[str], str]) -> Callable[[], None]:
        """Deliver messages for `host` to `handler` from now on; return how to stop that."""
        with self._lock:
            self._handlers[host] = handler
            if host not in self._pools:
                name = f"wire-{host}"
                self._pools[host] = self._runtime.pool(name, self._size, self._queue_limit)

        def detach() -> None:
            with self._lock:
                if self._handlers.get(host) is handler:
                    del self._handlers[host]

        return detach

    def send(self, host: HostName, text: str, timeout_s: Seconds) -> str:
        """Deliver as `computekit.agent.Wire` says."""
        with self._lock:
            handler, pool = self._handlers.get(host), self._pools.get(host)
        if handler is None or pool is None:
            raise TransportFailed(f"no agent of {host} is attached")
        return pool.call(lambda: handler(text), timeout_s, f"host call to {host}")
