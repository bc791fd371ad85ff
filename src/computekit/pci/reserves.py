"""What Placement reserves of devices for one use, against what is remembered of them."""

from collections.abc import Iterable, Iterator

import attrs

from computekit.ids import ProviderId
from computekit.model import FrozenMap, Inventory, Provider, ProviderTree, ResourceClass
from computekit.pci.burn import Burn, BurnState
from computekit.pci.finding import Finding, Severity
from computekit.pci.names import ONE_TIME_USE_TRAIT
from computekit.pci.state import PciState
from computekit.pci.unit import DeviceId

__all__ = ["keep_reserves", "wiped_elsewhere"]


def keep_reserves(
    tree: ProviderTree, view: ProviderTree
) -> tuple[ProviderTree, tuple[Finding, ...]]:
    """Return the tree with no reserve of a device for one use below what Placement says.

    Somebody may have used it whom nobody here remembers. Only a wipe lowers a reserve.
    """
    there = {provider.id: provider for provider in view}
    findings: list[Finding] = []
    kept = tuple(
        provider
        if provider.id not in there or ONE_TIME_USE_TRAIT not in provider.traits
        else _kept(provider, there[provider.id], findings)
        for provider in tree
    )
    return ProviderTree(kept), tuple(findings)


def _kept(provider: Provider, old: Provider, findings: list[Finding]) -> Provider:
    stock: dict[ResourceClass, Inventory] = {}
    for name, inventory in provider.inventories.items():
        was = old.inventories.get(name)
        reserved = 0 if was is None else min(inventory.total, was.reserved)
        if reserved > inventory.reserved:
            message = f"{provider.name} stays reserved: Placement says that it is not clean"
            findings.append(Finding("H24", Severity.WARN, "", message))
        stock[name] = attrs.evolve(inventory, reserved=max(reserved, inventory.reserved))
    return attrs.evolve(provider, inventories=FrozenMap(stock))


def wiped_elsewhere(
    state: PciState, burns: Iterable[Burn], view: ProviderTree
) -> frozenset[DeviceId]:
    """Return the used devices that somebody has wiped and told Placement of.

    That is the contract of one-time-use devices (Nova): an external cleaner sets the reserve to
    zero. It is believed only if Placement has reserved the device before: else the reserve may be
    zero because nobody got to say otherwise.
    """
    told = {burn.device for burn in burns if burn.published and burn.state is BurnState.DIRTY}
    return frozenset(_wiped(state, told, {provider.id: provider for provider in view}))


def _wiped(
    state: PciState, told: set[DeviceId], there: dict[ProviderId, Provider]
) -> Iterator[DeviceId]:
    for kept in state.units:
        provider = there.get(kept.unit.provider)
        stock = None if provider is None else provider.inventories.get(kept.unit.resource_class)
        # Of several units on one provider a reserve does not say which.
        if kept.holding is None and stock is not None and stock.total == 1 and not stock.reserved:
            mine = {member.id for member in kept.unit.members if member.id in state.dirty}
            if mine <= told:
                yield from mine
