"""One score for each row, and the maximum of each block of them: the kernel of every choice.

A row that nothing can be put on has minus infinity. Rows lie in blocks of about sqrt(n); beside
the scores stands the maximum of each block, so that the best row is found by looking at two short
pieces, and a row that has changed costs itself and its block's maximum.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["NEVER", "BlockScores", "FloatArray", "Ranking"]

FloatArray: TypeAlias = npt.NDArray[np.float64]

NEVER = float("-inf")
"""The score of a row that is not to be chosen."""


class BlockScores:
    """Scores of all rows; the first of equals is the best."""

    __slots__ = ("_blocks", "_flat", "_size", "_tops")

    def __init__(self) -> None:
        self.fill(np.zeros(0))

    def fill(self, scores: FloatArray) -> None:
        """Write every row."""
        count = len(scores)
        self._size = max(1, int(count**0.5))
        self._flat: FloatArray = np.full((-(-count // self._size) or 1) * self._size, NEVER)
        self._flat[:count] = scores
        self._blocks: FloatArray = self._flat.reshape(-1, self._size)
        self._tops: FloatArray = self._blocks.max(axis=1)

    def write(self, rows: npt.NDArray[np.intp], scores: FloatArray) -> None:
        """Write some rows, each named once."""
        self._flat[rows] = scores
        if len(rows) == 1:
            block = int(rows[0]) // self._size
            self._tops[block] = self._blocks[block].max()
        else:
            touched = rows // self._size
            self._tops[touched] = self._blocks[touched].max(axis=1)

    def best(self) -> int | None:
        """Return the row with the highest score, the first of equals; None if all are `NEVER`."""
        block = int(self._tops.argmax())
        if self._tops[block] == NEVER:
            return None
        return block * self._size + int(self._blocks[block].argmax())

    def score(self, row: int) -> float:
        """Return the score of a row."""
        return float(self._flat[row])

    def strike(self, row: int) -> None:
        """Write `NEVER` into a row."""
        block = row // self._size
        self._flat[row] = NEVER
        self._tops[block] = self._blocks[block].max()

    def rows(self) -> npt.NDArray[np.intp]:
        """Return all rows that may be chosen, ascending."""
        return np.flatnonzero(self._flat != NEVER)

    def ranking(self, without: Iterable[int] = ()) -> "Ranking":
        """Return the rows best first, without some; good until the next write."""
        return Ranking(self._blocks, self._tops.copy(), without)


class Ranking(Iterator[int]):
    """Rows best first; the scores that it comes from stay as they are."""

    def __init__(self, blocks: FloatArray, tops: FloatArray, without: Iterable[int]) -> None:
        self._shared = blocks
        self._own: dict[int, FloatArray] = {}
        self._tops = tops
        self._size = int(blocks.shape[1])
        by_block: dict[int, list[int]] = {}
        for row in without:
            by_block.setdefault(row // self._size, []).append(row % self._size)
        for block, places in by_block.items():
            self._strike(block, places)

    def __next__(self) -> int:
        block = int(self._tops.argmax())
        if self._tops[block] == NEVER:
            raise StopIteration
        scores = self._own.get(block, self._shared[block])
        place = int(np.argmax(scores))
        self._strike(block, [place])
        return block * self._size + place

    def _strike(self, block: int, places: list[int]) -> None:
        own = self._own.get(block)
        if own is None:
            own = self._own[block] = self._shared[block].copy()
        own[places] = NEVER
        self._tops[block] = own.max()
