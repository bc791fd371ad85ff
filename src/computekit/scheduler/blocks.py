"""One score for each row, and the maximum of each block of them: the kernel of every choice.

A row that nothing can be put on has minus infinity. Rows lie in blocks; beside the scores stands
the maximum of each block, so that the best row is found by looking at two short pieces, and a row
that has changed costs itself and its block's maximum. Blocks are a quarter of sqrt(n): the maxima
are looked at each time and stay in the caches of the CPU, a block comes from memory.
"""

import math
import sys
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["NEVER", "BlockScores", "FloatArray", "Ranking"]

FloatArray: TypeAlias = npt.NDArray[np.float64]

# So many scores are looked at in a few microseconds.
_CHEAP = 8_192

# So many rows are left out one by one about as fast as all at once.
_SEVERAL = 24

_LEAST = -sys.float_info.max

NEVER = float("-inf")
"""The score of a row that is not to be chosen."""


class BlockScores:
    """Scores of all rows; the first of equals is the best, one that is no number the worst.

    The maximum of a block may be too high after rows were written, never too low: what it
    really is, is looked at when the block comes first.
    """

    __slots__ = ("_blocks", "_flat", "_shift", "_tops")

    def __init__(self) -> None:
        self.fill(np.zeros(0))

    def fill(self, scores: FloatArray) -> None:
        """Write every row."""
        count = len(scores)
        self._shift = max(0, round(math.log2(max(1, count)) / 2) - 2)
        size = 1 << self._shift
        self._flat: FloatArray = np.full((-(-count // size) or 1) * size, NEVER)
        self._flat[:count] = _known(scores)
        self._blocks: FloatArray = self._flat.reshape(-1, size)
        self._tops: FloatArray = self._blocks.max(axis=1)

    def write(self, rows: npt.NDArray[np.intp], scores: FloatArray) -> None:
        """Write some rows; one that is named again must have the same score each time."""
        scores = _known(scores)
        self._flat[rows] = scores
        touched = rows >> self._shift
        if len(rows) << self._shift <= _CHEAP:
            self._tops[touched] = np.maximum.reduce(self._blocks[touched], axis=1)
        elif len(self._flat) <= _CHEAP:
            np.maximum.reduce(self._blocks, axis=1, out=self._tops)
        else:
            np.maximum.at(self._tops, touched, scores)

    def write_few(self, rows: list[int], scores: list[float]) -> None:
        """Do what `write` does; quicker for a handful of rows."""
        flat, tops, shift = self._flat, self._tops, self._shift
        top_of = tops.item
        for row, score in zip(rows, scores, strict=True):
            flat[row] = score
            if score > top_of(row >> shift):
                tops[row >> shift] = score
            elif score != score:  # nan
                self.write_few([row], [_LEAST])

    def best(self) -> int | None:
        """Return the row with the highest score, the first of equals; None if all are `NEVER`."""
        tops, blocks = self._tops, self._blocks
        while True:
            block = tops.argmax()
            scores = blocks[block]
            place = scores.argmax()
            top = scores.item(place)
            if top == tops.item(block):
                return None if top == NEVER else (int(block) << self._shift) + int(place)
            tops[block] = top

    def score(self, row: int) -> float:
        """Return the score of a row."""
        return self._flat.item(row)

    def strike(self, row: int) -> None:
        """Write `NEVER` into a row."""
        self._flat[row] = NEVER

    def rows(self) -> npt.NDArray[np.intp]:
        """Return all rows that may be chosen, ascending."""
        return np.flatnonzero(self._flat != NEVER)

    def within(self, rows: npt.NDArray[np.bool_]) -> "BlockScores":
        """Return a copy in which the rows outside of `rows` (a mask over all) are `NEVER`."""
        found = BlockScores()
        found.fill(np.where(rows, self._flat[: len(rows)], NEVER))
        return found

    def plus(self, more: FloatArray) -> "BlockScores":
        """Return a copy in which each row has `more` of its own."""
        found = BlockScores()
        found.fill(self._flat[: len(more)] + more)
        return found

    def allowed(self, count: int) -> npt.NDArray[np.bool_]:
        """Return which of the first `count` rows may be chosen."""
        found: npt.NDArray[np.bool_] = self._flat[:count] != NEVER
        return found

    def ranking(self, without: Iterable[int] = ()) -> "Ranking":
        """Return the rows best first, without some; good until the next write."""
        return Ranking(self._blocks, self._tops.copy(), without)


def _known(scores: FloatArray) -> FloatArray:
    """Return scores with the least there is for those that are no number."""
    unknown = np.isnan(scores)
    return np.where(unknown, _LEAST, scores) if unknown.any() else scores


class Ranking(Iterator[int]):
    """Rows best first; the scores that it comes from stay as they are."""

    def __init__(self, blocks: FloatArray, tops: FloatArray, without: Iterable[int]) -> None:
        self._shared = blocks
        self._own: dict[int, FloatArray] = {}
        self._tops = tops
        self._size = int(blocks.shape[1])
        rows = list(without)
        if len(rows) > _SEVERAL:
            self._strike(np.array(rows, dtype=np.intp))
            return
        for row in rows:
            self._block(row // self._size)[row % self._size] = NEVER

    def _strike(self, rows: npt.NDArray[np.intp]) -> None:
        """Leave many rows out at once."""
        blocks, at = np.unique(rows // self._size, return_inverse=True)
        own = self._shared[blocks]
        own[at, rows % self._size] = NEVER
        self._tops[blocks] = np.maximum.reduce(own, axis=1)
        self._own.update(zip(blocks.tolist(), own, strict=True))

    def __next__(self) -> int:
        tops = self._tops
        while True:
            block = int(tops.argmax())
            scores = self._own.get(block)
            if scores is None:
                scores = self._shared[block]
            place = int(scores.argmax())
            top = scores.item(place)
            if top != tops.item(block):
                tops[block] = top
            elif top == NEVER:
                raise StopIteration
            else:
                self._block(block)[place] = NEVER
                return block * self._size + place

    def _block(self, block: int) -> FloatArray:
        """Return the scores of a block for writing."""
        own = self._own.get(block)
        if own is None:
            own = self._own[block] = self._shared[block].copy()
        return own
