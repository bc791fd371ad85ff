"""Copies into a server on which somebody else writes at the same time."""

import pytest

from computekit.client import Snapshot, compare
from computekit.client.copying import write_differences
from computekit.errors import CapacityExceeded
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    Provider,
    ResourceClass,
)
from computekit.placement import LocalPlacement

HOST = ProviderId("host")
WHO = ConsumerId("who")
SMALL = Inventory(1)


class Target(LocalPlacement):
    """A server that is copied to."""

    def holders(self, provider: ProviderId) -> tuple[ConsumerId, ...]:
        return tuple(one.consumer.id for one in self.books.allocations(provider))


class Contested(Target):
    """One on which a neighbour keeps an inventory small."""

    widened = 0

    def set_inventories(
        self,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        written = super().set_inventories(provider, generation, inventories)
        if inventories[VCPU] == SMALL:
            return written
        self.widened += 1
        assert self.widened < 5, "it goes on for ever"
        return super().set_inventories(provider, written, inventories.replace(VCPU, SMALL))


def overfull() -> Snapshot:
    """Return what a server holds whose provider has shrunk below its use."""
    held = FrozenMap({HOST: FrozenMap({VCPU: 3})})
    return Snapshot(
        (),
        (),
        {HOST: Provider(HOST, "host", inventories=FrozenMap({VCPU: SMALL}))},
        {WHO: Allocation(Consumer(WHO, ProjectId("p"), UserId("u"), generation=1), held)},
    )


def copy_to(target: Target) -> None:
    wanted, nothing = overfull(), Snapshot((), (), {}, {})
    write_differences(wanted, target, compare(wanted, nothing), lambda *_: None)


def test_what_is_held_beyond_its_inventory_is_copied() -> None:
    target = Target.in_memory()
    copy_to(target)
    use = target.provider(HOST)
    assert use.used == {VCPU: 3}
    assert use.provider.inventories == {VCPU: SMALL}


def test_an_inventory_that_a_neighbour_keeps_small_ends_the_copy() -> None:
    target = Contested.in_memory()
    with pytest.raises(CapacityExceeded):
        copy_to(target)
    assert target.widened == 1
