"""Operations beside those of Placement: explain, room, whole trees, claims, changes, consumers."""

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since
from computekit.api.placement.known_names import KnownNames
from computekit.errors import AlreadyExists, ClaimRefused, GenerationConflict, InUse
from computekit.ids import ConsumerId
from computekit.model import Allocation, Consumer, PlacementRequest, ProviderTree
from computekit.placement.capacity import Room
from computekit.placement.claim_best import Claimed, Rank, Unclaimed, claim_best, most_free
from computekit.placement.explanation import PlacementExplanation
from computekit.placement.own_service import MOST_CONSUMERS
from computekit.placement.ports import Claim, CounterClaim
from computekit.work import ChangeSet

__all__ = [
    "CLAIM",
    "CLAIM_BEST",
    "EXPLAIN",
    "EXPLAIN_GIVEN",
    "LIST_CHANGES",
    "LIST_CONSUMERS",
    "PUT_TREE",
    "SHOW_ROOM",
    "Changes",
    "ChangesQuery",
    "ClaimOutcome",
    "ClaimWish",
    "Claims",
    "ConsumerPage",
    "ConsumerQuery",
    "ExplainQuery",
    "Explained",
    "Granted",
    "OwnCalls",
    "RoomQuery",
    "TreeChange",
]

TEXTS = ("application/json", "text/plain", "text/html")


@attrs.frozen
class ExplainQuery:
    """A request whose outcome is to be explained.

    Attributes:
        request: what is asked.
        reports: of how many trees without a candidate everything is told.
        media_type: one of `TEXTS`.
    """

    request: PlacementRequest
    reports: int = 0
    media_type: str = TEXTS[0]


@attrs.frozen
class Explained:
    """Why a request finds so many candidates, or none.

    Attributes:
        asked: what was asked.
        explanation: the answer.
    """

    asked: ExplainQuery
    explanation: PlacementExplanation


@attrs.frozen
class RoomQuery:
    """A request of which as many as possible are to fit.

    Attributes:
        request: what each of them asks.
    """

    request: PlacementRequest


@attrs.frozen
class TreeChange:
    """A whole tree of providers as it is to be.

    Attributes:
        tree: with all parts; generations are not looked at.
    """

    tree: ProviderTree


@attrs.frozen
class ClaimWish:
    """What a consumer is to get, wherever that is best.

    Attributes:
        consumer: who, with the generation that was seen; 0 for a new one.
        request: what it asks.
        tries: the most claims that are tried.
        rank: says how good a candidate is.
        counters: what is taken along.
    """

    consumer: Consumer
    request: PlacementRequest
    tries: int = 16
    rank: Rank = most_free
    counters: tuple[CounterClaim, ...] = ()


@attrs.frozen
class ClaimOutcome:
    """What became of a wish.

    Attributes:
        result: what was claimed, or what was tried in vain.
        why: with nothing claimed, why; else "".
    """

    result: Claimed | Unclaimed
    why: str = ""


@attrs.frozen
class Claims:
    """What consumers are to hold, with the counters that it takes; all of it or nothing.

    Attributes:
        claims: of each consumer, its own.
    """

    claims: tuple[Claim, ...]


@attrs.frozen
class Granted:
    """What consumers hold after their claims.

    Attributes:
        allocations: in the order of the claims.
    """

    allocations: tuple[Allocation, ...]


@attrs.frozen
class ChangesQuery:
    """From where on changes are asked for.

    Attributes:
        since: the number of the last commit that was seen.
    """

    since: int


@attrs.frozen
class Changes:
    """What was written.

    Attributes:
        head: the number of the last commit that is covered.
        news: what was written after the one that was asked about; None if that is not known any
            more, and everything is to be read.
    """

    head: int
    news: ChangeSet | None


@attrs.frozen
class ConsumerQuery:
    """Which consumers are asked for.

    Attributes:
        marker: those whose ids follow this one; None from the first on.
        limit: the most of them.
    """

    marker: ConsumerId | None = None
    limit: int = MOST_CONSUMERS


@attrs.frozen
class ConsumerPage:
    """Some consumers with all that they hold, by id.

    Attributes:
        allocations: of each.
        last: whether none follows.
    """

    allocations: tuple[Allocation, ...]
    last: bool


EXPLAIN = ApiOperation(
    name="explain_candidates",
    method="GET",
    path="/computekit/explain",
    summary="Why a request finds so many candidates, or none.",
    input=ExplainQuery,
    output=Explained,
    since=since(0),
    media_types=TEXTS,
)

