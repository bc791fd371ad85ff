"""Inventories and what is used of them, on the wire."""

import re

import msgspec

from computekit.api import Microversion
from computekit.api.placement.inventories import (
    InventoriesChange,
    InventoryChange,
    InventoryPath,
    NewInventory,
    OneInventory,
)
from computekit.api.placement.providers import ProviderPath
from computekit.errors import (
    AlreadyExists,
    ComputekitError,
    GenerationConflict,
    InUse,
    InvalidInput,
    NotFound,
)
from computekit.http.placement.bodies import (
    InventoriesBody,
    InventoryBody,
    NewInventoryBody,
    OneInventoryBody,
)
from computekit.http.placement.body import Body
from computekit.http.placement.providers import provider_of, undated
from computekit.http.placement.words import (
    CONCURRENT_UPDATE,
    INVENTORY_IN_USE,
    bad,
    conflict,
    missing,
    no_parts,
    no_provider,
    unknown_classes,
)
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProviderId
from computekit.model import FrozenMap, Inventory, ResourceClass
from computekit.placement.ports import ProviderUse

__all__ = [
    "InventoriesChangeForm",
    "InventoriesForm",
    "InventoryChangeForm",
    "InventoryForm",
    "InventoryPathForm",
    "NewInventoryForm",
    "ProviderUsagesForm",
    "add_words",
    "delete_all_words",
    "delete_one_words",
    "inventory_of",
    "set_all_words",
    "set_one_words",
    "show_one_words",
]

_NEW = Body(NewInventoryBody)
_ONE = Body(OneInventoryBody)
_ALL = Body(InventoriesBody)

_RESERVED = re.compile(r"inventories\[(.*)\]\.reserved\Z")


def inventory_of(body: InventoryBody | OneInventoryBody) -> Inventory:
    """Return the inventory that a body says."""
    return Inventory(
        body.total,
        body.reserved,
        body.min_unit,
        body.max_unit,
        body.step_size,
        body.allocation_ratio,
    )


def _path(request: HttpRequest) -> tuple[ProviderId, ResourceClass]:
    return provider_of(request), ResourceClass(request.values["resource_class"])


class InventoryPathForm:
    """A class of a provider named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> InventoryPath:
        return InventoryPath(*_path(request))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class InventoryForm:
    """One inventory."""

    def parse(self, request: HttpRequest, version: Microversion) -> InventoryPath:
        return InventoryPath(*_path(request))

    def render(self, output: OneInventory, version: Microversion) -> Answer:
        return _one(output, 200)


class NewInventoryForm:
    """A class that a provider is to have."""

    def parse(self, request: HttpRequest, version: Microversion) -> NewInventory:
        body = _NEW.parse(request.body)
        return NewInventory(
            provider_of(request),
            ResourceClass(body.resource_class),
            inventory_of(body),
            may_reserve_all=version.minor >= 26,
        )

    def render(self, output: OneInventory, version: Microversion) -> Answer:
        provider = output.use.provider.id
        location = f"/resource_providers/{provider}/inventories/{output.resource_class}"
        return _one(output, 201, location)


class InventoryChangeForm:
    """What one class of a provider is to be."""

    def parse(self, request: HttpRequest, version: Microversion) -> InventoryChange:
        body = _ONE.parse(request.body)
        return InventoryChange(
            *_path(request),
            body.resource_provider_generation,
            inventory_of(body),
            may_reserve_all=version.minor >= 26,
        )

    def render(self, output: OneInventory, version: Microversion) -> Answer:
        return _one(output, 200)


class InventoriesForm:
    """All inventories of a provider."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        return _all(output, version)


class InventoriesChangeForm:
    """All classes that a provider is to have."""

    def parse(self, request: HttpRequest, version: Microversion) -> InventoriesChange:
        body = _ALL.parse(request.body)
        found = {ResourceClass(name): inventory_of(one) for name, one in body.inventories.items()}
        return InventoriesChange(
            provider_of(request),
            body.resource_provider_generation,
            FrozenMap(found),
            may_reserve_all=version.minor >= 26,
        )

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        return _all(output, version)


