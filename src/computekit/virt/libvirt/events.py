"""From libvirt's callbacks to our listeners: plain values in a queue, told by a thread of ours."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping

import libvirt

from computekit.ids import InstanceId
from computekit.runtime import Doorbell, Runtime
from computekit.units import Seconds
from computekit.virt.libvirt.domains import instance_of
from computekit.virt.ports import DomainEvent, DomainEventKind, DomainState, DomainStatus

__all__ = ["DomainWatch"]

_KINDS = {
    libvirt.VIR_DOMAIN_EVENT_DEFINED: DomainEventKind.DEFINED,
    libvirt.VIR_DOMAIN_EVENT_UNDEFINED: DomainEventKind.UNDEFINED,
    libvirt.VIR_DOMAIN_EVENT_STARTED: DomainEventKind.STARTED,
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: DomainEventKind.PAUSED,
    libvirt.VIR_DOMAIN_EVENT_RESUMED: DomainEventKind.RESUMED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED: DomainEventKind.STOPPED,
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: DomainEventKind.PAUSED,
    libvirt.VIR_DOMAIN_EVENT_CRASHED: DomainEventKind.STOPPED,
}
"""VIR_DOMAIN_EVENT_SHUTDOWN is left out: it says that STOPPED is about to follow."""

_AFTER = {
    DomainEventKind.STARTED: DomainState.RUNNING,
    DomainEventKind.RESUMED: DomainState.RUNNING,
    DomainEventKind.REBOOTED: DomainState.RUNNING,
    DomainEventKind.PAUSED: DomainState.PAUSED,
    DomainEventKind.STOPPED: DomainState.SHUTOFF,
}

_log = logging.getLogger(__name__)

_REST_S = Seconds(3600.0)

_Snapshot = tuple[DomainStatus, ...]


class DomainWatch:
    """Tells listeners what happens to our domains, on one thread, in order.

    After a lost connection it is given a snapshot, and tells what must have happened meanwhile.

    Args:
        runtime: owns the thread.
        name: of the thread.
    """

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._queue: queue.SimpleQueue[DomainEvent | _Snapshot] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[DomainEvent], None], ...] = ()
        self._known: dict[InstanceId, DomainState] | None = None
        self._bell: Doorbell = runtime.loop(name, self._tell_all, self._after_error)

    def subscribe(self, listener: Callable[[DomainEvent], None]) -> Callable[[], None]:
        """Add a listener, as `DomainEvents.subscribe` says."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    def register(self, connection: libvirt.virConnect) -> tuple[int, ...]:
        """Have libvirt call us; return what deregisters that."""
        return (
            connection.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._on_lifecycle, None
            ),
            connection.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self._on_reboot, None
            ),
        )

    def resynchronise(self, domains: _Snapshot) -> None:
        """Take what there is now; what differs from before is told as synthetic events."""
        self._put(domains)

    # Callbacks, on libvirt's event loop: no call to libvirt, no waiting.

    def _on_lifecycle(
        self, _c: libvirt.virConnect, domain: libvirt.virDomain, event: int, _d: int, _o: None
    ) -> None:
        instance, kind = instance_of(domain), _KINDS.get(event)
        if instance is not None and kind is not None:
            self._put(DomainEvent(instance, kind))

    def _on_reboot(self, _c: libvirt.virConnect, domain: libvirt.virDomain, _o: None) -> None:
        instance = instance_of(domain)
        if instance is not None:
            self._put(DomainEvent(instance, DomainEventKind.REBOOTED))

    def _put(self, item: DomainEvent | _Snapshot) -> None:
        self._queue.put(item)
        self._bell.ring()

    # The thread.

    def _tell_all(self) -> Seconds:
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return _REST_S
            events = (item,) if isinstance(item, DomainEvent) else self._missed(item)
            for event in events:
                self._note(event)
                for listener in self._listeners:
                    listener(event)

    def _after_error(self, error: Exception) -> Seconds:
        _log.error("a listener of domain events raised", exc_info=error)
        return Seconds(0.0)

    def _note(self, event: DomainEvent) -> None:
        if self._known is None:
            return
        if event.kind in {DomainEventKind.UNDEFINED, DomainEventKind.LOST}:
            self._known.pop(event.instance, None)
        elif event.kind is DomainEventKind.DEFINED:
            self._known.setdefault(event.instance, DomainState.SHUTOFF)
        else:
            self._known[event.instance] = _AFTER[event.kind]

    def _missed(self, domains: _Snapshot) -> tuple[DomainEvent, ...]:
        before = self._known
        self._known = {status.mark.instance: status.state for status in domains}
        return () if before is None else tuple(_differences(before, dict(self._known)))


def _differences(
    before: Mapping[InstanceId, DomainState], after: Mapping[InstanceId, DomainState]
) -> Iterator[DomainEvent]:
    for instance in before:
        if instance not in after:
            yield DomainEvent(instance, DomainEventKind.LOST, synthetic=True)
    for instance, state in after.items():
        if instance not in before:
            yield DomainEvent(instance, DomainEventKind.DEFINED, synthetic=True)
        was = before.get(instance, DomainState.SHUTOFF)
        if was is not state:
            yield DomainEvent(instance, _change(was, state), synthetic=True)


def _change(was: DomainState, state: DomainState) -> DomainEventKind:
    if state is DomainState.PAUSED:
        return DomainEventKind.PAUSED
    if state is not DomainState.RUNNING:
        return DomainEventKind.STOPPED
    return DomainEventKind.RESUMED if was is DomainState.PAUSED else DomainEventKind.STARTED
