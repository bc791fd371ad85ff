"""Choose and claim in one step, with what is second best when somebody else was faster."""

import heapq
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import attrs

from computekit.clock import Deadline
from computekit.errors import ClaimRefused, CounterFull, Fault, InvalidInput
from computekit.ids import ProviderId
from computekit.model import Allocation, Consumer, PlacementRequest
from computekit.placement.found import Found
from computekit.placement.ports import Claim, CounterClaim, PlacementWriter
from computekit.placement.provider_index import ProviderIndex
from computekit.placement.service import Candidate, ProviderSummary
from computekit.work import Store, Tx

__all__ = [
    "RANKS",
    "Attempt",
    "Claimed",
    "Counters",
    "Rank",
    "Unclaimed",
    "claim_best",
    "least_free",
    "most_free",
]

Summaries: TypeAlias = Mapping[ProviderId, ProviderSummary]

Rank: TypeAlias = Callable[[Candidate, Summaries], float]
"""How good a candidate is, higher is better; it is given every provider of the trees it is on."""

Counters: TypeAlias = Callable[[Candidate], tuple[CounterClaim, ...]]
"""The counters that a candidate takes along."""

TRIES = 16
CONSIDERED = 1000
# Ways on one tree that are weighed again after one was lost.
_AGAIN = 32


@attrs.frozen
class Attempt:
    """A claim that was refused.

    Attributes:
        candidate: what was tried.
        refusal: why it was not granted.
    """

    candidate: Candidate
    refusal: ClaimRefused


@attrs.frozen
class Claimed:
    """What was claimed.

    Attributes:
        candidate: where it went.
        allocation: as it is in the books, with the consumer's new generation.
        lost: what was tried before and had gone by then.
    """

    candidate: Candidate
    allocation: Allocation
    lost: tuple[Attempt, ...] = ()


@attrs.frozen
class Unclaimed:
    """Nothing was claimed.

    Attributes:
        lost: what was tried; empty if there was no candidate at all (`ProviderIndex.explain`
            tells why).
    """

    lost: tuple[Attempt, ...] = ()


def most_free(candidate: Candidate, summaries: Summaries) -> float:
    """Return the smallest share that stays free, 0 to 1, of all that a candidate takes of.

    The highest wins, so that requests are spread and no provider runs full early.
    """
    least = 1.0
    for provider, amounts in candidate.allocation.items():
        summary = summaries[provider]
        for name, amount in amounts.items():
            capacity = summary.capacity[name]
            least = min(least, (capacity - summary.used[name] - amount) / capacity)
    return least


def least_free(candidate: Candidate, summaries: Summaries) -> float:
    """Return the opposite of `most_free`: what is fullest is filled up, and the rest stays free."""
    return -most_free(candidate, summaries)


RANKS: Mapping[str, Rank] = {"most_free": most_free, "least_free": least_free}
"""Ranks by name: what can be asked of another process."""


