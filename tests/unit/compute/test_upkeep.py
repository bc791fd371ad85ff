"""What a service does by itself."""

import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.agent import HostInstances, ReadInstances
from computekit.compute import Hints, Upkeep, UpkeepRules, audit, look_around, purge
from computekit.ids import HostName, InstanceId
from computekit.journal import OperationState
from computekit.model import InstanceState
from computekit.testing.fake_fleet import FakeFleet
from computekit.units import Bytes, Seconds, days_to_seconds
from computekit.virt import CacheLimits, DomainEvent, DomainEventKind

A, B = HostName("a"), HostName("b")
WEEK_S = days_to_seconds(7)


class Disturbance:
    """Does something after one of the calls to a host."""

    def __init__(self) -> None:
        self.plan: list[Callable[[], None] | None] = []

    def passed(self, point: str) -> None:
        if point == "after a call to a" and self.plan:
            act = self.plan.pop(0)
            if act is not None:
                act()


@pytest.fixture
def disturbance() -> Disturbance:
    return Disturbance()


@pytest.fixture
def fleet(tmp_path: Path, disturbance: Disturbance) -> Iterator[FakeFleet]:
    made = FakeFleet(tmp_path, passed=disturbance.passed)
    yield made
    made.close()


def running(fleet: FakeFleet, name: str = "one") -> InstanceId:
    instance = fleet.create(name)
    fleet.run()
    return instance


def state(fleet: FakeFleet, instance: InstanceId) -> InstanceState:
    return fleet.services.existing(instance).state


def kinds(fleet: FakeFleet, subject: str) -> list[str]:
    return [row.kind.removeprefix("instance.") for row in fleet.journal.history(subject)]


# Hints


def listening(fleet: FakeFleet) -> Hints:
    hints = Hints(fleet.services)
    for hypervisor in fleet.hypervisors.values():
        hypervisor.subscribe(hints.hear)
    return hints


def test_a_guest_that_goes_by_itself_is_looked_at_at_once(fleet: FakeFleet) -> None:
    instance = running(fleet)
    hints = listening(fleet)
    fleet.hypervisors[A].crash_guest(instance)
    hints.look()
    fleet.run()
    assert state(fleet, instance) is InstanceState.STOPPED
    assert kinds(fleet, instance) == ["create", "observe"]


def test_what_operations_do_is_no_news(fleet: FakeFleet) -> None:
    hints = listening(fleet)
    instance = fleet.create("one")
    hints.look()
    fleet.run()
    compute.stop(fleet.services, instance, Seconds(0.0))
    fleet.run()
    hints.look()
    fleet.run()
    assert kinds(fleet, instance) == ["create", "stop"]
    assert hints.look() > 60.0


@pytest.mark.parametrize("way", ["create", "start"])
def test_a_guest_that_goes_before_its_start_is_written_down(
    fleet: FakeFleet, disturbance: Disturbance, way: str
) -> None:
    hints = listening(fleet)
    instance = fleet.create("one")

    def crash() -> None:
        fleet.hypervisors[A].crash_guest(instance)
        assert hints.look() < 1.0, "the hint is not kept"

    if way == "create":
        disturbance.plan = [None, None, crash]
    else:
        fleet.run()
        compute.stop(fleet.services, instance, Seconds(0.0))
        fleet.run()
        hints.look()
        compute.start(fleet.services, instance)
        disturbance.plan = [None, crash]
    fleet.run()
    assert state(fleet, instance) is InstanceState.ACTIVE
    hints.look()
    fleet.run()
    assert state(fleet, instance) is InstanceState.STOPPED
    assert kinds(fleet, instance)[-2:] == [way, "observe"]
    assert hints.look() > 60.0


def test_a_hint_wakes_who_waits_for_it_once(fleet: FakeFleet) -> None:
    instance = running(fleet)
    operation = compute.stop(fleet.services, instance, Seconds(60.0))
    fleet.run(Seconds(0.0))
    hints = listening(fleet)
    waits = fleet.journal.operation(operation.id)
    assert waits is not None
    assert waits.wake_s > fleet.clock.wall_s()
    fleet.hypervisors[A].power_off_guest(instance)
    hints.look()
    woken = fleet.journal.operation(operation.id)
    assert woken is not None
    assert woken.wake_s == 0.0
    before = fleet.journal.operations()
    hints.look()
    assert fleet.journal.operations() == before


def test_hints_of_strangers_and_of_other_things_are_dropped(fleet: FakeFleet) -> None:
    instance = running(fleet)
    hints = Hints(fleet.services)
    hints.hear(DomainEvent(InstanceId("stranger"), DomainEventKind.LOST))
    hints.hear(DomainEvent(instance, DomainEventKind.PAUSED))
    assert hints.look() > 60.0
    assert kinds(fleet, instance) == ["create"]


# Looking around


