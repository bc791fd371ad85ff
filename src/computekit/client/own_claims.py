"""Claims that only computekit's own daemon grants: with counters, or of the best candidate."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import attrs

from computekit.client.api import settled
from computekit.client.candidates import SHARING
from computekit.client.connection import Answer, Json
from computekit.client.consumers import RemoteConsumers
from computekit.client.queries import candidates_query
from computekit.client.refusals import refusal_of
from computekit.client.wire import WireAmounts, read
from computekit.errors import ClaimRefused, Unsupported
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    Consumer,
    FrozenMap,
    PlacementRequest,
    ResourceClass,
    Resources,
    decode_error,
)
from computekit.placement import (
    RANKS,
    Attempt,
    Candidate,
    Claim,
    Claimed,
    CounterClaim,
    Rank,
    Unclaimed,
    most_free,
)

__all__ = ["OwnClaims", "WireHolding", "holding", "own_answer"]


@attrs.frozen
class WireHolding:
    """A consumer with all that it holds."""

    consumer_uuid: str
    project_id: str
    user_id: str
    consumer_type: str | None
    consumer_generation: int
    allocations: Mapping[str, WireAmounts]


@attrs.frozen
class _Granted:
    consumers: tuple[WireHolding, ...]


@attrs.frozen
class _Lost:
    root: str
    allocations: Mapping[str, Mapping[str, int]]
    mappings: Mapping[str, tuple[str, ...]]
    reason: str
    error: Mapping[str, object]


@attrs.frozen
class _Claimed:
    root: str
    allocations: Mapping[str, WireAmounts]
    mappings: Mapping[str, tuple[str, ...]]
    consumer_type: str | None
    consumer_generation: int
    lost: tuple[_Lost, ...]


@attrs.frozen
class _Refusal:
    lost: tuple[_Lost, ...]


@attrs.frozen
class _Unclaimed:
    errors: tuple[_Refusal, ...]


class OwnClaims(RemoteConsumers):
    """Claims of every kind."""

    def claim(self, *claims: Claim | Allocation) -> tuple[Allocation, ...]:
        """Replace what each of these consumers holds, all in one transaction.

        A server does not tell when it wrote: `updated_s` of what is returned is 0.0.

        Raises:
            ClaimRefused, GenerationConflict, Unsupported: as `PlacementService.claim` says.
        """
        whole = tuple(one if isinstance(one, Claim) else Claim(one) for one in claims)
        if not any(one.counters for one in whole):
            return self.claim_without_counters(tuple(one.allocation for one in whole))
        body: Json = {"claims": [_claim_body(one) for one in whole]}

        def send() -> tuple[Allocation, ...]:
            answer = self.ask("POST", "/computekit/allocations", body=body)
            rows = read(own_answer(answer, "claiming with counters"), _Granted).consumers
            return tuple(map(holding, rows))

        def probe() -> tuple[Allocation, ...] | None:
            done = all(self.has(one.allocation) for one in whole)
            return tuple(map(self._held_now, whole)) if done else None

        return settled(send, probe)

    def _held_now(self, claim: Claim) -> Allocation:
        """Return what a consumer holds after a claim that was granted."""
        seen = claim.allocation.consumer
        found = self.allocation(seen.id)
        if found is not None:
            return found
        generation = seen.generation + 1 if claim.counters else 0
        return attrs.evolve(claim.allocation, consumer=attrs.evolve(seen, generation=generation))

    def claim_best(
        self,
        request: PlacementRequest,
        consumer: Consumer,
        *,
        rank: Rank = most_free,
        tries: int = 16,
        counters: tuple[CounterClaim, ...] = (),
    ) -> Claimed | Unclaimed:
        """Claim the best candidate, or what is next best if that is lost to another.

        Where the answer was lost on the way, and what was claimed is found in the books, nobody
        tells again which provider serves which suffixed group: mappings are then empty if the
        request has such groups.

        Args:
            request: what is asked.
            consumer: who is to hold it, with the generation that was seen; 0 for a new one.
            rank: one of `RANKS`.
            tries: the most claims that are tried.
            counters: what is taken along.

        Raises:
            InvalidInput: with every fault of the arguments.
            GenerationConflict: the consumer was written in between.
            Unsupported: the server is not computekit's, or the rank is a function of one's own.
        """
        named = [name for name, known in RANKS.items() if known is rank]
        if not named:
            reason = f"a server knows {', '.join(sorted(RANKS))}"
            raise Unsupported("ranking by a function of one's own on a server", reason)
        body: dict[str, Json] = {
            **_consumer_body(consumer),
            "tries": tries,
            "rank": named[0],
            "counters": _counters_body(counters),
        }

        def post(known: PlacementRequest) -> Answer:
            query = urlencode(candidates_query(known, None))
            return self.ask("POST", "/computekit/claims", body={**body, "query": query})

        def send() -> Claimed | Unclaimed:
            answer = self.answerable(request, post)
            if answer is None:
                return Unclaimed()
            if answer.status == 409 and refusal_of(answer).says("^Nothing was claimed"):
                (said,) = read(answer, _Unclaimed).errors
                return Unclaimed(tuple(map(_attempt, said.lost)))
            found = read(own_answer(answer, "choosing and claiming in one step"), _Claimed)
            return _claimed(found, consumer)

        def probe() -> Claimed | Unclaimed | None:
            held = self.allocation(consumer.id)
            if held is None or held.consumer.generation != consumer.generation + 1:
                return None
            return Claimed(self._candidate_of(request, held), held)

        return settled(send, probe)

    def _candidate_of(self, request: PlacementRequest, held: Allocation) -> Candidate:
        uses = [self.provider(provider) for provider in sorted(held.resources)]
        # The anchor is the tree of those that do not share; with none of them, any may be it.
        anchors = [use.root for use in uses if SHARING not in use.provider.traits]
        plain = all(not group.suffix for group in request.groups)
        mappings = {"": tuple(use.provider.id for use in uses)} if plain else {}
        return Candidate((*anchors, uses[0].root)[0], held.resources, FrozenMap(mappings))


def own_answer(answer: Answer, feature: str) -> Answer:
    """Return an answer that is no refusal.

    Raises:
        Unsupported: the server is not computekit's, and does not know the feature.
        ComputekitError: what the refusal says.
    """
    if answer.status < 400:
        return answer
    refusal = refusal_of(answer)
    if answer.status == 404 and refusal.own is None:
        raise Unsupported(feature, "the server is not computekit's")
    raise refusal.error()


def holding(row: WireHolding) -> Allocation:
    """Return what a server says that a consumer holds."""
    who = Consumer(
        ConsumerId(row.consumer_uuid),
        ProjectId(row.project_id),
        UserId(row.user_id),
        row.consumer_type,
        row.consumer_generation,
    )
    return Allocation(who, _held({p: amounts.resources for p, amounts in row.allocations.items()}))


def _held(said: Mapping[str, Mapping[str, int]]) -> FrozenMap[ProviderId, Resources]:
    return FrozenMap(
        {
            ProviderId(provider): FrozenMap({ResourceClass(name): n for name, n in amounts.items()})
            for provider, amounts in said.items()
        }
    )


def _candidate(
    root: str, held: FrozenMap[ProviderId, Resources], mappings: Mapping[str, Sequence[str]]
) -> Candidate:
    serving = {suffix: tuple(map(ProviderId, ids)) for suffix, ids in mappings.items()}
    return Candidate(ProviderId(root), held, FrozenMap(serving))


def _attempt(said: _Lost) -> Attempt:
    error = decode_error(json.dumps(said.error))
    if not isinstance(error, ClaimRefused):
        raise error  # of a server that refuses claims for reasons that are not known here
    return Attempt(_candidate(said.root, _held(said.allocations), said.mappings), error)


def _claimed(said: _Claimed, consumer: Consumer) -> Claimed:
    held = _held({p: amounts.resources for p, amounts in said.allocations.items()})
    who = attrs.evolve(consumer, type=said.consumer_type, generation=said.consumer_generation)
    lost = tuple(map(_attempt, said.lost))
    return Claimed(_candidate(said.root, held, said.mappings), Allocation(who, held), lost)


def _consumer_body(consumer: Consumer) -> dict[str, Json]:
    return {
        "consumer_uuid": consumer.id,
        "project_id": consumer.project,
        "user_id": consumer.user,
        "consumer_type": consumer.type,
        "consumer_generation": consumer.generation or None,
    }


def _counters_body(counters: Sequence[CounterClaim]) -> list[Json]:
    return [
        {"scope": one.scope, "name": one.name, "amount": one.amount, "bound": one.bound}
        for one in counters
    ]


def _claim_body(claim: Claim) -> Json:
    return {
        **_consumer_body(claim.allocation.consumer),
        "allocations": {
            provider: {"resources": dict(resources.items())}
            for provider, resources in claim.allocation.resources.items()
        },
        "counters": _counters_body(claim.counters),
    }
