"""The scheduler: from a request to a decision."""

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

import attrs

from computekit.ids import HostName
from computekit.model import PlacementRequest
from computekit.placement import FleetIndex, check_request
from computekit.scheduler.blocks import NEVER
from computekit.scheduler.compile import shape_predicates
from computekit.scheduler.decision import Decision, Placed, Selection, Unplaced
from computekit.scheduler.explanation import Explanation, Past, explain
from computekit.scheduler.fitter import Allocated, Fitter
from computekit.scheduler.policy import Policy, Refusal, WayWeigher
from computekit.scheduler.request import Request
from computekit.scheduler.shape import Answers, Shape

__all__ = ["Scheduler"]

_Tried: TypeAlias = dict[HostName, set[Allocated]]
_SPREAD = Policy()


@attrs.frozen(eq=False)
class _Kept:
    """What is kept for one shape of requests."""

    shape: Shape
    fitter: Fitter


class Scheduler:
    """Decides where requests go, on one fleet by one policy.

    Safe to be used by several threads: a decision holds the lock of the index.

    Args:
        index: the fleet; brought up to date before each decision.
        policy: what is preferred; without it, the host with the most free memory.
        shapes: how many shapes of requests are kept.
        tries_per_host: how many ways to fit one host `Placed.candidates` gives.
    """

    def __init__(
        self,
        index: FleetIndex,
        policy: Policy = _SPREAD,
        *,
        shapes: int = 64,
        tries_per_host: int = 5,
    ) -> None:
        self.index = index
        self.policy = policy
        self._bound = shapes
        self._tries_per_host = tries_per_host
        self._answers = Answers(index)
        self._shapes: dict[tuple[PlacementRequest, str | None, str | None], _Kept] = {}

    def place(self, request: Request) -> Decision:
        """Return the best host for `request`, or that there is none.

        Raises:
            InvalidInput: the request contradicts itself; every fault is listed.
            StoreUnavailable: what the index follows cannot be read.
        """
        with self.index.lock:
            self.index.refresh()
            refusals: dict[HostName, Refusal] = {}
            candidate = next(self._search(request, {}, refusals), None)
            if candidate is not None:
                return Placed(
                    request,
                    candidate,
                    partial(self._candidates, request, candidate),
                    partial(self._explain, request, candidate),
                )
            fleet = self.index.copy()
        return Unplaced(
            request, fleet.epoch, partial(explain, fleet, request, self.policy, refusals)
        )

    def _candidates(self, request: Request, first: Selection) -> Iterator[Selection]:
        tried: _Tried = {}
        found: Selection | None = first
        while found is not None:
            tried.setdefault(found.host, set()).add(found.allocation)
            yield found
            with self.index.lock:
                self.index.refresh()
                found = next(self._search(request, tried, {}), None)

    def _explain(self, request: Request, candidate: Selection) -> Explanation | Past:
        with self.index.lock:
            if self.index.epoch != candidate.epoch:
                return Past(candidate.epoch, self.index.epoch)
            fleet = self.index.copy()
        return explain(fleet, request, self.policy, {}, chosen=candidate.host)

    def _search(
        self, request: Request, tried: _Tried, refusals: dict[HostName, Refusal]
    ) -> Iterator[Selection]:
        """Return what fits and was not tried, best first; good while the lock is held."""
        index, kept = self.index, self._of(request)
        for row, score in self._rows(kept.shape, request, tried):
            host = index.names[row]
            before = tried.get(host, set[Allocated]())
            fit = kept.fitter.fit(index, row, before)
            if fit is None:
                if not before:
                    kept.shape.scores.strike(row)
                continue
            if self.policy.filters:
                refusal = self.policy.refusal(index.view(row))
                if refusal is not None:
                    refusals[host] = refusal
                    if refusal.lasting:
                        kept.shape.scores.strike(row)
                    continue
            yield Selection(host, fit.allocation, fit.mappings, score, index.epoch)

    def _of(self, request: Request) -> _Kept:
        """Return what is kept for the request's shape, up to date."""
        placement = request.placement
        key = placement, request.intent.zone, request.machine_type
        kept = self._shapes.pop(key, None)
        if kept is None:
            check_request(placement)
            predicates = shape_predicates(*key)
            weighers = self.policy.weighers_of(placement)
            prefer = next((w for w in weighers if isinstance(w, WayWeigher)), None)
            kept = _Kept(Shape(predicates, weighers), Fitter(placement, prefer))
            if len(self._shapes) >= self._bound:
                del self._shapes[next(iter(self._shapes))]
        self._shapes[key] = kept
        kept.fitter.forget(kept.shape.catch_up(self.index, self._answers))
        return kept

    def _rows(self, shape: Shape, request: Request, tried: _Tried) -> Iterator[tuple[int, float]]:
        """Return the rows that may be looked at, best first, each with its score."""
        index, run = self.index, request.run
        without = run.ignored_hosts | {host for host in tried if self._spent(host, tried[host])}
        if run.host is not None:
            row = None if run.host in without else index.row(run.host)
            if row is not None and shape.scores.score(row) != NEVER:
                yield row, shape.scores.score(row)
            return
        rows = [row for host in without if (row := index.row(host)) is not None]
        if not rows:
            best = shape.scores.best()
            if best is None:
                return
            yield best, shape.scores.score(best)
            rows = [best]
        for row in shape.scores.ranking(rows):
            yield row, shape.scores.score(row)

    def _spent(self, host: HostName, tried: set[Allocated]) -> bool:
        row = self.index.row(host)
        several = row is not None and bool(self.index.nested[row])
        return len(tried) >= (self._tries_per_host if several else 1)
