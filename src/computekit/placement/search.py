"""The exact search on one tree: every way to spread the needs of a request over its providers.

It sees providers by number and knows of each only what the request can tell apart, so that its
result holds for every tree that looks the same to the request.
"""

import threading
from collections.abc import Iterator

import attrs

from computekit.placement.plan import Need, Plan

__all__ = ["DeadEnds", "Pattern", "Way", "steps", "ways"]

Way = tuple[int, ...]
"""The number of the provider that serves each need."""

_EASY = 3
_DEAD = 100_000
# Steps between two stops.
_LOOK = 64


@attrs.frozen(cache_hash=True)
class Pattern:
    """What a request can see of an anchor tree and of the providers that share with it.

    Providers have numbers: those of the tree depth first, then those that share with it.

    Attributes:
        ancestors: of each provider, the providers above it, itself last.
        can: of each provider, which kinds of needs it could serve alone, one bit each.
        meets: of each provider, which of `Plan.together` it meets, one bit each.
        room: of each provider, how much it can give in all of each contested class; never more
            than is asked in all.
        likeness: of each provider, a number that is equal if the request cannot tell their whole
            subtrees apart; None if each is to be told from all others.
    """

    ancestors: tuple[tuple[int, ...], ...]
    can: tuple[int, ...]
    meets: tuple[int, ...]
    room: tuple[tuple[int, ...], ...]
    likeness: tuple[int, ...] | None = None


class DeadEnds:
    """How many states the searches of a request remember that led to nothing, all together."""

    __slots__ = ("_lock", "kept")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.kept: int = 0

    def take(self) -> bool:
        """Return whether there is place for one more, and take it."""
        with self._lock:
            if self.kept >= _DEAD:
                return False
            self.kept += 1
            return True

    def give_back(self, count: int) -> None:
        """Give back so many places."""
        with self._lock:
            self.kept -= count


def steps(plan: Plan, pattern: Pattern, dead_ends: DeadEnds | None = None) -> Iterator[Way | None]:
    """Return the ways to serve all needs, and now and then None: it is still looking.

    So whoever goes on with it can stop at any time, and go on later. The ways, and their order,
    depend on nothing but the arguments.

    With `likeness`, ways that differ only by which of several alike providers serve which of
    several alike groups are given once.
    """
    return _Search(plan, pattern, dead_ends or DeadEnds()).run()


def ways(plan: Plan, pattern: Pattern) -> Iterator[Way]:
    """Return the ways of `steps` alone."""
    return (way for way in steps(plan, pattern) if way is not None)


