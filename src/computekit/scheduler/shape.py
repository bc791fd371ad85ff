"""What requests of one shape share: the score of every host, kept up to date row by row.

A score is minus infinity where a rule fails. What only a change of the host itself can alter
(status, zone, traits, units) is kept as one mask; after a claim only amounts and preferences are
looked at again, and only of the rows that the claim touched.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.amount import Amount
from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.policy import Weigher
from computekit.scheduler.predicates import Predicate

__all__ = ["Answers", "Shape"]

_ALL = slice(None)
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
    """Return the rows that changed since `version`, or None if all are to be looked at."""
    if layout != fleet.layout:
        return None
    changed = fleet.changed_since(version)
    if changed is None or len(changed) * 2 > len(fleet):
        return None
    if len(changed) == 1:
        return np.array(changed, np.intp)
    rows = set(changed)
    return np.fromiter(rows, np.intp, len(rows))


class Shape:
    """The scores of all hosts for requests that ask the same.

    Attributes:
        predicates: what is asked of every host.
        scores: of every row; a row that the search on its tree refuted is struck out until it
            changes.
    """

    __slots__ = (
        "_fixed",
        "_layout",
        "_left",
        "_mask",
        "_standing",
        "_version",
        "_weighers",
        "predicates",
        "scores",
    )

    def __init__(self, predicates: tuple[Predicate, ...], weighers: tuple[Weigher, ...]) -> None:
        self.predicates: tuple[Predicate, ...] = predicates
        self.scores: BlockScores = BlockScores()
        self._weighers = weighers
        self._layout = self._version = self._standing = -1
        self._mask: BoolArray = np.zeros(0, dtype=np.bool_)
        self._fixed: list[_Passed] = []
        self._left: list[_Passed] = []
        for predicate in predicates:
            if isinstance(predicate, Amount):
                self._fixed.append(predicate.allowed)
                self._left.append(predicate.enough)
            else:
                (self._fixed if _stands(predicate) else self._left).append(predicate.passed)

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Iterable[int] | None:
        """Bring the scores up to date; return the rows that were written, None for all."""
        if self._layout == fleet.layout and self._version == fleet.version:
            return ()
        rows = stale_rows(fleet, self._layout, self._version)
        same = self._standing == fleet.standing
        self._layout, self._version, self._standing = fleet.layout, fleet.version, fleet.standing
        if rows is None:
            self._fill(fleet, answers)
            return None
        if not same:
            self._mask[rows] = _all_passed(self._fixed, fleet, rows, np.ones(len(rows), np.bool_))
        passed = _all_passed(self._left, fleet, rows, self._mask[rows])
        scores = self._scored(fleet, rows)
        self.scores.write(rows, np.where(passed, scores, NEVER))
        written: list[int] = rows.tolist()
        return written

    def _fill(self, fleet: FleetIndex, answers: Answers) -> None:
        self._mask = np.ones(len(fleet), dtype=np.bool_)
        for predicate in self.predicates:
            if isinstance(predicate, Amount):
                self._mask &= predicate.allowed(fleet, _ALL)
            elif _stands(predicate):
                self._mask &= answers.of(predicate)
        passed = _all_passed(self._left, fleet, _ALL, self._mask.copy())
        self.scores.fill(np.where(passed, self._scored(fleet, _ALL), NEVER))

    def _scored(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        if not self._weighers:
            return np.zeros(len(fleet.up[rows]))
        scores = self._weighers[0].scores(fleet, rows)
        for weigher in self._weighers[1:]:
            scores = scores + weigher.scores(fleet, rows)
        return scores


def _stands(predicate: Predicate) -> bool:
    """Return whether a predicate has said that claims cannot alter its answer."""
    return getattr(predicate, "standing", False) is True


def _all_passed(
    rules: Iterable[_Passed], fleet: FleetIndex, rows: Rows, passed: BoolArray
) -> BoolArray:
    for rule in rules:
        passed &= rule(fleet, rows)
    return passed
