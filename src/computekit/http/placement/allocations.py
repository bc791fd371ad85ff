"""What consumers hold, on the wire."""

from collections.abc import Mapping

import msgspec

from computekit.api import Microversion
from computekit.api.placement.allocations import (
    UNCHECKED,
    UNKNOWN,
    AllocationsChange,
    ConsumerPath,
    Reshape,
    bare_consumer,
)
from computekit.api.placement.inventories import InventoriesChange
from computekit.api.placement.providers import ProviderPath
from computekit.clock import Clock
from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    ComputekitError,
    GenerationConflict,
    InUse,
    NoInventory,
    NotFound,
)
from computekit.http.placement.bodies import (
    AllocationBody1,
    AllocationBody8,
    AllocationBody12,
    AllocationBody28,
    AllocationBody34,
    AllocationBody38,
    AllocationsBody13,
    AllocationsBody28,
    AllocationsBody34,
    AllocationsBody38,
    ConsumerBody13,
    ProviderShare,
    ReshapeBody30,
    ReshapeBody34,
    ReshapeBody38,
)
from computekit.http.placement.body import Body, bad_request
from computekit.http.placement.inventories import inventory_of
from computekit.http.placement.providers import provider_of
from computekit.http.placement.uuids import canonical_uuid
from computekit.http.placement.words import (
    CONCURRENT_UPDATE,
    INVENTORY_IN_USE,
    bad,
    conflict,
    missing,
    unknown_classes,
)
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    Consumer,
    FrozenMap,
    ResourceClass,
    Resources,
)
from computekit.placement.ports import Held, ProviderHeld

__all__ = [
    "AllocationChangeForm",
    "AllocationForm",
    "AllocationsChangeForm",
    "ConsumerPathForm",
    "ProviderAllocationsForm",
    "ReshapeForm",
    "delete_words",
    "reshape_words",
    "set_words",
]

_Mapped = AllocationBody12 | ConsumerBody13 | AllocationBody28
_Reshape = ReshapeBody30 | ReshapeBody34 | ReshapeBody38

_LISTED = Body(AllocationBody1)
_OWNED = Body(AllocationBody8)
_ONE: tuple[tuple[int, Body[AllocationBody12] | Body[AllocationBody28]], ...] = (
    (38, Body[AllocationBody28](AllocationBody38)),
    (34, Body[AllocationBody28](AllocationBody34)),
    (28, Body(AllocationBody28)),
    (12, Body(AllocationBody12)),
)
_MANY: tuple[tuple[int, Body[Mapping[str, _Mapped]]], ...]
_MANY = (
    (38, Body[Mapping[str, _Mapped]](AllocationsBody38)),
    (34, Body[Mapping[str, _Mapped]](AllocationsBody34)),
    (28, Body[Mapping[str, _Mapped]](AllocationsBody28)),
    (13, Body[Mapping[str, _Mapped]](AllocationsBody13)),
)
_RESHAPE: tuple[tuple[int, Body[_Reshape]], ...] = (
    (38, Body[_Reshape](ReshapeBody38)),
    (34, Body[_Reshape](ReshapeBody34)),
    (30, Body[_Reshape](ReshapeBody30)),
)

NO_GENERATION = -2
"""From here on downwards are generations that no consumer has, for 0, -1 ..."""


class ConsumerPathForm:
    """A consumer named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> ConsumerPath:
        return ConsumerPath(ConsumerId(request.values["consumer_uuid"]))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class AllocationForm:
    """What a consumer holds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> ConsumerPath:
        return ConsumerPath(ConsumerId(request.values["consumer_uuid"]))

    def render(self, output: Held, version: Microversion) -> Answer:
        minor, allocation = version.minor, output.allocation
        if allocation is None:
            return Answer(200, b'{"allocations":{}}', modified_s=self._clock.wall_s())
        consumer = allocation.consumer
        said: dict[str, object] = {
            "allocations": {
                provider: {
                    "resources": dict(held.items()),
                    "generation": output.generations[provider],
                }
                for provider, held in allocation.resources.items()
                if provider in output.generations
            }
        }
        if minor >= 12:
            said["project_id"] = consumer.project
            said["user_id"] = consumer.user
        if minor >= 28:
            said["consumer_generation"] = consumer.generation
        if minor >= 38:
            said["consumer_type"] = consumer.type or UNKNOWN
        return Answer(200, msgspec.json.encode(said), modified_s=consumer.updated_s)


