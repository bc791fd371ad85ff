"""The ways to serve a request on one tree, found as they are asked for and then kept."""

from collections.abc import Iterator
from itertools import islice

import attrs

from computekit.ids import ProviderId
from computekit.placement.fit import allocated, mapped
from computekit.placement.found import FoundCandidate
from computekit.placement.patience import Patience
from computekit.placement.plan import Plan
from computekit.placement.search import Pattern, Way, ways
from computekit.placement.service import Candidate

__all__ = ["PatternWays", "TreeWays"]

# Candidates kept for each tree; later ones are made anew each time.
_KEPT = 256
_HARD = 3


class PatternWays:
    """The ways of one pattern; all trees that look like it share them."""

    __slots__ = ("_found", "_left", "_search")

    def __init__(self, plan: Plan, pattern: Pattern, patience: Patience) -> None:
        self._search = plan, pattern, patience
        self._found: list[Way] = []
        self._left: Iterator[Way] = _all_ways(*self._search)

    def way(self, number: int) -> Way | None:
        """Return a way by its number, or None if there are fewer."""
        found = self._found
        while len(found) <= number:
            try:
                way = next(self._left, None)
            except BaseException:
                # What was interrupted is at its end, and would seem to have no further way.
                self._left = islice(_all_ways(*self._search), len(found), None)
                raise
            if way is None:
                return None
            found.append(way)
        return found[number]


class TreeWays:
    """The candidates of one tree.

    Attributes:
        pattern: how the request saw the tree when they were found.
        ids: the providers by number.
        stale: whether the tree, or one that shares with it, may look different by now.
    """

    __slots__ = ("_kept", "_plan", "_root", "_ways", "ids", "pattern", "stale")

    def __init__(
        self,
        plan: Plan,
        root: ProviderId,
        pattern: Pattern,
        ids: tuple[ProviderId, ...],
        shared: PatternWays,
    ) -> None:
        self.pattern = pattern
        self.ids = ids
        self.stale = False
        self._plan = plan
        self._root = root
        self._ways = shared
        self._kept: list[FoundCandidate] = []

    def candidate(self, number: int) -> FoundCandidate | None:
        """Return a candidate by its number, or None if there are fewer."""
        kept = self._kept
        if number < len(kept):
            return kept[number]
        way = self._ways.way(number)
        if way is None:
            return None
        plan, ids = self._plan, self.ids
        found = FoundCandidate(
            Candidate(self._root, allocated(plan, ids, way), mapped(plan, ids, way))
        )
        if number == len(kept) < _KEPT:
            kept.append(found)
        return found


def _all_ways(plan: Plan, pattern: Pattern, patience: Patience) -> Iterator[Way]:
    """Return what `ways` does; where there are none, find out without trying every order."""
    if pattern.likeness is None and len(plan.needs) > _HARD:
        alike = attrs.evolve(pattern, likeness=_likeness(pattern))
        if next(ways(plan, alike, patience), None) is None:
            return
    yield from ways(plan, pattern, patience)


def _likeness(pattern: Pattern) -> tuple[int, ...]:
    """Return equal numbers for providers whose subtrees look the same in `pattern`."""
    count = len(pattern.can)
    below: list[list[int]] = [[] for _ in range(count)]
    numbers: dict[object, int] = {}
    found = [0] * count
    for at in sorted(range(count), key=lambda a: -len(pattern.ancestors[a])):
        what = (pattern.can[at], pattern.meets[at], pattern.room[at], tuple(sorted(below[at])))
        found[at] = numbers.setdefault(what, len(numbers))
        path = pattern.ancestors[at]
        if len(path) > 1:
            below[path[-2]].append(found[at])
    return tuple(found)
