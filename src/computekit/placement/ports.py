"""The books of placement: providers, their inventories, and who holds what of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.units import Seconds
from computekit.work import Tx

__all__ = [
    "CLASS_CHANGED",
    "COUNTERS_CHANGED",
    "PROVIDER_CHANGED",
    "TRAIT_CHANGED",
    "Claim",
    "CounterClaim",
    "CounterHold",
    "Held",
    "PlacementReader",
    "PlacementWriter",
    "ProviderHeld",
    "ProviderUse",
    "Reshaped",
    "Usage",
]

PROVIDER_CHANGED = "provider"
"""`Change.kind` of a provider whose row, inventory, traits, aggregates or use was written."""

CLASS_CHANGED = "resource_class"
"""`Change.kind` of a custom resource class that came, went or got another name."""

TRAIT_CHANGED = "trait"
"""`Change.kind` of a custom trait that came or went."""


COUNTERS_CHANGED = "counters"
"""`Change.kind` of a consumer that holds other counters than before."""


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
class CounterHold:
    """What one consumer holds of one counter.

    Attributes:
        consumer: who.
        scope: of the counter.
        name: of the counter.
        amount: how much.
    """

    consumer: ConsumerId
    scope: str
    name: str
    amount: int


@attrs.frozen
class Claim:
    """What one consumer is to hold, instead of all that it holds.

    Attributes:
        allocation: the consumer, with the generation that the caller has seen, and its resources.
        counters: those that it takes along.
    """

    allocation: Allocation
    counters: tuple[CounterClaim, ...] = ()


@attrs.frozen
class ProviderUse:
    """One provider as the index needs it.

    Attributes:
        provider: its row with inventories, traits and aggregates.
        root: the root of its tree.
        used: what allocations hold of it, by class.
        updated_s: when its row was written, in seconds since the Unix epoch.
    """

    provider: Provider
    root: ProviderId
    used: FrozenMap[ResourceClass, int] = FrozenMap()
    updated_s: Seconds = attrs.field(default=Seconds(0.0), eq=False)


@attrs.frozen
class Held:
    """What a consumer holds, and of what: read at one moment.

    Attributes:
        allocation: all of it; None if the consumer is unknown.
        generations: of each provider that it holds something of.
    """

    allocation: Allocation | None
    generations: Mapping[ProviderId, int]


@attrs.frozen
class ProviderHeld:
    """What is held of a provider: read at one moment.

    Attributes:
        use: the provider.
        allocations: those that hold something of it, by consumer id.
    """

    use: ProviderUse
    allocations: tuple[Allocation, ...]


@attrs.frozen
class Usage:
    """What the consumers of one type hold together.

    Attributes:
        consumers: how many they are.
        resources: by class.
    """

    consumers: int
    resources: Resources


@attrs.frozen
class Reshaped:
    """The inventories that a provider is to have after a reshape.

    Attributes:
        generation: of the provider, as the caller has seen it.
        inventories: all of them.
    """

    generation: int
    inventories: FrozenMap[ResourceClass, Inventory]


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

    def held(self, consumer: ConsumerId) -> Held:
        """Return what a consumer holds, with the generations of the providers at that moment."""
        ...

    def provider_held(self, provider: ProviderId) -> ProviderHeld | None:
        """Return a provider with all allocations of it; None if there is no such provider."""
        ...

    def consumers(
        self, after: ConsumerId | None = None, limit: int = 1000
    ) -> tuple[Allocation, ...]:
        """Return the first `limit` allocations of consumers that follow `after`, by consumer id.

        An answer that is shorter than `limit` is the last.
        """
        ...

    def usages(self, project: ProjectId, user: UserId | None = None) -> Mapping[str | None, Usage]:
        """Return what a project (or one user in it) holds, by type of consumer; None: unknown."""
        ...

    def counter(self, scope: str, name: str) -> int:
        """Return how much of a counter is used; 0 for one that was never taken."""
        ...

    def counters(self, scope: str, beginning: str = "") -> Mapping[str, int]:
        """Return how much is used of each counter of a scope whose name begins so, by name."""
        ...

    def counted(
        self, consumers: frozenset[ConsumerId] | None = None, scope: str | None = None
    ) -> tuple[CounterHold, ...]:
        """Return who holds what of counters, by consumer, scope and name.

        Args:
            consumers: only these; None: all.
            scope: only of this one; None: of all.
        """
        ...

    def resource_classes(self) -> Mapping[ResourceClass, Seconds]:
        """Return each class with the time when it became known.

        The standard ones come first, known since 0.0; then the custom ones, as they came.
        """
        ...

    def class_since(self, name: ResourceClass) -> Seconds | None:
        """Return when a class became known, 0.0 for a standard one; None if it is not known."""
        ...

    def trait_since(self, name: Trait) -> Seconds | None:
        """Return when a trait became known, 0.0 for a standard one; None if it is not known."""
        ...

    def traits(
        self, prefix: str = "", *, associated: bool | None = None
    ) -> Mapping[Trait, Seconds]:
        """Return each trait that begins with `prefix`, with the time when it became known.

        The standard ones come first, known since 0.0; then the custom ones, as they came.

        Args:
            prefix: of the name.
            associated: only those that some provider has (True), or that none has (False).
        """
        ...


class PlacementWriter(PlacementReader, Protocol):
    """Writes; each belongs to a transaction.

    A call that raises has written nothing, so a transaction may go on after it with another host.
    Each call may raise `InvalidInput`, with every fault of its arguments; one that takes the
    generation of a provider raises `NotFound` or `GenerationConflict` if that is not the one.
    A write that names a custom class or trait makes it known.
    """

    def create_resource_class(self, tx: Tx, name: ResourceClass) -> bool:
        """Make a custom class known; return whether it is new."""
        ...

    def rename_resource_class(self, tx: Tx, old: ResourceClass, new: ResourceClass) -> None:
        """Give a custom class another name, in inventories and allocations too.

        Raises:
            NotFound: `old` is not known.
            AlreadyExists: `new` is.
        """
        ...

    def delete_resource_class(self, tx: Tx, name: ResourceClass) -> None:
        """Forget a custom class.

        Raises:
            NotFound: it is not known.
            InUse: an inventory has it.
        """
        ...

    def create_trait(self, tx: Tx, name: Trait) -> bool:
        """Make a custom trait known; return whether it is new."""
        ...

    def delete_trait(self, tx: Tx, name: Trait) -> None:
        """Forget a custom trait.

        Raises:
            NotFound: it is not known.
            InUse: a provider has it.
        """
        ...

    def create_provider(
        self, tx: Tx, provider: ProviderId, name: str, parent: ProviderId | None = None
    ) -> None:
        """Make an empty provider of generation 0.

        Raises:
            AlreadyExists: the id (kind `provider`) or the name (`provider name`) is taken.
            NotFound: there is no such parent.
        """
        ...

    def update_provider(
        self, tx: Tx, provider: ProviderId, name: str, parent: ProviderId | None
    ) -> None:
        """Give a provider another name or parent; what is below it moves along.

        Generations stay as they are.

        Raises:
            NotFound: it, or the parent, is not there.
            AlreadyExists: the name is taken.
            InvalidInput: the parent is the provider itself or below it.
        """
        ...

    def delete_provider(self, tx: Tx, provider: ProviderId) -> None:
        """Remove a provider with its inventories.

        Raises:
            NotFound: there is none.
            InUse: it has children (kind `provider`), or an allocation holds something of it
                (kind `inventory`).
        """
        ...

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
        self,
        tx: Tx,
        provider: ProviderId,
        generation: int | None,
        aggregates: frozenset[AggregateId],
    ) -> int:
        """Replace all aggregates of a provider; return its new generation, even if equal.

        With a generation of None it is not looked at, and stays as it is (what the Placement API
        did before microversion 1.19).
        """
        ...

    def claim(self, tx: Tx, claims: Sequence[Claim]) -> tuple[Allocation, ...]:
        """Replace all that each of these consumers holds, if it all fits.

        First all that they hold is counted as free; then what they ask for together is judged, in
        the order of (provider, class), then of the counters' (scope, name). The first that does
        not fit is raised. So a move between consumers needs no room for both, and consumers may
        always keep or lower their part, even of a provider that has given too much.

        `consumer.generation` of an allocation is the one that the caller has seen; 0 for a new
        consumer. The result, in the order of `claims`, carries the new one; a consumer that is
        left with nothing is forgotten and has 0. The same claim made twice by its owner, with the
        generation of before, is a conflict: read first.

        Each provider that is named goes up one generation in a transaction, however many claims
        name it; with an empty allocation, those that were held do.

        Raises:
            InvalidInput: also if two claims are of one consumer.
            CapacityExceeded: too little is left; the numbers are in it.
            AmountNotAllowed: a unit rule is broken.
            NoInventory: the provider lacks the class, or does not exist.
            CounterFull: a counter would pass its bound.
            GenerationConflict: a consumer was written in between.
        """
        ...

    def release(self, tx: Tx, consumer: ConsumerId) -> None:
        """Give back all that a consumer holds, counters too, and forget the consumer.

        Nothing happens if it is unknown. No generation is looked at and none is raised.
        """
        ...

    def reshape(
        self, tx: Tx, inventories: Mapping[ProviderId, Reshaped], claims: Sequence[Claim]
    ) -> tuple[Allocation, ...]:
        """Move inventories between providers together with what is held of them, at once.

        The claims are judged by what the providers had together with what they will have, the
        latter where they had the class already. Each provider in `inventories` goes up two
        generations, or one if it is to have none; one that a claim names, one more.

        Raises:
            NotFound, GenerationConflict: as `set_inventories` does, for each provider.
            ClaimRefused: as `claim` does.
            InUse: a class that would go is held after the claims.
        """
        ...
