"""What computekit's own daemon can do beside the Placement API."""

from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlencode

import attrs

from computekit.client.api import segment, settled
from computekit.client.claims import inventories_body
from computekit.client.connection import Answer, Json
from computekit.client.consumers import RemoteConsumers
from computekit.client.queries import candidates_query
from computekit.client.refusals import refusal_of
from computekit.client.wire import WireAmounts, read
from computekit.errors import Unsupported
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    Consumer,
    FrozenMap,
    PlacementRequest,
    ProviderTree,
    ResourceClass,
)
from computekit.placement import PlacementExplanation, ReasonCount, Room, TreeReport
from computekit.work import Change, ChangeSet

__all__ = ["OwnOperations"]


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
class _Holding:
    consumer_uuid: str
    project_id: str
    user_id: str
    consumer_type: str | None
    consumer_generation: int
    allocations: Mapping[str, WireAmounts]


@attrs.frozen
class _Consumers:
    consumers: tuple[_Holding, ...]


class OwnOperations(RemoteConsumers):
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
        said = read(_own(answer, "explaining"), _Explained)
        return PlacementExplanation(
            request, said.trees, said.fitting, said.reasons, said.near_misses, said.reports
        )

    def room(self, request: PlacementRequest) -> Room:
        """Return how many more consumers that ask the same would fit, one after the other.

        Raises:
            InvalidInput: with every fault of the request, and names that nobody knows.
            Unsupported: the server is not computekit's.
        """
        query = candidates_query(request, None)
        answer = self.ask("GET", "/computekit/room", query, again=True)
        return read(_own(answer, "counting what fits"), Room)

    def put_tree(self, tree: ProviderTree) -> Mapping[ProviderId, int]:
        """Make the stored tree equal to `tree` in one call; return the generations.

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
        answer = _own(self.naming(send, classes, traits), "writing a whole tree")
        return {ProviderId(row.uuid): row.generation for row in read(answer, _Tree).providers}

    def claim_best(
        self, request: PlacementRequest, consumer: Consumer, *, tries: int = 16
    ) -> Allocation | None:
        """Claim the best candidate, or what is next best if that is lost to another.

        Args:
            request: what is asked.
            consumer: who is to hold it, with the generation that was seen; 0 for a new one.
            tries: the most claims that are tried.

        Returns:
            What the consumer holds now; None if nothing could be claimed, and `explain` says why.

        Raises:
            InvalidInput: with every fault of the request.
            GenerationConflict: the consumer was written in between.
            Unsupported: the server is not computekit's.
        """
        body: dict[str, Json] = {
            "consumer_uuid": consumer.id,
            "project_id": consumer.project,
            "user_id": consumer.user,
            "consumer_type": consumer.type,
            "consumer_generation": consumer.generation or None,
            "query": urlencode(candidates_query(request, None)),
            "tries": tries,
        }

        def send() -> bool:
            answer = self.ask("POST", "/computekit/claims", body=body)
            if answer.status == 409 and refusal_of(answer).says("^Nothing was claimed"):
                return False
            _own(answer, "choosing and claiming in one step")
            return True

        def probe() -> bool | None:
            found = self.allocation(consumer.id)
            mine = found is not None and found.consumer.generation == consumer.generation + 1
            return True if mine else None

        return self.allocation(consumer.id) if settled(send, probe) else None

    def changes(self, since: int) -> ChangeSet | None:
        """Return what was written after commit `since`; None if that is not known any more.

        Raises:
            Unsupported: the server is not computekit's.
        """
        answer = self.ask("GET", "/computekit/changes", [("since", str(since))], again=True)
        found = read(_own(answer, "a feed of changes"), _Changes)
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
        query = [("limit", str(limit)), *([] if after is None else [("after", str(after))])]
        answer = self.ask("GET", "/computekit/consumers", query, again=True)
        found = read(_own(answer, "a list of consumers"), _Consumers)
        return tuple(map(_allocation, found.consumers))


def _own(answer: Answer, feature: str) -> Answer:
    if answer.status >= 400:
        _refuse(answer, feature)
    return answer


def _refuse(answer: Answer, feature: str) -> NoReturn:
    refusal = refusal_of(answer)
    if answer.status == 404 and refusal.own is None:
        raise Unsupported(feature, "the server is not computekit's")
    raise refusal.error()


def _allocation(row: _Holding) -> Allocation:
    who = Consumer(
        ConsumerId(row.consumer_uuid),
        ProjectId(row.project_id),
        UserId(row.user_id),
        row.consumer_type,
        row.consumer_generation,
    )
    held = {
        ProviderId(provider): FrozenMap(
            {ResourceClass(name): amount for name, amount in amounts.resources.items()}
        )
        for provider, amounts in row.allocations.items()
    }
    return Allocation(who, FrozenMap(held))
