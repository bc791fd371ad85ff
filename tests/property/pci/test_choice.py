"""Whoever asks gets units if there are any that keep every rule, and the best of them."""

from collections.abc import Iterator, Sequence
from itertools import permutations

from hypothesis import given, settings

from computekit.model import FrozenMap
from computekit.pci import (
    Affinity,
    AffinityKey,
    AliasOption,
    DeviceUnit,
    DeviceWant,
    GuestPlace,
    NumaPolicy,
    UnitChoice,
    choose_units,
)
from computekit.pci.answering import answers_to
from computekit.pci.locality import affinity_of, distance_of, site_counts, whole_sets
from tests.property.dice import DICE, Dice
from tests.property.effort import examples
from tests.property.pci.boards import CLASSES, board, fresh

PLACES = (None, GuestPlace(frozenset({0}), FrozenMap({0: 0, 1: 0})), GuestPlace(frozenset({0, 1})))


def wanted(dice: Dice, units: Sequence[DeviceUnit]) -> tuple[DeviceWant, ...]:
    found: list[DeviceWant] = []
    for at in range(1 + dice.pick((0, 1, 2))):
        option = AliasOption("alias[0]", resource_class=dice.pick(CLASSES))
        policy = dice.pick((NumaPolicy.LEGACY, NumaPolicy.PREFERRED, NumaPolicy.REQUIRED))
        provider = dice.pick(units).provider if dice.once_in(6) else None
        found.append(DeviceWant(f"w{at}", option, policy, provider))
    return tuple(found)


def rules(dice: Dice, wants: Sequence[DeviceWant]) -> tuple[Affinity, ...]:
    if len(wants) < 2 or dice.once_in(3):
        return ()
    names = tuple(want.name for want in wants[: 2 + dice.pick((0, 1))])
    match = dice.pick((AffinityKey.UPSTREAM_PORT, AffinityKey.NUMA_NODE, None))
    distinct = dice.pick((None, AffinityKey.PF))
    return (Affinity(names, match, distinct),)


def every_way(
    units: Sequence[DeviceUnit],
    wants: Sequence[DeviceWant],
    affinities: Sequence[Affinity],
    place: GuestPlace | None,
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Return distance and what is left whole, of each assignment that keeps the rules."""
    for given_ in permutations(units, len(wants)):
        by_name = {want.name: unit for want, unit in zip(wants, given_, strict=True)}
        if any(
            it.clashes(other) for at, it in enumerate(given_) for other in given_[at + 1 :]
        ) or not all(keeps(rule, by_name) for rule in affinities):
            continue
        far = 0
        for want, unit in zip(wants, given_, strict=True):
            distance = distance_of(unit, want.numa_policy, place)
            if (
                distance is None
                or want.provider not in (None, unit.provider)
                or not answers_to(unit, want.option)
            ):
                break
            far += distance
        else:
            left = [it for it in units if it not in given_ and not any(map(it.clashes, given_))]
            yield far, tuple(-count for count in whole_sets(site_counts(left)))


def keeps(rule: Affinity, by_name: dict[str, DeviceUnit]) -> bool:
    chosen = [by_name[name] for name in rule.wants]
    if rule.match is not None:
        shared = {affinity_of(unit, rule.match) for unit in chosen}
        if len(shared) > 1 or None in shared:
            return False
    if rule.distinct is not None:
        values = [affinity_of(unit, rule.distinct) for unit in chosen]
        if None in values or len(set(values)) < len(values):
            return False
    return True


@settings(max_examples=examples(300))
@given(DICE, DICE)
def test_the_choice_is_the_best_there_is(first: Dice, second: Dice) -> None:
    units = board(first)
    wants = wanted(second, units)
    affinities = rules(second, wants)
    place = second.pick(PLACES)

    found = choose_units(fresh(units), wants, affinities, place)

    ways = sorted(every_way(units, wants, affinities, place))
    assert isinstance(found, UnitChoice) == bool(ways)
    if isinstance(found, UnitChoice):
        before = whole_sets(site_counts(units))
        kept = tuple(broken - was for broken, was in zip(found.broken, before, strict=True))
        assert (found.distance, kept) == ways[0]
        by_key = {unit.key: unit for unit in units}
        chosen = [by_key[found.units[want.name]] for want in wants]
        mine = {want.name: unit for want, unit in zip(wants, chosen, strict=True)}
        assert all(keeps(rule, mine) for rule in affinities)
        assert not any(
            it.clashes(other) for at, it in enumerate(chosen) for other in chosen[at + 1 :]
        )
        for want, unit in zip(wants, chosen, strict=True):
            assert answers_to(unit, want.option)
            assert want.provider in (None, unit.provider)
