"""Claims with all that belongs to them, on the wire: counters, and the choice of the best."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from computekit.api import Microversion
from computekit.api.placement.own import ClaimOutcome, Claims, ClaimWish, Granted
from computekit.http.placement.bodies import Amounts, ConsumerType, Positive, Text255, Uuid, Whole
from computekit.http.placement.body import Body
from computekit.http.placement.own_wire import (
    QueryText,
    canonical_id,
    consumer_said,
    encoded,
    octets,
    request_of,
)
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import Allocation, Consumer, FrozenMap, ResourceClass, Resources, encode_error
from computekit.placement.claim_best import RANKS, Attempt, Claimed
from computekit.placement.ports import Claim, CounterClaim

__all__ = ["ClaimBestBody", "ClaimBestForm", "ClaimsBody", "ClaimsForm"]

Generation = Annotated[int, Meta(ge=0)]


class CounterBody(Struct, forbid_unknown_fields=True):
    """A counter that a claim takes along: its use rises by `amount`, up to `bound`."""

    scope: Text255
    name: Text255
    amount: Positive
    bound: Whole


class TakenBody(Struct, forbid_unknown_fields=True):
    """What is taken of one provider."""

    resources: Amounts


class OneClaimBody(Struct, forbid_unknown_fields=True):
    """What one consumer is to hold, instead of all that it holds."""

    consumer_uuid: Uuid
    project_id: Text255
    user_id: Text255
    allocations: dict[Uuid, TakenBody]
    consumer_type: ConsumerType | None = None
    consumer_generation: Generation | None = None
    counters: list[CounterBody] = []


class ClaimsBody(Struct, forbid_unknown_fields=True):
    """What consumers are to hold, all of it or nothing."""

    claims: Annotated[list[OneClaimBody], Meta(min_length=1)]


class ClaimBestBody(Struct, forbid_unknown_fields=True):
    """What a consumer is to get: a query string as that of allocation candidates."""

    consumer_uuid: Uuid
    project_id: Text255
    user_id: Text255
    query: QueryText
    consumer_type: ConsumerType | None = None
    consumer_generation: Generation | None = None
    tries: Annotated[int, Meta(ge=1, le=1000)] = 16
    rank: Literal["most_free", "least_free"] = "most_free"
    counters: list[CounterBody] = []


_CLAIMS = Body(ClaimsBody)
_CLAIM_BEST = Body(ClaimBestBody)


def _consumer(body: OneClaimBody | ClaimBestBody) -> Consumer:
    return Consumer(
        ConsumerId(canonical_id(body.consumer_uuid)),
        ProjectId(body.project_id),
        UserId(body.user_id),
        body.consumer_type,
        body.consumer_generation or 0,
    )


def _counters(bodies: Sequence[CounterBody]) -> tuple[CounterClaim, ...]:
    return tuple(CounterClaim(one.scope, one.name, one.amount, one.bound) for one in bodies)


def _amounts(body: TakenBody) -> Resources:
    return FrozenMap({ResourceClass(name): amount for name, amount in body.resources.items()})


def _claim(body: OneClaimBody) -> Claim:
    held = {
        ProviderId(canonical_id(provider)): _amounts(taken)
        for provider, taken in body.allocations.items()
    }
    return Claim(Allocation(_consumer(body), FrozenMap(held)), _counters(body.counters))


class ClaimsForm:
    """What consumers are to hold, and what they hold then."""

    def parse(self, request: HttpRequest, version: Microversion) -> Claims:
        return Claims(tuple(map(_claim, _CLAIMS.parse(request.body).claims)))

    def render(self, output: Granted, version: Microversion) -> Answer:
        rows = [consumer_said(one) for one in output.allocations]
        return Answer(200, encoded({"consumers": rows}))


class ClaimBestForm:
    """What a consumer is to get, and what it got."""

    def parse(self, request: HttpRequest, version: Microversion) -> ClaimWish:
        body = _CLAIM_BEST.parse(request.body)
        return ClaimWish(
            _consumer(body),
            request_of(octets(body.query)),
            body.tries,
            RANKS[body.rank],
            _counters(body.counters),
        )

    def render(self, output: ClaimOutcome, version: Microversion) -> Answer:
        result = output.result
        lost = [_lost(attempt) for attempt in result.lost]
        if not isinstance(result, Claimed):
            said = "; ".join(attempt.refusal.message for attempt in result.lost)
            detail = f"Nothing was claimed: {said or output.why}"
            raise Refused(Problem(409, detail, extra=(("lost", msgspec.Raw(encoded(lost))),)))
        held = result.allocation
        body = {
            "root": result.candidate.root,
            "allocations": {p: {"resources": given} for p, given in held.resources.items()},
            "mappings": result.candidate.mappings,
            "consumer_type": held.consumer.type,
            "consumer_generation": held.consumer.generation,
            "lost": lost,
        }
        return Answer(200, encoded(body))


def _lost(attempt: Attempt) -> Mapping[str, object]:
    return {
        "root": attempt.candidate.root,
        "allocations": attempt.candidate.allocation,
        "mappings": attempt.candidate.mappings,
        "reason": attempt.refusal.message,
        "error": msgspec.Raw(encode_error(attempt.refusal).encode()),
    }
