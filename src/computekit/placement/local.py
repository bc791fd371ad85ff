"""Placement in this process: the books, and an index that follows them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

import attrs

from computekit.clock import Clock, SystemClock
from computekit.errors import Fault, InvalidInput, NotFound
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    ProviderTree,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement.capacity import Room
from computekit.placement.claim_best import (
    Claimed,
    Counters,
    Rank,
    Unclaimed,
    claim_best,
    most_free,
)
from computekit.placement.explanation import PlacementExplanation
from computekit.placement.memory import MemoryPlacement
from computekit.placement.own_service import MOST_CONSUMERS
from computekit.placement.ports import (
    Claim,
    CounterClaim,
    PlacementWriter,
    ProviderUse,
    Reshaped,
    Usage,
)
from computekit.placement.provider_index import ProviderIndex
from computekit.placement.service import Candidate, CandidatePage, ProviderNode
from computekit.work import ChangeSet, MemoryStore, Store

__all__ = ["LocalPlacement"]


def _nothing() -> None:
    return None


class LocalPlacement:
    """An `OwnPlacementService` over books of this process's own.

    To write several things at once, or what this has no word for, use
    `placement.store.write(lambda tx: placement.books...)`.

    Args:
        store: where it is written.
        books: what is written.
        index: where it is searched; by default a new one that follows the store.
        on_close: gives back what the store holds.

    Attributes:
        store: as given.
        books: as given.
        index: as given.
    """

    def __init__(
        self,
        store: Store,
        books: PlacementWriter,
        index: ProviderIndex | None = None,
        *,
        on_close: Callable[[], None] = _nothing,
    ) -> None:
        self.store: Store = store
        self.books: PlacementWriter = books
        self.index: ProviderIndex = ProviderIndex(store, books) if index is None else index
        self._on_close = on_close

    @classmethod
    def in_memory(cls, clock: Clock | None = None) -> Self:
        """Return an empty one that lives as long as the process.

        Args:
            clock: says when something was written; by default the machine's.
        """
        store = MemoryStore()
        return cls(store, MemoryPlacement(store, SystemClock() if clock is None else clock))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the store holds; nothing works after that."""
        self._on_close()

    # Names

    def resource_classes(self) -> tuple[ResourceClass, ...]:
        return tuple(self.books.resource_classes())

    def create_resource_class(self, name: ResourceClass) -> bool:
        return self.store.write(lambda tx: self.books.create_resource_class(tx, name))

    def delete_resource_class(self, name: ResourceClass) -> None:
        self.store.write(lambda tx: self.books.delete_resource_class(tx, name))

    def traits(self, prefix: str = "", *, associated: bool | None = None) -> tuple[Trait, ...]:
        return tuple(self.books.traits(prefix, associated=associated))

    def create_trait(self, name: Trait) -> bool:
        return self.store.write(lambda tx: self.books.create_trait(tx, name))

    def delete_trait(self, name: Trait) -> None:
        self.store.write(lambda tx: self.books.delete_trait(tx, name))

    # Providers

    def providers(
        self, matching: RequestGroup | None = None, *, name: str | None = None
    ) -> tuple[ProviderNode, ...]:
        self.index.refresh()
        return self.index.providers(matching, name=name)

    def provider(self, provider: ProviderId) -> ProviderUse:
        uses = self.books.uses(frozenset({provider}))
        if not uses:
            raise NotFound("provider", provider)
        return uses[0]

    def create_provider(
        self, provider: ProviderId, name: str, parent: ProviderId | None = None
    ) -> None:
        self.store.write(lambda tx: self.books.create_provider(tx, provider, name, parent))

    def update_provider(self, provider: ProviderId, name: str, parent: ProviderId | None) -> None:
        self.store.write(lambda tx: self.books.update_provider(tx, provider, name, parent))

    def delete_provider(self, provider: ProviderId) -> None:
        self.store.write(lambda tx: self.books.delete_provider(tx, provider))

    def set_inventories(
        self,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        return self.store.write(
            lambda tx: self.books.set_inventories(tx, provider, generation, inventories)
        )

    def set_traits(self, provider: ProviderId, generation: int, traits: frozenset[Trait]) -> int:
        return self.store.write(lambda tx: self.books.set_traits(tx, provider, generation, traits))

    def set_aggregates(
        self, provider: ProviderId, generation: int, aggregates: frozenset[AggregateId]
    ) -> int:
        return self.store.write(
            lambda tx: self.books.set_aggregates(tx, provider, generation, aggregates)
        )

    def put_tree(self, tree: ProviderTree) -> ProviderTree:
        return self.store.write(lambda tx: self.books.put_tree(tx, tree))

    # Allocations

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        return self.books.allocation(consumer)

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        if self.books.provider(provider) is None:
            raise NotFound("provider", provider)
        return tuple(
            attrs.evolve(held, resources=FrozenMap({provider: held.resources[provider]}))
            for held in self.books.allocations(provider)
        )

    def claim(self, *claims: Claim | Allocation) -> tuple[Allocation, ...]:
        whole = tuple(one if isinstance(one, Claim) else Claim(one) for one in claims)
        return self.store.write(lambda tx: self.books.claim(tx, whole))

    def release(self, consumer: ConsumerId) -> None:
        self.store.write(lambda tx: self.books.release(tx, consumer))

    def usages(self, project: ProjectId, user: UserId | None = None) -> Mapping[str | None, Usage]:
        return self.books.usages(project, user)

    def reshape(
        self, inventories: Mapping[ProviderId, Reshaped], allocations: Sequence[Allocation]
    ) -> None:
        claims = tuple(Claim(allocation) for allocation in allocations)
        self.store.write(lambda tx: self.books.reshape(tx, inventories, claims))

    def consumers(
        self, after: ConsumerId | None = None, limit: int = MOST_CONSUMERS
    ) -> tuple[Allocation, ...]:
        if not 1 <= limit <= MOST_CONSUMERS:
            said = f"{limit} is not within 1 to {MOST_CONSUMERS}"
            raise InvalidInput((Fault("limit", "range", said),))
        return self.books.consumers(after, limit)

    def changes(self, since: int) -> ChangeSet | None:
        return self.store.changes(since)

    # Searching

    def candidates(self, request: PlacementRequest, *, limit: int | None = None) -> CandidatePage:
        return self.index.page(request, limit=limit, twins=True)

    def search(self, request: PlacementRequest, *, twins: bool = False) -> Iterator[Candidate]:
        """Return the ways to serve a request one by one, each found when it is asked for.

        Args:
            request: what is asked.
            twins: as in `ProviderIndex.candidates`.

        Raises:
            InvalidInput: with every fault of the request.
        """
        return self.index.candidates(request, twins=twins)

    def claim_best(
        self,
        request: PlacementRequest,
        consumer: Consumer,
        *,
        rank: Rank = most_free,
        tries: int = 16,
        considered: int = 1000,
        counters: tuple[CounterClaim, ...] | Counters = (),
    ) -> Claimed | Unclaimed:
        """Claim the best candidate, or what is next best if that is lost to another.

        Arguments and errors are those of `claim_best`; for its result nothing is raised.
        """
        return claim_best(
            self.store,
            self.books,
            self.index,
            consumer,
            request,
            rank=rank,
            tries=tries,
            considered=considered,
            counters=counters,
        )

    def explain(self, request: PlacementRequest, *, reports: int = 0) -> PlacementExplanation:
        """Return why a request finds so many candidates, or none.

        Args:
            request: what is asked.
            reports: of how many trees without a candidate everything is told.

        Raises:
            InvalidInput: with every fault of the request.
        """
        return self.index.explain(request, reports=reports)

    def room(self, request: PlacementRequest) -> Room:
        """Return how many more consumers that ask the same would fit, one after the other.

        Raises:
            InvalidInput: with every fault of the request.
        """
        return self.index.room(request)
