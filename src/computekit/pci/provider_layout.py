"""Units as a tree of providers, and in which order one tree becomes another."""

from collections.abc import Iterable, Iterator
from enum import Enum

import attrs

from computekit.ids import ConsumerId, ProviderId
from computekit.model import FrozenMap, Inventory, Provider, ProviderTree, ResourceClass
from computekit.pci.names import MANAGED_TRAIT
from computekit.pci.state import KeptUnit, PciState, UnitStanding
from computekit.pci.unit import PciHost

__all__ = [
    "PciAllocation",
    "ProviderWrite",
    "WriteKind",
    "pci_provider_tree",
    "provider_writes",
]


@attrs.frozen(order=True)
class PciAllocation:
    """So much of one class of one provider that one consumer holds (Placement API, allocations).

    Attributes:
        consumer: an instance, or a migration.
        provider: of a device, of the VFs of a PF, or of a group.
        resource_class: of it.
        amount: units of it.
    """

    consumer: ConsumerId
    provider: ProviderId
    resource_class: ResourceClass
    amount: int = 1


def pci_provider_tree(
    state: PciState, host: PciHost, allocations: Iterable[PciAllocation] = ()
) -> ProviderTree:
    """Return the host with a provider for whatever is given away or held.

    A total never goes below what is allocated, which Placement would refuse; what is dirty is
    reserved.
    """
    counted: dict[ProviderId, list[KeptUnit]] = {}
    for kept in state.units:
        if kept.counted:
            counted.setdefault(kept.unit.provider, []).append(kept)
    used: dict[tuple[ProviderId, ResourceClass], int] = {}
    for it in allocations:
        key = (it.provider, it.resource_class)
        used[key] = used.get(key, 0) + it.amount
    children = [_provider(kept, state, host, used) for kept in counted.values()]
    children.sort(key=lambda provider: provider.name)
    return ProviderTree((Provider(host.root, host.name), *children))


def _provider(
    kept: list[KeptUnit],
    state: PciState,
    host: PciHost,
    used: dict[tuple[ProviderId, ResourceClass], int],
) -> Provider:
    unit = kept[0].unit
    classes: dict[ResourceClass, list[KeptUnit]] = {}
    for it in kept:
        classes.setdefault(it.unit.resource_class, []).append(it)
    inventories: dict[ResourceClass, Inventory] = {}
    for name, same in sorted(classes.items()):
        total = max(len(same), used.get((unit.provider, name), 0))
        reserved = sum(1 for it in same if state.is_dirty(it.unit))
        inventories[name] = Inventory(total=total, reserved=reserved, max_unit=total)
    # What retires has the traits of yesterday; those of what is offered count.
    says = next((it.unit for it in kept if it.standing is UnitStanding.OFFERED), unit)
    return Provider(
        unit.provider, unit.provider_name, host.root, FrozenMap(inventories), says.traits
    )


class WriteKind(Enum):
    """What is written of a provider."""

    DELETE = "delete"
    INVENTORIES = "inventories"
    CREATE = "create"
    TRAITS = "traits"


@attrs.frozen
class ProviderWrite:
    """One write; doing it again changes nothing.

    Attributes:
        kind: what is written.
        provider: as it is afterwards; of a delete, as it was.
        generation: that it must still have; None: it is not there yet, or has been written before.
        withdraws: whether it only takes away. These come first: what is in one place before and in
            another afterwards is at no moment in both.
    """

    kind: WriteKind
    provider: Provider
    generation: int | None
    withdraws: bool


def provider_writes(before: ProviderTree, after: ProviderTree) -> tuple[ProviderWrite, ...]:
    """Return what makes the devices of one tree into those of another, in order.

    Whoever dies between two writes leaves devices that nobody is offered, and none that two are.
    Providers without the trait of managed PCI devices are somebody else's and stay.

    Args:
        before: what Placement says, with generations; other providers than devices are left alone.
        after: what it should say.
    """
    there = {it.id: it for it in before if it.parent is not None and MANAGED_TRAIT in it.traits}
    wanted = {it.id: it for it in after if it.parent is not None}
    return (*_withdrawals(there, wanted), *_offers(there, wanted))


def _withdrawals(
    there: dict[ProviderId, Provider], wanted: dict[ProviderId, Provider]
) -> Iterator[ProviderWrite]:
    for id_, old in sorted(there.items(), key=lambda pair: pair[1].name):
        new = wanted.get(id_)
        if new is None:
            yield ProviderWrite(WriteKind.DELETE, old, old.generation, withdraws=True)
            continue
        least = _least(old, new)
        if least != old.inventories:
            shrunk = attrs.evolve(old, inventories=least)
            yield ProviderWrite(WriteKind.INVENTORIES, shrunk, old.generation, withdraws=True)


def _offers(
    there: dict[ProviderId, Provider], wanted: dict[ProviderId, Provider]
) -> Iterator[ProviderWrite]:
    for id_, new in sorted(wanted.items(), key=lambda pair: pair[1].name):
        old = there.get(id_)
        if old is None:
            yield ProviderWrite(WriteKind.CREATE, new, None, withdraws=False)
        # Traits first: nothing is offered as less than it is.
        if old is None or old.traits != new.traits:
            generation = _generation(old, new)
            yield ProviderWrite(WriteKind.TRAITS, new, generation, withdraws=False)
        if old is None or _least(old, new) != new.inventories:
            fresh = old is not None and old.traits == new.traits
            generation = _generation(old, new) if fresh else None
            yield ProviderWrite(WriteKind.INVENTORIES, new, generation, withdraws=False)


def _generation(old: Provider | None, new: Provider) -> int | None:
    """Return the generation if nothing has been written since it was read."""
    if old is None or _least(old, new) != old.inventories:
        return None
    return old.generation


def _least(old: Provider, new: Provider) -> FrozenMap[ResourceClass, Inventory]:
    """Return what both offer: of each class the smaller total and the larger reserve."""
    found: dict[ResourceClass, Inventory] = {}
    for name, is_ in old.inventories.items():
        will = new.inventories.get(name)
        if will is None:
            continue
        total = min(is_.total, will.total)
        reserved = min(total, max(is_.reserved, will.reserved))
        grown = will.total >= is_.total and will.reserved <= is_.reserved
        found[name] = (
            is_ if grown else attrs.evolve(will, total=total, reserved=reserved, max_unit=total)
        )
    return FrozenMap(found)
