"""The exact judgement of one host, for one shape of requests; kept until the host's row changes."""

from collections.abc import Collection
from itertools import islice
from typing import TypeAlias

import numpy as np

from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest, ResourceClass, Resources
from computekit.placement import BoolArray, Fit, FleetIndex, fits, no_fit
from computekit.scheduler.cell_predicate import cells_unfit
from computekit.scheduler.policy import WayWeigher
from computekit.topology import GuestTopology, TopologyFit, fit_guest

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
        topology: NUMA nodes that must fit as well.
    """

    def __init__(
        self,
        placement: PlacementRequest,
        prefer: WayWeigher | None = None,
        topology: GuestTopology | None = None,
    ) -> None:
        self._placement = placement
        self._prefer = prefer
        self._topology = topology
        self._cells: dict[int, TopologyFit | None] = {}
        total: dict[ResourceClass, int] = {}
        for group in placement.groups:
            for resource_class, amount in group.resources.items():
                total[resource_class] = total.get(resource_class, 0) + amount
        self._total: Resources = FrozenMap(total)
        self._suffixes = [group.suffix for group in placement.groups]
        self._found: dict[int, Fit | None] = {}
        # Rows that `doubtful` has not told since they changed; None: it has told none yet.
        self._untold: set[int] | None = None

    def forget(self, rows: Collection[int] | None) -> None:
        """Forget what was found of rows that have changed; of all with None."""
        if rows is None:
            self._found.clear()
            self._cells.clear()
            self._untold = None
        elif self._found or self._cells or self._untold is not None:
            for row in rows:
                self._found.pop(row, None)
                self._cells.pop(row, None)
            if self._untold is not None:
                self._untold.update(rows)

    def doubtful(self, fleet: FleetIndex, allowed: BoolArray) -> list[int]:
        """Return the allowed rows that the predicates alone do not decide; once until they change.

        Whoever strikes out those that do not fit need not look at the others again.
        """
        untold, self._untold = self._untold, set()
        if untold is not None:
            every = self._topology is not None
            return [row for row in untold if allowed[row] and (every or fleet.nested[row])]
        rows = allowed if self._topology is not None else allowed & fleet.nested
        found: list[int] = np.flatnonzero(rows).tolist()
        return found

    def cells(self, fleet: FleetIndex, row: int) -> TopologyFit | None:
        """Return where the guest's NUMA nodes go on the row; None if nowhere, or there are none."""
        if self._topology is None:
            return None
        if row not in self._cells:
            self._cells[row] = fit_guest(fleet.cells.of(fleet.names[row]), self._topology)
        return self._cells[row]

    def unfit(self, fleet: FleetIndex, row: int) -> str:
        """Return why nothing fits on a row that passes every predicate."""
        if self._topology is not None and self.cells(fleet, row) is None:
            return cells_unfit(fleet, row, self._topology)
        return no_fit(fleet.tree(row), self._placement)

    def fit(self, fleet: FleetIndex, row: int, tried: Collection[Allocated] = ()) -> Fit | None:
        """Return the best way to fit the row that was not tried, or None."""
        if self._topology is not None and self.cells(fleet, row) is None:
            return None
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
