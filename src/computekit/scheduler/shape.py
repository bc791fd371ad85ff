"""What requests of one shape share: the score of every host, kept up to date row by row.

A score is minus infinity where a rule fails.
"""

from collections.abc import Callable, Collection

import numpy as np

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.normalised import RowWeigher
from computekit.scheduler.passing import Answers, Passing
from computekit.scheduler.policy import Weigher
from computekit.scheduler.predicates import Predicate

__all__ = ["Shape"]

_ALL = slice(None)
# So many rows are weighed one by one; an array of more is quicker.
_ALONE = 3


class Shape:
    """The scores of all hosts for requests that ask the same.

    Attributes:
        predicates: what is asked of every host.
        scores: of every row; a row that the search on its tree refuted is struck out until it
            changes.
    """

    __slots__ = ("_passing", "_weigh", "_weighers", "predicates", "scores")

    def __init__(self, predicates: tuple[Predicate, ...], weighers: tuple[Weigher, ...]) -> None:
        self.predicates: tuple[Predicate, ...] = predicates
        self.scores: BlockScores = BlockScores()
        self._weighers = weighers
        self._passing = Passing(predicates)
        # How the only weigher weighs one row, if it can.
        self._weigh: Callable[[FleetIndex, int], float] | None = None
        if len(weighers) == 1 and isinstance(weighers[0], RowWeigher):
            self._weigh = weighers[0].weight

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Collection[int] | None:
        """Bring the scores up to date; return the rows that were written, None for all."""
        judged = self._passing.catch_up(fleet, answers)
        if judged is None:
            return ()
        rows, few, passed = judged
        if rows is None:
            self.scores.fill(np.where(passed, self._scored(fleet, _ALL), NEVER))
            return None
        if few is None:
            self.scores.write(rows, np.where(passed, self._scored(fleet, rows), NEVER))
            written: list[int] = rows.tolist()
            return written
        if self._weigh is not None and len(few) <= _ALONE:
            weigh = self._weigh
            scores = [
                weigh(fleet, row) if ok else NEVER for row, ok in zip(few, passed, strict=True)
            ]
        else:
            each = zip(self._scored(fleet, rows).tolist(), passed, strict=True)
            scores = [score if ok else NEVER for score, ok in each]
        self.scores.write_few(few, scores)
        return few

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

    def _scored(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        weighers = self._weighers
        if not weighers:
            return np.zeros(len(fleet.up[rows]))
        scores = weighers[0].scores(fleet, rows)
        if len(weighers) > 1:
            for weigher in weighers[1:]:
                scores = scores + weigher.scores(fleet, rows)
        return scores
