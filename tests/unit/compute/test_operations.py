"""What operations on instances do beyond the laws."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.compute import ConsoleOutput, audit
from computekit.errors import (
    HypervisorRefused,
    InvalidInput,
    NotFound,
    NoValidHost,
    OperationInProgress,
    StateConflict,
)
from computekit.ids import FlavorId, HostName, InstanceId
from computekit.journal import OperationState
from computekit.model import Flavor, InstanceState, decode, decode_error
from computekit.testing.fake_fleet import SMALL, FakeFleet
from computekit.units import Gib, Mib, Seconds
from computekit.virt import DomainState

A, B = HostName("a"), HostName("b")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    made = FakeFleet(tmp_path)
    yield made
    made.close()


def state(fleet: FakeFleet, instance: InstanceId) -> tuple[InstanceState, HostName | None]:
    row = fleet.services.existing(instance)
    return row.state, row.host


def test_a_host_that_cannot_leads_to_the_next(fleet: FakeFleet) -> None:
    fleet.hypervisors[A].fail_next("start", HypervisorRefused("start", 1, "broken"))
    instance = fleet.create("one")
    fleet.run()
    assert state(fleet, instance) == (InstanceState.ACTIVE, B)
    assert audit(fleet.services).discrepancies == ()
    assert fleet.hypervisors[A].instances() == frozenset()


def test_when_no_host_can_the_last_reason_is_kept(fleet: FakeFleet) -> None:
    for hypervisor in fleet.hypervisors.values():
        hypervisor.fail_next("define", HypervisorRefused("define", 1, "broken"), times=9)
    instance = fleet.create("one")
    fleet.run()
    assert state(fleet, instance) == (InstanceState.ERROR, None)
    (operation,) = fleet.journal.history(instance)
    assert operation.state is OperationState.UNDONE
    assert operation.error is not None
    refusal = decode_error(operation.error)
    assert isinstance(refusal, NoValidHost)
    assert "a was tried: define was refused: broken" in refusal.message
    found = audit(fleet.services)
    assert (found.domains, found.files, found.allocations) == (0, 0, 0)


def test_what_cannot_fit_is_explained(fleet: FakeFleet) -> None:
    instance = fleet.create("big", attrs.evolve(SMALL, memory_mib=Mib(1 << 20)))
    fleet.run()
    (operation,) = fleet.journal.history(instance)
    assert operation.error is not None
    refusal = decode_error(operation.error)
    assert isinstance(refusal, NoValidHost)
    assert "MEMORY_MB" in refusal.explanation
    assert "1048576" in refusal.explanation


def test_two_that_want_the_last_place(fleet: FakeFleet) -> None:
    large = Flavor(FlavorId("l"), "l", 1, Mib(3000), Gib(1))
    instances = [fleet.create(f"i{number}", large) for number in range(3)]
    fleet.run()
    states = sorted(state(fleet, one)[0].value for one in instances)
    assert states == ["active", "active", "error"]
    assert audit(fleet.services).discrepancies == ()


def test_every_fault_of_a_create_at_once(fleet: FakeFleet) -> None:
    wrong = attrs.evolve(SMALL, vcpus=0, memory_mib=Mib(0))
    with pytest.raises(InvalidInput) as caught:
        fleet.create("bad\x00name", wrong)
    paths = {fault.path for fault in caught.value.faults}
    assert {"name", "flavor.vcpus", "flavor.memory_mib"} <= paths
    assert fleet.services.instances.instances(deleted=True) == ()


def test_a_delete_ends_what_is_under_way(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    compute.delete(fleet.services, instance)
    with pytest.raises(OperationInProgress):
        fleet.services.submit(
            compute.observe_kind(fleet.services), compute.ObserveParams(), instance
        )
    fleet.run()
    assert state(fleet, instance) == (InstanceState.DELETED, None)
    first, second = fleet.journal.history(instance)
    assert (first.state, second.state) == (OperationState.UNDONE, OperationState.DONE)
    assert audit(fleet.services).empty
    with pytest.raises(NotFound):
        compute.delete(fleet.services, instance)


def test_a_stop_takes_the_power_from_a_deaf_guest(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    fleet.hypervisors[A].deafen(instance)
    began_s = fleet.clock.wall_s()
    compute.stop(fleet.services, instance, Seconds(20.0))
    fleet.run()
    assert state(fleet, instance) == (InstanceState.STOPPED, A)
    assert 20.0 <= fleet.clock.wall_s() - began_s < 25.0


def test_a_reboot_starts_the_guest_anew(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    before = fleet.hypervisors[A].status(instance)
    for hard in (False, True):
        compute.reboot(fleet.services, instance, hard=hard)
        fleet.run()
        after = fleet.hypervisors[A].status(instance)
        assert before is not None
        assert after is not None
        assert after.state is DomainState.RUNNING
        assert after.boots != before.boots
        before = after


def test_the_wrong_state_is_refused_before_anything_is_written(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    with pytest.raises(StateConflict):
        compute.start(fleet.services, instance)
    compute.stop(fleet.services, instance, Seconds(0.0))
    fleet.run()
    for refused in (compute.stop, compute.reboot):
        with pytest.raises(StateConflict):
            refused(fleet.services, instance)
    assert len(fleet.journal.history(instance)) == 2


def test_what_a_guest_does_by_itself_is_written_down(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    fleet.hypervisors[A].power_off_guest(instance)
    (found,) = audit(fleet.services).discrepancies
    assert "domain that is shutoff" in found.what
    assert compute.observe(fleet.services, instance) is not None
    assert compute.observe(fleet.services, instance) is None
    fleet.run()
    assert state(fleet, instance) == (InstanceState.STOPPED, A)
    assert audit(fleet.services).discrepancies == ()


def test_a_console_is_read(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    fleet.clock.advance(Seconds(10.0))
    operation = compute.read_console(fleet.services, instance, 100)
    fleet.run()
    (result,) = fleet.journal.results(operation.id)
    assert result.value is not None
    assert "BOOTED one" in decode(result.value, ConsoleOutput).text


def test_an_audit_finds_what_is_on_the_wrong_host(fleet: FakeFleet) -> None:
    instance = fleet.create("one")
    fleet.run()
    row = fleet.services.existing(instance)
    moved = attrs.evolve(row, host=B)
    fleet.store.write(lambda tx: fleet.services.instances.change_instance(tx, row, moved))
    found = audit(fleet.services)
    assert {(one.host, one.instance) for one in found.discrepancies} == {
        (A, instance),
        (B, instance),
    }
    assert (found.instances, found.domains, found.files, found.allocations) == (1, 1, 1, 1)
