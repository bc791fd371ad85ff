"""The exact judgement of one host, for one shape of requests; kept until the host's row changes."""

from collections.abc import Collection, Iterable
from typing import TypeAlias

from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest, ResourceClass, Resources
from computekit.placement import Fit, FleetIndex, fits

__all__ = ["Allocated", "Fitter"]

Allocated: TypeAlias = FrozenMap[ProviderId, Resources]
"""What would be claimed, by provider."""


class Fitter:
    """Finds how a request fits on a host that passes every predicate.

    A host with one provider needs no search: its predicates are exact.
    """

    def __init__(self, placement: PlacementRequest) -> None:
        self._placement = placement
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
        """Return the first way to fit the row that was not tried, or None."""
        if not fleet.nested[row]:
            root = fleet.root(row)
            fit = Fit(
                FrozenMap({root: self._total}), FrozenMap(dict.fromkeys(self._suffixes, (root,)))
            )
            return None if fit.allocation in tried else fit
        if tried:
            ways = fits(fleet.tree(row), self._placement)
            return next((fit for fit in ways if fit.allocation not in tried), None)
        if row not in self._found:
            self._found[row] = next(fits(fleet.tree(row), self._placement), None)
        return self._found[row]