class _Search:
    def __init__(self, plan: Plan, pattern: Pattern, dead_ends: DeadEnds) -> None:
        self._dead_ends = dead_ends
        self._steps = 0
        self._needs = plan.needs
        self._isolate = plan.isolate
        self._together = (1 << len(plan.together)) - 1
        self._pattern = pattern
        self._room = pattern.room
        self._above = [sum(1 << at for at in path) for path in pattern.ancestors]
        count = range(len(pattern.can))
        of_kind = [[at for at in count if pattern.can[at] >> kind & 1] for kind in _range(plan)]
        self._options = [of_kind[need.kind] for need in plan.needs]
        # Twins are filled in ascending order of providers only.
        self._twin = [need.twin if pattern.likeness is not None else None for need in plan.needs]
        self._chosen: list[int] = [-1] * len(plan.needs)
        self._taken: list[list[int]] = [[0] * len(plan.contested) for _ in count]
        self._touched: list[int] = [0] * len(pattern.can)
        self._suffixed: list[int] = [0] * len(pattern.can)
        # Ways to serve some needs that leave no way for the others; worth it from some needs on.
        self._hard = len(plan.needs) > _EASY
        self._dead: set[object] = set()
        twins = {twin for twin in self._twin if twin is not None}
        self._remembered = [
            bool(need.subtrees) or at in twins for at, need in enumerate(plan.needs)
        ]
        self._trees: tuple[tuple[int, ...], ...] = tuple(
            tuple(at for at, need in enumerate(plan.needs) if number in need.subtrees)
            for number in range(len(plan.request.same_subtree))
        )

    def run(self) -> Iterator[Way | None]:
        try:
            if all(self._options):
                yield from self._fill(len(self._needs))
        finally:
            self._dead_ends.give_back(len(self._dead))

    def _fill(self, left: int) -> Iterator[Way | None]:
        if not left:
            yield tuple(self._chosen)
            return
        self._steps += 1
        if self._steps % _LOOK == 0:
            yield None
        found = self._tightest()
        if found is None:
            return
        position, options = found
        state = self._state() if self._hard else None
        if state in self._dead:
            return
        fruitful = False
        seen: set[tuple[int, ...]] = set()
        for at in options:
            if self._pattern.likeness is not None:
                key = self._key(at, self._pattern.likeness)
                if key in seen:
                    continue
                seen.add(key)
            self._put(position, at, 1)
            if self._subtrees_hold(position) and self._traits_hold(position):
                for way in self._fill(left - 1):
                    fruitful = fruitful or way is not None
                    yield way
            self._put(position, at, -1)
        if state is not None and not fruitful and self._dead_ends.take():
            self._dead.add(state)

    def _state(self) -> object:
        """Return all that decides whether the open needs can be served at all."""
        chosen = self._chosen
        still = [at >= 0 for at in chosen]
        kept = tuple(
            [at for at, remembered in zip(chosen, self._remembered, strict=True) if remembered]
        )
        met = self._met() if self._together else 0
        alone = tuple(self._suffixed) if self._isolate else ()
        return tuple(still), kept, tuple(map(tuple, self._taken)), met, alone

    def _tightest(self) -> tuple[int, list[int]] | None:
        """Return the open need with the fewest providers left, or None if one has none."""
        best: tuple[int, list[int]] | None = None
        open_options: dict[int, list[int]] = {}
        for position, options in enumerate(self._options):
            if self._chosen[position] >= 0:
                continue
            twin = self._twin[position]
            before = -1 if twin is None else self._chosen[twin]
            need = self._needs[position]
            now = [at for at in options if at >= before and self._has_room(at, need)]
            if not now:
                return None
            open_options[position] = now
            waits = twin is not None and before < 0
            if not waits and (best is None or len(now) < len(best[1])):
                best = position, now
        return best if self._enough(open_options) else None

    def _enough(self, options: dict[int, list[int]]) -> bool:
        """Return whether the open needs could all be served as far as counting them can tell.

        Without this, more needs than providers would be refused only after trying every order.
        """
        if len(options) < 2:
            return True
        asked: dict[int, dict[int, int]] = {}
        for position in options:
            for name, amount in self._needs[position].contested:
                asked.setdefault(name, {})[position] = amount
        for name, amounts in asked.items():
            if len(amounts) > 1:
                least = min(amounts.values())
                slots = {
                    at: (self._room[at][name] - self._taken[at][name]) // least
                    for position in amounts
                    for at in options[position]
                }
                if not _matched({position: options[position] for position in amounts}, slots):
                    return False
        if not self._isolate:
            return True
        suffixed = {p: found for p, found in options.items() if self._needs[p].suffixed}
        if len(suffixed) < 2:
            return True
        return _matched(suffixed, {at: 1 for found in suffixed.values() for at in found})

    def _has_room(self, at: int, need: Need) -> bool:
        if self._isolate and self._suffixed[at] and need.suffixed:
            return False
        taken, room = self._taken[at], self._room[at]
        return all(
            not taken[name] or taken[name] + amount <= room[name] for name, amount in need.contested
        )

    def _put(self, position: int, at: int, sign: int) -> None:
        need, taken = self._needs[position], self._taken[at]
        self._chosen[position] = at if sign > 0 else -1
        for name, amount in need.contested:
            taken[name] += sign * amount
        for above in self._pattern.ancestors[at]:
            self._touched[above] += sign
        if need.suffixed:
            self._suffixed[at] += sign

    def _key(self, at: int, likeness: tuple[int, ...]) -> tuple[int, ...]:
        """Return what is equal for providers that the rest of the search cannot tell apart."""
        touched = self._touched
        return tuple(
            above if touched[above] else -1 - likeness[above]
            for above in self._pattern.ancestors[at]
        )

    def _subtrees_hold(self, position: int) -> bool:
        """Return whether one of each set's providers can still be above-or-equal to the others."""
        for number in self._needs[position].subtrees:
            common, tops = -1, 0
            for member in self._trees[number]:
                at = self._chosen[member]
                if at >= 0:
                    common &= self._above[at]
                    tops |= 1 << at
                else:
                    for option in self._options[member]:
                        tops |= 1 << option
            if not common & tops:
                return False
        return True

    def _met(self) -> int:
        """Return which traits the chosen providers of the unsuffixed group meet so far."""
        met = 0
        for need, at in zip(self._needs, self._chosen, strict=True):
            if at >= 0 and not need.suffixed:
                met |= self._pattern.meets[at]
        return met

    def _traits_hold(self, position: int) -> bool:
        """Return whether the unsuffixed group's providers can still meet its traits together."""
        if not self._together or self._needs[position].suffixed:
            return True
        met = 0
        for need, at, options in zip(self._needs, self._chosen, self._options, strict=True):
            if not need.suffixed:
                meets = self._pattern.meets
                for one in options if at < 0 else (at,):
                    met |= meets[one]
        return met == self._together


def _range(plan: Plan) -> range:
    return range(len(plan.kinds))


def _matched(options: dict[int, list[int]], slots: dict[int, int]) -> bool:
    """Return whether every key of `options` can have a slot of one of its values at once."""
    held: dict[int, list[int]] = {at: [] for at in slots}

    def seat(key: int, seen: set[int]) -> bool:
        for at in options[key]:
            if at in seen:
                continue
            seen.add(at)
            if len(held[at]) < slots[at]:
                held[at].append(key)
                return True
            for other in held[at]:
                if seat(other, seen):
                    held[at].remove(other)
                    held[at].append(key)
                    return True
        return False

    return all(seat(key, set()) for key in options)
