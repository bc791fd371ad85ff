"""Guests with pinned CPUs: claimed with all else, given back with all else, run where promised."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.agent import InventoryRules
from computekit.errors import HypervisorRefused, InUse
from computekit.ids import ConsumerId, HostName, InstanceId
from computekit.model import FrozenMap, Instance, InstanceState
from computekit.scheduler import CellHold
from computekit.testing.fake_fleet import SMALL, FakeFleet, fake_facts

A, B = HostName("a"), HostName("b")
PINNED = attrs.evolve(SMALL, vcpus=2, extra_specs=FrozenMap({"hw:cpu_policy": "dedicated"}))
RULES = InventoryRules(dedicated_cpus=frozenset({1, 2, 3}), shared_cpus=frozenset({0}))


@pytest.fixture(params=["memory", "sqlite"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeFleet]:
    url = None if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    facts = (fake_facts("a"), fake_facts("b"))
    made = FakeFleet(tmp_path / "hosts", facts, url=url, rules=RULES)
    yield made
    made.close()


def created(fleet: FakeFleet, name: str) -> Instance:
    instance = fleet.create(name, PINNED)
    fleet.run()
    return fleet.services.existing(instance)


def held(fleet: FakeFleet) -> tuple[CellHold, ...]:
    return fleet.services.cells.cell_holds()


def cpus(fleet: FakeFleet, instance: InstanceId) -> dict[int, int]:
    """Return the host's CPU of each vCPU, as the guest runs."""
    host = fleet.services.existing(instance).host
    assert host is not None
    cells = fleet.hypervisors[host].running_guest(instance).cells
    assert cells is not None
    return dict(cells.cpus)


def test_a_guest_runs_on_the_cpus_that_it_claimed(fleet: FakeFleet) -> None:
    one = created(fleet, "one")
    assert one.state is InstanceState.ACTIVE
    (hold,) = held(fleet)
    assert (hold.consumer, hold.host) == (ConsumerId(one.id), one.host)
    assert set(cpus(fleet, one.id).values()) == hold.cpus
    assert len(hold.cpus) == 2


def test_each_cpu_has_one_owner_and_no_more_are_promised_than_there_are(fleet: FakeFleet) -> None:
    first, second = created(fleet, "one"), created(fleet, "two")
    assert {first.host, second.host} == {A, B}
    third = created(fleet, "three")
    assert third.state is InstanceState.ERROR
    last = fleet.journal.history(third.id)[-1]
    assert isinstance(last.error, str)
    assert "2 fail PCPU 2" in last.error


def test_what_a_guest_held_is_free_once_it_is_deleted(fleet: FakeFleet) -> None:
    one, _two = created(fleet, "one"), created(fleet, "two")
    compute.delete(fleet.services, one.id)
    fleet.run()
    assert [hold.host for hold in held(fleet)] == [B if one.host == A else A]
    assert created(fleet, "three").host == one.host


def test_a_host_that_cannot_run_it_keeps_nothing_of_it(fleet: FakeFleet) -> None:
    for host in (A, B):
        fleet.hypervisors[host].fail_next("define", HypervisorRefused("define", 1, "no"), times=9)
    failed = created(fleet, "one")
    assert failed.state is InstanceState.ERROR
    assert held(fleet) == ()


def test_a_restart_of_its_agent_leaves_a_host_as_it_was(fleet: FakeFleet) -> None:
    one = created(fleet, "one")
    fleet.restart_agents()
    two = created(fleet, "two")
    assert {one.host, two.host} == {A, B}
    assert created(fleet, "three").state is InstanceState.ERROR


def test_a_claim_that_comes_too_late_takes_another_host(fleet: FakeFleet) -> None:
    """Somebody takes the CPUs of the chosen host between decision and claim."""
    services = fleet.services
    instance = fleet.create("late", PINNED)
    node = services.hosts.hosts(frozenset({A}))[0].topology.nodes[0]
    thief = CellHold(ConsumerId("thief"), A, node.id, node.dedicated, 0, SMALL.memory_mib)
    services.store.write(lambda tx: services.cells.hold_cells(tx, (thief,)))
    fleet.run()
    assert services.existing(instance).host == B


def test_what_nobody_gave_back_is_found(fleet: FakeFleet) -> None:
    created(fleet, "one")
    assert compute.audit(fleet.services).discrepancies == ()
    lost = CellHold(ConsumerId("lost"), B, 0, frozenset({3}), 0, SMALL.memory_mib)
    fleet.store.write(lambda tx: fleet.services.cells.hold_cells(tx, (lost,)))
    (found,) = compute.audit(fleet.services).discrepancies
    assert (found.host, found.instance) == (B, InstanceId("lost"))
    assert found.what == "the books say no allocation, there is one"


def test_a_cpu_that_is_taken_stays_dedicated(fleet: FakeFleet) -> None:
    one = created(fleet, "one")
    assert one.host is not None
    facts = fleet.hypervisors[one.host].facts()
    other = InventoryRules(dedicated_cpus=frozenset({0, 2, 3}), shared_cpus=frozenset({1}))
    with pytest.raises(InUse, match=f"CPUs 1 of host {one.host} is in use by instance {one.id}"):
        compute.admit_host(fleet.services, facts, "anew", other)
    row = fleet.services.hosts.host(one.host)
    assert row is not None
    assert row.topology.nodes[0].dedicated == {1, 2, 3}
