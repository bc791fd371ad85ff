"""What hypervisors tell of guests: hints, kept until it can be looked whether they are true."""

import threading
from collections.abc import Callable

from computekit.compute.observe import observe
from computekit.compute.services import Services
from computekit.ids import InstanceId
from computekit.journal import Operation
from computekit.model import InstanceState
from computekit.runtime import Doorbell, Faults, Runtime
from computekit.units import Seconds
from computekit.virt.ports import DomainEvent, DomainEventKind

__all__ = ["Hints"]

_MEANS = {
    DomainEventKind.STARTED: InstanceState.ACTIVE,
    DomainEventKind.STOPPED: InstanceState.STOPPED,
    DomainEventKind.LOST: InstanceState.STOPPED,
}
_SOON_S, _REST_S = Seconds(0.2), Seconds(3600.0)


class Hints:
    """Has a guest looked at that has come or gone by itself, as soon as nothing else works on it.

    What the books say anyway is no news: most events are what operations have brought about. What
    comes while an operation is under way wakes it, if it waits, and is kept until it has ended:
    only then can be told whose doing it was. The memory dies with the process; the look at whole
    hosts finds what it knew.

    Args:
        services: the ports.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._heard: dict[InstanceId, InstanceState] = {}
        self._woke: set[InstanceId] = set()
        self._ring: Callable[[], None] = lambda: None

    def hear(self, event: DomainEvent) -> None:
        """Take note of what a hypervisor tells; returns at once."""
        state = _MEANS.get(event.kind)
        if state is None:
            return
        with self._lock:
            self._heard[event.instance] = state
            self._woke.discard(event.instance)
        self._ring()

    def look(self) -> Seconds:
        """Follow each hint as far as that can be done now; return when to look again."""
        with self._lock:
            heard = tuple(self._heard.items())
        for instance, state in heard:
            live = self._services.journal.live(instance)
            if live is not None:
                self._wake(instance, live)
                continue
            row = self._services.instances.instance(instance)
            stable = row is not None and row.state in _MEANS.values()
            if stable and row is not None and row.state is not state:
                observe(self._services, instance)
            with self._lock:
                if self._heard.get(instance) is state:
                    del self._heard[instance]
                    self._woke.discard(instance)
        with self._lock:
            return _SOON_S if self._heard else _REST_S

    def run(self, runtime: Runtime, faults: Faults) -> Doorbell:
        """Follow hints on a thread of `runtime` until it is drained."""

        def follow() -> Seconds:
            rest_s = self.look()
            faults.passed()
            return rest_s

        bell = runtime.loop("hints", follow, faults.came)
        self._ring = bell.ring
        bell.ring()
        return bell

    def _wake(self, instance: InstanceId, live: Operation) -> None:
        """Let an operation that waits see at once what has happened: once for each hint."""
        with self._lock:
            if instance in self._woke:
                return
            self._woke.add(instance)
        if live.executor is None:
            self._services.store.write(lambda tx: self._services.journal.wake(tx, instance))
