"""The rounds of an answer after the first: second candidates, third ... of trees as they were.

The first round finds which trees there are, and what they look like to the request, under the lock
of the index. From then on nothing is read but that, so these rounds need no lock, and the answer
stays one of that moment, however long they take.
"""

from collections.abc import Collection, Mapping, Sequence

from computekit.clock import Deadline
from computekit.errors import Fault, InvalidInput
from computekit.ids import ProviderId
from computekit.placement.found import FoundCandidate
from computekit.placement.patience import check
from computekit.placement.service import Candidate
from computekit.placement.tree_ways import TreeWays

__all__ = ["Answer", "Repeats"]

MOST_CANDIDATES = 200_000
"""The most that one answer has; more take gigabytes, and nobody reads them."""

# Candidates between two looks at the clock.
_LOOK = 64


class Repeats:
    """Tells what was told of another tree before, because only sharing providers serve it.

    Attributes:
        lenders: all providers that share something that is asked for.
    """

    def __init__(self) -> None:
        self.lenders: Collection[ProviderId] = ()
        self._seen: set[tuple[object, object]] = set()

    def has(self, way: Candidate) -> bool:
        """Return whether this was told before; from now on it was."""
        lenders = self.lenders
        if not lenders:
            return False
        if not all(p in lenders for serving in way.mappings.values() for p in serving):
            return False
        key = (way.allocation, way.mappings)
        if key in self._seen:
            return True
        self._seen.add(key)
        return False


class Answer:
    """An answer as it grows.

    Args:
        limit: the most candidates that are wanted; None: all.
        one_per_tree: leave out candidates that take of two providers of one tree.
        lenders: the providers that share something that is asked for, with the roots of their
            trees; all others that a candidate takes of are in its own tree.

    Attributes:
        candidates: so far.
        roots: of all trees that they take of, in the order of first mention.
    """

    def __init__(
        self, limit: int | None, *, one_per_tree: bool, lenders: Mapping[ProviderId, ProviderId]
    ) -> None:
        self.candidates: list[FoundCandidate] = []
        self.roots: dict[ProviderId, None] = {}
        self._limit = limit
        self._one_per_tree = one_per_tree
        self._lenders = lenders

    def full(self) -> bool:
        """Whether there are as many as were asked for."""
        return self._limit is not None and len(self.candidates) >= self._limit

    def add(self, found: FoundCandidate) -> None:
        """Add a candidate, if it is wanted; none to what is full.

        Raises:
            InvalidInput: there are more than anybody should ask for at once.
        """
        candidate, lenders = found.candidate, self._lenders
        roots: Sequence[ProviderId] = (candidate.root,)
        if lenders:
            roots = [lenders.get(provider, candidate.root) for provider in candidate.allocation]
        if self._one_per_tree and len(candidate.allocation) > len(set(roots)):
            return
        if len(self.candidates) >= MOST_CANDIDATES:
            text = f"more than {MOST_CANDIDATES} candidates; give a limit of at most that"
            raise InvalidInput((Fault("limit", "too_many", text),))
        self.candidates.append(found)
        for root in roots:
            self.roots[root] = None

    def go_on(self, trees: Sequence[TreeWays], repeats: Repeats, deadline: Deadline | None) -> None:
        """Add the second candidate of each tree, then the third ..., until there are no more.

        Raises:
            DeadlineExceeded: nobody waits any more.
            InvalidInput: as in `add`.
        """
        number, looked = 1, 0
        while trees and not self.full():
            further: list[TreeWays] = []
            for tree in trees:
                if looked % _LOOK == 0:
                    check(deadline)
                looked += 1
                found = tree.later(number, deadline)
                if found is None:
                    continue
                further.append(tree)
                if not repeats.has(found.candidate):
                    self.add(found)
                    if self.full():
                        break
            trees = further
            number += 1