def claim_best(
    store: Store,
    books: PlacementWriter,
    index: ProviderIndex,
    consumer: Consumer,
    request: PlacementRequest,
    *,
    rank: Rank = most_free,
    freest_first: bool | None = None,
    tries: int = TRIES,
    considered: int = CONSIDERED,
    counters: tuple[CounterClaim, ...] | Counters = (),
    deadline: Deadline | None = None,
) -> Claimed | Unclaimed:
    """Claim the best candidate; if it is lost to another, the next best.

    After a loss the index is brought up to date and the tree in question is weighed again, so that
    in place of a device that was lost an equal one of the same host is taken. Equally good ones
    are tried in the order of `ProviderIndex.candidates`.

    Args:
        store: where it is written.
        books: what is written.
        index: where it is searched; it follows `store`.
        consumer: who is to hold it, with the generation that was seen; 0 for a new one.
        request: what is asked.
        rank: says how good a candidate is.
        tries: the most claims that are tried.
        freest_first: whether those that are ranked are of the trees with most left, else of the
            first by id; None: with `most_free` itself they are, with any other rank not. A rank
            that is made of `most_free` says so here.
        considered: so many candidates are ranked, the first of each tree before the second of any.
        counters: what is taken along, the same everywhere, or by candidate.
        deadline: when nobody waits any more for what a search finds.

    Raises:
        InvalidInput: with every fault of the arguments; `tries` or `considered` is below 1.
        GenerationConflict: the consumer was written in between.
        DeadlineExceeded: a search took too long; nothing was claimed.
    """
    _check(tries, considered)
    freest = rank is most_free if freest_first is None else freest_first
    ranked = _Ranked(index, request, rank, freest, considered, deadline)
    ranked.start()
    lost: list[Attempt] = []
    while len(lost) < tries and (candidate := ranked.best()) is not None:
        along = counters(candidate) if callable(counters) else counters
        claim = Claim(Allocation(consumer, candidate.allocation), along)
        try:
            granted = store.write(partial(_claim, books, claim))
        except CounterFull as refusal:
            lost.append(Attempt(candidate, refusal))
            if not callable(counters):
                break  # it is full wherever the consumer goes
        except ClaimRefused as refusal:
            lost.append(Attempt(candidate, refusal))
            ranked.weigh_again(candidate)
        else:
            return Claimed(candidate, granted, tuple(lost))
    return Unclaimed(tuple(lost))


def _claim(books: PlacementWriter, claim: Claim, tx: Tx) -> Allocation:
    (granted,) = books.claim(tx, (claim,))
    return granted


def _check(tries: int, considered: int) -> None:
    faults = [
        Fault(name, "too_small", f"{value} is below 1")
        for name, value in (("tries", tries), ("considered", considered))
        if value < 1
    ]
    if faults:
        raise InvalidInput(tuple(faults))


class _Ranked:
    """Candidates, best first; what was lost does not come again."""

    def __init__(
        self,
        index: ProviderIndex,
        request: PlacementRequest,
        rank: Rank,
        freest_first: bool,
        considered: int,
        deadline: Deadline | None,
    ) -> None:
        self._deadline = deadline
        self._index = index
        self._request = request
        self._rank = rank
        self._freest_first = freest_first
        self._considered = considered
        self._heap: list[tuple[float, int, int, int, Candidate]] = []
        self._count = 0
        # A tree that is weighed again makes what was known of it void.
        self._round: dict[ProviderId, int] = {}
        self._lost: set[tuple[ProviderId, object]] = set()

    def start(self) -> None:
        """Rank the first candidates of all trees."""
        self._heap.clear()
        self._round.clear()
        index, request, most = self._index, self._request, self._considered
        # What is ranked by what is left need not be the first: the columns know the best.
        trees = index.freest_trees(request, most) if self._freest_first else None
        self._add(index.found(request, limit=most, trees=trees, deadline=self._deadline))

    def best(self) -> Candidate | None:
        """Take the best that is left."""
        while self._heap:
            _score, _order, _count, number, candidate = heapq.heappop(self._heap)
            known = self._round.get(candidate.root, 0) == number
            if known and (candidate.root, candidate.allocation) not in self._lost:
                return candidate
        return None

    def weigh_again(self, lost: Candidate) -> None:
        """Rank what is left of the tree of a lost candidate; of all, if it was of several."""
        self._lost.add((lost.root, lost.allocation))
        if any(self._index.root_of(provider) != lost.root for provider in lost.allocation):
            self.start()
            return
        self._round[lost.root] = self._round.get(lost.root, 0) + 1
        trees = (lost.root,)
        self._add(
            self._index.found(self._request, limit=_AGAIN, trees=trees, deadline=self._deadline)
        )

    def _add(self, found: Found) -> None:
        summaries = {p.id: p for tree in found.trees for p in tree.providers}
        for order, one in enumerate(found.candidates):
            candidate = one.candidate
            number = self._round.get(candidate.root, 0)
            score = self._rank(candidate, summaries)
            self._count += 1
            entry = (-score, order, self._count, number, candidate)
            heapq.heappush(self._heap, entry)
