"""The highest and the lowest weight of each weigher over the hosts that are in the running."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.scale import Scale

__all__ = ["RangeEnds"]


class RangeEnds:
    """The ends of the ranges, followed row by row.

    With each end stands a row that has it: while that row keeps it, no other needs to be looked at.

    Args:
        leasts: the lower end of each weigher; None where it is the least in the running.
        raw: weights of all rows, as (weigher, row).
        rows: those in the running.

    Attributes:
        tops: the highest weight of each weigher; right after `scale` was asked for.
    """

    __slots__ = (
        "_bottom_rows",
        "_bottoms",
        "_count",
        "_leasts",
        "_lost",
        "_scale",
        "_top_rows",
        "tops",
    )

    def __init__(
        self, leasts: tuple[float | None, ...], raw: FloatArray, rows: npt.NDArray[np.intp]
    ) -> None:
        self._leasts = leasts
        self._count = len(rows)
        self._scale: Scale | None = None
        none = [-1] * len(leasts)
        self._top_rows, self._bottom_rows = none, none
        self.tops: list[float] = [NEVER] * len(leasts)
        self._bottoms: list[float] = [-NEVER] * len(leasts)
        if len(rows):
            running = raw.take(rows, axis=1)
            self._top_rows = rows[running.argmax(axis=1)].tolist()
            self._bottom_rows = rows[running.argmin(axis=1)].tolist()
            self.tops = running.max(axis=1).tolist()
            self._bottoms = running.min(axis=1).tolist()
        # Weighers whose end was lost by the row that had it.
        self._lost: set[int] = set()

    def put(self, row: int, weights: Sequence[float], *, new: bool) -> None:
        """Take the weights of a row in the running.

        Args:
            row: which.
            weights: by each weigher.
            new: whether it was out of the running.
        """
        self._count += new
        self._scale = None
        tops, bottoms = self.tops, self._bottoms
        for at, weight in enumerate(weights):
            if weight >= tops[at]:
                tops[at] = weight
                self._top_rows[at] = row
            elif self._top_rows[at] == row:
                self._lost.add(at)
            if weight <= bottoms[at]:
                bottoms[at] = weight
                self._bottom_rows[at] = row
            elif self._bottom_rows[at] == row and self._leasts[at] is None:
                self._lost.add(at)

    def leave(self, row: int) -> None:
        """Take a row out of the running."""
        self._count -= 1
        self._scale = None
        for at, least in enumerate(self._leasts):
            if self._top_rows[at] == row or (least is None and self._bottom_rows[at] == row):
                self._lost.add(at)

    def scale(self, raw: FloatArray, scores: BlockScores) -> Scale:
        """Return the scale of the rows in the running.

        Args:
            raw: weights of all rows, as (weigher, row).
            scores: of all rows; `NEVER` for those that are out of the running.
        """
        if self._scale is not None:
            return self._scale
        if self._count < 2:
            self._scale = Scale.nothing(len(self._leasts))
            return self._scale
        for at in self._lost:
            self._find(at, raw[at], scores)
        self._lost.clear()
        lows = tuple(
            bottom if least is None else least
            for least, bottom in zip(self._leasts, self._bottoms, strict=True)
        )
        widths = tuple(top - low for top, low in zip(self.tops, lows, strict=True))
        self._scale = Scale(lows, widths)
        return self._scale

    def _find(self, at: int, weights: FloatArray, scores: BlockScores) -> None:
        """Look for the ends of one weigher in all rows."""
        top = int(weights.argmax())
        if scores.score(top) == NEVER:
            running = scores.allowed(len(weights))
            top = int(np.where(running, weights, NEVER).argmax())
        self.tops[at], self._top_rows[at] = weights.item(top), top
        if self._leasts[at] is None:
            bottom = int(weights.argmin())
            if scores.score(bottom) == NEVER:
                running = scores.allowed(len(weights))
                bottom = int(np.where(running, weights, -NEVER).argmin())
            self._bottoms[at], self._bottom_rows[at] = weights.item(bottom), bottom
