"""The rows of a shape that one request may be put on, best first.

A shape ranks the hosts for all requests that ask the same. Overlays narrow it to the hosts that
one request may have, and overlay weighers lift or lower a few of them; neither touches the shape.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import merge

import attrs
import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex
from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.compile import run_overlays
from computekit.scheduler.multipliers import HasOption, multipliers
from computekit.scheduler.normalised import Normalised, scaled_one
from computekit.scheduler.normalised_shape import NormalisedShape
from computekit.scheduler.overlays import Limits, Overlay
from computekit.scheduler.policy import OverlayWeigher, Policy
from computekit.scheduler.request import Request
from computekit.scheduler.shape import Shape

__all__ = ["limits_of", "overlay_parts", "ranked_rows", "surviving"]

_Ranked = Iterator[tuple[int, float]]


@attrs.frozen
class _Lift:
    """What one overlay weigher gives one request, and what that counts for on each row."""

    name: str
    weights: Mapping[int, float] | FloatArray
    counts: FloatArray

    def dense(self, count: int) -> FloatArray:
        """Return the weights of all `count` rows."""
        if isinstance(self.weights, np.ndarray):
            return self.weights
        found = np.zeros(count)
        found[list(self.weights)] = list(self.weights.values())
        return found


def limits_of(
    request: Request, policy: Policy, fleet: FleetIndex, further: Iterable[Overlay] = ()
) -> Limits | None:
    """Return which rows the overlays of a request allow; None if it has no overlays."""
    found: Limits | None = None
    run = request.run
    asks = run.host is not None or run.ignored_hosts or run.zones
    of_run = run_overlays(run, default_zone=policy.default_zone) if asks else ()
    for overlay in (*of_run, *policy.overlays(request), *further):
        limits = overlay.limits(fleet)
        if not limits.open:
            found = limits if found is None else found.both(limits)
    return found


def surviving(
    shape: Shape | NormalisedShape, fleet: FleetIndex, request: Request, policy: Policy
) -> BoolArray:
    """Return which rows of a shape, up to date, the overlays of run and policy leave."""
    limits = limits_of(request, policy, fleet)
    many = len(fleet)
    rows = shape.allowed if isinstance(shape, NormalisedShape) else shape.scores.allowed(many)
    return rows if limits is None else rows & limits.rows(many)


def ranked_rows(
    shape: Shape | NormalisedShape,
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    spent: Collection[int],
    further: Iterable[Overlay] = (),
) -> _Ranked:
    """Return the rows that may be looked at, best first, each with its score.

    Args:
        shape: up to date.
        fleet: the index that it is of.
        request: what is asked.
        policy: by which it is decided.
        spent: rows that were tried, which are left out; they count in the weighing.
        further: overlays beside those of the run and of the policy.
    """
    limits = limits_of(request, policy, fleet, further)
    lifts = _lifts(fleet, request, policy)
    if limits is None and not lifts:
        return _of_all(shape, spent)
    if limits is not None and limits.only is not None and len(limits.only) == 1:
        (row,) = limits.only
        return _one(shape, limits, row, spent)
    if isinstance(shape, NormalisedShape):
        every = np.ones(len(fleet), dtype=np.bool_)
        running = every if limits is None else limits.rows(len(fleet))
        added = tuple((lift.dense(len(fleet)), lift.counts) for lift in lifts)
        scores = shape.among(running, added)
        return _from(scores, spent)
    return _lifted(shape, limits or Limits(), lifts, spent)


def overlay_parts(
    fleet: FleetIndex, request: Request, policy: Policy, rows: npt.NDArray[np.intp]
) -> dict[str, FloatArray]:
    """Return what each overlay weigher gives `rows`, which are all that are in the running."""
    found: dict[str, FloatArray] = {}
    for lift in _lifts(fleet, request, policy):
        weights, counts = lift.dense(len(fleet))[rows], lift.counts[rows]
        relative = isinstance(policy.weighers, Normalised)
        found[lift.name] = scaled_one(weights, counts)[0] if relative else weights * counts
    return found


def _lifts(fleet: FleetIndex, request: Request, policy: Policy) -> list[_Lift]:
    said = fleet.aggregates.keys
    return [
        _Lift(weigher.name, weights, counts)
        for weigher in policy.overlay_weighers
        if (
            weigher.multiplier
            or (said and isinstance(weigher, HasOption) and weigher.option in said)
        )
        and len(weights := weigher.weights(request, fleet))
        and (counts := _counts(fleet, weigher)) is not None
    ]


def _counts(fleet: FleetIndex, weigher: OverlayWeigher) -> FloatArray | None:
    """Return what a weigher counts for on each row; None if for nothing anywhere."""
    if isinstance(weigher, HasOption):
        found = multipliers(fleet, slice(None), weigher.option, weigher.multiplier)
        if found is not None:
            return found
    return np.broadcast_to(weigher.multiplier, len(fleet)) if weigher.multiplier else None


def _of_all(shape: Shape | NormalisedShape, without: Collection[int]) -> _Ranked:
    if not without:
        best = shape.best()
        if best is None:
            return
        yield best
        without = (best[0],)
    yield from _from(shape.scores, without)


def _from(scores: BlockScores, without: Collection[int]) -> _Ranked:
    if not without:
        best = scores.best()
        if best is None:
            return
        yield best, scores.score(best)
        without = (best,)
    for row in scores.ranking(without):
        yield row, scores.score(row)


def _one(
    shape: Shape | NormalisedShape, limits: Limits, row: int, spent: Collection[int]
) -> _Ranked:
    score = shape.score(row)
    if score != NEVER and row not in spent and limits.allow(row):
        yield row, score


def _lifted(shape: Shape, limits: Limits, lifts: list[_Lift], spent: Collection[int]) -> _Ranked:
    """Return the rows of a shape whose scores do not depend on each other."""
    scores = shape.scores
    more: dict[int, float] = {}
    for lift in lifts:
        if isinstance(lift.weights, np.ndarray):
            scores = scores.plus(lift.weights * lift.counts)
            continue
        for row, weight in lift.weights.items():
            more[row] = more.get(row, 0.0) + weight * lift.counts.item(row)
    if limits.only is not None:
        few = [row for row in limits.only if row not in spent and limits.allow(row)]
        return iter(_best_first(scores, few, more))
    lifted = [row for row in more if row not in spent and limits.allow(row)]
    if limits.mask is not None:
        scores = scores.within(limits.mask)
    others = _from(scores, {*spent, *limits.without, *more})
    if not lifted:
        return others
    return merge(_best_first(scores, lifted, more), others, key=_order)


def _best_first(
    scores: BlockScores, rows: list[int], more: Mapping[int, float]
) -> list[tuple[int, float]]:
    found = [(row, scores.score(row) + more.get(row, 0.0)) for row in rows]
    return sorted((pair for pair in found if pair[1] != NEVER), key=_order)


def _order(pair: tuple[int, float]) -> tuple[float, int]:
    return -pair[1], pair[0]
