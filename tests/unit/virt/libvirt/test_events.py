"""What must have happened while nobody was told."""

import threading

from computekit.ids import InstanceId, OperationId
from computekit.runtime import Runtime
from computekit.units import Seconds
from computekit.virt import (
    DomainEvent,
    DomainEventKind,
    DomainMark,
    DomainState,
    DomainStatus,
)
from computekit.virt.libvirt.events import DomainWatch


def status(instance: str, state: DomainState) -> DomainStatus:
    return DomainStatus(DomainMark(InstanceId(instance), 1, OperationId("op")), state)


def told(*snapshots: tuple[DomainStatus, ...]) -> list[tuple[str, DomainEventKind]]:
    """Return what a listener hears of these snapshots, one after the other."""
    runtime = Runtime()
    watch = DomainWatch(runtime, "watch")
    heard: list[DomainEvent] = []
    last = threading.Event()

    def listen(event: DomainEvent) -> None:
        if event.instance == "last":
            last.set()
        else:
            heard.append(event)

    watch.subscribe(listen)
    for snapshot in snapshots:
        watch.resynchronise(snapshot)
    watch.resynchronise((*snapshots[-1], status("last", DomainState.SHUTOFF)))
    assert last.wait(5.0)
    assert runtime.drain(Seconds(5.0))
    assert all(event.synthetic for event in heard)
    return [(event.instance, event.kind) for event in heard]


def test_the_first_look_tells_nothing() -> None:
    assert told((status("a", DomainState.RUNNING),)) == []


def test_what_differs_is_told() -> None:
    off, runs, paused = DomainState.SHUTOFF, DomainState.RUNNING, DomainState.PAUSED
    before = (
        status("same", runs),
        status("stops", runs),
        status("starts", off),
        status("goes", runs),
        status("pauses", runs),
        status("resumes", paused),
    )
    after = (
        status("same", runs),
        status("stops", off),
        status("starts", runs),
        status("pauses", paused),
        status("resumes", runs),
        status("comes", runs),
    )
    assert told(before, after) == [
        ("goes", DomainEventKind.LOST),
        ("stops", DomainEventKind.STOPPED),
        ("starts", DomainEventKind.STARTED),
        ("pauses", DomainEventKind.PAUSED),
        ("resumes", DomainEventKind.RESUMED),
        ("comes", DomainEventKind.DEFINED),
        ("comes", DomainEventKind.STARTED),
    ]
