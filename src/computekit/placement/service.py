"""Placement as one object whose calls are transactions of their own: here, or behind HTTP.

Nouns and semantics are those of the Placement API at its newest microversion, 1.39.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement.ports import Claim, ProviderUse, Reshaped, Usage

__all__ = [
    "Candidate",
    "CandidatePage",
    "PlacementService",
    "ProviderNode",
    "ProviderSummary",
]


@attrs.frozen
class ProviderNode:
    """A provider without its parts: what a list of providers shows.

    Attributes:
        id: UUID.
        name: unique among all providers.
        generation: of the provider.
        root: the root of its tree; its own id if it is one.
        parent: None for a root.
    """

    id: ProviderId
    name: str
    generation: int
    root: ProviderId
    parent: ProviderId | None = None


@attrs.frozen
class ProviderSummary:
    """What a candidate search tells of a provider in a tree that it found.

    Attributes:
        id: UUID.
        root: the root of its tree.
        parent: None for a root.
        capacity: what can be allocated, by class, whole units.
        used: what is allocated, by class.
        traits: what it can do.
    """

    id: ProviderId
    root: ProviderId
    parent: ProviderId | None
    capacity: FrozenMap[ResourceClass, int]
    used: FrozenMap[ResourceClass, int]
    traits: frozenset[Trait]


@attrs.frozen
class Candidate:
    """One way to serve a request.

    Attributes:
        root: the anchor: the root of the tree that it is on; sharing providers come from others.
        allocation: amounts by provider, ready to be claimed.
        mappings: which providers serve each group, by suffix.
    """

    root: ProviderId
    allocation: FrozenMap[ProviderId, Resources]
    mappings: FrozenMap[str, tuple[ProviderId, ...]]


@attrs.frozen
class CandidatePage:
    """Candidates, and every provider of the trees that they are on.

    Attributes:
        candidates: the first of each tree, then the second of each ...; always in this order.
        providers: by id, each provider of those trees and each sharing provider.
    """

    candidates: tuple[Candidate, ...]
    providers: FrozenMap[ProviderId, ProviderSummary]


class PlacementService(Protocol):
    """What both the library and a client of a server offer.

    Each call may raise `InvalidInput` with every fault of its arguments, and `StoreUnavailable`
    or `TransportFailed` if what keeps the books cannot be reached. A call that raises has changed
    nothing.
    """

    def resource_classes(self) -> tuple[ResourceClass, ...]:
        """Return all classes: the standard ones, then the custom ones in the order they came."""
        ...

    def create_resource_class(self, name: ResourceClass) -> bool:
        """Make a custom class known; return whether it is new."""
        ...

    def delete_resource_class(self, name: ResourceClass) -> None:
        """Forget a custom class.

        Raises:
            NotFound: it is not known.
            InUse: an inventory has it.
        """
        ...

    def traits(self, prefix: str = "", *, associated: bool | None = None) -> tuple[Trait, ...]:
        """Return the traits that begin with `prefix`, standard ones first.

        Args:
            prefix: of the name.
            associated: only those that some provider has (True), or that none has (False).
        """
        ...

    def create_trait(self, name: Trait) -> bool:
        """Make a custom trait known; return whether it is new."""
        ...

    def delete_trait(self, name: Trait) -> None:
        """Forget a custom trait.

        Raises:
            NotFound: it is not known.
            InUse: a provider has it.
        """
        ...

    def providers(
        self, matching: RequestGroup | None = None, *, name: str | None = None
    ) -> tuple[ProviderNode, ...]:
        """Return the providers of this name that could serve `matching` alone, by id.

        `matching.suffix` is not looked at; `member_of` means the provider itself.
        """
        ...

    def provider(self, provider: ProviderId) -> ProviderUse:
        """Return a provider with all its parts and what is used of it.

        Raises:
            NotFound: there is none.
        """
        ...

    def create_provider(
        self, provider: ProviderId, name: str, parent: ProviderId | None = None
    ) -> None:
        """Make an empty provider.

        Raises:
            AlreadyExists: the id or the name is taken.
            NotFound: there is no such parent.
        """
        ...

    def update_provider(self, provider: ProviderId, name: str, parent: ProviderId | None) -> None:
        """Give a provider another name or parent; what is below it moves along.

        Raises:
            NotFound: it, or the parent, is not there.
            AlreadyExists: the name is taken.
            InvalidInput: the parent is the provider itself or below it.
        """
        ...

    def delete_provider(self, provider: ProviderId) -> None:
        """Remove a provider with its inventories.

        Raises:
            NotFound: there is none.
            InUse: it has children, or an allocation holds something of it.
        """
        ...

    def set_inventories(
        self,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        """Do what `PlacementWriter.set_inventories` says."""
        ...

    def set_traits(self, provider: ProviderId, generation: int, traits: frozenset[Trait]) -> int:
        """Do what `PlacementWriter.set_traits` says."""
        ...

    def set_aggregates(
        self, provider: ProviderId, generation: int, aggregates: frozenset[AggregateId]
    ) -> int:
        """Do what `PlacementWriter.set_aggregates` says."""
        ...

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        """Return what a consumer holds, or None if it is unknown."""
        ...

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        """Return what consumers hold of `provider`, by consumer id; only that part of each.

        Raises:
            NotFound: there is no such provider.
        """
        ...

    def claim(self, *claims: Claim | Allocation) -> tuple[Allocation, ...]:
        """Replace what each of these consumers holds, all in one transaction.

        The rules are those of `PlacementWriter.claim`; what any of them gives back is free for
        the others. An empty allocation forgets the consumer. An allocation alone takes no
        counters along.

        Returns:
            What each of them holds now, in this order, with the consumer's new generation.

        Raises:
            ClaimRefused: it does not fit; which provider, class (or counter) and numbers are in
                it.
            GenerationConflict: a consumer was written in between.
            Unsupported: counters are asked of a server that is not computekit's.
        """
        ...

    def release(self, consumer: ConsumerId) -> None:
        """Give back all that a consumer holds; nothing happens if it is unknown."""
        ...

    def usages(self, project: ProjectId, user: UserId | None = None) -> Mapping[str | None, Usage]:
        """Return what a project (or one user in it) holds, by type of consumer; None: unknown."""
        ...

    def reshape(
        self, inventories: Mapping[ProviderId, Reshaped], allocations: Sequence[Allocation]
    ) -> None:
        """Move inventories between providers together with what is held of them, at once.

        Raises:
            NotFound, GenerationConflict, ClaimRefused, InUse: as the single writes do.
        """
        ...

    def candidates(self, request: PlacementRequest, *, limit: int | None = None) -> CandidatePage:
        """Return where a request fits, as many as `limit`, symmetric twins included."""
        ...
