"""An operation beside those of Placement: providers, page by page."""

from bisect import bisect_right

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import since
from computekit.api.placement.providers import ProviderCalls, ProviderQuery
from computekit.ids import ProviderId
from computekit.placement.service import ProviderNode

__all__ = ["LIST_PROVIDER_PAGE", "MOST_PROVIDERS", "PageQuery", "ProviderPage", "ProviderPageCalls"]

MOST_PROVIDERS = 1000


@attrs.frozen
class PageQuery:
    """Which providers are asked for.

    Attributes:
        among: those that match this.
        marker: those whose ids follow this one; None from the first on.
        limit: the most of them.
    """

    among: ProviderQuery
    marker: ProviderId | None = None
    limit: int = MOST_PROVIDERS


@attrs.frozen
class ProviderPage:
    """Some providers by id.

    Attributes:
        providers: of this page.
        last: whether none follows.
    """

    providers: tuple[ProviderNode, ...]
    last: bool


LIST_PROVIDER_PAGE = ApiOperation(
    name="list_provider_page",
    method="GET",
    path="/computekit/providers",
    summary="Resource providers that match, page by page.",
    input=PageQuery,
    output=ProviderPage,
    since=since(0),
)


class ProviderPageCalls:
    """What carries it out.

    Args:
        calls: find the providers.
    """

    def __init__(self, calls: ProviderCalls) -> None:
        self._calls = calls

    def page(self, asked: PageQuery, context: CallContext) -> ProviderPage:
        """Carry out `LIST_PROVIDER_PAGE`."""
        found = self._calls.all(asked.among, context)  # they come by id
        begin = 0
        if asked.marker is not None:
            begin = bisect_right(found, asked.marker, key=lambda node: node.id)
        end = begin + asked.limit
        return ProviderPage(found[begin:end], end >= len(found))
