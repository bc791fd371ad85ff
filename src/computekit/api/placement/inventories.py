"""Operations on the inventories of a provider, and on what is used of them."""

from collections.abc import Mapping
from types import NoneType

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since, there
from computekit.api.placement.known_names import KnownNames
from computekit.api.placement.providers import ProviderPath
from computekit.errors import (
    AlreadyExists,
    Fault,
    GenerationConflict,
    InUse,
    InvalidInput,
    NotFound,
)
from computekit.ids import ProviderId
from computekit.model import FrozenMap, Inventory, ResourceClass
from computekit.placement.names import standard_classes
from computekit.placement.ports import ProviderUse
from computekit.placement.rules import check_inventories
from computekit.work import Tx

__all__ = [
    "ADD_INVENTORY",
    "DELETE_INVENTORIES",
    "DELETE_INVENTORY",
    "SET_INVENTORIES",
    "SET_INVENTORY",
    "SHOW_INVENTORIES",
    "SHOW_INVENTORY",
    "SHOW_PROVIDER_USAGES",
    "InventoriesChange",
    "InventoryCalls",
    "InventoryChange",
    "InventoryPath",
    "NewInventory",
    "OneInventory",
]

_PATH = "/resource_providers/{uuid}/inventories"
_ONE_PATH = f"{_PATH}/{{resource_class}}"


@attrs.frozen
class InventoryPath:
    """Which class of which provider.

    Attributes:
        uuid: the provider's id.
        resource_class: its class.
    """

    uuid: ProviderId
    resource_class: ResourceClass


@attrs.frozen
class NewInventory:
    """A class that a provider is to have.

    Attributes:
        uuid: the provider's id.
        resource_class: which it does not have yet.
        inventory: how much.
        may_reserve_all: whether all of it may be reserved.
    """

    uuid: ProviderId
    resource_class: ResourceClass
    inventory: Inventory
    may_reserve_all: bool = True


@attrs.frozen
class InventoryChange:
    """What a class of a provider is to be.

    Attributes:
        uuid: the provider's id.
        resource_class: which it has.
        generation: of the provider, as the caller has seen it.
        inventory: how much.
        may_reserve_all: whether all of it may be reserved.
    """

    uuid: ProviderId
    resource_class: ResourceClass
    generation: int
    inventory: Inventory
    may_reserve_all: bool = True


@attrs.frozen
class InventoriesChange:
    """All classes that a provider is to have.

    Attributes:
        uuid: the provider's id.
        generation: of the provider, as the caller has seen it.
        inventories: by class.
        may_reserve_all: whether all of one may be reserved.
    """

    uuid: ProviderId
    generation: int
    inventories: FrozenMap[ResourceClass, Inventory]
    may_reserve_all: bool = True


@attrs.frozen
class OneInventory:
    """A class of a provider.

    Attributes:
        use: the provider with all its parts.
        resource_class: which of them is meant.
    """

    use: ProviderUse
    resource_class: ResourceClass


SHOW_INVENTORIES = ApiOperation(
    name="show_inventories",
    method="GET",
    path=_PATH,
    summary="All inventories of a provider.",
    input=ProviderPath,
    output=ProviderUse,
    since=since(0),
    errors=(NotFound,),
)

SET_INVENTORIES = ApiOperation(
    name="set_inventories",
    method="PUT",
    path=_PATH,
    summary="Replace all inventories of a provider.",
    input=InventoriesChange,
    output=ProviderUse,
    since=since(0),
    has_body=True,
    errors=(NotFound, GenerationConflict, InUse),
)

ADD_INVENTORY = ApiOperation(
    name="add_inventory",
    method="POST",
    path=_PATH,
    summary="Give a provider a resource class.",
    input=NewInventory,
    output=OneInventory,
    since=since(0),
    has_body=True,
    errors=(NotFound, AlreadyExists),
)

DELETE_INVENTORIES = ApiOperation(
    name="delete_inventories",
    method="DELETE",
    path=_PATH,
    summary="Take all inventories from a provider.",
    input=ProviderPath,
    output=NoneType,
    since=since(5),
    hidden="method",
    errors=(NotFound, InUse),
)

SHOW_INVENTORY = ApiOperation(
    name="show_inventory",
    method="GET",
    path=_ONE_PATH,
    summary="One inventory of a provider.",
    input=InventoryPath,
    output=OneInventory,
    since=since(0),
    errors=(NotFound,),
)

SET_INVENTORY = ApiOperation(
    name="set_inventory",
    method="PUT",
    path=_ONE_PATH,
    summary="Replace one inventory of a provider.",
    input=InventoryChange,
    output=OneInventory,
    since=since(0),
    has_body=True,
    errors=(NotFound, GenerationConflict),
)

DELETE_INVENTORY = ApiOperation(
    name="delete_inventory",
    method="DELETE",
    path=_ONE_PATH,
    summary="Take one inventory from a provider.",
    input=InventoryPath,
    output=NoneType,
    since=since(0),
    errors=(NotFound, InUse),
)

