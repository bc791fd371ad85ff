"""Operations on the aggregates and the traits of a provider."""

from types import NoneType

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since, there
from computekit.api.placement.known_names import KnownNames
from computekit.api.placement.providers import ProviderPath
from computekit.errors import GenerationConflict, NotFound
from computekit.ids import AggregateId, ProviderId
from computekit.model import Trait
from computekit.placement.ports import ProviderUse
from computekit.work import Tx

__all__ = [
    "CLEAR_PROVIDER_TRAITS",
    "SET_AGGREGATES",
    "SET_PROVIDER_TRAITS",
    "SHOW_AGGREGATES",
    "SHOW_PROVIDER_TRAITS",
    "Aggregates",
    "AggregatesChange",
    "MembershipCalls",
    "TraitsChange",
]

_AGGREGATES = "/resource_providers/{uuid}/aggregates"
_TRAITS = "/resource_providers/{uuid}/traits"


@attrs.frozen
class AggregatesChange:
    """All aggregates that a provider is to be in.

    Attributes:
        uuid: the provider's id.
        generation: of the provider, as the caller has seen it; None: it is not looked at, and
            stays.
        aggregates: all of them, each once.
    """

    uuid: ProviderId
    generation: int | None
    aggregates: tuple[AggregateId, ...]


@attrs.frozen
class Aggregates:
    """The aggregates of a provider.

    Attributes:
        use: the provider.
        aggregates: in the order of who has just set them, otherwise by id.
    """

    use: ProviderUse
    aggregates: tuple[AggregateId, ...]


@attrs.frozen
class TraitsChange:
    """All traits that a provider is to have.

    Attributes:
        uuid: the provider's id.
        generation: of the provider, as the caller has seen it.
        traits: all of them.
    """

    uuid: ProviderId
    generation: int
    traits: frozenset[Trait]


SHOW_AGGREGATES = ApiOperation(
    name="show_aggregates",
    method="GET",
    path=_AGGREGATES,
    summary="The aggregates of a provider.",
    input=ProviderPath,
    output=Aggregates,
    since=since(1),
    errors=(NotFound,),
)

SET_AGGREGATES = ApiOperation(
    name="set_aggregates",
    method="PUT",
    path=_AGGREGATES,
    summary="Replace the aggregates of a provider.",
    input=AggregatesChange,
    output=Aggregates,
    since=since(1),
    has_body=True,
    errors=(NotFound, GenerationConflict),
)

SHOW_PROVIDER_TRAITS = ApiOperation(
    name="show_provider_traits",
    method="GET",
    path=_TRAITS,
    summary="The traits of a provider.",
    input=ProviderPath,
    output=ProviderUse,
    since=since(6),
    errors=(NotFound,),
)

SET_PROVIDER_TRAITS = ApiOperation(
    name="set_provider_traits",
    method="PUT",
    path=_TRAITS,
    summary="Replace the traits of a provider.",
    input=TraitsChange,
    output=ProviderUse,
    since=since(6),
    has_body=True,
    errors=(NotFound, GenerationConflict),
)

CLEAR_PROVIDER_TRAITS = ApiOperation(
    name="clear_provider_traits",
    method="DELETE",
    path=_TRAITS,
    summary="Take all traits from a provider.",
    input=ProviderPath,
    output=NoneType,
    since=since(6),
    errors=(NotFound,),
)


class MembershipCalls:
    """What carries out the operations on aggregates and traits of providers.

    Args:
        placement: keeps the books.
        names: says which traits exist.
    """

    def __init__(self, placement: Hosted, names: KnownNames) -> None:
        self._placement = placement
        self._names = names

    def show_aggregates(self, asked: ProviderPath, _context: CallContext) -> Aggregates:
        """Carry out `SHOW_AGGREGATES`."""
        use = there(self._placement.books, asked.uuid)
        return Aggregates(use, tuple(sorted(use.provider.aggregates)))

    def show_traits(self, asked: ProviderPath, _context: CallContext) -> ProviderUse:
        """Carry out `SHOW_PROVIDER_TRAITS`."""
        return there(self._placement.books, asked.uuid)

    def set_aggregates(self, asked: AggregatesChange, _context: CallContext) -> Aggregates:
        """Carry out `SET_AGGREGATES`."""
        books = self._placement.books

        def write(tx: Tx) -> Aggregates:
            wanted = frozenset(asked.aggregates)
            books.set_aggregates(tx, asked.uuid, asked.generation, wanted)
            return Aggregates(there(books, asked.uuid), asked.aggregates)

        return self._placement.store.write(write)

    def set_traits(self, asked: TraitsChange, _context: CallContext) -> ProviderUse:
        """Carry out `SET_PROVIDER_TRAITS`."""
        books = self._placement.books
        unknown = self._names.unknown((), asked.traits)

        def write(tx: Tx) -> ProviderUse:
            there(books, asked.uuid, asked.generation)
            if unknown is not None:
                raise unknown
            books.set_traits(tx, asked.uuid, asked.generation, asked.traits)
            return there(books, asked.uuid)

        return self._placement.store.write(write)

    def clear_traits(self, asked: ProviderPath, _context: CallContext) -> None:
        """Carry out `CLEAR_PROVIDER_TRAITS`."""
        books = self._placement.books

        def write(tx: Tx) -> None:
            provider = there(books, asked.uuid).provider
            books.set_traits(tx, asked.uuid, provider.generation, frozenset())

        self._placement.store.write(write)
