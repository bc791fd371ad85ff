"""The scheduler: from a request to a decision."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import attrs

from computekit.ids import HostName
from computekit.model import PlacementRequest
from computekit.placement import FleetIndex, check_request
from computekit.scheduler.compile import shape_predicates
from computekit.scheduler.decision import Decision, Placed, Selection, Unplaced
from computekit.scheduler.delta_predicates import delta_predicates
from computekit.scheduler.explanation import Explanation, explain
from computekit.scheduler.fitter import Allocated, Fitter
from computekit.scheduler.group_overlays import eligible_of, group_overlays, has_skew
from computekit.scheduler.narrowing import ranked_rows, surviving
from computekit.scheduler.normalised import Normalised
from computekit.scheduler.normalised_shape import NormalisedShape
from computekit.scheduler.passing import Answers
from computekit.scheduler.plain_functions import Refusal
from computekit.scheduler.policy import Policy, WayWeigher
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.prefiltering import prefiltered
from computekit.scheduler.raw_weights import RawWeights
from computekit.scheduler.reports import Past
from computekit.scheduler.request import Request
from computekit.scheduler.shape import Shape
from computekit.scheduler.why_not import WhyNot, why_not
from computekit.topology import GuestTopology

if TYPE_CHECKING:
    from computekit.scheduler.batch import BatchMode, BatchPlaced, BatchUnplaced
    from computekit.scheduler.compare import Comparison

__all__ = ["Scheduler"]

_Tried: TypeAlias = dict[HostName, set[Allocated]]
_Key: TypeAlias = tuple[
    PlacementRequest, str | None, str | None, GuestTopology | None, tuple[Predicate, ...]
]
_SPREAD = Policy()
_NOTHING: frozenset[Allocated] = frozenset()


@attrs.frozen(eq=False)
class _Kept:
    """What is kept for one shape of requests."""

    shape: Shape | NormalisedShape
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
        self._weights: RawWeights | None = None
        self._shapes: dict[_Key, _Kept] = {}

    def place(self, request: Request) -> Decision:
        """Return the best host for `request`, or that there is none.

        Raises:
            InvalidInput: the request contradicts itself; every fault is listed.
            StoreUnavailable: what the index follows cannot be read.
        """
        with self.index.lock:
            self.index.refresh()
            return self.decide(request)

    def decide(self, request: Request) -> Decision:
        """Do what `place` does with the fleet as the index has it, for who holds its lock.

        Raises:
            InvalidInput: the request contradicts itself; every fault is listed.
        """
        request = prefiltered(request, self.policy, self.index)
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

    def place_many(
        self, requests: Sequence[Request], mode: "BatchMode" = "all_or_nothing"
    ) -> "BatchPlaced | BatchUnplaced":
        """Decide about many requests, in their order, on one state of the fleet.

        What earlier ones took counts for later ones: resources, NUMA nodes, places in groups.
        Nothing is claimed; the fleet is as it was afterwards.

        Args:
            requests: hundreds of equal or mixed ones.
            mode: whether all must be placed, or as many as can.

        Raises:
            InvalidInput: a request contradicts itself; every fault is listed.
            StoreUnavailable: what the index follows cannot be read.
        """
        from computekit.scheduler.batch import place_many

        return place_many(self, requests, mode)

    def catch_up(self) -> None:
        """Bring all that is kept up to the fleet as it is; `place` does so for one shape alone.

        It takes longer, but may be done when nobody waits for a decision: after a claim. The next
        one then finds the best row of its shape.

        Raises:
            StoreUnavailable: what the index follows cannot be read.
        """
        with self.index.lock:
            self.index.refresh()
            for kept in self._shapes.values():
                kept.fitter.forget(kept.shape.catch_up(self.index, self._answers))
                kept.shape.best()

    def why_not(self, request: Request, host: HostName | None = None) -> WhyNot:
        """Return why `request` does not go to `host`, and the smallest change after which it fits.

        Args:
            request: what is asked.
            host: which one; None: any host of the fleet.

        Raises:
            InvalidInput: the request contradicts itself; every fault is listed.
            NotFound: there is no such host.
            StoreUnavailable: what the index follows cannot be read.
        """
        with self.index.lock:
            decision = self.place(request)
            fleet = self.index.copy()
        chosen = decision.host if isinstance(decision, Placed) else None
        return why_not(explain(fleet, request, self.policy, {}, chosen=chosen), host)

    def compare(
        self,
        policy_a: Policy,
        policy_b: Policy,
        requests: Iterable[Request],
        *,
        names: tuple[str, str] = ("a", "b"),
    ) -> "Comparison":
        """Return where two policies would put `requests`, in their order, and what each leaves.

        Both start from the fleet as it is now, each on a copy of its own; nothing is claimed.

        Raises:
            InvalidInput: a request contradicts itself; every fault is listed.
            StoreUnavailable: what the index follows cannot be read.
        """
        from computekit.scheduler.compare import compare

        with self.index.lock:
            self.index.refresh()
            fleet = self.index.copy()
        return compare(fleet, policy_a, policy_b, requests, names=names)

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
        spent = [
            row
            for host in tried
            if (row := index.row(host)) is not None and self._spent(row, tried[host])
        ]
        while True:
            survivors = partial(surviving, kept.shape, index, request, self.policy)
            group = group_overlays(request, index, survivors)
            struck = False
            for row, score in ranked_rows(kept.shape, index, request, self.policy, spent, group):
                host = index.names[row]
                before = tried.get(host, _NOTHING)
                fit = kept.fitter.fit(index, row, before)
                if fit is None:
                    if not before:
                        kept.shape.strike(row)
                        struck = True
                    continue
                if self.policy.filters:
                    refusal = self.policy.refusal(index.view(row), request)
                    if refusal is not None:
                        refusals[host] = refusal
                        if refusal.lasting:
                            kept.shape.strike(row)
                            struck = True
                        continue
                yield Selection(
                    host,
                    fit.allocation,
                    fit.mappings,
                    score,
                    index.epoch,
                    eligible_of(group),
                    kept.fitter.cells(index, row),
                )
            if not (struck and has_skew(request, index)):
                return  # else a domain may have turned out not to be eligible

    def _of(self, request: Request) -> _Kept:
        """Return what is kept for the request's shape, up to date."""
        placement = request.placement
        zone, machine_type = request.intent.zone, request.machine_type
        further = self.policy.predicates(request) if self.policy.rules else ()
        if request.deltas:
            further = (*delta_predicates(request), *further)
        key = placement, zone, machine_type, request.topology, further
        kept = self._shapes.pop(key, None)
        if kept is None:
            check_request(placement)
            asked = shape_predicates(
                placement,
                zone,
                machine_type,
                request.topology,
                default_zone=self.policy.default_zone,
            )
            predicates = tuple(dict.fromkeys((*asked, *further)))
            kept = self._new(request, predicates)
            if len(self._shapes) >= self._bound:
                del self._shapes[next(iter(self._shapes))]
        self._shapes[key] = kept
        kept.fitter.forget(kept.shape.catch_up(self.index, self._answers))
        asks_more = self.index.any_nested or request.topology is not None
        if isinstance(kept.shape, NormalisedShape) and asks_more:
            # Whoever does not fit is not in the running: it must not be found out only later.
            for row in kept.fitter.doubtful(self.index, kept.shape.allowed):
                if kept.fitter.fit(self.index, row) is None:
                    kept.shape.strike(row)
        return kept

    def _new(self, request: Request, predicates: tuple[Predicate, ...]) -> _Kept:
        placement, topology = request.placement, request.topology
        weighers = self.policy.weighers_of(placement)
        if isinstance(weighers, Normalised):
            if self._weights is None:
                self._weights = RawWeights(weighers)
            fitter = Fitter(placement, topology=topology)
            return _Kept(NormalisedShape(predicates, self._weights), fitter)
        prefer = next((w for w in weighers if isinstance(w, WayWeigher)), None)
        return _Kept(Shape(predicates, weighers), Fitter(placement, prefer, topology))

    def _spent(self, row: int, tried: set[Allocated]) -> bool:
        several = bool(self.index.nested[row])
        return len(tried) >= (self._tries_per_host if several else 1)
