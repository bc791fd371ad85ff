"""The search for candidates."""

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since
from computekit.api.placement.known_names import KnownNames
from computekit.model import PlacementRequest
from computekit.placement.found import Found

__all__ = ["FIND_CANDIDATES", "CandidateCalls", "CandidateQuery", "CandidatesFound"]


@attrs.frozen
class CandidateQuery:
    """What is to be placed.

    Attributes:
        request: the groups of resources, and what holds between them.
        limit: the most candidates that are wanted; None for all.
        one_per_tree: leave out candidates that take of two providers of one tree.
    """

    request: PlacementRequest
    limit: int | None = None
    one_per_tree: bool = False


@attrs.frozen
class CandidatesFound:
    """Where a request fits.

    Attributes:
        asked: what was to be placed.
        found: the candidates, and the trees that they are on.
    """

    asked: CandidateQuery
    found: Found


FIND_CANDIDATES = ApiOperation(
    name="find_allocation_candidates",
    method="GET",
    path="/allocation_candidates",
    summary="Where a request fits.",
    input=CandidateQuery,
    output=CandidatesFound,
    since=since(10),
)


class CandidateCalls:
    """What carries out the search.

    Args:
        placement: keeps the books.
        names: says which names exist.
    """

    def __init__(self, placement: Hosted, names: KnownNames) -> None:
        self._placement = placement
        self._names = names

    def find(self, asked: CandidateQuery, context: CallContext) -> CandidatesFound:
        """Carry out `FIND_CANDIDATES`; ways that differ by twins only are given too."""
        self._names.check_request(asked.request)
        found = self._placement.index.found(
            asked.request,
            limit=asked.limit,
            twins=True,
            one_per_tree=asked.one_per_tree,
            deadline=context.deadline,
        )
        return CandidatesFound(asked, found)
