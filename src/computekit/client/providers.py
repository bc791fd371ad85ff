"""Providers of a server."""

import attrs

from computekit.client.api import accepted, segment, settled, with_id
from computekit.client.claims import inventories_body
from computekit.client.connection import Answer, Json
from computekit.client.names import RemoteNames
from computekit.client.queries import group_query
from computekit.client.refusals import CONCURRENT, Refusal, refusal_of
from computekit.client.wire import (
    WireAggregates,
    WireInventories,
    WireProvider,
    WireProviders,
    WireTraits,
    WireUse,
    read,
)
from computekit.errors import (
    AlreadyExists,
    ComputekitError,
    Fault,
    GenerationConflict,
    InUse,
    InvalidInput,
    NotFound,
    Unsupported,
)
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import ProviderNode, ProviderUse

__all__ = ["RemoteProviders"]

LOOKS = 10
"""How often a provider is read until all its parts are of one generation."""


class RemoteProviders(RemoteNames):
    """The part of `PlacementService` that is about providers."""

    def providers(
        self, matching: RequestGroup | None = None, *, name: str | None = None
    ) -> tuple[ProviderNode, ...]:
        if name == "":  # to the API an empty name is no condition; no provider has one
            return ()
        by_name = [] if name is None else [("name", name)]
        request = PlacementRequest((attrs.evolve(matching or RequestGroup(), suffix=""),))
        answer = self.search(
            "/resource_providers", request, lambda r: by_name + group_query(r.groups[0])
        )
        if answer is None:
            return ()
        nodes = map(_node, read(answer, WireProviders).resource_providers)
        return tuple(sorted(nodes, key=lambda node: node.id))

    def provider_page(
        self, after: ProviderId | None = None, limit: int = 1000
    ) -> tuple[ProviderNode, ...]:
        """Return the first `limit` providers that follow `after`, by id.

        An answer that is shorter than `limit` is the last.

        Raises:
            InvalidInput: `limit` is not within 1 to 1000.
            Unsupported: the server is not computekit's.
        """
        query = [("limit", str(limit)), *([] if after is None else [("marker", str(after))])]
        answer = self.ask("GET", "/computekit/providers", query, again=True)
        if answer.status >= 400:
            refusal = refusal_of(answer)
            if answer.status == 404 and refusal.own is None:
                raise Unsupported("providers page by page", "the server is not computekit's")
            raise refusal.error()
        return tuple(map(_node, read(answer, WireProviders).resource_providers))

    def provider(self, provider: ProviderId) -> ProviderUse:
        first = last = None
        for _ in range(LOOKS):
            answer = self._part(provider)
            node = read(answer, WireProvider)
            inventories = read(self._part(provider, "/inventories"), WireInventories)
            traits = read(self._part(provider, "/traits"), WireTraits)
            aggregates = read(self._part(provider, "/aggregates"), WireAggregates)
            use = read(self._part(provider, "/usages"), WireUse)
            parts = (inventories, traits, aggregates, use)
            if {part.resource_provider_generation for part in parts} == {node.generation}:
                row = Provider(
                    provider,
                    node.name,
                    _node(node).parent,
                    FrozenMap({ResourceClass(n): i for n, i in inventories.inventories.items()}),
                    frozenset(map(Trait, traits.traits)),
                    frozenset(map(AggregateId, aggregates.aggregates)),
                    node.generation,
                )
                used = {ResourceClass(name): n for name, n in use.usages.items() if n}
                root = ProviderId(node.root_provider_uuid)
                return ProviderUse(row, root, FrozenMap(used), answer.modified_s)
            first, last = node.generation, use.resource_provider_generation
        raise GenerationConflict("provider", provider, first, last)

    def create_provider(
        self, provider: ProviderId, name: str, parent: ProviderId | None = None
    ) -> None:
        body: dict[str, Json] = {"uuid": provider, "name": name}
        if parent is not None:
            body["parent_provider_uuid"] = parent

        def send() -> bool:
            return _written(self.ask("POST", "/resource_providers", body=body), provider, body)

        def probe() -> bool | None:
            found = self._find(provider)
            return True if found and (found.name, found.parent) == (name, parent) else None

        settled(send, probe)

    def update_provider(self, provider: ProviderId, name: str, parent: ProviderId | None) -> None:
        body: dict[str, Json] = {"name": name, "parent_provider_uuid": parent}
        _written(self.ask("PUT", _path(provider), body=body, again=True), provider, body)

    def delete_provider(self, provider: ProviderId) -> None:
        def send() -> bool:
            answer = self.ask("DELETE", _path(provider))
            if answer.status < 400:
                return True
            refusal = refusal_of(answer)
            if refusal.status == 409 and refusal.own is None:
                if refusal.code.endswith("cannot_delete_parent"):
                    raise InUse("provider", provider, "its children")
                raise InUse("inventory", provider, "an allocation")
            raise with_id(refusal, "provider", provider)

        settled(send, lambda: True if self._find(provider) is None else None)

    def set_inventories(
        self,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        body: Json = {
            "resource_provider_generation": generation,
            "inventories": inventories_body(inventories),
        }

        def send() -> int:
            answer = self._put(provider, "/inventories", body, classes=tuple(inventories))
            _check_part(answer, provider, generation)
            return read(answer, WireInventories).resource_provider_generation

        def probe() -> int | None:
            found = read(self._part(provider, "/inventories"), WireInventories)
            same = dict(found.inventories) == dict(inventories)
            return generation + 1 if same and _one_later(found, generation) else None

        return settled(send, probe)

    def set_traits(self, provider: ProviderId, generation: int, traits: frozenset[Trait]) -> int:
        body: Json = {"resource_provider_generation": generation, "traits": sorted(traits)}

        def send() -> int:
            answer = self._put(provider, "/traits", body, traits=tuple(traits))
            _check_part(answer, provider, generation)
            return read(answer, WireTraits).resource_provider_generation

        def probe() -> int | None:
            found = read(self._part(provider, "/traits"), WireTraits)
            # The same set again does not raise the generation.
            same = set(found.traits) == traits
            seen = found.resource_provider_generation
            return seen if same and seen in (generation, generation + 1) else None

        return settled(send, probe)

    def set_aggregates(
        self, provider: ProviderId, generation: int, aggregates: frozenset[AggregateId]
    ) -> int:
        body: Json = {"resource_provider_generation": generation, "aggregates": sorted(aggregates)}

        def send() -> int:
            answer = self._put(provider, "/aggregates", body)
            _check_part(answer, provider, generation)
            return read(answer, WireAggregates).resource_provider_generation

        def probe() -> int | None:
            found = read(self._part(provider, "/aggregates"), WireAggregates)
            same = set(found.aggregates) == aggregates
            return generation + 1 if same and _one_later(found, generation) else None

        return settled(send, probe)

    def _find(self, provider: ProviderId) -> ProviderNode | None:
        answer = self.ask("GET", _path(provider), again=True)
        return None if answer.status == 404 else _node(read(accepted(answer), WireProvider))

    def _part(self, provider: ProviderId, part: str = "") -> Answer:
        answer = self.ask("GET", _path(provider) + part, again=True)
        if answer.status >= 400:
            raise with_id(refusal_of(answer), "provider", provider)
        return answer

    def _put(
        self,
        provider: ProviderId,
        part: str,
        body: Json,
        classes: tuple[ResourceClass, ...] = (),
        traits: tuple[Trait, ...] = (),
    ) -> Answer:
        def send() -> Answer:
            return self.ask("PUT", _path(provider) + part, body=body)

        return self.naming(send, classes, traits)


def _path(provider: ProviderId) -> str:
    return f"/resource_providers/{segment(provider)}"


def _node(wire: WireProvider) -> ProviderNode:
    parent = wire.parent_provider_uuid
    return ProviderNode(
        ProviderId(wire.uuid),
        wire.name,
        wire.generation,
        ProviderId(wire.root_provider_uuid),
        None if parent is None else ProviderId(parent),
    )


def _one_later(found: WireInventories | WireAggregates, generation: int) -> bool:
    return found.resource_provider_generation == generation + 1


def _check_part(answer: Answer, provider: ProviderId, generation: int) -> None:
    if answer.status < 400:
        return
    refusal = refusal_of(answer)
    if refusal.own is not None or refusal.status != 409:
        raise with_id(refusal, "provider", provider)
    if refusal.code == CONCURRENT:
        raise GenerationConflict("provider", provider, generation, None)
    raise _in_use(refusal, provider)


def _in_use(refusal: Refusal, provider: ProviderId) -> ComputekitError:
    if refusal.code.endswith("inventory.inuse"):
        found = refusal.says(r"nventory for '([^']+)'")
        return InUse("inventory", found[1] if found else provider, "an allocation")
    return refusal.error()


def _written(answer: Answer, provider: ProviderId, body: dict[str, Json]) -> bool:
    """Return True, or raise why a provider's row could not be written."""
    if answer.status < 400:
        return True
    refusal = refusal_of(answer)
    if refusal.own is not None:
        raise refusal.own
    if refusal.code == "placement.duplicate_name":
        by_id = refusal.says("provider uuid:") is not None
        raise (
            AlreadyExists("provider", provider)
            if by_id
            else AlreadyExists("provider name", str(body["name"]))
        )
    if refusal.says("parent provider UUID does not exist"):
        raise NotFound("provider", str(body.get("parent_provider_uuid")))
    if refusal.says("creating loop in the provider tree"):
        fault = Fault("parent", "cycle", "a provider cannot be below itself")
        raise InvalidInput((fault,))
    raise with_id(refusal, "provider", provider)
