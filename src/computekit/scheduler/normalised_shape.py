"""What requests of one shape share under a policy whose scores are relative to the other hosts.

When the ends of a weigher's range move, every score moves, but none by much. So scores are kept by
the scale of some earlier decision, and are made anew only when it no longer tells the best apart:
a bound on what the change of the scale can add to a score says which few rows may be best now, and
these are scored exactly.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex
from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.normalised import scaled_one
from computekit.scheduler.passing import Answers, Passing
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.range_ends import RangeEnds
from computekit.scheduler.raw_weights import RawWeights
from computekit.scheduler.scale import Scale, added

__all__ = ["NormalisedShape"]

# A row costs about as much to be looked at alone as this many in a pass over all.
_ALONE = 256
_FEW = 16
# So many rows are scored one by one before all are.
_CLOSE = 16


class NormalisedShape:
    """The scores of all hosts for requests that ask the same, each relative to the others.

    Args:
        predicates: what is asked of every host.
        weights: before they are scaled; shared with other shapes.

    Attributes:
        predicates: what is asked of every host.
    """

    __slots__ = (
        "_best",
        "_ends",
        "_generation",
        "_kept",
        "_passing",
        "_scale",
        "_weights",
        "predicates",
    )

    def __init__(self, predicates: tuple[Predicate, ...], weights: RawWeights) -> None:
        self.predicates: tuple[Predicate, ...] = predicates
        self._passing = Passing(predicates)
        self._weights = weights
        self._generation = -1
        self._ends = RangeEnds((), np.zeros((0, 0)), np.zeros(0, dtype=np.intp))
        # By `_scale`, which may not be that of now.
        self._kept = BlockScores()
        self._scale = Scale.nothing(0)
        # What `best` said last; None once it may be something else.
        self._best: tuple[int, float] | None = None

    @property
    def scores(self) -> BlockScores:
        """The scores of every row, with all that may be chosen in the running."""
        if self._now() != self._scale:
            self._fill(self._kept.rows())
        return self._kept

    @property
    def allowed(self) -> BoolArray:
        """Which rows may be chosen."""
        return self._kept.allowed(self._weights.raw.shape[1])

    def best(self) -> tuple[int, float] | None:
        """Return the row with the highest score, the first of equals, and its score."""
        if self._best is None:
            self._best = self._find_best()
        return self._best

    def score(self, row: int) -> float:
        """Return the score of a row."""
        if self._kept.score(row) == NEVER:
            return NEVER
        return self._now().score(*self._weights.of(row))

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Collection[int] | None:
        """Bring the weights up to date; return the rows that were written, None for all."""
        weights = self._weights
        weights.catch_up(fleet)
        judged = self._passing.catch_up(fleet, answers)
        if judged is None:
            return ()
        rows, few, passed = judged
        if rows is None:
            self._begin(np.flatnonzero(passed))
            return None
        written: list[int] = few or rows.tolist()
        if self._generation != weights.generation or len(written) > max(_FEW, len(fleet) // _ALONE):
            running = self.allowed
            running[rows] = passed
            self._begin(np.flatnonzero(running))
        else:
            self._follow(dict(zip(written, passed, strict=True)))
        return written

    def strike(self, row: int) -> None:
        """Leave a row aside until it changes: the search on its tree, or a filter, refused it.

        The scores of the others stay; the next decision finds it out of the running.
        """
        self._follow({row: False})

    def among(
        self, rows: BoolArray, further: tuple[tuple[FloatArray, FloatArray], ...] = ()
    ) -> BlockScores:
        """Return the scores of some rows, when only they are in the running.

        Args:
            rows: which, as a mask over all.
            further: weights over all rows that are scaled and added before the others, each with
                what it counts for on each row.
        """
        running = np.flatnonzero(self.allowed & rows)
        raw = self._weights.raw.take(running, axis=1)
        scale = Scale.of(self._weights.weighing.leasts, raw)
        parts = scale.parts(raw, self._counts(running))
        if further:
            parts = np.concatenate(
                [*(scaled_one(w[running], counts[running]) for w, counts in further), parts]
            )
        flat = np.full(len(rows), NEVER)
        flat[running] = added(parts)
        found = BlockScores()
        found.fill(flat)
        return found

    def _find_best(self) -> tuple[int, float] | None:
        kept, weights = self._kept, self._weights
        now = self._now()
        if now == self._scale:
            row = kept.best()
            return None if row is None else (row, kept.score(row))
        gained = now.most_gained(
            self._scale, self._ends.tops, weights.least_counts, weights.most_counts
        )
        best, top = -1, NEVER
        for looked, row in enumerate(kept.ranking()):
            if kept.score(row) + gained < top:
                break
            if looked == _CLOSE:
                self._fill(kept.rows())
                return self._find_best()
            score = now.score(*weights.of(row))
            if score > top or (score == top and row < best):
                best, top = row, score
        return None if best < 0 else (best, top)

    def _now(self) -> Scale:
        """Return the scale of the rows that are in the running now."""
        return self._ends.scale(self._weights.raw, self._kept)

    def _counts(self, rows: npt.NDArray[np.intp]) -> FloatArray:
        counts = self._weights.counts
        return counts.take(rows, axis=1) if counts.shape[1] > 1 else counts

    def _begin(self, rows: npt.NDArray[np.intp]) -> None:
        """Take `rows` as all that are in the running."""
        weights = self._weights
        self._generation = weights.generation
        self._ends = RangeEnds(weights.weighing.leasts, weights.raw, rows)
        self._fill(rows)

    def _follow(self, rows: Mapping[int, bool]) -> None:
        """Write some rows, each with whether it is in the running, by the scale that is kept."""
        kept, ends, scale = self._kept, self._ends, self._scale
        scores: list[float] = []
        for row, running in rows.items():
            before = kept.score(row) != NEVER
            if running:
                weights, counts = self._weights.of(row)
                scores.append(scale.score(weights, counts))
                ends.put(row, weights, new=not before)
            else:
                scores.append(NEVER)
                if before:
                    ends.leave(row)
        kept.write_few(list(rows), scores)
        self._best = None
        self._now()

    def _fill(self, rows: npt.NDArray[np.intp]) -> None:
        """Score `rows`, which are all that are in the running, by the scale of now."""
        weights = self._weights
        self._scale = self._now()
        flat = np.full(weights.raw.shape[1], NEVER)
        flat[rows] = self._scale.scores(weights.raw.take(rows, axis=1), self._counts(rows))
        self._kept.fill(flat)
        self._best = None