class ProviderAllocationsForm:
    """What is held of a provider."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: ProviderHeld, version: Microversion) -> Answer:
        provider = output.use.provider
        rows: dict[str, dict[str, object]] = {}
        for allocation in output.allocations:
            held = allocation.resources.get(provider.id, Resources())
            row: dict[str, object] = {"resources": dict(held.items())}
            if version.minor >= 28:
                row["consumer_generation"] = allocation.consumer.generation
            rows[allocation.consumer.id] = row
        said = {"allocations": rows, "resource_provider_generation": provider.generation}
        return Answer(200, msgspec.json.encode(said), modified_s=output.use.updated_s)


class AllocationChangeForm:
    """What one consumer is to hold."""

    def parse(self, request: HttpRequest, version: Microversion) -> AllocationsChange:
        minor, text = version.minor, request.values["consumer_uuid"]
        uuid = canonical_uuid(text)
        if uuid is None:
            raise bad_request(f"Malformed consumer_uuid: {text}")
        consumer = ConsumerId(uuid)
        if minor >= 12:
            form = next(form for first, form in _ONE if minor >= first)
            return AllocationsChange((_mapped(consumer, form.parse(request.body)),))
        listed = (_OWNED if minor >= 8 else _LISTED).parse(request.body)
        return AllocationsChange((_listed(consumer, listed),))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class AllocationsChangeForm:
    """What several consumers are to hold."""

    def parse(self, request: HttpRequest, version: Microversion) -> AllocationsChange:
        form = next(form for first, form in _MANY if version.minor >= first)
        return AllocationsChange(_consumers(form.parse(request.body)))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class ReshapeForm:
    """Inventories and what is held of them, together."""

    def parse(self, request: HttpRequest, version: Microversion) -> Reshape:
        form = next(form for first, form in _RESHAPE if version.minor >= first)
        body = form.parse(request.body)
        inventories = tuple(
            InventoriesChange(
                ProviderId(provider),
                change.resource_provider_generation,
                FrozenMap(
                    {ResourceClass(n): inventory_of(one) for n, one in change.inventories.items()}
                ),
            )
            for provider, change in body.inventories.items()
        )
        return Reshape(inventories, _consumers(body.allocations))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


def _consumers(body: Mapping[str, _Mapped]) -> tuple[Allocation, ...]:
    found = []
    for text, one in body.items():
        uuid = canonical_uuid(text)
        if uuid is None:
            raise bad_request(f"Malformed consumer_uuid: {text}")
        found.append(_mapped(ConsumerId(uuid), one))
    return tuple(found)


def _listed(consumer: ConsumerId, body: AllocationBody1) -> Allocation:
    whose = bare_consumer(consumer)
    if isinstance(body, AllocationBody8):
        project, user = ProjectId(body.project_id), UserId(body.user_id)
        whose = Consumer(consumer, project, user, None, UNCHECKED)
    held = {
        ProviderId(canonical_uuid(share.resource_provider.uuid) or ""): _amounts(share.resources)
        for share in body.allocations
    }
    return Allocation(whose, FrozenMap(held))


def _mapped(consumer: ConsumerId, body: _Mapped) -> Allocation:
    kind, generation = None, UNCHECKED
    if isinstance(body, AllocationBody28):
        # Placement says null for a consumer that is not there; no stored one has 0.
        asked = body.consumer_generation
        generation = 0 if asked is None else asked if asked > 0 else NO_GENERATION + asked
        if isinstance(body, AllocationBody38):
            kind = body.consumer_type
    whose = Consumer(consumer, ProjectId(body.project_id), UserId(body.user_id), kind, generation)
    return Allocation(whose, _held(body.allocations))


def _held(shares: Mapping[str, ProviderShare]) -> FrozenMap[ProviderId, Resources]:
    return FrozenMap({ProviderId(p): _amounts(share.resources) for p, share in shares.items()})


def _amounts(said: Mapping[str, int]) -> Resources:
    return FrozenMap({ResourceClass(name): amount for name, amount in said.items()})


def delete_words(error: ComputekitError, asked: ConsumerPath) -> Problem | None:
    """Say why nothing was given back."""
    if isinstance(error, NotFound):
        return missing(error, f"No allocations for consumer '{asked.consumer_uuid}'")
    return None


def set_words(error: ComputekitError, asked: AllocationsChange) -> Problem | None:
    """Say why a consumer does not hold what it asked for."""
    if name := unknown_classes(error):
        who = "".join(f" for consumer {one.consumer.id}" for one in asked.allocations[:1])
        return bad(error, f"Unable to allocate inventory{who}: No such resource class {name}.")
    return _refused(error)


def reshape_words(error: ComputekitError, asked: Reshape) -> Problem | None:
    """Say why nothing was reshaped."""
    if name := unknown_classes(error):
        return bad(error, f"malformed reshaper data: No such resource class {name}.")
    if isinstance(error, NotFound) and error.kind == "provider":
        return bad(
            error,
            f"Resource provider {error.id} in inventories not found: "
            f"No resource provider with uuid {error.id} found",
            "placement.resource_provider.not_found",
        )
    if isinstance(error, GenerationConflict) and error.kind == "provider":
        detail = (
            f"resource provider generation conflict for provider {error.id}: "
            f"actual: {error.actual}, given: {error.expected}"
        )
        return conflict(error, detail, CONCURRENT_UPDATE)
    if isinstance(error, InUse):
        name, _, provider = error.id.partition(" of ")
        detail = (
            f"update conflict: Inventory for '{name}' on resource provider '{provider}' in use."
        )
        return conflict(error, detail, INVENTORY_IN_USE)
    return _refused(error)


def _refused(error: ComputekitError) -> Problem | None:
    refused = "Unable to allocate inventory"
    if isinstance(error, NotFound):
        return bad(error, f"Allocation for resource provider '{error.id}' that does not exist.")
    if isinstance(error, GenerationConflict):
        actual = error.actual or "null"
        given = error.expected or None
        if given is not None and given <= NO_GENERATION:
            given -= NO_GENERATION
        detail = f"consumer generation conflict - expected {actual} but got {given}"
        return conflict(error, detail, CONCURRENT_UPDATE)
    if isinstance(error, NoInventory):
        return conflict(
            error,
            f"{refused}: Inventory for '{error.resource_class}' on resource provider "
            f"'{error.provider}' invalid.",
        )
    if isinstance(error, CapacityExceeded | AmountNotAllowed):
        full = isinstance(error, CapacityExceeded)
        why = "exceed the capacity" if full else "violate inventory constraints"
        return conflict(
            error,
            f"{refused}: Unable to create allocation for '{error.resource_class}' on resource "
            f"provider '{error.provider}'. The requested amount would {why}.",
        )
    return None
