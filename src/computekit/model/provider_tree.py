"""Resource providers and the trees that they form."""

from collections.abc import Iterator

import attrs

from computekit.ids import AggregateId, ProviderId
from computekit.model.frozen_map import FrozenMap
from computekit.model.inventory import Inventory
from computekit.model.resources import ResourceClass
from computekit.model.traits import Trait

__all__ = ["Provider", "ProviderTree"]


@attrs.frozen
class Provider:
    """Something that has resources: a host, one of its NUMA cells, a device (Placement API).

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
    inventories: FrozenMap[ResourceClass, Inventory] = FrozenMap()
    traits: frozenset[Trait] = frozenset()
    aggregates: frozenset[AggregateId] = frozenset()
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
