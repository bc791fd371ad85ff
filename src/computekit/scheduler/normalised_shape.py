"""What requests of one shape share under a policy whose scores are relative to the other hosts.

Which rows pass the rules, and their raw weights, are kept and looked at again row by row; the
scores are made anew for each decision, in a few passes over the fleet.
"""

from collections.abc import Collection

import attrs
import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex
from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.normalised import Normalised, scaled, scaled_one
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.shape import Answers, Shape

__all__ = ["NormalisedShape"]

_ALL = slice(None)


class NormalisedShape:
    """The scores of all hosts for requests that ask the same, each relative to the others.

    Attributes:
        predicates: what is asked of every host.
    """

    __slots__ = (
        "_counts",
        "_known",
        "_raw",
        "_rules",
        "_running",
        "_scores",
        "_weighing",
        "_wished",
        "predicates",
    )

    def __init__(self, predicates: tuple[Predicate, ...], weighing: Normalised) -> None:
        self.predicates: tuple[Predicate, ...] = predicates
        self._rules = Shape(predicates, ())
        self._wished = self._weighing = weighing
        self._raw: FloatArray = np.zeros((0, 0))
        self._counts: FloatArray = np.zeros((0, 1))
        self._running = _Running.of(np.zeros(0, dtype=np.bool_), self._raw)
        self._scores = BlockScores()
        self._known = False

    @property
    def scores(self) -> BlockScores:
        """The scores of every row, with all that may be chosen in the running."""
        if not self._known:
            self._fill(self._scores, self._running)
            self._known = True
        return self._scores

    @property
    def allowed(self) -> BoolArray:
        """Which rows may be chosen; not to be written to."""
        return self._running.mask

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Collection[int] | None:
        """Bring the weights up to date; return the rows that were written, None for all."""
        written = self._rules.catch_up(fleet, answers)
        if written is None:
            self._weighing = self._wished.counted(fleet)
            self._raw = self._weighing.raw(fleet, _ALL)
            self._counts = self._weighing.counts(fleet, _ALL)
            self._running = _Running.of(self._rules.scores.allowed(len(fleet)), self._raw)
            self._known = False
        elif written:
            rows = np.fromiter(written, np.intp, len(written))
            raw = self._raw[:, rows] = self._weighing.raw(fleet, rows)
            if self._counts.shape[1] > 1:
                self._counts[:, rows] = self._weighing.counts(fleet, rows)
            if not self._running.patch(self._rules.scores, written, raw):
                self._running = _Running.of(self._rules.scores.allowed(len(fleet)), self._raw)
            self._known = False
        return written

    def strike(self, row: int) -> None:
        """Leave a row aside until it changes: the search on its tree, or a filter, refused it.

        The scores of the others stay; the next decision finds it out of the running.
        """
        self._rules.strike(row)
        mask = self._running.mask.copy()
        mask[row] = False
        self._running = _Running.of(mask, self._raw)
        self._known = False

    def among(
        self, rows: BoolArray, further: tuple[tuple[FloatArray, float], ...] = ()
    ) -> BlockScores:
        """Return the scores of some rows, when only they are in the running.

        Args:
            rows: which, as a mask over all.
            further: weights over all rows that are scaled and added before the others, each with
                what it counts for.
        """
        found = BlockScores()
        self._fill(found, _Running.of(self._running.mask & rows, self._raw), further)
        return found

    def _fill(
        self,
        scores: BlockScores,
        running: "_Running",
        further: tuple[tuple[FloatArray, float], ...] = (),
    ) -> None:
        counts = self._counts
        if counts.shape[1] > 1:
            counts = counts[:, running.rows]
        parts = scaled(self._weighing.weighers, running.raw, counts)
        flat = np.full(len(running.mask), NEVER)
        if further:
            parts = np.concatenate(
                [*(scaled_one(w[running.rows], count) for w, count in further), parts]
            )
        # Along the first axis it adds one weigher after the other.
        flat[running.rows] = np.add.reduce(parts, axis=0)
        scores.fill(flat)


@attrs.frozen(eq=False)
class _Running:
    """Which rows are in the running, and the weights of these alone."""

    mask: BoolArray
    rows: npt.NDArray[np.intp]
    places: npt.NDArray[np.intp]
    raw: FloatArray

    @classmethod
    def of(cls, mask: BoolArray, raw: FloatArray) -> "_Running":
        rows = np.flatnonzero(mask)
        return cls(mask, rows, np.cumsum(mask) - 1, raw.take(rows, axis=1))

    def patch(self, scores: BlockScores, rows: Collection[int], raw: FloatArray) -> bool:
        """Write the weights of some rows; False if others than before are in the running."""
        mask, places = self.mask, self.places
        for at, row in enumerate(rows):
            running = mask.item(row)
            if running != (scores.score(row) != NEVER):
                return False
            if running:
                self.raw[:, places.item(row)] = raw[:, at]
        return True
