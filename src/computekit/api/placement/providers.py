"""Operations on resource providers."""

import random
from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import PLACEMENT_VERSIONS, Hosted, since, there
from computekit.api.placement.known_names import KnownNames
from computekit.api.version import VersionRange
from computekit.errors import AlreadyExists, Fault, InUse, InvalidInput, NotFound
from computekit.ids import ProviderId, new_uuid
from computekit.model import Provider, RequestGroup, Resources
from computekit.placement.ports import ProviderUse
from computekit.placement.service import ProviderNode
from computekit.work import Tx

__all__ = [
    "CREATE_PROVIDER",
    "DELETE_PROVIDER",
    "LIST_PROVIDERS",
    "SHOW_PROVIDER",
    "SHOW_VERSIONS",
    "UPDATE_PROVIDER",
    "ChangedProvider",
    "NewProvider",
    "ProviderCalls",
    "ProviderChange",
    "ProviderPath",
    "ProviderQuery",
    "show_versions",
]


@attrs.frozen
class ProviderPath:
    """Which provider.

    Attributes:
        uuid: its id.
    """

    uuid: ProviderId


@attrs.frozen
class ProviderQuery:
    """Which providers are asked for.

    Attributes:
        name: only the one of this name.
        uuid: only the one of this id.
        matching: only those that could serve this alone; its suffix means nothing.
    """

    name: str | None = None
    uuid: ProviderId | None = None
    matching: RequestGroup | None = None


@attrs.frozen
class NewProvider:
    """A provider that is to be.

    Attributes:
        name: unique among all.
        uuid: chosen by the caller; None lets the service choose.
        parent_provider_uuid: None makes it the root of a tree.
    """

    name: str
    uuid: ProviderId | None = None
    parent_provider_uuid: ProviderId | None = None


@attrs.frozen
class ProviderChange:
    """What a provider is to be called, and where it is to be.

    Attributes:
        uuid: which one.
        name: unique among all.
        parent_provider_uuid: its parent; None makes it the root of a tree.
        keep_parent: leave it where it is.
        may_move: whether a provider that has a parent may get another, or none.
    """

    uuid: ProviderId
    name: str
    parent_provider_uuid: ProviderId | None = None
    keep_parent: bool = False
    may_move: bool = True


@attrs.frozen
class ChangedProvider:
    """A provider after a change.

    Attributes:
        use: the provider.
        before: what it was.
    """

    use: ProviderUse
    before: Provider


SHOW_VERSIONS = ApiOperation(
    name="show_versions",
    method="GET",
    path="/",
    summary="Which microversions there are.",
    input=NoneType,
    output=VersionRange,
    since=since(0),
    rule=Rule.ANYONE,
)

LIST_PROVIDERS = ApiOperation(
    name="list_resource_providers",
    method="GET",
    path="/resource_providers",
    summary="Resource providers that match.",
    input=ProviderQuery,
    output=tuple[ProviderNode, ...],
    since=since(0),
)

CREATE_PROVIDER = ApiOperation(
    name="create_resource_provider",
    method="POST",
    path="/resource_providers",
    summary="Make an empty resource provider.",
    input=NewProvider,
    output=ProviderUse,
    since=since(0),
    has_body=True,
    errors=(AlreadyExists, NotFound),
)

SHOW_PROVIDER = ApiOperation(
    name="show_resource_provider",
    method="GET",
    path="/resource_providers/{uuid}",
    summary="One resource provider.",
    input=ProviderPath,
    output=ProviderUse,
    since=since(0),
    errors=(NotFound,),
)

UPDATE_PROVIDER = ApiOperation(
    name="update_resource_provider",
    method="PUT",
    path="/resource_providers/{uuid}",
    summary="Give a resource provider another name or parent.",
    input=ProviderChange,
    output=ChangedProvider,
    since=since(0),
    has_body=True,
    errors=(AlreadyExists, NotFound),
)

