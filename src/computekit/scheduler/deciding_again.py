"""Deciding again about one host, on a copy of the fleet: whether a change has helped."""

from collections.abc import Sequence

import numpy as np

from computekit.errors import InvalidInput
from computekit.placement import BoolArray, FleetIndex, check_request
from computekit.placement.fit import fits_soon
from computekit.scheduler.changes import Adjustment
from computekit.scheduler.compile import run_overlays, shape_predicates
from computekit.scheduler.delta_predicates import delta_predicates
from computekit.scheduler.fitter import Fitter
from computekit.scheduler.group_overlays import group_overlays
from computekit.scheduler.policy import Policy
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request

__all__ = ["Undecided", "all_predicates", "applied", "failing", "searched", "takes"]

_LOOKS = 32


class Undecided(Exception):
    """Whether a host takes a request would take too long to find out; never leaves this room."""


def all_predicates(request: Request, policy: Policy, fleet: FleetIndex) -> tuple[Predicate, ...]:
    """Return everything that is asked of a host of this fleet, in the order of telling."""
    of_run = run_overlays(request.run, default_zone=policy.default_zone)
    laid_over = (*of_run, *policy.overlays(request))
    shared = (
        *shape_predicates(
            request.placement,
            request.intent.zone,
            request.machine_type,
            request.topology,
            default_zone=policy.default_zone,
        ),
        *delta_predicates(request),
        *policy.predicates(request),
    )

    def survivors() -> BoolArray:
        found = np.ones(len(fleet), dtype=np.bool_)
        for asked in (*laid_over, *shared):
            found &= asked.passed(fleet, slice(None))
        return found

    group = group_overlays(request, fleet, survivors)
    return tuple(dict.fromkeys((*laid_over, *group, *shared)))


def applied(
    fleet: FleetIndex, request: Request, changes: Sequence[Adjustment]
) -> tuple[FleetIndex, Request] | None:
    """Return a copy of the fleet and the request as changed; None if they then make no sense."""
    fleet = fleet.copy()
    for change in changes:
        request = change.apply(request, fleet)
    try:
        check_request(request.placement)
    except InvalidInput:
        return None
    return fleet, request


def failing(fleet: FleetIndex, row: int, request: Request, policy: Policy) -> tuple[Predicate, ...]:
    """Return what a row does not pass."""
    at = np.array([row])
    return tuple(p for p in all_predicates(request, policy, fleet) if not p.passed(fleet, at)[0])


def searched(fleet: FleetIndex, row: int, request: Request) -> bool:
    """Return whether a row that passes every predicate fits by the search on its tree.

    Raises:
        Undecided: that would take too long.
    """
    if fleet.nested[row]:
        soon = fits_soon(fleet.tree(row), request.placement, looks=_LOOKS)
        if not soon:
            if soon is None:
                raise Undecided
            return False
    fitter = Fitter(request.placement, topology=request.topology)
    return request.topology is None or fitter.cells(fleet, row) is not None


def takes(fleet: FleetIndex, row: int, request: Request, policy: Policy) -> bool:
    """Return whether a row takes the request: predicates, then the search, then the filters.

    Not if that would take too long to find out.
    """
    try:
        return (
            not failing(fleet, row, request, policy)
            and searched(fleet, row, request)
            and policy.refusal(fleet.view(row), request) is None
        )
    except Undecided:
        return False
