"""How the request filters of a policy are applied."""

from collections.abc import Iterator

import attrs

from computekit.model import Trait
from computekit.placement import FleetIndex
from computekit.scheduler.policy import Policy
from computekit.scheduler.request import Request
from computekit.scheduler.request_delta import FilterContext, merged

__all__ = ["prefiltered"]


def prefiltered(
    request: Request, policy: Policy, fleet: FleetIndex, context: FilterContext | None = None
) -> Request:
    """Return a request with what the policy's request filters add: once, and never again.

    Args:
        request: what is asked.
        policy: whose filters.
        fleet: whose aggregates.
        context: what else is known; without it, nothing.
    """
    if not policy.prefilters or request.deltas:
        return request
    known = attrs.evolve(
        context or FilterContext(),
        aggregates=tuple(fleet.aggregates.all.values()),
        required=frozenset(_required(request)),
    )
    deltas = tuple(each.delta(request.intent, known) for each in policy.prefilters)
    return attrs.evolve(request, placement=merged(request.placement, deltas), deltas=deltas)


def _required(request: Request) -> Iterator[Trait]:
    yield from request.placement.root_required
    for group in request.placement.groups:
        for traits in group.required:
            yield from traits
