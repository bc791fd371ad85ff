"""Resource providers and the trees that they form."""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from computekit.ids import AggregateId, ProviderId
from computekit.model.frozen_map import FrozenMap
from computekit.model.inventory import Inventory
from computekit.model.resources import ResourceClass
from computekit.model.traits import Trait

__all__ = ["Provider", "ProviderTree"]


def _inventories(
    given: Mapping[ResourceClass, Inventory],
) -> FrozenMap[ResourceClass, Inventory]:
    return given if isinstance(given, FrozenMap) else FrozenMap(given)


def _traits(given: Iterable[Trait]) -> frozenset[Trait]:
    return frozenset(given)


def _aggregates(given: Iterable[AggregateId]) -> frozenset[AggregateId]:
    return frozenset(given)


@attrs.frozen
class Provider:
    """Something that has resources: a host, one of its NUMA cells, a device (Placement API).

    Plain mappings and sets are taken too; they are copied.

    Attributes:
        id: UUID.
        name: unique among all providers, 1 to 200 characters.
        parent: the provider that this one is part of; None for a root.
        inventories: by resource class.
        traits: what it can do.
        aggregates: the groups that it belongs to.
        generation: raised with each change of inventories, traits, aggregates or allocations.
    """

    id: ProviderId
    name: str
    parent: ProviderId | None = None
    inventories: FrozenMap[ResourceClass, Inventory] = attrs.field(
        default=FrozenMap[ResourceClass, Inventory](), converter=_inventories
    )
    traits: frozenset[Trait] = attrs.field(default=frozenset[Trait](), converter=_traits)
    aggregates: frozenset[AggregateId] = attrs.field(
        default=frozenset[AggregateId](), converter=_aggregates
    )
    generation: int = 0


@attrs.frozen
class ProviderTree:
    """A root and everything below it.

    Attributes:
        providers: parents before their children; the root is first.
    """

    providers: tuple[Provider, ...] = attrs.field()

    @providers.validator
    def _check(self, _attribute: object, value: tuple[Provider, ...]) -> None:
        seen: set[ProviderId] = set()
        for position, provider in enumerate(value):
            parent_ok = provider.parent in seen if position else provider.parent is None
            if not parent_ok or provider.id in seen:
                raise ValueError("providers must be one tree, parents before children, ids unique")
            seen.add(provider.id)
        if not value:
            raise ValueError("a tree has at least its root")

    @property
    def root(self) -> Provider:
        """The provider without a parent."""
        return self.providers[0]

    def children(self, parent: ProviderId) -> tuple[Provider, ...]:
        """Return the direct children of `parent`."""
        return tuple(p for p in self.providers if p.parent == parent)

    def __iter__(self) -> Iterator[Provider]:
        return iter(self.providers)
