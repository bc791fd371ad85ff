"""The operations of the Placement API, bound to a placement service."""

import random

import msgspec

from computekit.api import Context, Microversion, VersionRange
from computekit.api.placement import (
    CREATE_PROVIDER,
    LIST_PROVIDERS,
    SHOW_VERSIONS,
    VERSIONS,
    NewProvider,
    ProviderQuery,
)
from computekit.http.endpoint import Endpoint, endpoint
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, Request
from computekit.ids import ProviderId, new_uuid
from computekit.placement.service import PlacementService, ProviderNode

__all__ = ["placement_endpoints"]


class VersionsForm:
    """The version document."""

    def parse(self, request: Request, version: Microversion) -> None:
        return None

    def render(self, output: VersionRange, version: Microversion) -> Answer:
        document = {
            "id": f"v{output.oldest}",
            "max_version": str(output.newest),
            "min_version": str(output.oldest),
            "status": "CURRENT",
            "links": [{"rel": "self", "href": ""}],
        }
        return Answer(200, msgspec.json.encode({"versions": [document]}))


class ProvidersForm:
    """A list of providers."""

    def parse(self, request: Request, version: Microversion) -> ProviderQuery:
        return ProviderQuery()

    def render(self, output: tuple[ProviderNode, ...], version: Microversion) -> Answer:
        rows = [{"uuid": it.id, "name": it.name, "generation": it.generation} for it in output]
        return Answer(200, msgspec.json.encode({"resource_providers": rows}))


class NewProviderForm:
    """A provider that is to be made."""

    def parse(self, request: Request, version: Microversion) -> NewProvider:
        try:
            return msgspec.json.decode(request.body, type=NewProvider)
        except msgspec.DecodeError as error:
            raise Refused(Problem(400, f"JSON does not validate: {error}")) from error

    def render(self, output: ProviderNode, version: Microversion) -> Answer:
        return Answer(201, location=f"/resource_providers/{output.id}")


def placement_endpoints(placement: PlacementService, source: random.Random) -> tuple[Endpoint, ...]:
    """Return every operation of the Placement API, carried out by `placement`.

    Args:
        placement: keeps the books.
        source: for the ids of providers whose callers leave that to the service.
    """

    def versions(_asked: None, _context: Context) -> VersionRange:
        return VERSIONS

    def providers(_asked: ProviderQuery, _context: Context) -> tuple[ProviderNode, ...]:
        return placement.providers()

    def create(asked: NewProvider, _context: Context) -> ProviderNode:
        provider = asked.uuid or ProviderId(new_uuid(source))
        placement.create_provider(provider, asked.name, asked.parent_provider_uuid)
        return ProviderNode(provider, asked.name, 0, provider, asked.parent_provider_uuid)

    return (
        endpoint(SHOW_VERSIONS, versions, VersionsForm()),
        endpoint(LIST_PROVIDERS, providers, ProvidersForm()),
        endpoint(CREATE_PROVIDER, create, NewProviderForm()),
    )
