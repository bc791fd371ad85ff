"""Operations on what consumers hold."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since, there
from computekit.api.placement.inventories import InventoriesChange
from computekit.api.placement.known_names import KnownNames
from computekit.api.placement.providers import ProviderPath
from computekit.errors import (
    ClaimRefused,
    ComputekitError,
    GenerationConflict,
    InUse,
    InvalidInput,
    NotFound,
)
from computekit.ids import ConsumerId, ProjectId, UserId
from computekit.model import Allocation, Consumer, FrozenMap, ResourceClass
from computekit.placement.ports import Claim, Held, ProviderHeld, Reshaped, Usage
from computekit.work import Tx

__all__ = [
    "ALL",
    "DELETE_ALLOCATION",
    "RESHAPE",
    "SET_ALLOCATION",
    "SET_ALLOCATIONS",
    "SHOW_ALLOCATION",
    "SHOW_PROVIDER_ALLOCATIONS",
    "SHOW_USAGES",
    "UNCHECKED",
    "UNKNOWN",
    "AllocationCalls",
    "AllocationsChange",
    "ConsumerPath",
    "Reshape",
    "UsageQuery",
    "Usages",
    "bare_consumer",
]

_ALLOCATION = "/allocations/{consumer_uuid}"

UNCHECKED = -1
"""`Consumer.generation` of a caller that has seen none: it is not looked at."""

ALL = "all"
"""In place of a type of consumers: the sum over all of them."""

UNKNOWN = "unknown"
"""In place of a type of consumers: those whose type is not known."""

NOBODYS = "00000000-0000-0000-0000-000000000000"
"""The project, and the user, of consumers whose callers name none."""


@attrs.frozen
class ConsumerPath:
    """Which consumer.

    Attributes:
        consumer_uuid: its id.
    """

    consumer_uuid: ConsumerId


@attrs.frozen
class AllocationsChange:
    """What consumers are to hold, instead of all that they hold; all of it or nothing.

    Attributes:
        allocations: of each consumer, its own; a generation of `UNCHECKED` is not looked at.
    """

    allocations: tuple[Allocation, ...]


@attrs.frozen
class Reshape:
    """Inventories that move between providers together with what is held of them.

    Attributes:
        inventories: what each of these providers is to have.
        allocations: what each of these consumers is to hold.
    """

    inventories: tuple[InventoriesChange, ...]
    allocations: tuple[Allocation, ...]


@attrs.frozen
class UsageQuery:
    """Whose usage is asked for.

    Attributes:
        project_id: whose.
        user_id: only this user's.
        consumer_type: only consumers of this type; `ALL` for one sum over all of them.
    """

    project_id: ProjectId
    user_id: UserId | None = None
    consumer_type: str | None = None


@attrs.frozen
class Usages:
    """What a project holds.

    Attributes:
        by_label: by type of consumer, or `UNKNOWN`; or the sum, as `ALL`.
    """

    by_label: FrozenMap[str, Usage]


SHOW_ALLOCATION = ApiOperation(
    name="show_allocation",
    method="GET",
    path=_ALLOCATION,
    summary="What a consumer holds.",
    input=ConsumerPath,
    output=Held,
    since=since(0),
)

SET_ALLOCATION = ApiOperation(
    name="set_allocation",
    method="PUT",
    path=_ALLOCATION,
    summary="Replace all that a consumer holds.",
    input=AllocationsChange,
    output=NoneType,
    since=since(0),
    has_body=True,
    errors=(ClaimRefused, GenerationConflict),
)

DELETE_ALLOCATION = ApiOperation(
    name="delete_allocation",
    method="DELETE",
    path=_ALLOCATION,
    summary="Give back all that a consumer holds.",
    input=ConsumerPath,
    output=NoneType,
    since=since(0),
    errors=(NotFound,),
)

SET_ALLOCATIONS = ApiOperation(
    name="set_allocations",
    method="POST",
    path="/allocations",
    summary="Replace all that several consumers hold, at once.",
    input=AllocationsChange,
    output=NoneType,
    since=since(13),
    has_body=True,
    errors=(ClaimRefused, GenerationConflict),
)

SHOW_PROVIDER_ALLOCATIONS = ApiOperation(
    name="show_provider_allocations",
    method="GET",
    path="/resource_providers/{uuid}/allocations",
    summary="What is held of a provider, by consumer.",
    input=ProviderPath,
    output=ProviderHeld,
    since=since(0),
    errors=(NotFound,),
)

SHOW_USAGES = ApiOperation(
    name="show_usages",
    method="GET",
    path="/usages",
    summary="What a project holds.",
    input=UsageQuery,
    output=Usages,
    since=since(9),
    rule=Rule.PROJECT,
)

RESHAPE = ApiOperation(
    name="reshape",
    method="POST",
    path="/reshaper",
    summary="Move inventories between providers together with what is held of them.",
    input=Reshape,
    output=NoneType,
    since=since(30),
    rule=Rule.SERVICE,
    has_body=True,
    errors=(NotFound, GenerationConflict, ClaimRefused, InUse),
)


class AllocationCalls:
    """What carries out the operations on allocations.

    Args:
        placement: keeps the books.
        names: says which classes exist.
    """

    def __init__(self, placement: Hosted, names: KnownNames) -> None:
        self._placement = placement
        self._names = names

    def show(self, asked: ConsumerPath, _context: CallContext) -> Held:
        """Carry out `SHOW_ALLOCATION`."""
        return self._placement.books.held(asked.consumer_uuid)

    def set(self, asked: AllocationsChange, _context: CallContext) -> None:
        """Carry out `SET_ALLOCATION` and `SET_ALLOCATIONS`."""
        books = self._placement.books
        self._write(
            asked.allocations,
            lambda tx: books.claim(tx, self._claims(asked.allocations)),
        )

    def delete(self, asked: ConsumerPath, _context: CallContext) -> None:
        """Carry out `DELETE_ALLOCATION`."""
        books, consumer = self._placement.books, asked.consumer_uuid

        def write(tx: Tx) -> None:
            if books.allocation(consumer) is None:
                raise NotFound("consumer", consumer)
            books.release(tx, consumer)

        self._placement.store.write(write)

    def of_provider(self, asked: ProviderPath, _context: CallContext) -> ProviderHeld:
        """Carry out `SHOW_PROVIDER_ALLOCATIONS`."""
        found = self._placement.books.provider_held(asked.uuid)
        if found is None:
            raise NotFound("provider", asked.uuid)
        return found

    def usages(self, asked: UsageQuery, _context: CallContext) -> Usages:
        """Carry out `SHOW_USAGES`."""
        by_type = self._placement.books.usages(asked.project_id, asked.user_id)
        if asked.consumer_type == ALL:
            return Usages(FrozenMap({ALL: _sum(by_type.values())} if by_type else {}))
        labelled = {UNKNOWN if name is None else name: one for name, one in by_type.items()}
        return Usages(
            FrozenMap(
                {
                    label: usage
                    for label, usage in labelled.items()
                    if asked.consumer_type in (None, label)
                }
            )
        )

    def reshape(self, asked: Reshape, _context: CallContext) -> None:
        """Carry out `RESHAPE`."""
        books = self._placement.books
        # The books judge all of it again; this is the order in which callers are told.
        for change in asked.inventories:
            there(books, change.uuid, change.generation)
        for change in asked.inventories:
            self._names.check(change.inventories, ())
        wanted = {
            change.uuid: Reshaped(change.generation, change.inventories)
            for change in asked.inventories
        }
        self._write(
            asked.allocations,
            lambda tx: books.reshape(tx, wanted, self._claims(asked.allocations)),
        )

    def _write(
        self, allocations: Sequence[Allocation], write: Callable[[Tx], tuple[Allocation, ...]]
    ) -> None:
        try:
            self._placement.store.write(write)
        except (ClaimRefused, InvalidInput) as refused:
            # That something does not exist at all says more than that it does not fit.
            raise self._missing(allocations) or refused from None

    def _claims(self, allocations: Sequence[Allocation]) -> tuple[Claim, ...]:
        """Return the claims for these allocations; called inside the write."""
        return tuple(Claim(self._complete(allocation)) for allocation in allocations)

    def _complete(self, allocation: Allocation) -> Allocation:
        consumer = allocation.consumer
        if consumer.generation != UNCHECKED:
            return allocation
        stored = self._placement.books.allocation(consumer.id)
        generation = 0 if stored is None else stored.consumer.generation
        return attrs.evolve(allocation, consumer=attrs.evolve(consumer, generation=generation))

    def _missing(self, allocations: Sequence[Allocation]) -> ComputekitError | None:
        wanted = {provider for one in allocations for provider in one.resources}
        there_are = {use.provider.id for use in self._placement.books.uses(frozenset(wanted))}
        if gone := sorted(wanted - there_are):
            return NotFound("allocated provider", gone[0])
        return self._names.unknown(
            (name for one in allocations for held in one.resources.values() for name in held), ()
        )


def _sum(usages: Iterable[Usage]) -> Usage:
    consumers, amounts = 0, Counter[ResourceClass]()
    for usage in usages:
        consumers += usage.consumers
        amounts.update(usage.resources)
    return Usage(consumers, FrozenMap(amounts))


def bare_consumer(consumer: ConsumerId) -> Consumer:
    """Return a consumer of whom the caller says nothing."""
    return Consumer(consumer, ProjectId(NOBODYS), UserId(NOBODYS), None, UNCHECKED)
