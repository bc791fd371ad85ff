"""The operations beside those of Placement, on the wire; the same in every microversion."""

import re
from typing import Annotated

from msgspec import Meta, Struct

from computekit.api import Microversion
from computekit.api.placement.own import (
    Changes,
    ChangesQuery,
    ConsumerPage,
    ConsumerQuery,
    Explained,
    ExplainQuery,
    RoomQuery,
    TreeChange,
)
from computekit.http.placement.bodies import InventoryBody, ProviderName, Uuid
from computekit.http.placement.body import Body, bad_request
from computekit.http.placement.inventories import inventory_of
from computekit.http.placement.own_wire import (
    QueryText,
    canonical_id,
    consumer_said,
    encoded,
    octets,
    request_of,
)
from computekit.http.placement.query import DIGITS, TEXT, QuerySchema, page_limit
from computekit.http.placement.uuids import canonical_uuid
from computekit.http.wire import JSON, Answer, HttpRequest
from computekit.ids import AggregateId, ConsumerId, ProviderId
from computekit.model import (
    FrozenMap,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement.capacity import Room
from computekit.placement.own_service import MOST_CONSUMERS

__all__ = [
    "CHANGES_QUERY",
    "CONSUMERS_QUERY",
    "ChangesForm",
    "ConsumersForm",
    "ExplainBody",
    "ExplainForm",
    "ExplainGivenForm",
    "RoomForm",
    "TreeBody",
    "TreeForm",
]

_REPORTS = re.compile(r"(?:^|&)reports=(\d{1,6})(?=&|$)")
CHANGES_QUERY = QuerySchema({"since": DIGITS}, ("since",))
CONSUMERS_QUERY = QuerySchema({"limit": DIGITS, "marker": TEXT})


class ExplainBody(Struct, forbid_unknown_fields=True):
    """A request to be explained: a query string as that of allocation candidates."""

    query: QueryText
    reports: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class ProviderInTree(Struct, forbid_unknown_fields=True):
    """A provider with all its parts."""

    uuid: Uuid
    name: ProviderName
    parent_provider_uuid: Uuid | None = None
    inventories: dict[str, InventoryBody] = {}
    traits: list[str] = []
    aggregates: list[Uuid] = []


class TreeBody(Struct, forbid_unknown_fields=True):
    """A whole tree, parents before their children."""

    providers: Annotated[list[ProviderInTree], Meta(min_length=1)]


_EXPLAIN = Body(ExplainBody)
_TREE = Body(TreeBody)


def _media_type(request: HttpRequest) -> str:
    accept = (request.headers.get("Accept") or JSON).lower()
    for media_type in ("text/html", "text/plain"):
        if media_type in accept and JSON not in accept:
            return media_type
    return JSON


class ExplainForm:
    """Why a request finds so many candidates, or none."""

    def parse(self, request: HttpRequest, version: Microversion) -> ExplainQuery:
        found = _REPORTS.search(request.query)
        query = _REPORTS.sub("", request.query)
        reports = int(found[1]) if found else 0
        return ExplainQuery(request_of(query), reports, _media_type(request))

    def render(self, output: Explained, version: Microversion) -> Answer:
        return _explained(output)


class ExplainGivenForm:
    """Why a request in a body finds so many candidates, or none."""

    def parse(self, request: HttpRequest, version: Microversion) -> ExplainQuery:
        body = _EXPLAIN.parse(request.body)
        return ExplainQuery(request_of(octets(body.query)), body.reports, _media_type(request))

    def render(self, output: Explained, version: Microversion) -> Answer:
        return _explained(output)


def _explained(output: Explained) -> Answer:
    said, media_type = output.explanation, output.asked.media_type
    if media_type == "text/html":
        return Answer(200, said.html().encode(), "text/html; charset=UTF-8")
    if media_type == "text/plain":
        return Answer(200, said.text().encode(), "text/plain; charset=UTF-8")
    body = {
        "summary": said.summary,
        "trees": said.trees,
        "fitting": said.fitting,
        "reasons": said.reasons,
        "near_misses": said.near_misses,
        "reports": said.reports,
    }
    return Answer(200, encoded(body))


class RoomForm:
    """How many more would fit."""

    def parse(self, request: HttpRequest, version: Microversion) -> RoomQuery:
        return RoomQuery(request_of(request.query))

    def render(self, output: Room, version: Microversion) -> Answer:
        return Answer(200, encoded(output))


class TreeForm:
    """A whole tree of providers."""

    def parse(self, request: HttpRequest, version: Microversion) -> TreeChange:
        body = _TREE.parse(request.body)
        if canonical_uuid(body.providers[0].uuid) != request.values["uuid"]:
            raise bad_request("The first of the providers is not the one that the path names")
        try:
            return TreeChange(ProviderTree(tuple(map(_provider, body.providers))))
        except ValueError as error:
            raise bad_request(f"JSON does not validate: {error}") from None

    def render(self, output: ProviderTree, version: Microversion) -> Answer:
        rows = [
            {
                "uuid": one.id,
                "name": one.name,
                "parent_provider_uuid": one.parent,
                "generation": one.generation,
            }
            for one in output
        ]
        return Answer(200, encoded({"providers": rows}))


def _provider(body: ProviderInTree) -> Provider:
    return Provider(
        ProviderId(canonical_id(body.uuid)),
        body.name,
        None
        if body.parent_provider_uuid is None
        else ProviderId(canonical_id(body.parent_provider_uuid)),
        FrozenMap({ResourceClass(n): inventory_of(one) for n, one in body.inventories.items()}),
        frozenset(map(Trait, body.traits)),
        frozenset(AggregateId(canonical_id(one)) for one in body.aggregates),
    )


class ChangesForm:
    """What was written."""

    def parse(self, request: HttpRequest, version: Microversion) -> ChangesQuery:
        return ChangesQuery(int(CHANGES_QUERY.parse(request.query).last["since"]))

    def render(self, output: Changes, version: Microversion) -> Answer:
        news = () if output.news is None else output.news.changes
        rows = sorted((change.kind, change.key) for change in news)
        body = {
            "head": output.head,
            "complete": output.news is not None,
            "changes": [{"kind": kind, "key": key} for kind, key in rows],
        }
        return Answer(200, encoded(body))


class ConsumersForm:
    """Consumers with all that they hold."""

    def parse(self, request: HttpRequest, version: Microversion) -> ConsumerQuery:
        query = CONSUMERS_QUERY.parse(request.query)
        marker = query.last.get("marker")
        limit = page_limit(query, MOST_CONSUMERS)
        return ConsumerQuery(ConsumerId(marker) if marker else None, limit)

    def render(self, output: ConsumerPage, version: Microversion) -> Answer:
        following = None if output.last else output.allocations[-1].consumer.id
        rows = [consumer_said(one) for one in output.allocations]
        return Answer(200, encoded({"consumers": rows, "next": following}))
