"""The search for candidates."""

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since
from computekit.api.placement.known_names import KnownNames
from computekit.errors import InvalidInput
from computekit.model import PlacementRequest, RequestGroup
from computekit.placement.found import Found
from computekit.placement.provider_index import ProviderIndex

__all__ = ["FIND_CANDIDATES", "CandidateCalls", "CandidateQuery", "CandidatesFound"]


@attrs.frozen
class CandidateQuery:
    """What is to be placed.

    Attributes:
        request: the groups of resources, and what holds between them.
        limit: the most candidates that are wanted; None for all.
        one_per_tree: leave out candidates that take of two providers of one tree.
        order: the suffixes of the groups as the caller named them; those missing come last. It
            decides only which of several mistakes is told.
    """

    request: PlacementRequest
    limit: int | None = None
    one_per_tree: bool = False
    order: tuple[str, ...] = attrs.field(default=(), eq=False)


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
        try:
            self._names.check_request(asked.request)
        except InvalidInput:
            self._check_in_order(asked, context)
            return CandidatesFound(asked, Found((), ()))
        found = self._placement.index.found(
            asked.request,
            limit=asked.limit,
            twins=True,
            one_per_tree=asked.one_per_tree,
            deadline=context.deadline,
        )
        return CandidatesFound(asked, found)

    def _check_in_order(self, asked: CandidateQuery, context: CallContext) -> None:
        """Check names as genuine Placement does: up to the first group that finds nothing.

        The names of groups behind that one are never looked at.

        Raises:
            InvalidInput: with every name of the group that does not exist.
        """
        request, index = asked.request, self._placement.index
        of_root = request.root_required | request.root_forbidden
        self._names.check((), of_root)
        index.refresh()
        if of_root and not _has_root(index, request):
            return
        groups = {group.suffix: group for group in request.groups}
        for suffix in dict.fromkeys((*asked.order, *groups)):
            group = groups[suffix]
            self._names.check(group.resources, ())
            if group.member_of and not index.providers(RequestGroup(member_of=group.member_of)):
                return
            self._names.check_group(group)
            alone = attrs.evolve(request, groups=(group,), same_subtree=(), group_policy=None)
            if group.resources:
                found = index.found(alone, limit=1, deadline=context.deadline)
                if not found.candidates:
                    return
            elif not index.providers(group):
                return


def _has_root(index: ProviderIndex, request: PlacementRequest) -> bool:
    """Return whether there is a tree whose root is as asked."""
    wanted = frozenset(frozenset((trait,)) for trait in request.root_required)
    matching = RequestGroup(required=wanted, forbidden=request.root_forbidden)
    return any(node.parent is None for node in index.providers(matching))