def test_what_is_left_on_a_host_is_removed_by_an_operation(fleet: FakeFleet) -> None:
    instance = running(fleet)
    row = fleet.services.existing(instance)
    moved = attrs.evolve(row, host=None, epoch=row.epoch + 1, state=InstanceState.ERROR)
    fleet.store.write(lambda tx: fleet.services.instances.change_instance(tx, row, moved))
    for _ in range(3):
        look_around(fleet.services)
    subject = f"orphan:a:{instance}"
    assert kinds(fleet, subject) == ["remove_orphan"]
    fleet.restart_agents()
    fleet.run()
    assert fleet.hypervisors[A].domains() == ()
    assert fleet.hypervisors[A].instances() == frozenset()
    look_around(fleet.services)
    assert [row.state for row in fleet.journal.history(subject)] == [OperationState.DONE]


def test_a_guest_that_went_unheard_is_observed(fleet: FakeFleet) -> None:
    instance = running(fleet)
    fleet.hypervisors[A].power_off_guest(instance)
    look_around(fleet.services)
    fleet.run()
    assert state(fleet, instance) is InstanceState.STOPPED


def test_what_stays_wrong_is_said_once(
    fleet: FakeFleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running(fleet)
    other = FakeFleet(tmp_path / "other")  # books that know nothing of what is on the host
    other.hypervisors[A] = fleet.hypervisors[A]
    other.restart_agents()
    upkeep = Upkeep(other.services, random.Random(1))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            upkeep.look()
            other.run()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert len(fleet.hypervisors[A].domains()) == 1
    other.close()


# The audit


def test_an_operation_that_ends_during_an_audit_is_no_discrepancy(
    fleet: FakeFleet, disturbance: Disturbance
) -> None:
    instance = running(fleet)

    def delete() -> None:
        compute.delete(fleet.services, instance)
        fleet.run()

    disturbance.plan = [delete]
    assert audit(fleet.services).discrepancies == ()


def test_operations_that_never_pause_are_no_discrepancy(
    fleet: FakeFleet, disturbance: Disturbance
) -> None:
    instance = running(fleet)

    def stop() -> None:
        compute.stop(fleet.services, instance, Seconds(0.0))
        fleet.run()

    def start() -> None:
        compute.start(fleet.services, instance)
        fleet.run()

    def ask(host: HostName) -> HostInstances:
        found = fleet.services.client.call(host, ReadInstances())
        if host == A:
            (stop if state(fleet, instance) is InstanceState.ACTIVE else start)()
        return found

    assert audit(fleet.services, ask).discrepancies == ()


# What is past


def test_the_deleted_are_forgotten_in_time_and_in_batches(fleet: FakeFleet) -> None:
    gone = [running(fleet, f"gone-{number}") for number in range(5)]
    for instance in gone:
        compute.delete(fleet.services, instance)
    fleet.run()
    stays = running(fleet, "stays")
    fleet.clock.advance(Seconds(WEEK_S - 60.0))
    assert purge(fleet.services, WEEK_S) == 0
    late = running(fleet, "late")
    compute.delete(fleet.services, late)
    fleet.run()
    fleet.clock.advance(Seconds(120.0))
    assert [purge(fleet.services, WEEK_S, 2) for _ in range(4)] == [2, 2, 1, 0]
    left = fleet.services.instances.instances(deleted=True)
    assert [row.id for row in left] == [stays, late]
    assert {row.subject for row in fleet.journal.operations()} == {stays, late}
    assert all(fleet.services.instances.guest(instance) is None for instance in gone)


def test_who_has_left_something_behind_is_remembered(fleet: FakeFleet) -> None:
    instance = running(fleet)
    fleet.lose_agent(A)
    compute.delete(fleet.services, instance)
    fleet.run()
    fleet.clock.advance(Seconds(2 * WEEK_S))
    assert purge(fleet.services, WEEK_S) == 0
    fleet.start_agent(A)
    fleet.run()
    assert fleet.hypervisors[A].domains() == ()
    assert purge(fleet.services, WEEK_S) == 1
    fleet.clock.advance(Seconds(2 * WEEK_S))
    assert purge(fleet.services, WEEK_S) == 1
    assert fleet.journal.operations() == ()


def test_images_that_no_instance_needs_are_dropped(fleet: FakeFleet) -> None:
    cache = CacheLimits(Seconds(60.0), Bytes(1 << 40), Seconds(0.0))
    upkeep = Upkeep(fleet.services, random.Random(1), UpkeepRules(cache=cache))
    instance = running(fleet)
    fleet.clock.advance(Seconds(120.0))
    used = fleet.hypervisors[A].used_bytes()
    upkeep.drop_images()
    assert fleet.hypervisors[A].used_bytes() == used
    compute.delete(fleet.services, instance)
    fleet.run()
    fleet.lose_agent(B)
    fleet.store.write(
        lambda tx: fleet.services.hosts.put_host(
            tx, attrs.evolve(fleet.services.hosts.hosts()[1], up=False)
        )
    )
    upkeep.drop_images()
    assert fleet.hypervisors[A].used_bytes() == 0
