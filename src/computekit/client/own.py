"""What computekit's own daemon can do beside the Placement API."""

from urllib.parse import urlencode

import attrs

from computekit.client.api import segment
from computekit.client.claims import inventories_body
from computekit.client.connection import Answer, Json
from computekit.client.own_claims import OwnClaims, WireHolding, holding, own_answer
from computekit.client.queries import candidates_query
from computekit.client.wire import read
from computekit.ids import ConsumerId, ProviderId
from computekit.model import (
    Allocation,
    PlacementRequest,
    ProviderTree,
)
from computekit.placement import PlacementExplanation, ReasonCount, Room, TreeReport
from computekit.work import Change, ChangeSet

__all__ = ["OwnOperations"]

NO_ROOM = Room(0, exact=True, complete=True, trees=0, largest=())


@attrs.frozen
class _Explained:
    trees: int
    fitting: int
    reasons: tuple[ReasonCount, ...]
    near_misses: tuple[TreeReport, ...]
    reports: tuple[TreeReport, ...]


@attrs.frozen
class _Row:
    uuid: str
    generation: int


@attrs.frozen
class _Tree:
    providers: tuple[_Row, ...]


@attrs.frozen
class _Changes:
    head: int
    complete: bool
    changes: tuple[Change, ...]


@attrs.frozen
class _Consumers:
    consumers: tuple[WireHolding, ...]


class OwnOperations(OwnClaims):
    """Calls that only computekit's daemon answers; another server makes them `Unsupported`."""

    def explain(self, request: PlacementRequest, *, reports: int = 0) -> PlacementExplanation:
        """Return why a request finds so many candidates, or none.

        Args:
            request: what is asked.
            reports: of how many trees without a candidate everything is told.

        Raises:
            InvalidInput: with every fault of the request, and names that nobody knows.
            Unsupported: the server is not computekit's.
        """
        body: Json = {"query": urlencode(candidates_query(request, None)), "reports": reports}
        answer = self.ask("POST", "/computekit/explain", body=body, again=True)
        said = read(own_answer(answer, "explaining"), _Explained)
        return PlacementExplanation(
            request, said.trees, said.fitting, said.reasons, said.near_misses, said.reports
        )

    def room(self, request: PlacementRequest) -> Room:
        """Return how many more consumers that ask the same would fit, one after the other.

        Raises:
            InvalidInput: with every fault of the request.
            Unsupported: the server is not computekit's.
        """

        def ask(known: PlacementRequest) -> Answer:
            return self.ask("GET", "/computekit/room", candidates_query(known, None), again=True)

        answer = self.answerable(request, ask)
        return NO_ROOM if answer is None else read(own_answer(answer, "counting what fits"), Room)

    def put_tree(self, tree: ProviderTree) -> ProviderTree:
        """Make the stored tree equal to `tree` in one call; return it as stored.

        What `PlacementWriter.put_tree` says holds.

        Raises:
            InUse, AlreadyExists, InvalidInput: as there.
            Unsupported: the server is not computekit's.
        """
        rows: list[Json] = [
            {
                "uuid": row.id,
                "name": row.name,
                "parent_provider_uuid": row.parent,
                "inventories": inventories_body(row.inventories),
                "traits": sorted(row.traits),
                "aggregates": sorted(row.aggregates),
            }
            for row in tree
        ]
        path = f"/computekit/trees/{segment(tree.root.id)}"

        def send() -> Answer:
            return self.ask("PUT", path, body={"providers": rows}, again=True)

        classes = {name for row in tree for name in row.inventories}
        traits = {name for row in tree for name in row.traits}
        answer = own_answer(self.naming(send, classes, traits), "writing a whole tree")
        given = {row.id: row for row in tree}
        stored = (
            attrs.evolve(given[ProviderId(row.uuid)], generation=row.generation)
            for row in read(answer, _Tree).providers
        )
        return ProviderTree(tuple(stored))

    def changes(self, since: int) -> ChangeSet | None:
        """Return what was written after commit `since`; None if that is not known any more.

        Raises:
            Unsupported: the server is not computekit's.
        """
        answer = self.ask("GET", "/computekit/changes", [("since", str(since))], again=True)
        found = read(own_answer(answer, "a feed of changes"), _Changes)
        return ChangeSet(found.head, frozenset(found.changes)) if found.complete else None

    def consumers(
        self, after: ConsumerId | None = None, limit: int = 1000
    ) -> tuple[Allocation, ...]:
        """Return what the first `limit` consumers that follow `after` hold, by consumer id.

        An answer that is shorter than `limit` is the last.

        Raises:
            InvalidInput: `limit` is not within 1 to 1000.
            Unsupported: the server is not computekit's.
        """
        query = [("limit", str(limit)), *([] if after is None else [("marker", str(after))])]
        answer = self.ask("GET", "/computekit/consumers", query, again=True)
        found = read(own_answer(answer, "a list of consumers"), _Consumers)
        return tuple(map(holding, found.consumers))
