"""The provider of a host that has one only, put together from the columns."""

from collections.abc import Mapping

from computekit.ids import AggregateId, HostName, ProviderId
from computekit.model import FrozenMap, Provider, ResourceClass, Trait
from computekit.placement.columns import ResourceColumn
from computekit.placement.ports import ProviderUse

__all__ = ["flat_use"]


def flat_use(
    root: ProviderId,
    name: HostName,
    columns: Mapping[ResourceClass, ResourceColumn],
    row: int,
    traits: frozenset[Trait],
    aggregates: frozenset[AggregateId],
) -> ProviderUse:
    """Return the provider of a row with what is used of it; its generation is not known."""
    held = {n: c for n, c in columns.items() if c.units[row].rules}
    provider = Provider(
        id=root,
        name=name,
        inventories=FrozenMap({n: c.inventory(row) for n, c in held.items()}),
        traits=traits,
        aggregates=aggregates,
    )
    used = {n: int(c.capacity.value[row] - c.free.value[row]) for n, c in held.items()}
    return ProviderUse(provider, root, FrozenMap(used))
