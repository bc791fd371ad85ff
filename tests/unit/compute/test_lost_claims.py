"""Creates whose host changes between the choice and the claim."""

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from typing_extensions import override

from computekit.agent import host_provider
from computekit.compute import audit
from computekit.errors import NoValidHost, RetriesExhausted, StoreUnavailable
from computekit.ids import HostName, InstanceId
from computekit.journal import Operation, OperationState
from computekit.model import (
    FrozenMap,
    InstanceState,
    Inventory,
    ResourceClass,
    decode_error,
)
from computekit.scheduler import Decision, Request, Scheduler
from computekit.testing.fake_fleet import FakeFleet

A, B = HostName("a"), HostName("b")
Change = Callable[[Inventory], Inventory | None]


class Overtaken(Scheduler):
    """A scheduler whose choice is old before it can be claimed."""

    def __init__(self, fleet: FakeFleet, meanwhile: Callable[[], None]) -> None:
        super().__init__(fleet.services.scheduler.index)
        self.choices = 0
        self._meanwhile = meanwhile

    @override
    def place(self, request: Request) -> Decision:
        decision = super().place(request)
        self.choices += 1
        self._meanwhile()
        return decision


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    made = FakeFleet(tmp_path)
    yield made
    made.close()


def overtaken(fleet: FakeFleet, meanwhile: Callable[[], None]) -> Overtaken:
    scheduler = Overtaken(fleet, meanwhile)
    fleet.services = attrs.evolve(fleet.services, scheduler=scheduler)
    return scheduler


def change_cpus(fleet: FakeFleet, host: HostName, change: Change) -> None:
    """Change what a host has to give, as another writer would."""
    cpus = ResourceClass("VCPU")
    placement = fleet.services.placement
    provider = placement.provider(host_provider(host))
    assert provider is not None
    inventories = dict(provider.inventories)
    if cpus not in inventories:
        return
    changed = change(inventories.pop(cpus))
    if changed is not None:
        inventories[cpus] = changed
    fleet.store.write(
        lambda tx: placement.set_inventories(
            tx, provider.id, provider.generation, FrozenMap(inventories)
        )
    )


LOSSES: dict[str, Change] = {
    "capacity": lambda cpus: attrs.evolve(cpus, reserved=cpus.total),
    "inventory": lambda cpus: None,
    "amount": lambda cpus: attrs.evolve(cpus, min_unit=2),
}


def created(fleet: FakeFleet) -> tuple[InstanceId, Operation]:
    began_s = fleet.clock.wall_s()
    instance = fleet.create("one")
    fleet.run()
    (operation,) = fleet.journal.history(instance)
    assert operation.ended_s == began_s, "somebody has waited"
    return instance, operation


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_claim_leads_to_the_next_host_at_once(fleet: FakeFleet, loss: str) -> None:
    scheduler = overtaken(fleet, lambda: change_cpus(fleet, A, LOSSES[loss]))
    instance, operation = created(fleet)
    assert operation.state is OperationState.DONE
    row = fleet.services.existing(instance)
    assert (row.state, row.host) == (InstanceState.ACTIVE, B)
    assert scheduler.choices == 1
    assert audit(fleet.services).discrepancies == ()


@pytest.mark.parametrize("loss", LOSSES)
def test_when_all_claims_are_lost_the_fleet_is_looked_at_again(fleet: FakeFleet, loss: str) -> None:
    def meanwhile() -> None:
        for host in (A, B):
            change_cpus(fleet, host, LOSSES[loss])

    scheduler = overtaken(fleet, meanwhile)
    instance, operation = created(fleet)
    assert operation.state is OperationState.UNDONE
    refusal = decode_error(operation.error or "")
    assert isinstance(refusal, NoValidHost)
    assert "VCPU" in refusal.explanation
    assert fleet.services.existing(instance).state is InstanceState.ERROR
    assert scheduler.choices == 2


def test_who_loses_again_and_again_is_told_so(fleet: FakeFleet) -> None:
    def reserve(all_of_it: bool) -> None:
        for host in (A, B):
            change_cpus(
                fleet, host, lambda cpus: attrs.evolve(cpus, reserved=cpus.total * all_of_it)
            )

    class Unlucky(Overtaken):
        @override
        def place(self, request: Request) -> Decision:
            reserve(all_of_it=False)
            return super().place(request)

    scheduler = Unlucky(fleet, lambda: reserve(all_of_it=True))
    fleet.services = attrs.evolve(fleet.services, scheduler=scheduler)
    instance = fleet.create("one")
    fleet.run()
    (operation,) = fleet.journal.history(instance)
    refusal = decode_error(operation.error or "")
    assert isinstance(refusal, RetriesExhausted)
    assert refusal.tries == 10
    assert "others were faster on a" in refusal.message
    assert refusal.explanation
    assert scheduler.choices == 10
    assert fleet.services.existing(instance).state is InstanceState.ERROR


@pytest.mark.parametrize("times", [3, 10_000])
def test_a_fleet_that_cannot_be_read_is_not_a_fleet_without_hosts(
    fleet: FakeFleet, times: int
) -> None:
    class Unreadable(Scheduler):
        left = times

        @override
        def place(self, request: Request) -> Decision:
            if self.left:
                self.left -= 1
                raise StoreUnavailable("it does not answer")
            return super().place(request)

    scheduler = Unreadable(fleet.services.scheduler.index)
    fleet.services = attrs.evolve(fleet.services, scheduler=scheduler)
    instance = fleet.create("one")
    fleet.run()
    (operation,) = fleet.journal.history(instance)
    if times == 3:
        assert operation.state is OperationState.DONE
        return
    assert operation.state is OperationState.UNDONE
    assert isinstance(decode_error(operation.error or ""), StoreUnavailable)
    assert fleet.services.existing(instance).state is InstanceState.ERROR