SHOW_PROVIDER_USAGES = ApiOperation(
    name="show_provider_usages",
    method="GET",
    path="/resource_providers/{uuid}/usages",
    summary="What is used of a provider.",
    input=ProviderPath,
    output=ProviderUse,
    since=since(0),
    errors=(NotFound,),
)


class InventoryCalls:
    """What carries out the operations on inventories.

    Args:
        placement: keeps the books.
        names: says which classes exist.
    """

    def __init__(self, placement: Hosted, names: KnownNames) -> None:
        self._placement = placement
        self._names = names

    def show(self, asked: ProviderPath, _context: CallContext) -> ProviderUse:
        """Carry out `SHOW_INVENTORIES` and `SHOW_PROVIDER_USAGES`."""
        return there(self._placement.books, asked.uuid)

    def show_one(self, asked: InventoryPath, _context: CallContext) -> OneInventory:
        """Carry out `SHOW_INVENTORY`."""
        use = there(self._placement.books, asked.uuid)
        if asked.resource_class not in use.provider.inventories:
            raise NotFound("inventory", asked.resource_class)
        return OneInventory(use, asked.resource_class)

    def add(self, asked: NewInventory, _context: CallContext) -> OneInventory:
        """Carry out `ADD_INVENTORY`."""
        name = asked.resource_class
        unknown = self._names.unknown((name,), ())

        def write(tx: Tx) -> OneInventory:
            before = there(self._placement.books, asked.uuid)
            if unknown is not None:
                raise unknown
            _check_reserve({name: asked.inventory}, may_reserve_all=asked.may_reserve_all)
            if name in before.provider.inventories:
                raise AlreadyExists("inventory", f"{name} of {asked.uuid}")
            after = before.provider.inventories.replace(name, asked.inventory)
            return OneInventory(self._put(tx, before, after), name)

        return self._placement.store.write(write)

    def set_one(self, asked: InventoryChange, _context: CallContext) -> OneInventory:
        """Carry out `SET_INVENTORY`."""
        name = asked.resource_class
        unknown = self._names.unknown((name,), ())

        def write(tx: Tx) -> OneInventory:
            before = there(self._placement.books, asked.uuid, asked.generation)
            if unknown is not None:
                raise unknown
            check_inventories({name: asked.inventory})
            _check_reserve({name: asked.inventory}, may_reserve_all=asked.may_reserve_all)
            if name not in before.provider.inventories:
                raise NotFound("inventory", name)
            after = before.provider.inventories.replace(name, asked.inventory)
            return OneInventory(self._put(tx, before, after), name)

        return self._placement.store.write(write)

    def set_all(self, asked: InventoriesChange, _context: CallContext) -> ProviderUse:
        """Carry out `SET_INVENTORIES`."""
        after = asked.inventories
        unknown = self._names.unknown(after, ())

        def write(tx: Tx) -> ProviderUse:
            before = there(self._placement.books, asked.uuid, asked.generation)
            if unknown is not None:
                raise unknown
            _check_reserve(after, may_reserve_all=asked.may_reserve_all)
            return self._put(tx, before, after)

        return self._placement.store.write(write)

    def delete_one(self, asked: InventoryPath, _context: CallContext) -> None:
        """Carry out `DELETE_INVENTORY`."""
        name = asked.resource_class
        unknown = self._names.unknown((name,), ())

        def write(tx: Tx) -> None:
            before = there(self._placement.books, asked.uuid)
            if unknown is not None:
                raise unknown
            if name not in before.provider.inventories:
                raise NotFound("inventory", name)
            self._put(tx, before, before.provider.inventories.without(name))

        self._placement.store.write(write)

    def delete_all(self, asked: ProviderPath, _context: CallContext) -> None:
        """Carry out `DELETE_INVENTORIES`."""
        self._placement.store.write(
            lambda tx: self._put(tx, there(self._placement.books, asked.uuid), FrozenMap())
        )

    def _put(
        self, tx: Tx, before: ProviderUse, after: FrozenMap[ResourceClass, Inventory]
    ) -> ProviderUse:
        provider = before.provider
        # The transaction is the only writer, so what is held now is all that is held.
        held = [
            name for name in provider.inventories if name not in after and before.used.get(name)
        ]
        if held:
            # In the order that callers know: standard classes first, in theirs.
            place = {name: at for at, name in enumerate(standard_classes())}
            held.sort(key=lambda name: (place.get(name, len(place)), name))
            raise InUse("inventory", ", ".join(held), f"allocations of provider {provider.id}")
        books = self._placement.books
        books.set_inventories(tx, provider.id, provider.generation, after)
        return there(books, provider.id)


def _check_reserve(
    inventories: Mapping[ResourceClass, Inventory], *, may_reserve_all: bool
) -> None:
    faults = tuple(
        Fault(
            f"inventories[{name}].reserved",
            "all",
            f"reserving {inventory.reserved} leaves nothing to give",
        )
        for name, inventory in inventories.items()
        if inventory.capacity <= 0 and not may_reserve_all
    )
    if faults:
        raise InvalidInput(faults)
