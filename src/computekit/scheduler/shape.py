"""What requests of one shape share: the score of every host, kept up to date row by row.

A score is minus infinity where a rule fails. What only a change of the host itself can alter
(status, zone, traits, units) is kept as one mask; after a claim only amounts and preferences are
looked at again, and only of the rows that the claim touched.
"""

from collections.abc import Callable, Collection, Iterable
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
_FEW = 16
_SOME = 512
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
    if changed is None or len(changed) * 2 > len(fleet):
        return None
    return changed if len(changed) <= _SOME else np.unique(changed)


class Shape:
    """The scores of all hosts for requests that ask the same.

    Attributes:
        predicates: what is asked of every host.
        scores: of every row; a row that the search on its tree refuted is struck out until it
            changes.
    """

    __slots__ = (
        "_amounts",
        "_fixed",
        "_layout",
        "_mask",
        "_others",
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
        self._amounts = [p for p in predicates if isinstance(p, Amount)]
        self._fixed: list[_Passed] = [p.passed for p in predicates if _stands(p)]
        self._fixed += [amount.allowed for amount in self._amounts]
        self._others: list[_Passed] = [
            p.passed for p in predicates if not _stands(p) and not isinstance(p, Amount)
        ]

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Collection[int] | None:
        """Bring the scores up to date; return the rows that were written, None for all."""
        layout, version, standing = fleet.layout, fleet.version, fleet.standing
        if self._layout == layout and self._version == version:
            return ()
        same = self._standing == standing
        before = self._layout, self._version
        self._layout, self._version, self._standing = layout, version, standing
        rows = stale_rows(fleet, *before)
        if rows is None:
            self._fill(fleet, answers)
            return None
        written: list[int] = rows.tolist()
        if same and len(written) <= _FEW and not self._others:
            self._patch(fleet, rows, written)
            return written
        if not same:
            self._mask[rows] = self._passed(self._fixed, fleet, rows, np.ones(len(rows), np.bool_))
        passed = self._passed(self._others, fleet, rows, self._mask[rows])
        for amount in self._amounts:
            passed &= amount.enough(fleet, rows)
        self.scores.write(rows, np.where(passed, self._scored(fleet, rows), NEVER))
        return written

    def best(self) -> tuple[int, float] | None:
        """Return the row with the highest score, the first of equals, and its score."""
        row = self.scores.best()
        return None if row is None else (row, self.scores.score(row))

    def score(self, row: int) -> float:
        """Return the score of a row."""
        return self.scores.score(row)

    def strike(self, row: int) -> None:
        """Leave a row aside until it changes: the search on its tree, or a filter, refused it."""
        self.scores.strike(row)

    def among(self, rows: BoolArray) -> BlockScores:
        """Return the scores of some rows, when no others may be chosen."""
        return self.scores.within(rows)

    def _patch(self, fleet: FleetIndex, rows: npt.NDArray[np.intp], few: list[int]) -> None:
        """Write a handful of rows after claims; array operations would cost more."""
        passed = [self._mask.item(row) for row in few]
        for amount in self._amounts:
            amount.few_enough(fleet, few, passed)
        scores = self._scored(fleet, rows).tolist() if self._weighers else [0.0] * len(few)
        self.scores.write_few(
            few, [s if ok else NEVER for s, ok in zip(scores, passed, strict=True)]
        )

    def _fill(self, fleet: FleetIndex, answers: Answers) -> None:
        passed = np.ones(len(fleet), dtype=np.bool_)
        for predicate in self.predicates:
            if isinstance(predicate, Amount):
                passed &= predicate.allowed(fleet, _ALL)
            elif _stands(predicate):
                passed &= answers.of(predicate)
        self._mask = passed.copy()
        passed = self._passed(self._others, fleet, _ALL, passed)
        for amount in self._amounts:
            passed &= amount.enough(fleet, _ALL)
        self.scores.fill(np.where(passed, self._scored(fleet, _ALL), NEVER))

    @staticmethod
    def _passed(
        rules: Iterable[_Passed], fleet: FleetIndex, rows: Rows, passed: BoolArray
    ) -> BoolArray:
        for rule in rules:
            passed &= rule(fleet, rows)
        return passed

    def _scored(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        weighers = self._weighers
        if not weighers:
            return np.zeros(len(fleet.up[rows]))
        scores = weighers[0].scores(fleet, rows)
        if len(weighers) > 1:
            for weigher in weighers[1:]:
                scores = scores + weigher.scores(fleet, rows)
        return scores


def _stands(predicate: Predicate) -> bool:
    """Return whether a predicate has said that claims cannot alter its answer."""
    return getattr(predicate, "standing", False) is True
