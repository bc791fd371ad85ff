"""Weighing as Nova does it: each weigher is scaled to 0..1 over the hosts that are in the running.

What a host gets depends on which others there are: when the ends of a weigher's range move, every
score moves. The arithmetic is Nova's, number by number and in its order, so that hosts that are
equal there are equal here.
"""

from typing import Protocol, runtime_checkable

import attrs
import numpy as np
import numpy.typing as npt

from computekit.placement import FleetIndex, Rows
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.scale import Scale

__all__ = ["MOST", "Normalised", "RangeWeigher", "RowWeigher", "scaled_one"]


MOST = 1e150
"""No weight and no multiplier counts for more: squares of it are numbers still."""


class RangeWeigher(Protocol):
    """A preference that is scaled before it is added; a value, so that policies can be compared."""

    @property
    def name(self) -> str:
        """What is preferred, for explanations."""
        ...

    @property
    def multiplier(self) -> float:
        """What the scaled weight counts for; below zero less is better."""
        ...

    @property
    def least(self) -> float | None:
        """The lower end of the range; None: the least of the hosts in the running."""
        ...

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        """Return the weight of each row before it is scaled."""
        ...

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        """Return what counts for each row instead of `multiplier`; None if that holds for all."""
        ...


@runtime_checkable
class RowWeigher(Protocol):
    """What a weigher of either kind may have beside: one row alone, without an array around it.

    After a claim one row is looked at again, and arrays of one number cost more than the number.
    """

    def weight(self, fleet: FleetIndex, row: int, /) -> float:
        """Return what `raw`, or `scores`, says of a row."""
        ...


@attrs.frozen
class Normalised:
    """Weighers whose weights are scaled over the hosts that are in the running, and added.

    Attributes:
        weighers: in the order of adding.
    """

    weighers: tuple[RangeWeigher, ...]

    def parts(self, fleet: FleetIndex, rows: npt.NDArray[np.intp]) -> dict[str, FloatArray]:
        """Return what each weigher gives `rows`, which are all that are in the running."""
        raw = self.raw(fleet, rows)
        found = Scale.of(self.leasts, raw).parts(raw, self.counts(fleet, rows))
        return {w.name: part for w, part in zip(self.weighers, found, strict=True)}

    @property
    def leasts(self) -> tuple[float | None, ...]:
        """The lower end of each range; None where it is the least of the hosts in the running."""
        return tuple(weigher.least for weigher in self.weighers)

    def counted(self, fleet: FleetIndex) -> "Normalised":
        """Return this without the weighers that count for nothing anywhere."""
        every = slice(None)
        return Normalised(
            tuple(
                w for w in self.weighers if w.multiplier or w.multipliers(fleet, every) is not None
            )
        )

    def raw(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        """Return the weights of some rows before they are scaled, as (weigher, row)."""
        found = np.empty((len(self.weighers), len(fleet.up[rows])))
        for at, weigher in enumerate(self.weighers):
            found[at] = weigher.raw(fleet, rows)
        for weigher, weights in zip(self.weighers, found, strict=True):
            if weigher.least is not None:
                np.maximum(weights, weigher.least, out=weights)
        return _bounded(found)

    def counts(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        """Return what each weigher counts for, as (weigher, row), or (weigher, 1) if everywhere."""
        given = [weigher.multipliers(fleet, rows) for weigher in self.weighers]
        if all(counts is None for counts in given):
            each = [w.multiplier for w in self.weighers]
            return _bounded(np.array(each, dtype=np.float64)[:, np.newaxis])
        found = [
            np.full(len(fleet.up[rows]), weigher.multiplier) if counts is None else counts
            for weigher, counts in zip(self.weighers, given, strict=True)
        ]
        return _bounded(np.array(found, dtype=np.float64))


def _bounded(numbers: FloatArray) -> FloatArray:
    """Return numbers with which scores stay numbers; what is none is 0."""
    numbers[np.isnan(numbers)] = 0.0
    return np.clip(numbers, -MOST, MOST, out=numbers)


def scaled_one(weights: FloatArray, counts: FloatArray) -> FloatArray:
    """Return what one weigher without a lower end of its own gives each row, as (1, row)."""
    width = float(np.ptp(weights)) if len(weights) > 1 else 0.0
    if not width:
        return np.zeros((1, len(weights)))
    found: FloatArray = (weights - weights.min()) / width * counts
    return found[np.newaxis]
