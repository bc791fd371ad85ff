"""Hosts that die while something is done on them, and what they have left when they come back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.compute import audit, remove_orphan
from computekit.errors import NoValidHost
from computekit.ids import HostName, InstanceId
from computekit.journal import Operation, OperationState
from computekit.model import InstanceState, decode_error
from computekit.testing.fake_fleet import FakeFleet, fake_facts
from computekit.units import Seconds
from computekit.virt import DomainState

A, B = HostName("a"), HostName("b")
LIVE = frozenset({OperationState.LIVE})


def state(fleet: FakeFleet, instance: InstanceId) -> tuple[InstanceState, HostName | None]:
    row = fleet.services.existing(instance)
    return row.state, row.host


def owed(fleet: FakeFleet) -> tuple[Operation, ...]:
    live = fleet.journal.operations(LIVE)
    return tuple(row for row in live if row.kind == "instance.remove_orphan")


class Switch:
    """Disturbs a fleet at one of the calls to a host."""

    def __init__(self) -> None:
        self.left = -1
        self.act: Callable[[], None] = lambda: None

    def at(self, calls: int, act: Callable[[], None]) -> None:
        self.left, self.act = calls, act

    def passed(self, point: str) -> None:
        if point == "after a call to a":
            self.left -= 1
            if self.left == 0:
                self.act()


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.fixture
def fleet(tmp_path: Path, switch: Switch) -> Iterator[FakeFleet]:
    made = FakeFleet(tmp_path, passed=switch.passed)
    yield made
    made.close()


CALLS = ("images", "define", "run")


@pytest.mark.parametrize("calls", range(1, 4), ids=CALLS)
def test_a_host_that_dies_in_a_create_is_left(fleet: FakeFleet, switch: Switch, calls: int) -> None:
    began_s = fleet.clock.wall_s()
    switch.at(calls, lambda: fleet.lose_agent(A))
    instance = fleet.create("one")
    fleet.run(Seconds(300.0))
    if calls == len(CALLS):  # it was done when the host died
        assert state(fleet, instance) == (InstanceState.ACTIVE, A)
        return
    assert state(fleet, instance) == (InstanceState.ACTIVE, B)
    (created,) = fleet.journal.history(instance)
    assert created.ended_s is not None
    assert created.ended_s - began_s < 120.0
    assert [row.subject for row in owed(fleet)] == [f"orphan:a:{instance}"]
    fleet.start_agent(A)
    fleet.run(Seconds(60.0))
    assert owed(fleet) == ()
    assert fleet.hypervisors[A].instances() == frozenset()
    assert fleet.hypervisors[A].domains() == ()
    assert audit(fleet.services).discrepancies == ()


def test_a_hypervisor_that_hangs_in_a_create_is_left(fleet: FakeFleet, switch: Switch) -> None:
    switch.at(2, fleet.hypervisors[A].drop_connection)
    instance = fleet.create("one")
    fleet.run(Seconds(300.0))
    assert state(fleet, instance) == (InstanceState.ACTIVE, B)
    fleet.hypervisors[A].restore_connection()
    assert len(fleet.hypervisors[A].domains()) == 1
    fleet.run(Seconds(60.0))
    assert fleet.hypervisors[A].domains() == ()
    assert audit(fleet.services).discrepancies == ()


def test_when_the_only_host_dies_the_create_is_undone(tmp_path: Path, switch: Switch) -> None:
    fleet = FakeFleet(tmp_path, (fake_facts("a"),), passed=switch.passed)
    switch.at(2, lambda: fleet.lose_agent(A))
    instance = fleet.create("one")
    fleet.run(Seconds(300.0))
    assert state(fleet, instance) == (InstanceState.ERROR, None)
    (created,) = fleet.journal.history(instance)
    assert created.state is OperationState.UNDONE
    assert isinstance(decode_error(created.error or ""), NoValidHost)
    assert fleet.services.placement.allocations(fleet.services.hosts.hosts()[0].provider) == ()
    fleet.close()


def test_a_delete_does_not_wait_for_a_dead_host(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    fleet.lose_agent(A)
    operation = compute.delete(fleet.services, instance)
    fleet.run(Seconds(300.0))
    ended = fleet.journal.operation(operation.id)
    assert ended is not None
    assert ended.state is OperationState.DONE
    assert [one.state for one in fleet.hypervisors[A].domains()] == [DomainState.RUNNING]
    fleet.start_agent(A)
    fleet.run(Seconds(60.0))
    assert audit(fleet.services).empty
    assert owed(fleet) == ()


def test_what_came_back_to_the_host_is_not_removed(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    row = fleet.services.existing(instance)
    elsewhere = attrs.evolve(row, host=B, epoch=row.epoch + 1)
    back = attrs.evolve(row, epoch=row.epoch + 2)
    change = fleet.services.instances.change_instance
    fleet.store.write(lambda tx: change(tx, row, elsewhere))
    assert remove_orphan(fleet.services, A, instance) is not None
    fleet.store.write(lambda tx: change(tx, elsewhere, back))
    fleet.run()
    assert fleet.hypervisors[A].instances() == {instance}
    assert owed(fleet) == ()
    assert remove_orphan(fleet.services, A, instance) is None


def test_what_nobody_knows_is_left_alone(fleet: FakeFleet, tmp_path: Path) -> None:
    instance = fleet.create("one")
    fleet.run()
    other = FakeFleet(tmp_path / "other", passed=lambda _: None)
    other.hypervisors[A] = fleet.hypervisors[A]
    other.restart_agents()
    other.run()
    assert remove_orphan(other.services, A, instance) is None
    assert [one.state for one in fleet.hypervisors[A].domains()] == [DomainState.RUNNING]
    other.close()


def test_a_removal_is_written_down_once(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    fleet.lose_agent(A)
    compute.delete(fleet.services, instance)
    fleet.run(Seconds(300.0))
    (first,) = owed(fleet)
    again = remove_orphan(fleet.services, A, instance)
    assert again is not None
    assert again.id == first.id
    fleet.store.write(lambda tx: fleet.services.hosts.delete_host(tx, A))
    fleet.run(Seconds(60.0))
    assert owed(fleet) == ()
