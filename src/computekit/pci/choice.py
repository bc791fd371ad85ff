"""Which free units somebody gets: exact, and such that the largest sets stay whole."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from computekit.model import FrozenMap
from computekit.pci.alias import AliasOption, NumaPolicy
from computekit.pci.answering import answers_to
from computekit.pci.choice_blocks import Block, blocks_of
from computekit.pci.choice_counts import AskedCount, best_counts
from computekit.pci.choice_kinds import kinds_of
from computekit.pci.locality import (
    Affinity,
    GuestPlace,
    affinity_of,
    distance_of,
    site_counts,
    whole_sets,
)
from computekit.pci.request import DeviceWant
from computekit.pci.state import PciState
from computekit.pci.unit import DeviceUnit, UnitKey

__all__ = ["ChoiceRefused", "UnitChoice", "choose_units"]


@attrs.frozen
class UnitChoice:
    """Who gets what.

    Attributes:
        units: by the names of the wants.
        distance: members that are on other nodes than the guest.
        broken: sets of 64, 32, ... 2 units that could be had before and cannot afterwards.
    """

    units: FrozenMap[str, UnitKey]
    distance: int
    broken: tuple[int, ...]


@attrs.frozen
class ChoiceRefused:
    """Nothing on this host will do.

    Attributes:
        want: name of one that cannot be met.
        reason: why not: what was asked, what is there.
    """

    want: str
    reason: str


def choose_units(
    state: PciState,
    wants: Sequence[DeviceWant],
    affinities: Iterable[Affinity] = (),
    place: GuestPlace | None = None,
) -> UnitChoice | ChoiceRefused:
    """Return a unit for each want, or why there is none.

    If any assignment keeps every rule, one is found. Of all of them it is one that is nearest to
    the guest, and of those one that breaks the fewest large sets of units which lie together; then
    the same one every time. Units that are the same to every rule are counted, not permuted.

    Args:
        state: of the host.
        wants: names are unique.
        affinities: which wants must lie together, or apart.
        place: where the guest is; None: it has no nodes.
    """
    free = [kept.unit for kept in state.free]
    rules = tuple(rule for it in affinities if (rule := _needed(it, free)) is not None)
    reach: dict[str, dict[UnitKey, int]] = {}
    asked: dict[tuple[AliasOption, NumaPolicy, object], dict[UnitKey, int]] = {}
    for want in wants:
        key = (want.option, want.numa_policy, want.provider)
        if key not in asked:
            asked[key] = _reach(free, want, place)
        reach[want.name] = asked[key]
        if not reach[want.name]:
            return ChoiceRefused(want.name, _why_none(free, want))
    blocks = blocks_of(wants, rules)
    search = _Search(free, reach, blocks, rules)
    found = search.best()
    if found is None:
        names = ", ".join(want.name for want in wants)
        return ChoiceRefused(wants[0].name, f"there are too few free units together for {names}")
    distance, units = found
    chosen = search.of(units)
    gone = frozenset(units.values())
    left = site_counts(
        unit for unit in free if unit.key not in gone and not any(map(unit.clashes, chosen))
    )
    before = whole_sets(site_counts(free))
    broken = tuple(was - is_ for was, is_ in zip(before, whole_sets(left), strict=True))
    return UnitChoice(FrozenMap(units), distance, broken)


def _needed(rule: Affinity, free: Sequence[DeviceUnit]) -> Affinity | None:
    """Return a rule without what holds anyway: that no two units share what no two have."""
    key = rule.distinct
    if key is not None:
        values = [affinity_of(unit, key) for unit in free]
        if None not in values and len(set(values)) == len(values):
            rule = attrs.evolve(rule, distinct=None)
    return None if rule.match is None and rule.distinct is None else rule


def _reach(
    free: Iterable[DeviceUnit], want: DeviceWant, place: GuestPlace | None
) -> dict[UnitKey, int]:
    """Return the units that will do for one want alone, with their distances."""
    found: dict[UnitKey, int] = {}
    for unit in free:
        if want.provider in (None, unit.provider) and answers_to(unit, want.option):
            distance = distance_of(unit, want.numa_policy, place)
            if distance is not None:
                found[unit.key] = distance
    return found


def _why_none(free: Iterable[DeviceUnit], want: DeviceWant) -> str:
    answering = [unit for unit in free if answers_to(unit, want.option)]
    if not answering:
        return f"no free unit answers to {want.name}"
    there = [unit for unit in answering if want.provider in (None, unit.provider)]
    if not there:
        return f"the provider {want.provider} has none left for {want.name}"
    return f"{len(there)} free units answer to {want.name}, none where its NUMA policy wants it"


class _Search:
    """Depth first over kinds of units; what is left over decides what else can be reached."""

    def __init__(
        self,
        free: Sequence[DeviceUnit],
        reach: Mapping[str, Mapping[UnitKey, int]],
        blocks: Sequence[Block],
        rules: Sequence[Affinity],
    ) -> None:
        self._reach = reach
        self._blocks = blocks
        self._by_key = {unit.key: unit for unit in free}
        keys = {key for rule in rules for key in (rule.match, rule.distinct) if key is not None}
        self._kinds = kinds_of(free, reach, keys)
        by_family: dict[int, list[int]] = {}
        for at, kind in enumerate(self._kinds):
            by_family.setdefault(kind.family, []).append(at)
        self._families = tuple(kinds for kinds in by_family.values() if len(kinds) > 1)
        reachable = {unit.key for kind in self._kinds for unit in kind.units}
        self._others = site_counts(unit for unit in free if unit.key not in reachable)
        self._seen: dict[tuple[int, _Left], tuple[_Cost, _Picks] | None] = {}

    def of(self, units: Mapping[str, UnitKey]) -> list[DeviceUnit]:
        """Return the units with these keys."""
        return [self._by_key[key] for key in units.values()]

    def best(self) -> tuple[int, dict[str, UnitKey]] | None:
        """Return the distance and a unit for each want."""
        found = self._counted() if self._is_loose() else self._searched()
        if found is None:
            return None
        distance, picks = found
        used = [0] * len(self._kinds)
        units: dict[str, UnitKey] = {}
        for want, kind in picks:
            units[want.name] = self._kinds[kind].units[used[kind]].key
            used[kind] += 1
        return distance, units

    def _is_loose(self) -> bool:
        """Return whether nothing ties wants or kinds together, or one rule that all share."""
        if any(kind.clashes for kind in self._kinds):
            return False
        ruled = [block for block in self._blocks if block.rules]
        return not ruled or (
            len(ruled) == 1
            and len(ruled[0].rules) == 1
            and ruled[0].rules[0][1] is None
            and len(ruled[0].rules[0][2]) == len(ruled[0].wants)
        )

    def _counted(self) -> "tuple[int, list[tuple[DeviceWant, int]]] | None":
        """Return the best by counting; of one rule, for each value that wants could share."""
        ruled = next((block for block in self._blocks if block.rules), None)
        match = None if ruled is None else ruled.rules[0][0]
        if ruled is None or match is None:
            best = self._count({})
            return None if best is None else (best[0][0], best[1])
        best = None
        seen = {affinity_of(kind.units[0], match) for kind in self._kinds} - {None}
        for value in sorted(map(str, seen)):
            kept = {kind for kind in self._kinds if affinity_of(kind.units[0], match) == value}
            within = {unit.key for kind in kept for unit in kind.units}
            reach = {
                want.name: {
                    key: far for key, far in self._reach[want.name].items() if key in within
                }
                for want in ruled.wants
            }
            found = self._count(reach)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return None if best is None else (best[0][0], best[1])

    def _count(
        self, narrowed: Mapping[str, Mapping[UnitKey, int]]
    ) -> "tuple[_Cost, list[tuple[DeviceWant, int]]] | None":
        wants = [want for block in self._blocks for want in block.wants]
        alike: dict[tuple[tuple[UnitKey, int], ...], list[DeviceWant]] = {}
        for want in wants:
            reach = narrowed.get(want.name, self._reach[want.name])
            alike.setdefault(tuple(reach.items()), []).append(want)
        asked = [AskedCount(dict(reach), len(same)) for reach, same in alike.items()]
        found = best_counts(self._kinds, asked, self._others)
        if found is None:
            return None
        cost, given = found
        picks: list[tuple[DeviceWant, int]] = []
        for same, counts in zip(alike.values(), given, strict=True):
            kinds = [kind for kind, count in enumerate(counts) for _ in range(count)]
            picks.extend(zip(same, kinds, strict=True))
        return cost, picks

    def _searched(self) -> "tuple[int, list[tuple[DeviceWant, int]]] | None":
        found = self._from(0, tuple(len(kind.units) for kind in self._kinds))
        if found is None:
            return None
        (distance, _kept), picks = found
        return distance, [
            (want, kind)
            for block, kinds in zip(self._blocks, picks, strict=True)
            for want, kind in zip(block.wants, kinds, strict=True)
        ]

    def _from(self, at: int, left: "_Left") -> "tuple[_Cost, _Picks] | None":
        """Return the best for the blocks from `at` on.

        Kinds of one family can trade places: what differs by such a trade is solved once.
        """
        order = list(range(len(left)))
        for family in self._families:
            full = sorted(family, key=left.__getitem__, reverse=True)
            for place, kind in zip(family, full, strict=True):
                order[place] = kind
        key = (at, tuple(left[kind] for kind in order))
        if key not in self._seen:
            self._seen[key] = self._solve(*key)
        found = self._seen[key]
        if found is None:
            return None
        cost, picks = found
        return cost, tuple(tuple(order[kind] for kind in block) for block in picks)

    def _solve(self, at: int, left: "_Left") -> "tuple[_Cost, _Picks] | None":
        if at == len(self._blocks):
            return (0, self._kept(left)), ()
        best: tuple[_Cost, _Picks] | None = None
        for picks, distance, after in self._placements(self._blocks[at], left):
            rest = self._from(at + 1, after)
            if rest is None:
                continue
            cost = (rest[0][0] + distance, rest[0][1])
            if best is None or cost < best[0]:
                best = (cost, (picks, *rest[1]))
        return best

    def _placements(self, block: Block, left: "_Left") -> "list[tuple[_Pick, int, _Left]]":
        """Return each way to serve a block, but for trades: kinds, distance, what is left."""
        found: list[tuple[_Pick, int, _Left]] = [((), 0, left)]
        for at, want in enumerate(block.wants):
            reach = self._reach[want.name]
            further: list[tuple[_Pick, int, _Left]] = []
            for picks, distance, now in found:
                # Equal wants of a block take kinds in order.
                low = picks[-1] if block.same_as_before[at] else 0
                tried: set[tuple[int, int]] = set()
                for kind in range(low, len(self._kinds)):
                    it = self._kinds[kind]
                    if not now[kind] or it.units[0].key not in reach:
                        continue
                    trade = (it.family, now[kind])
                    if kind not in picks:
                        if trade in tried:
                            continue
                        tried.add(trade)
                    if self._together(block, picks, kind):
                        after = self._without(now, kind)
                        further.append(((*picks, kind), distance + reach[it.units[0].key], after))
            found = further
        return found

    def _together(self, block: Block, picks: tuple[int, ...], kind: int) -> bool:
        """Return whether one more unit keeps the rules of a block with those before it."""
        at = len(picks)
        unit = self._kinds[kind].units[0]
        for match, distinct, members in block.rules:
            if at not in members:
                continue
            others = [self._kinds[picks[it]].units[0] for it in members if it < at]
            if match is not None:
                mine = affinity_of(unit, match)
                if mine is None or any(affinity_of(it, match) != mine for it in others):
                    return False
            if distinct is not None:
                mine = affinity_of(unit, distinct)
                if mine is None or any(affinity_of(it, distinct) == mine for it in others):
                    return False
        return True

    def _without(self, left: "_Left", kind: int) -> "_Left":
        now = list(left)
        now[kind] -= 1
        for other in self._kinds[kind].clashes:
            now[other] = 0
        return tuple(now)

    def _kept(self, left: "_Left") -> tuple[int, ...]:
        """Return how many sets of each size cannot be made: the fewer, the better."""
        counts = dict(self._others)
        for kind, count in enumerate(left):
            for site in self._kinds[kind].sites:
                counts[site] = counts.get(site, 0) + count
        return tuple(-count for count in whole_sets(counts))


_Left = tuple[int, ...]
_Pick = tuple[int, ...]
_Cost = tuple[int, tuple[int, ...]]
_Picks = tuple[_Pick, ...]
