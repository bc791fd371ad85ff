"""How many units of each kind to give, where no rule ties wants together: kind by kind, exact."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from computekit.pci.choice_kinds import Kind
from computekit.pci.locality import Site, whole_sets
from computekit.pci.unit import UnitKey

__all__ = ["AskedCount", "best_counts"]

Cost = tuple[int, tuple[int, ...]]
"""Members on other nodes than the guest; then sets of each size that are left, below zero."""


@attrs.frozen
class AskedCount:
    """So many wants that are alike.

    Attributes:
        reach: the units that will do, with their distances.
        count: of wants.
    """

    reach: Mapping[UnitKey, int]
    count: int


@attrs.frozen
class _Step:
    """What one kind gives to each of the asked, and the best way that led there."""

    cost: Cost
    given: tuple[int, ...]
    before: "_Step | None"


def best_counts(
    kinds: Sequence[Kind], asked: Sequence[AskedCount], others: Mapping[Site, int]
) -> tuple[Cost, tuple[tuple[int, ...], ...]] | None:
    """Return the least cost, and for each of the asked how many units each kind gives.

    What a kind costs depends on itself, but for sites that it shares: of those only the sums count.
    So what has to be kept from kind to kind is what is still asked, and what was taken of each
    shared site.

    Args:
        kinds: none of which clash.
        asked: all that is wanted.
        others: free units at each site that are of no kind.
    """
    owners: dict[Site, int] = {}
    totals: dict[Site, int] = dict(others)
    for kind in kinds:
        for site in kind.sites:
            owners[site] = owners.get(site, 0) + 1
            totals[site] = totals.get(site, 0) + len(kind.units)
    shared = [site for site, count in owners.items() if count > 1]
    start = (tuple(it.count for it in asked), (0,) * len(shared))
    states: dict[tuple[tuple[int, ...], tuple[int, ...]], _Step] = {start: _Step((0, ()), (), None)}
    for kind in kinds:
        states = _with_kind(kind, asked, shared, totals, states)
    best: _Step | None = None
    least: Cost | None = None
    for (left, taken), step in states.items():
        if any(left):
            continue
        at_shared = whole_sets(
            {site: totals[site] - gone for site, gone in zip(shared, taken, strict=True)}
        )
        cost = _sum(step.cost, (0, tuple(-count for count in at_shared)))
        if least is None or cost < least:
            best, least = step, cost
    if best is None or least is None:
        return None
    return least, tuple(zip(*_given(best), strict=True))


def _with_kind(
    kind: Kind,
    asked: Sequence[AskedCount],
    shared: Sequence[Site],
    totals: Mapping[Site, int],
    states: Mapping[tuple[tuple[int, ...], tuple[int, ...]], _Step],
) -> dict[tuple[tuple[int, ...], tuple[int, ...]], _Step]:
    distances = [it.reach.get(kind.units[0].key) for it in asked]
    here = [1 if site in kind.sites else 0 for site in shared]
    alone = [site for site in kind.sites if site not in shared]
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], _Step] = {}
    costs: dict[int, tuple[int, ...]] = {}
    for (left, taken), step in states.items():
        for given in _ways(left, distances, len(kind.units)):
            total = sum(given)
            if total not in costs:
                kept = whole_sets({site: totals[site] - total for site in alone})
                costs[total] = tuple(-count for count in kept)
            far = sum(n * (far or 0) for n, far in zip(given, distances, strict=True))
            cost = _sum(step.cost, (far, costs[total]))
            key = (
                tuple(was - n for was, n in zip(left, given, strict=True)),
                tuple(was + total * is_ for was, is_ in zip(taken, here, strict=True)),
            )
            known = found.get(key)
            if known is None or cost < known.cost:
                found[key] = _Step(cost, given, step)
    return found


def _ways(
    left: tuple[int, ...], distances: Sequence[int | None], room: int
) -> Iterator[tuple[int, ...]]:
    """Return each way to give at most `room` units to those that can have them."""
    if not left:
        yield ()
        return
    most = 0 if distances[0] is None else min(left[0], room)
    for given in range(most, -1, -1):
        for rest in _ways(left[1:], distances[1:], room - given):
            yield (given, *rest)


def _sum(one: Cost, other: Cost) -> Cost:
    counts = one[1] or (0,) * len(other[1])
    return one[0] + other[0], tuple(a + b for a, b in zip(counts, other[1], strict=True))


def _given(step: _Step) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    at: _Step | None = step
    while at is not None and at.before is not None:
        found.append(at.given)
        at = at.before
    return found[::-1]