EXPLAIN_GIVEN = ApiOperation(
    name="explain_given_candidates",
    method="POST",
    path="/computekit/explain",
    summary="Why a request that is too long for a URL finds so many candidates, or none.",
    input=ExplainQuery,
    output=Explained,
    since=since(0),
    has_body=True,
    media_types=TEXTS,
)

SHOW_ROOM = ApiOperation(
    name="show_room",
    method="GET",
    path="/computekit/room",
    summary="How many more consumers that ask the same would fit.",
    input=RoomQuery,
    output=Room,
    since=since(0),
)

PUT_TREE = ApiOperation(
    name="put_tree",
    method="PUT",
    path="/computekit/trees/{uuid}",
    summary="Make a whole tree of providers, with all parts, what is given.",
    input=TreeChange,
    output=ProviderTree,
    since=since(0),
    has_body=True,
    errors=(InUse, AlreadyExists),
)

CLAIM_BEST = ApiOperation(
    name="claim_best",
    method="POST",
    path="/computekit/claims",
    summary="Choose the best candidate and claim it, or what is next best.",
    input=ClaimWish,
    output=ClaimOutcome,
    since=since(0),
    has_body=True,
    errors=(GenerationConflict,),
)

CLAIM = ApiOperation(
    name="claim",
    method="POST",
    path="/computekit/allocations",
    summary="Replace what consumers hold, with the counters that it takes, all at once.",
    input=Claims,
    output=Granted,
    since=since(0),
    has_body=True,
    errors=(GenerationConflict, ClaimRefused),
)

LIST_CHANGES = ApiOperation(
    name="list_changes",
    method="GET",
    path="/computekit/changes",
    summary="What was written after a commit that was seen.",
    input=ChangesQuery,
    output=Changes,
    since=since(0),
)

LIST_CONSUMERS = ApiOperation(
    name="list_consumers",
    method="GET",
    path="/computekit/consumers",
    summary="Consumers with all that they hold, page by page.",
    input=ConsumerQuery,
    output=ConsumerPage,
    since=since(0),
)


class OwnCalls:
    """What carries these operations out.

    Args:
        placement: keeps the books.
        names: says which names exist.
    """

    def __init__(self, placement: Hosted, names: KnownNames) -> None:
        self._placement = placement
        self._names = names

    def explain(self, asked: ExplainQuery, context: CallContext) -> Explained:
        """Carry out `EXPLAIN` and `EXPLAIN_GIVEN`."""
        self._names.check_request(asked.request)
        explanation = self._placement.index.explain(
            asked.request, reports=asked.reports, deadline=context.deadline
        )
        return Explained(asked, explanation)

    def room(self, asked: RoomQuery, context: CallContext) -> Room:
        """Carry out `SHOW_ROOM`."""
        self._names.check_request(asked.request)
        return self._placement.index.room(asked.request, deadline=context.deadline)

    def put_tree(self, asked: TreeChange, _context: CallContext) -> ProviderTree:
        """Carry out `PUT_TREE`."""
        books = self._placement.books
        return self._placement.store.write(lambda tx: books.put_tree(tx, asked.tree))

    def claim(self, asked: Claims, _context: CallContext) -> Granted:
        """Carry out `CLAIM`."""
        here = self._placement
        return Granted(here.store.write(lambda tx: here.books.claim(tx, asked.claims)))

    def claim_best(self, asked: ClaimWish, context: CallContext) -> ClaimOutcome:
        """Carry out `CLAIM_BEST`."""
        here = self._placement
        self._names.check_request(asked.request)
        result = claim_best(
            here.store,
            here.books,
            here.index,
            asked.consumer,
            asked.request,
            rank=asked.rank,
            tries=asked.tries,
            counters=asked.counters,
            deadline=context.deadline,
        )
        if isinstance(result, Claimed):
            return ClaimOutcome(result)
        why = here.index.explain(asked.request, deadline=context.deadline)
        return ClaimOutcome(result, why.summary)

    def changes(self, asked: ChangesQuery, _context: CallContext) -> Changes:
        """Carry out `LIST_CHANGES`."""
        store = self._placement.store
        head = store.head()
        news = store.changes(asked.since)
        return Changes(head if news is None else news.head, news)

    def consumers(self, asked: ConsumerQuery, _context: CallContext) -> ConsumerPage:
        """Carry out `LIST_CONSUMERS`."""
        found = self._placement.books.consumers(asked.marker, asked.limit)
        return ConsumerPage(found, len(found) < asked.limit)
