"""What requests of one shape share: the score of every host, kept up to date row by row.

A score is minus infinity where a rule fails. Beside the scores stands the maximum of each block
of about sqrt(n) rows, so that the best host is found by looking at two short pieces. A row that
has changed costs one row and its block's maximum.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.policy import FloatArray, Weigher
from computekit.scheduler.predicates import Predicate

__all__ = ["Answers", "Ranking", "Shape"]

_ALL = slice(None)
_NEVER = -np.inf


class Answers:
    """The answers of predicates over all rows, shared between shapes; the least used go first."""

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
    rows = set(changed)
    return np.fromiter(rows, np.intp, len(rows))


class Shape:
    """The scores of all hosts for requests that ask the same.

    Attributes:
        predicates: what is asked of every host.
    """

    __slots__ = (
        "_layout",
        "_size",
        "_tops",
        "_version",
        "_weighers",
        "blocks",
        "predicates",
    )

    def __init__(self, predicates: tuple[Predicate, ...], weighers: tuple[Weigher, ...]) -> None:
        self.predicates: tuple[Predicate, ...] = predicates
        self._weighers = weighers
        self._layout = self._version = -1
        self._size = 1
        self.blocks: FloatArray = np.full((1, 1), _NEVER)
        self._tops: FloatArray = np.full(1, _NEVER)

    def catch_up(self, fleet: FleetIndex, answers: Answers) -> Iterable[int] | None:
        """Bring the scores up to date; return the rows that were written, None for all."""
        if self._layout == fleet.layout and self._version == fleet.version:
            return ()
        rows = stale_rows(fleet, self._layout, self._version)
        self._layout, self._version = fleet.layout, fleet.version
        if rows is None:
            self._fill(fleet, answers)
            return None
        passed = self.predicates[0].passed(fleet, rows)
        for predicate in self.predicates[1:]:
            passed = passed & predicate.passed(fleet, rows)
        scores = self._scores(fleet, rows)
        scores[~passed] = _NEVER
        self.blocks.reshape(-1)[rows] = scores
        touched = rows // self._size
        self._tops[touched] = self.blocks[touched].max(axis=1)
        written: list[int] = rows.tolist()
        return written

    def _fill(self, fleet: FleetIndex, answers: Answers) -> None:
        count = len(fleet)
        self._size = max(1, int(count**0.5))
        self.blocks = np.full((-(-count // self._size) or 1, self._size), _NEVER)
        passed = np.ones(count, dtype=np.bool_)
        for predicate in self.predicates:
            passed &= answers.of(predicate)
        self.blocks.reshape(-1)[:count] = np.where(passed, self._scores(fleet, _ALL), _NEVER)
        self._tops = self.blocks.max(axis=1)

    def _scores(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        scores = np.zeros(len(fleet.up[rows]))
        for weigher in self._weighers:
            scores += weigher.scores(fleet, rows)
        return scores

    def best(self) -> int | None:
        """Return the row with the highest score, the first of equals; None if no row passes."""
        block = int(self._tops.argmax())
        if self._tops[block] == _NEVER:
            return None
        return block * self._size + int(self.blocks[block].argmax())

    def score(self, row: int) -> float:
        """Return the score of a row; minus infinity if a rule fails."""
        return float(self.blocks[row // self._size, row % self._size])

    def refute(self, row: int) -> None:
        """Strike a row out until it changes: the search on its tree found no way."""
        block = row // self._size
        self.blocks[block, row % self._size] = _NEVER
        self._tops[block] = self.blocks[block].max()

    def ranking(self, without: Iterable[int] = ()) -> "Ranking":
        """Return the rows best first, without some."""
        return Ranking(self.blocks, self._tops.copy(), without)


class Ranking(Iterator[int]):
    """Rows best first; the scores that it comes from stay as they are.

    Good until the next change of the shape.
    """

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
        if self._tops[block] == _NEVER:
            raise StopIteration
        scores = self._own.get(block, self._shared[block])
        place = int(np.argmax(scores))
        self._strike(block, [place])
        return block * self._size + place

    def _strike(self, block: int, places: list[int]) -> None:
        own = self._own.get(block)
        if own is None:
            own = self._own[block] = self._shared[block].copy()
        own[places] = _NEVER
        self._tops[block] = own.max()
