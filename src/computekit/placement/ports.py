"""The books of placement: providers, their inventories, and who holds what of them."""

from typing import Protocol

import attrs

from computekit.ids import AggregateId, ConsumerId, ProviderId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.work import Tx

__all__ = [
    "PROVIDER_CHANGED",
    "CounterClaim",
    "PlacementReader",
    "PlacementWriter",
    "ProviderUse",
]

PROVIDER_CHANGED = "provider"
"""`Change.kind` of a provider whose row, inventory, traits, aggregates or use was written."""


@attrs.frozen
class CounterClaim:
    """One counter that a claim takes along: a slot of a server group, of a limit, of a device.

    The counter's use rises by `amount` if it stays within `bound`; it is given back with the
    allocation.

    Attributes:
        scope: what kind of counter: `server_group:<id>` ...
        name: which one within the scope: a host, a zone ...
        amount: how much is taken.
        bound: the most that may be used by all.
    """

    scope: str
    name: str
    amount: int
    bound: int


@attrs.frozen
class ProviderUse:
    """One provider as the index needs it.

    Attributes:
        provider: its row with inventories, traits and aggregates.
        root: the root of its tree.
        used: what allocations hold of it, by class.
    """

    provider: Provider
    root: ProviderId
    used: FrozenMap[ResourceClass, int] = FrozenMap()


class PlacementReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def provider(self, provider: ProviderId) -> Provider | None:
        """Return a provider, or None."""
        ...

    def tree(self, member: ProviderId) -> ProviderTree | None:
        """Return the whole tree that `member` is in, or None if there is no such provider.

        Providers are ordered by depth, then by name.
        """
        ...

    def uses(self, providers: frozenset[ProviderId] | None = None) -> tuple[ProviderUse, ...]:
        """Return these providers (all, with None) with what is used of them, parents first.

        Ids that are not there (any more) are left out. Trees come by the id of their root,
        providers of a tree by depth, then by name.
        """
        ...

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        """Return what a consumer holds, or None if it is unknown."""
        ...

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        """Return all allocations that hold something of `provider`, by consumer id."""
        ...

    def counter(self, scope: str, name: str) -> int:
        """Return how much of a counter is used; 0 for one that was never taken."""
        ...


class PlacementWriter(PlacementReader, Protocol):
    """Writes; each belongs to a transaction.

    A call that raises has written nothing, so a transaction may go on after it with another host.
    Each call may raise `InvalidInput`, with every fault of its arguments; one that takes the
    generation of a provider raises `NotFound` or `GenerationConflict` if that is not the one.
    """

    def put_tree(self, tx: Tx, tree: ProviderTree) -> ProviderTree:
        """Make the stored tree equal to `tree`: create, change, remove; return it as stored.

        Generations in `tree` are not looked at. A provider whose inventories, traits and
        aggregates stay keeps its generation; a new one has 0. Allocations stay, also where an
        inventory shrinks below what is used of it.

        Raises:
            InUse: a provider or a class that would go is held by an allocation.
            AlreadyExists: a name is taken, or a provider belongs to another tree.
        """
        ...

    def delete_tree(self, tx: Tx, root: ProviderId) -> None:
        """Remove a whole tree; nothing happens if it is not there.

        Raises:
            InUse: something of it is held by an allocation.
        """
        ...

    def set_inventories(
        self,
        tx: Tx,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        """Replace all inventories of a provider; return its new generation, even if they are equal.

        Raises:
            InUse: a class that would go is held by an allocation.
        """
        ...

    def set_traits(
        self, tx: Tx, provider: ProviderId, generation: int, traits: frozenset[Trait]
    ) -> int:
        """Replace all traits of a provider; return its generation, raised only if they differ."""
        ...

    def set_aggregates(
        self, tx: Tx, provider: ProviderId, generation: int, aggregates: frozenset[AggregateId]
    ) -> int:
        """Replace all aggregates of a provider; return its new generation, even if equal."""
        ...

    def claim(
        self, tx: Tx, allocation: Allocation, counters: tuple[CounterClaim, ...] = ()
    ) -> Allocation:
        """Replace all that the consumer holds by `allocation` and `counters`, if it all fits.

        Judged and written in the order of (provider, class), then of the counters' (scope, name);
        the first that does not fit is raised. What a consumer holds already counts as free for
        it, and it may always keep or lower its part, even of a provider that has given too much.

        `allocation.consumer.generation` is the one that the caller has seen; 0 for a new
        consumer. The result carries the new one; a consumer that is left with nothing is
        forgotten and has 0. The same claim made twice by its owner, with the generation of
        before, is a conflict: read first.

        Each provider that is named goes up one generation in a transaction, however many claims
        name it; with an empty allocation, those that were held do.

        Raises:
            CapacityExceeded: too little is left; the numbers are in it.
            AmountNotAllowed: a unit rule is broken.
            NoInventory: the provider lacks the class, or does not exist.
            CounterFull: a counter would pass its bound.
            GenerationConflict: the consumer was written in between.
        """
        ...

    def release(self, tx: Tx, consumer: ConsumerId) -> None:
        """Give back all that a consumer holds, counters too, and forget the consumer.

        Nothing happens if it is unknown. No generation is looked at and none is raised.
        """
        ...