DELETE_PROVIDER = ApiOperation(
    name="delete_resource_provider",
    method="DELETE",
    path="/resource_providers/{uuid}",
    summary="Remove a resource provider with its inventories.",
    input=ProviderPath,
    output=NoneType,
    since=since(0),
    errors=(NotFound, InUse),
)


def show_versions(_asked: None, _context: CallContext) -> VersionRange:
    """Carry out `SHOW_VERSIONS`."""
    return PLACEMENT_VERSIONS


class ProviderCalls:
    """What carries out the operations on providers.

    Args:
        placement: keeps the books.
        names: says which names exist.
        source: for the ids of providers whose callers leave that to the service.
    """

    def __init__(self, placement: Hosted, names: KnownNames, source: random.Random) -> None:
        self._placement = placement
        self._names = names
        self._source = source

    def all(self, asked: ProviderQuery, _context: CallContext) -> tuple[ProviderNode, ...]:
        """Carry out `LIST_PROVIDERS`."""
        index = self._placement.index
        index.refresh()
        if asked.matching is not None and not self._is_possible(asked.matching):
            return ()
        found = index.providers(asked.matching, name=asked.name)
        if asked.uuid is None:
            return found
        return tuple(node for node in found if node.id == asked.uuid)

    def _is_possible(self, matching: RequestGroup) -> bool:
        """Check the names of a query in the order of genuine Placement.

        That answers with nothing as soon as it is sure: an unknown name is no error if the tree is
        not there, an unknown class is none if no provider has the traits and aggregates.

        Raises:
            InvalidInput: with every name that does not exist.
        """
        index = self._placement.index
        tree = matching.in_tree
        if tree is not None and not index.providers(RequestGroup(in_tree=tree)):
            return False
        bare = attrs.evolve(matching, resources=Resources(), in_tree=None)
        self._names.check_group(bare)
        unknown = self._names.unknown(matching.resources, ())
        if unknown is None:
            return True
        if (bare.required or bare.member_of) and not index.providers(bare):
            return False
        raise unknown

    def create(self, asked: NewProvider, _context: CallContext) -> ProviderUse:
        """Carry out `CREATE_PROVIDER`."""
        provider = asked.uuid or ProviderId(new_uuid(self._source))
        parent, books = asked.parent_provider_uuid, self._placement.books
        if parent == provider:
            message = f"{provider} cannot be its own parent"
            raise InvalidInput((Fault("parent_provider_uuid", "self", message),))

        def write(tx: Tx) -> ProviderUse:
            books.create_provider(tx, provider, asked.name, parent)
            return there(books, provider)

        return self._placement.store.write(write)

    def show(self, asked: ProviderPath, _context: CallContext) -> ProviderUse:
        """Carry out `SHOW_PROVIDER`."""
        return there(self._placement.books, asked.uuid)

    def update(self, asked: ProviderChange, _context: CallContext) -> ChangedProvider:
        """Carry out `UPDATE_PROVIDER`."""
        books = self._placement.books

        def write(tx: Tx) -> ChangedProvider:
            provider = there(books, asked.uuid).provider
            before = provider.parent
            after = before if asked.keep_parent else asked.parent_provider_uuid
            if after is not None and after != before and books.provider(after) is None:
                raise NotFound("parent provider", after)
            if before not in (None, after) and not asked.may_move:
                message = f"{asked.uuid} has the parent {before}, which may not change"
                code = "unparent" if after is None else "reparent"
                raise InvalidInput((Fault("parent_provider_uuid", code, message),))
            books.update_provider(tx, asked.uuid, asked.name, after)
            return ChangedProvider(there(books, asked.uuid), provider)

        return self._placement.store.write(write)

    def delete(self, asked: ProviderPath, _context: CallContext) -> None:
        """Carry out `DELETE_PROVIDER`."""
        books = self._placement.books
        self._placement.store.write(lambda tx: books.delete_provider(tx, asked.uuid))
