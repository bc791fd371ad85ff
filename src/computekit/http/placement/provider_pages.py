"""Providers page by page on the wire; the same in every microversion."""

import msgspec
from msgspec import Struct

from computekit.api import Microversion
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.api.placement.provider_pages import MOST_PROVIDERS, PageQuery, ProviderPage
from computekit.errors import ComputekitError
from computekit.http.placement.answers import ProviderAnswer
from computekit.http.placement.providers import (
    NEWEST_PROPERTIES,
    list_words,
    provider_json,
    provider_query,
)
from computekit.http.placement.query import DIGITS, KNOWN_UUID, QuerySchema, page_limit
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProviderId

__all__ = ["PAGE_QUERY", "ProviderPageAnswer", "ProviderPageForm", "page_words"]

PAGE_QUERY = QuerySchema(
    {
        **NEWEST_PROPERTIES,
        "limit": DIGITS,
        "marker": KNOWN_UUID,
    }
)


class ProviderPageAnswer(Struct, forbid_unknown_fields=True):
    """Some providers by id; `next` is the marker of the page that follows."""

    resource_providers: list[ProviderAnswer]
    next: str | None


class ProviderPageForm:
    """What `GET /resource_providers` takes and says at the newest microversion, a page of it."""

    def parse(self, request: HttpRequest, version: Microversion) -> PageQuery:
        query = PAGE_QUERY.parse(request.query)
        limit = page_limit(query, MOST_PROVIDERS)
        marker = query.last.get("marker")
        among = provider_query(query, PLACEMENT_VERSIONS.newest.minor)
        return PageQuery(among, ProviderId(marker.lower()) if marker else None, limit)

    def render(self, output: ProviderPage, version: Microversion) -> Answer:
        rows = b",".join(
            provider_json(node, PLACEMENT_VERSIONS.newest) for node in output.providers
        )
        following = None if output.last else output.providers[-1].id
        said = msgspec.json.encode(following)
        return Answer(200, b'{"resource_providers":[%b],"next":%b}' % (rows, said))


def page_words(error: ComputekitError, asked: PageQuery) -> Problem | None:
    """Say what is wrong with a query for providers."""
    return list_words(error, asked.among)