class ProviderUsagesForm:
    """What is used of a provider."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        provider = output.provider
        said = {
            "resource_provider_generation": provider.generation,
            "usages": {name: output.used.get(name, 0) for name in provider.inventories},
        }
        return Answer(200, msgspec.json.encode(said), modified_s=output.updated_s)


def _said(inventory: Inventory) -> dict[str, int | float]:
    return {
        "total": inventory.total,
        "reserved": inventory.reserved,
        "min_unit": inventory.min_unit,
        "max_unit": inventory.max_unit,
        "step_size": inventory.step_size,
        "allocation_ratio": float(inventory.allocation_ratio),
    }


def _one(output: OneInventory, status: int, location: str | None = None) -> Answer:
    provider = output.use.provider
    said = _said(provider.inventories[output.resource_class])
    said["resource_provider_generation"] = provider.generation
    body = msgspec.json.encode(said)
    return Answer(status, body, location=location, modified_s=output.use.updated_s)


def _all(output: ProviderUse, version: Microversion) -> Answer:
    provider = output.provider
    said = {
        "resource_provider_generation": provider.generation,
        "inventories": {name: _said(one) for name, one in provider.inventories.items()},
    }
    body = msgspec.json.encode(said)
    if not provider.inventories:  # Placement takes the date from them, so there is none
        return Answer(200, body, headers=undated(version))
    return Answer(200, body, modified_s=output.updated_s)


def show_one_words(error: ComputekitError, asked: InventoryPath) -> Problem | None:
    """Say why an inventory cannot be shown."""
    if isinstance(error, NotFound) and error.kind == "inventory":
        return missing(error, f"No inventory of class {asked.resource_class} for {asked.uuid}")
    return no_parts(error)


def add_words(error: ComputekitError, asked: NewInventory) -> Problem | None:
    """Say why a provider did not get a class."""
    if isinstance(error, AlreadyExists):
        detail = (
            f"Update conflict: resource provider {asked.uuid} has an inventory of "
            f"{asked.resource_class} already"
        )
        return conflict(error, detail, CONCURRENT_UPDATE)
    refused = f"Unable to create inventory for resource provider {asked.uuid}"
    if name := unknown_classes(error):
        return bad(error, f"{refused}: No such resource class {name}.")
    return _invalid(error, refused, asked.uuid, all_=not asked.may_reserve_all) or no_provider(
        error
    )


def set_one_words(error: ComputekitError, asked: InventoryChange) -> Problem | None:
    """Say why an inventory was not replaced."""
    if name := unknown_classes(error):
        return missing(error, f"No such resource class {name}.", varies=False)
    if isinstance(error, NotFound) and error.kind == "inventory":
        detail = (
            f"No inventory record with resource class for resource provider {asked.uuid}: "
            f"No inventory of class {error.id} found."
        )
        return bad(error, detail)
    refused = f"Unable to update inventory for resource provider {asked.uuid}"
    return (
        _generation(error)
        or _invalid(error, refused, asked.uuid, all_=not asked.may_reserve_all)
        or no_provider(error)
    )


def set_all_words(error: ComputekitError, asked: InventoriesChange) -> Problem | None:
    """Say why inventories were not replaced."""
    if name := unknown_classes(error):
        detail = (
            f"Unknown resource class in inventory for resource provider {asked.uuid}: "
            f"No such resource class {name}."
        )
        return bad(error, detail)
    if isinstance(error, InUse):
        detail = f"update conflict: {_in_use(error, asked.uuid)}"
        return conflict(error, detail, INVENTORY_IN_USE)
    refused = f"Unable to update inventory for resource provider {asked.uuid}"
    return (
        _generation(error)
        or _invalid(error, refused, asked.uuid, all_=not asked.may_reserve_all)
        or no_provider(error)
    )


def delete_all_words(error: ComputekitError, asked: ProviderPath) -> Problem | None:
    """Say why inventories were not taken away."""
    if isinstance(error, InUse):
        return conflict(error, _in_use(error, asked.uuid), INVENTORY_IN_USE)
    return no_provider(error)


def delete_one_words(error: ComputekitError, asked: InventoryPath) -> Problem | None:
    """Say why an inventory was not taken away."""
    name = asked.resource_class
    if isinstance(error, InUse):
        detail = f"Unable to delete inventory of class {name}: {_in_use(error, asked.uuid)}"
        return conflict(error, detail, CONCURRENT_UPDATE)
    if unknown_classes(error):
        detail = f"No inventory of class {name} found for delete: No such resource class {name}."
        return missing(error, detail)
    if isinstance(error, NotFound) and error.kind == "inventory":
        return missing(error, f"No inventory of class {name} found for delete")
    return no_provider(error)


def _generation(error: ComputekitError) -> Problem | None:
    if isinstance(error, GenerationConflict):
        return conflict(error, "resource provider generation conflict", CONCURRENT_UPDATE)
    return None


def _in_use(error: InUse, provider: ProviderId) -> str:
    return f"Inventory for '{error.id}' on resource provider '{provider}' in use."


def _invalid(
    error: ComputekitError, refused: str, provider: ProviderId, *, all_: bool
) -> Problem | None:
    if not isinstance(error, InvalidInput):
        return None
    for fault in error.faults:
        found = _RESERVED.match(fault.path)
        if found is not None and fault.code in ("all", "order"):
            least = "greater than or equal to" if all_ else "greater than"
            detail = (
                f"{refused}: Invalid inventory for '{found[1]}' on resource provider "
                f"'{provider}'. The reserved value is {least} total."
            )
            return bad(error, detail)
    return bad(error, f"{refused}: {error.message}")
