"""Nova's raw weights of all hosts, before they are scaled: shared by all shapes of requests."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from computekit.placement import FleetIndex
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.normalised import MOST, Normalised, RangeWeigher, RowWeigher
from computekit.scheduler.passing import stale_rows

__all__ = ["RawWeights"]

_ALL = slice(None)
_FEW = 8
_Weigh: TypeAlias = Callable[[FleetIndex, int], float]


class RawWeights:
    """The weights of every row by each weigher that counts, followed row by row.

    Attributes:
        weighing: the weighers that count for something somewhere.
        generation: raised when all was made anew, maybe for other weighers.
        raw: as (weigher, row).
        counts: what they count for, as (weigher, row), or (weigher, 1) if everywhere the same.
        least_counts: the least that each weigher ever counted for on a row.
        most_counts: the most.
    """

    __slots__ = (
        "_alike",
        "_layout",
        "_standing",
        "_version",
        "_weigh",
        "_wished",
        "counts",
        "generation",
        "least_counts",
        "most_counts",
        "raw",
        "weighing",
    )

    def __init__(self, weighing: Normalised) -> None:
        self._wished = weighing
        self.weighing: Normalised = weighing
        self._layout = self._version = self._standing = -1
        # Of each weigher: the weight of one row, and the least that it may be.
        self._weigh: list[tuple[_Weigh, float]] = []
        # What weighers count for, if that is the same everywhere.
        self._alike: list[float] | None = []
        self.generation: int = 0
        self.raw: FloatArray = np.zeros((0, 0))
        self.counts: FloatArray = np.zeros((0, 1))
        self.least_counts: list[float] = []
        self.most_counts: list[float] = []

    def catch_up(self, fleet: FleetIndex) -> None:
        """Look at the rows that have changed."""
        if self._layout == fleet.layout and self._version == fleet.version:
            return
        rows = stale_rows(fleet, self._layout, self._version)
        stands = self._standing == fleet.standing
        self._layout, self._version = fleet.layout, fleet.version
        self._standing = fleet.standing
        if rows is None or not (stands or self._counts_stand(fleet, rows)):
            self._fill(fleet)
            return
        if len(rows) <= _FEW:
            for row in rows.tolist():
                for at, (weigh, least) in enumerate(self._weigh):
                    weight = max(weigh(fleet, row), least)
                    self.raw[at, row] = min(weight, MOST) if weight == weight else 0.0
        else:
            self.raw[:, rows] = self.weighing.raw(fleet, rows)
        if self._alike is None and not stands:
            counts = self.counts[:, rows] = self.weighing.counts(fleet, rows)
            self._widen(counts)

    def of(self, row: int) -> tuple[list[float], list[float]]:
        """Return the weights of one row, and what they count for."""
        weights: list[float] = self.raw[:, row].tolist()
        if self._alike is not None:
            return weights, self._alike
        counts: list[float] = self.counts[:, row].tolist()
        return weights, counts

    def _counts_stand(self, fleet: FleetIndex, rows: npt.NDArray[np.intp]) -> bool:
        """Return whether a weigher that counted alike everywhere still does on changed rows."""
        everywhere = self._alike is not None
        return all(
            (not everywhere and weigher in self.weighing.weighers)
            or weigher.multipliers(fleet, rows) is None
            for weigher in self._wished.weighers
        )

    def _fill(self, fleet: FleetIndex) -> None:
        self.weighing = self._wished.counted(fleet)
        self._weigh = [
            (_one(weigher), -MOST if weigher.least is None else weigher.least)
            for weigher in self.weighing.weighers
        ]
        self.raw = self.weighing.raw(fleet, _ALL)
        self.counts = self.weighing.counts(fleet, _ALL)
        self._alike = self.counts[:, 0].tolist() if self.counts.shape[1] == 1 else None
        self.least_counts = self.most_counts = []
        self._widen(self.counts)
        self.generation += 1

    def _widen(self, counts: FloatArray) -> None:
        if not counts.shape[1]:
            self.least_counts = self.least_counts or [0.0] * len(counts)
            self.most_counts = self.most_counts or [0.0] * len(counts)
            return
        least, most = counts.min(axis=1).tolist(), counts.max(axis=1).tolist()
        if self.least_counts:
            least = list(map(min, least, self.least_counts))
            most = list(map(max, most, self.most_counts))
        self.least_counts, self.most_counts = least, most


def _one(weigher: RangeWeigher) -> _Weigh:
    if isinstance(weigher, RowWeigher):
        return weigher.weight
    return lambda fleet, row: weigher.raw(fleet, slice(row, row + 1)).item()
