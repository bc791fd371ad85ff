"""The ways to serve a request on one tree, found as they are asked for and then kept."""

import threading
from collections.abc import Callable, Iterator

import attrs

from computekit.clock import Deadline
from computekit.ids import ProviderId
from computekit.placement.fit import allocated, mapped
from computekit.placement.found import FoundCandidate
from computekit.placement.patience import Patience, check
from computekit.placement.plan import Plan
from computekit.placement.search import DeadEnds, Pattern, Way, steps
from computekit.placement.service import Candidate

__all__ = ["PatternWays", "TreeWays"]

# Candidates kept for each tree; later ones are made anew each time.
_KEPT = 256
# Ways kept for each pattern, no fewer than an answer may have; later ones are sought anew if
# somebody goes back.
_WAYS = 200_000
_HARD = 3
_STOP = 8
# How often who waits for another's search looks at the clock.
_WAIT_S = 0.05


class PatternWays:
    """The ways of one pattern; all trees that look like it share them.

    It needs nothing but its arguments, so a search that takes long is made without the lock of
    the index, by one thread at a time.

    Attributes:
        keeping: held while a candidate is kept, never for long.
    """

    __slots__ = (
        "_count",
        "_end",
        "_found",
        "_last",
        "_left",
        "_lock",
        "_patience",
        "_search",
        "keeping",
    )

    def __init__(
        self, plan: Plan, pattern: Pattern, patience: Patience, dead_ends: DeadEnds
    ) -> None:
        self.keeping: threading.Lock = threading.Lock()
        self._search = plan, pattern, dead_ends
        self._patience = patience
        self._lock = threading.Lock()
        self._found: list[Way] = []
        # How many the search that goes on has given; the last one; how many there are.
        self._count = 0
        self._last: Way | None = None
        self._end: int | None = None
        self._left: Iterator[Way | None] = _all_steps(*self._search)

    @property
    def kept(self) -> int:
        """How many ways are kept."""
        return len(self._found)

    def way(self, number: int) -> Way | None:
        """Return a way by its number, or None if there are fewer.

        Called under the lock of the index, which is let go of if it takes long.

        Raises:
            DeadlineExceeded: nobody waits any more; what was found so far stays.
            Moved: as in `Patience.aside`; what was found stays.
        """
        if self._known(number):
            return self._found[number] if number < len(self._found) else None
        patience = self._patience
        if not patience.worn(1) and self._lock.acquire(blocking=False):
            try:
                done, way = self._seek(number, lambda: patience.worn(_STOP))
            finally:
                self._lock.release()
            if done:
                return way
        with patience.aside() as deadline:
            return self.later(number, deadline)

    def later(self, number: int, deadline: Deadline | None) -> Way | None:
        """Return what `way` does, without the lock of the index.

        Raises:
            DeadlineExceeded: as in `way`.
        """
        if self._known(number):
            return self._found[number] if number < len(self._found) else None

        def stop() -> bool:
            check(deadline)
            return False

        while not self._lock.acquire(timeout=_WAIT_S):
            check(deadline)
        try:
            return self._seek(number, stop)[1]
        finally:
            self._lock.release()

    def _known(self, number: int) -> bool:
        end = self._end
        return number < len(self._found) or (end is not None and number >= end)

    def _seek(self, number: int, stop: Callable[[], bool]) -> tuple[bool, Way | None]:
        """Return whether it was looked for to the end, and what was found; `stop` ends it."""
        found = self._found
        if number < len(found):
            return True, found[number]
        if self._end is not None and number >= self._end:
            return True, None
        if number == self._count - 1:
            return True, self._last
        if number < self._count:
            self._anew()
        while True:
            try:
                way = next(self._left)
            except StopIteration:
                break
            except BaseException:
                # What was interrupted is at its end, and would seem to have no further way.
                self._anew()
                raise
            if way is None:
                if stop():
                    return False, None
                continue
            if self._count == len(found) < _WAYS:
                found.append(way)
            self._count += 1
            self._last = way
            if self._count > number:
                return True, way
        self._end = self._count
        return True, None

    def _anew(self) -> None:
        self._left = _all_steps(*self._search)
        self._count, self._last = 0, None


class TreeWays:
    """The candidates of one tree.

    Attributes:
        root: of the tree.
        pattern: how the request saw the tree when they were found.
        ids: the providers by number.
        stale: whether the tree, or one that shares with it, may look different by now.
        kept: those that stay the same objects.
        counted: how many of them the shape knows of.
    """

    __slots__ = ("_plan", "_ways", "counted", "ids", "kept", "pattern", "root", "stale")

    def __init__(
        self,
        plan: Plan,
        root: ProviderId,
        pattern: Pattern,
        ids: tuple[ProviderId, ...],
        shared: PatternWays,
    ) -> None:
        self.pattern: Pattern = pattern
        self.ids: tuple[ProviderId, ...] = ids
        self.stale: bool = False
        self.kept: list[FoundCandidate] = []
        self.counted: int = 0
        self._plan = plan
        self.root: ProviderId = root
        self._ways = shared

    def candidate(self, number: int) -> FoundCandidate | None:
        """Return a candidate by its number, or None if there are fewer.

        Raises:
            DeadlineExceeded: as in `PatternWays.way`.
            Moved: as there.
        """
        kept = self.kept
        if number < len(kept):
            return kept[number]
        return self._made(number, self._ways.way(number))

    def later(self, number: int, deadline: Deadline | None) -> FoundCandidate | None:
        """Return what `candidate` does, of the tree as it was, without the lock of the index.

        Raises:
            DeadlineExceeded: nobody waits any more.
        """
        kept = self.kept
        if number < len(kept):
            return kept[number]
        return self._made(number, self._ways.later(number, deadline))

    def _made(self, number: int, way: Way | None) -> FoundCandidate | None:
        if way is None:
            return None
        plan, ids, kept = self._plan, self.ids, self.kept
        found = FoundCandidate(
            Candidate(self.root, allocated(plan, ids, way), mapped(plan, ids, way))
        )
        if number >= _KEPT:
            return found
        with self._ways.keeping:
            if number == len(kept):
                kept.append(found)
            return kept[number] if number < len(kept) else found


def _all_steps(plan: Plan, pattern: Pattern, dead_ends: DeadEnds) -> Iterator[Way | None]:
    """Return what `steps` does; where there is no way, find out without trying every order."""
    if pattern.likeness is None and len(plan.needs) > _HARD:
        alike = attrs.evolve(pattern, likeness=_likeness(pattern))
        for way in steps(plan, alike, dead_ends):
            if way is not None:
                break
            yield None
        else:
            return
    yield from steps(plan, pattern, dead_ends)


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
