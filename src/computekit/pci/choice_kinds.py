"""Free units by what tells them apart, so that equal ones are counted and not permuted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from computekit.pci.locality import AffinityKey, Site, affinity_of, sites_of
from computekit.pci.unit import DeviceUnit, UnitKey

__all__ = ["Kind", "kinds_of"]


@attrs.frozen
class Kind:
    """Free units that are the same to every want and every rule.

    Attributes:
        units: by key.
        sites: that they are at, where others are too.
        clashes: positions of the kinds that cannot be had beside it.
        family: equal for kinds that could trade names: whatever tells them apart is theirs alone.
    """

    units: tuple[DeviceUnit, ...]
    sites: tuple[Site, ...]
    clashes: tuple[int, ...]
    family: int


def kinds_of(
    free: Sequence[DeviceUnit],
    reach: Mapping[str, Mapping[UnitKey, int]],
    keys: Iterable[AffinityKey],
) -> tuple[Kind, ...]:
    """Return the kinds of those free units that some want can have, or that such a one excludes.

    Args:
        free: by key.
        reach: of each want the units that will do, with their distances.
        keys: what rules look at.
    """
    asked = list({id(some): some for some in reach.values()}.values())
    ordered = sorted(set(keys), key=lambda key: key.value)
    at = Counter(site for unit in free for site in sites_of(unit))
    pairs = _clashing(free)
    wanted = {unit.key for unit in free if any(unit.key in some for some in asked)}
    # What nobody asks for but cannot be had beside what somebody gets counts as well.
    beside = {other for key in wanted for other in pairs.get(key, ())}
    candidates = [unit for unit in free if unit.key in wanted or unit.key in beside]
    alone = {unit.key for unit in candidates if pairs.get(unit.key)}
    profiles: dict[_Profile, list[DeviceUnit]] = {}
    for unit in candidates:
        profile: _Profile = (
            tuple(some.get(unit.key) for some in asked),
            tuple(affinity_of(unit, key) for key in ordered),
            tuple(site for site in sites_of(unit) if at[site] > 1),
            unit.key if unit.key in alone else None,
        )
        profiles.setdefault(profile, []).append(unit)
    listed = list(profiles.items())
    shared = Counter(name for profile, _units in listed for name in _names(profile))
    families: dict[tuple[object, ...], int] = {}
    kinds: list[Kind] = []
    for profile, units in listed:
        sites = tuple(site for site in sites_of(units[0]) if at[site] > 1)
        # A site is theirs alone if nobody else is there, reachable or not.
        private = {site for site in sites if at[site] == len(units)}
        clashes = tuple(
            other
            for other, (_profile, theirs) in enumerate(listed)
            if theirs is not units and theirs[0].clashes(units[0])
        )
        family = (
            profile[0],
            tuple(None if shared[name] == 1 else name for name in _names(profile)),
            tuple((site[0], site[1]) if site in private else site for site in sites),
            profile[3],
        )
        number = families.setdefault(family, len(families))
        kinds.append(Kind(tuple(units), sites, clashes, number))
    return tuple(kinds)


_Profile = tuple[tuple[int | None, ...], tuple[str | None, ...], tuple[Site, ...], UnitKey | None]


def _names(profile: _Profile) -> tuple[tuple[int, str | None], ...]:
    """Return what rules see of a profile, by the rule's key."""
    return tuple(enumerate(profile[1]))


def _clashing(units: Sequence[DeviceUnit]) -> dict[UnitKey, set[UnitKey]]:
    """Return for each unit those that cannot be had beside it."""
    by_address: dict[object, list[UnitKey]] = {}
    for unit in units:
        for address in unit.addresses:
            by_address.setdefault(address, []).append(unit.key)
    found: dict[UnitKey, set[UnitKey]] = {}
    for unit in units:
        for address in unit.excludes:
            for key in by_address.get(address, ()):
                if key != unit.key:
                    found.setdefault(unit.key, set()).add(key)
                    found.setdefault(key, set()).add(unit.key)
    return found
