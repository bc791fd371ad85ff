"""Which hosts pass what a shape of requests asks, followed row by row.

What only a change of the host itself can alter (status, zone, traits, units) is kept as one mask;
after a claim only amounts are looked at again, and only of the rows that the claim touched.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.amount import Amount
from computekit.scheduler.predicates import Predicate

__all__ = ["FEW", "Answers", "Judged", "Passing", "stale_rows"]

FEW = 24
"""So many rows are looked at one by one; array operations on them would cost more."""

_ALL = slice(None)
_SOME = 512
Judged: TypeAlias = (
    tuple[None, None, BoolArray]
    | tuple[npt.NDArray[np.intp], None, BoolArray]
    | tuple[npt.NDArray[np.intp], list[int], list[bool]]
)
"""Rows that were looked at again (None for all), the same as numbers if few, which of them pass."""

_Passed: TypeAlias = Callable[[FleetIndex, Rows], BoolArray]


class Answers:
    """The answers of predicates over all rows, shared between shapes; the least used go first.

    Only of predicates that stand while claims come and go.
    """

    def __init__(self, fleet: FleetIndex, *, bound: int = 64) -> None:
        self._fleet = fleet
        self._bound = bound
        self._kept: dict[Predicate, _Answer] = {}

    def of(self, predicate: Predicate) -> BoolArray:
        """Return which rows pass; not to be written to."""
        kept = self._kept.pop(predicate, None)
        if kept is None:
            kept = _Answer(predicate)
        kept.catch_up(self._fleet)
        self._kept[predicate] = kept
        while len(self._kept) > self._bound:
            del self._kept[next(iter(self._kept))]
        return kept.passed


class _Answer:
    __slots__ = ("_layout", "_predicate", "_version", "passed")

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate
        self._layout = self._version = -1
        self.passed: BoolArray = np.zeros(0, dtype=np.bool_)

    def catch_up(self, fleet: FleetIndex) -> None:
        rows = stale_rows(fleet, self._layout, self._version)
        if rows is None:
            self.passed = np.array(self._predicate.passed(fleet, _ALL))
        elif len(rows):
            self.passed[rows] = self._predicate.passed(fleet, rows)
        self._layout, self._version = fleet.layout, fleet.version


def stale_rows(fleet: FleetIndex, layout: int, version: int) -> npt.NDArray[np.intp] | None:
    """Return the rows that changed since `version`, or None if all are to be looked at.

    Unless they are many a row may be named again: to look at it again costs less than to find out.
    """
    if layout != fleet.layout:
        return None
    changed = fleet.changed_since(version)
    if changed is None or len(changed) <= FEW:
        return changed
    if len(changed) * 2 > len(fleet):
        return None
    return changed if len(changed) <= _SOME else np.unique(changed)


class Passing:
    """Which rows pass all of some predicates.

    Args:
        predicates: what is asked of every host.
    """

    __slots__ = (
        "_amounts",
        "_fixed",
        "_layout",
        "_mask",
        "_others",
        "_predicates",
        "_standing",
        "_version",
    )

    def __init__(self, predicates: tuple[Predicate, ...]) -> None:
        self._predicates = predicates
        self._layout = self._version = self._standing = -1
        self._mask: BoolArray = np.zeros(0, dtype=np.bool_)
        self._amounts = [p for p in predicates if isinstance(p, Amount)]
        self._fixed: list[_Passed] = [p.passed for p in predicates if _stands(p)]
        self._fixed += [amount.allowed for amount in self._amounts]
        self._others: list[_Passed] = [
            p.passed for p in predicates if not _stands(p) and not isinstance(p, Amount)
        ]

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Judged | None:
        """Look at the rows that have changed; return what was found, None if none has."""
        layout, version, standing = fleet.layout, fleet.version, fleet.standing
        if self._layout == layout and self._version == version:
            return None
        same = self._standing == standing
        rows = stale_rows(fleet, self._layout, self._version)
        self._layout, self._version, self._standing = layout, version, standing
        if rows is None:
            return None, None, self._all(fleet, answers)
        if same and len(rows) <= FEW and not self._others:
            few: list[int] = rows.tolist()
            one_by_one = [self._mask.item(row) for row in few]
            for amount in self._amounts:
                amount.few_enough(fleet, few, one_by_one)
            return rows, few, one_by_one
        if not same:
            self._mask[rows] = _passed(self._fixed, fleet, rows, np.ones(len(rows), np.bool_))
        passed = _passed(self._others, fleet, rows, self._mask[rows])
        for amount in self._amounts:
            passed &= amount.enough(fleet, rows)
        return rows, None, passed

    def _all(self, fleet: FleetIndex, answers: Answers) -> BoolArray:
        passed = np.ones(len(fleet), dtype=np.bool_)
        for predicate in self._predicates:
            if isinstance(predicate, Amount):
                passed &= predicate.allowed(fleet, _ALL)
            elif _stands(predicate):
                passed &= answers.of(predicate)
        self._mask = passed.copy()
        passed = _passed(self._others, fleet, _ALL, passed)
        for amount in self._amounts:
            passed &= amount.enough(fleet, _ALL)
        return passed


def _passed(
    rules: Iterable[_Passed], fleet: FleetIndex, rows: Rows, passed: BoolArray
) -> BoolArray:
    for rule in rules:
        passed &= rule(fleet, rows)
    return passed


def _stands(predicate: Predicate) -> bool:
    """Return whether a predicate has said that claims cannot alter its answer."""
    return getattr(predicate, "standing", False) is True
