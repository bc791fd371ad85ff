"""The exact judgement of one host, for one shape of requests; kept until the host's row changes."""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import TypeAlias

from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest, ResourceClass, Resources
from computekit.placement import Fit, FleetIndex, fits
from computekit.scheduler.policy import WayWeigher

__all__ = ["Allocated", "Fitter"]

Allocated: TypeAlias = FrozenMap[ProviderId, Resources]
"""What would be claimed, by provider."""

_WAYS = 32


class Fitter:
    """Finds how a request fits on a host that passes every predicate.

    A host with one provider needs no search: its predicates are exact.

    Args:
        placement: what is asked.
        prefer: says which of the first ways to fit a host is best; without it, the first.
    """

    def __init__(self, placement: PlacementRequest, prefer: WayWeigher | None = None) -> None:
        self._placement = placement
        self._prefer = prefer
        total: dict[ResourceClass, int] = {}
        for group in placement.groups:
            for resource_class, amount in group.resources.items():
                total[resource_class] = total.get(resource_class, 0) + amount
        self._total: Resources = FrozenMap(total)
        self._suffixes = [group.suffix for group in placement.groups]
        self._found: dict[int, Fit | None] = {}

    def forget(self, rows: Iterable[int] | None) -> None:
        """Forget what was found of rows that have changed; of all with None."""
        if rows is None:
            self._found.clear()
        elif self._found:
            for row in rows:
                self._found.pop(row, None)

    def fit(self, fleet: FleetIndex, row: int, tried: Collection[Allocated] = ()) -> Fit | None:
        """Return the best way to fit the row that was not tried, or None."""
        if not fleet.nested[row]:
            root = fleet.root(row)
            fit = Fit(
                FrozenMap({root: self._total}), FrozenMap(dict.fromkeys(self._suffixes, (root,)))
            )
            return None if tried and fit.allocation in tried else fit
        if tried:
            return self._search(fleet, row, tried)
        if row not in self._found:
            self._found[row] = self._search(fleet, row, ())
        return self._found[row]

    def _search(self, fleet: FleetIndex, row: int, tried: Collection[Allocated]) -> Fit | None:
        ways = (f for f in fits(fleet.tree(row), self._placement) if f.allocation not in tried)
        first = next(ways, None)
        prefer = self._prefer
        if prefer is None or first is None:
            return first
        return max((first, *islice(ways, _WAYS - 1)), key=lambda fit: prefer.way(fleet, row, fit))
