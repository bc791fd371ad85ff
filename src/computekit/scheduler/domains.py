"""In which domain of a level a host is, by the index and by the rows."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from computekit.ids import HostName
from computekit.model import HOST_LEVEL, TopologyLevels
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.placement.host_aggregates import Values
from computekit.scheduler.blocks import FloatArray

__all__ = ["domain_in", "domain_numbers", "domain_of", "domains_among", "rows_in"]

_ZONE = "availability_zone"


def domain_of(
    levels: TopologyLevels,
    level: str,
    host: HostName,
    zone: str | None,
    metadata: Iterable[Mapping[str, str]],
) -> str | None:
    """Return the domain of a host by its rows, or None if it is in none.

    That is the one value that its aggregates have of the level's key. A zone that the host's own
    row names goes before. Two values that contradict each other are none.

    Args:
        levels: of the deployment.
        level: which.
        host: its name, which is its domain at the level of hosts.
        zone: that the host's row names.
        metadata: of each of its aggregates.
    """
    if level == HOST_LEVEL:
        return host
    key = levels.key(level)
    if key is None:
        return None
    values = frozenset(found[key] for found in metadata if key in found)
    return _domain(key, zone, values)


def _domain(key: str, zone: str | None, values: Values) -> str | None:
    if key == _ZONE and zone is not None:
        return zone
    return next(iter(values)) if len(values) == 1 else None


def domain_in(fleet: FleetIndex, level: str, row: int) -> str | None:
    """Return the domain of a row, or None if it is in none."""
    if level == HOST_LEVEL:
        return fleet.names[row]
    key = fleet.groups.levels.key(level)
    if key is None:
        return None
    zone = fleet.labels["zone"][row] if key == _ZONE else None
    return _domain(key, zone, fleet.metadata(key)[row])


def domains_among(fleet: FleetIndex, level: str, rows: BoolArray) -> frozenset[str]:
    """Return the domains of some rows (a mask over all); those of none are left out."""
    numbers = np.flatnonzero(rows)
    if level == HOST_LEVEL:
        names = fleet.names
        return frozenset(names[row] for row in numbers.tolist())
    key = fleet.groups.levels.key(level)
    if key is None:
        return frozenset()
    codes, values = fleet.metadata(key).coded(numbers)
    found: set[str | None] = set()
    if key == _ZONE:
        zones, names_of = fleet.labels["zone"].coded(numbers)
        found.update(names_of[code] for code in np.unique(zones).tolist())
        codes = codes[np.fromiter((name is None for name in names_of), np.bool_)[zones]]
    found.update(_domain(key, None, values[code]) for code in np.unique(codes).tolist())
    return frozenset(domain for domain in found if domain is not None)


def rows_in(
    fleet: FleetIndex, level: str, passes: Callable[[str | None], bool], rows: Rows
) -> BoolArray:
    """Return which rows are in a domain that passes; each domain is asked for once.

    For levels above that of hosts.
    """
    return _by_domain(fleet, level, lambda domain: float(passes(domain)), rows) > 0


def domain_numbers(fleet: FleetIndex, level: str, numbers: Mapping[str, float]) -> FloatArray:
    """Return, for every row, the number of its domain; 0 for a domain that has none.

    For levels above that of hosts.
    """
    get = numbers.get
    return _by_domain(
        fleet, level, lambda name: 0.0 if name is None else get(name, 0.0), slice(None)
    )


def _by_domain(
    fleet: FleetIndex, level: str, number: Callable[[str | None], float], rows: Rows
) -> FloatArray:
    key = fleet.groups.levels.key(level)
    if key is None:
        return np.full(len(fleet.up[rows]), number(None))
    codes, values = fleet.metadata(key).coded(rows)
    known = fleet.groups.domains
    domains = known.get(key)
    if domains is None or domains[0] is not values:
        domains = known[key] = values, []
    # Values are only ever added.
    domains[1].extend(_domain(key, None, some) for some in values[len(domains[1]) :])
    found = _asked(number, domains[1])[codes]
    if key == _ZONE:
        zones, names = fleet.labels["zone"].coded(rows)
        own = np.fromiter((name is not None for name in names), np.bool_, len(names))
        found = np.where(own[zones], _asked(number, names)[zones], found)
    return found


def _asked(number: Callable[[str | None], float], domains: Iterable[str | None]) -> FloatArray:
    return np.fromiter((number(domain) for domain in domains), np.float64)
