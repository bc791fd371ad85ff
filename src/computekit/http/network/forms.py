"""Networks on the wire."""

import attrs
import msgspec

from computekit.api import Microversion
from computekit.api.network.base import Network, NetworkPath, NetworkQuery, Place
from computekit.errors import Fault, InvalidInput
from computekit.http.network.answers import (
    NetworkAnswer,
    NetworkRow,
    NetworksAnswer,
    ResourceRow,
    ResourcesAnswer,
    VersionRow,
    VersionsAnswer,
)
from computekit.http.openapi import Link
from computekit.http.query import Query, parse_query
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import NetworkId

__all__ = ["NetworkForm", "NetworksForm", "NothingForm", "V2Form", "VersionsForm"]


class VersionsForm:
    """Which versions there are."""

    def parse(self, request: HttpRequest, version: Microversion) -> Place:
        return Place(request.base)

    def render(self, output: Place, version: Microversion) -> Answer:
        row = VersionRow("v2.0", "CURRENT", [Link("self", f"{output.url}/v2.0/")])
        return Answer(200, msgspec.json.encode(VersionsAnswer([row])))


class V2Form:
    """What there is in version 2.0."""

    def parse(self, request: HttpRequest, version: Microversion) -> Place:
        return Place(request.base)

    def render(self, output: Place, version: Microversion) -> Answer:
        rows = [
            ResourceRow(kind, f"{kind}s", [Link("self", f"{output.url}/v2.0/{kind}s")])
            for kind in ("network", "port", "subnet")
        ]
        return Answer(200, msgspec.json.encode(ResourcesAnswer(rows)))


def _row(network: Network) -> NetworkRow:
    return NetworkRow(
        id=network.id,
        name=network.name,
        description="",
        tenant_id="",
        project_id="",
        status="ACTIVE",
        admin_state_up=True,
        shared=network.shared,
        mtu=network.mtu_bytes,
        subnets=[],
        availability_zones=[],
        availability_zone_hints=[],
        tags=[],
        port_security_enabled=False,
        is_default=True,
        external=False,
    )


class NetworksForm:
    """Several networks."""

    def parse(self, request: HttpRequest, version: Microversion) -> NetworkQuery:
        query = parse_query(request.query)
        return NetworkQuery(
            frozenset(query.all("name")),
            frozenset(query.all("id")),
            _truth(query, "shared"),
            _truth(query, "router:external"),
        )

    def render(self, output: tuple[Network, ...], version: Microversion) -> Answer:
        said = NetworksAnswer([_row(network) for network in output])
        return Answer(200, msgspec.json.encode(said))


class NetworkForm:
    """One network."""

    def parse(self, request: HttpRequest, version: Microversion) -> NetworkPath:
        return NetworkPath(NetworkId(request.values["network_id"]))

    def render(self, output: Network, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(NetworkAnswer(_row(output))))


@attrs.frozen
class NothingForm:
    """A list of what there is none of.

    Attributes:
        said: the answer.
    """

    said: msgspec.Struct

    def parse(self, request: HttpRequest, version: Microversion) -> None:
        parse_query(request.query)

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(self.said))


def _truth(query: Query, name: str) -> bool | None:
    said = query.last.get(name)
    if said is None:
        return None
    found = {"true": True, "1": True, "false": False, "0": False}.get(said.lower())
    if found is None:
        raise InvalidInput((Fault(name, "invalid_value", "true or false"),))
    return found
