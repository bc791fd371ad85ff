"""Providers as rows of columns: a few numbers for each, whatever their count.

A row is a provider for as long as it exists; rows have no order of their own. Arrays grow by
doubling, so that providers which come one by one cost as little as all at once.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from computekit.model import Inventory
from computekit.placement.columns import BoolArray, IntArray

__all__ = ["CodedColumn", "InventoryColumn", "RowNumbers", "grown", "room_for"]

RowNumbers: TypeAlias = npt.NDArray[np.intp]

V = TypeVar("V", bound=Hashable)
S = TypeVar("S", bound=np.generic)

_CodeArray: TypeAlias = npt.NDArray[np.int32]

# An over-commitment ratio may make a capacity that no column can hold; so much is never asked.
_MOST = 2**60
_NEVER = -(2**62)
_TABLES = 256
_SPARE = 1024


def room_for(rows: int) -> int:
    """Return for how many rows arrays are made when `rows` are needed."""
    return max(16, 1 << (rows - 1).bit_length())


def grown(array: npt.NDArray[S], rows: int) -> npt.NDArray[S]:
    """Return `array` with zeros behind it, `rows` long; itself if it is long enough."""
    if len(array) >= rows:
        return array
    longer = np.zeros(rows, dtype=array.dtype)
    longer[: len(array)] = array
    return longer


class CodedColumn(Generic[V]):
    """A column of values of which many are equal: a small number a row, and what it stands for.

    Args:
        first: the value of every row that was not written.
        rows: how many rows there is room for.
    """

    __slots__ = ("_code_of", "_tables", "codes", "values")

    def __init__(self, first: V, rows: int) -> None:
        self.values: list[V] = [first]
        self.codes: _CodeArray = np.zeros(rows, dtype=np.int32)
        self._code_of: dict[V, int] = {first: 0}
        self._tables: dict[Hashable, BoolArray] = {}

    def grow(self, rows: int) -> None:
        """Make room."""
        self.codes = grown(self.codes, rows)

    def set(self, row: int, value: V) -> None:
        """Write one row."""
        code = self._code_of.get(value)
        if code is None:
            if len(self.values) > 2 * len(self.codes) + _SPARE:
                self._drop_unused()
            code = self._code_of[value] = len(self.values)
            self.values.append(value)
            self._added(value)
        self.codes[row] = code

    def fill(self, values: Sequence[V]) -> None:
        """Write the first rows."""
        for row, value in enumerate(values):
            self.set(row, value)

    def fill_codes(self, values: Sequence[V], codes: npt.ArrayLike) -> None:
        """Write the first rows: `codes` has, for each, the position of its value in `values`."""
        own: list[int] = []
        for value in values:
            self.set(0, value)
            own.append(int(self.codes[0]))
        given = np.asarray(codes)
        self.codes[: len(given)] = np.asarray(own, dtype=np.int32)[given]

    def __getitem__(self, row: int) -> V:
        return self.values[int(self.codes[row])]

    def where(self, key: Hashable, test: Callable[[V], bool]) -> BoolArray:
        """Return which values pass, by code; the test runs once for each value.

        Args:
            key: names the test.
            test: always says the same of the same value.
        """
        table = self._tables.get(key)
        if table is None or len(table) < len(self.values):
            known = np.zeros(0, dtype=np.bool_) if table is None else table
            new = [test(value) for value in self.values[len(known) :]]
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            table = self._tables[key] = np.append(known, np.array(new, dtype=np.bool_))
        return table

    def _added(self, value: V) -> None:
        """Take note of a new value; it has the last code."""

    def _drop_unused(self) -> None:
        """Forget the values that no row has any more."""
        codes = self.codes
        used = np.unique(np.append(codes, 0))
        values = [self.values[code] for code in used.tolist()]
        self.codes = np.searchsorted(used, codes).astype(np.int32)
        self._code_of = {value: code for code, value in enumerate(values)}
        self._tables.clear()
        self.values = values
        self._recoded()

    def _recoded(self) -> None:
        """Take note of new codes for all values."""


class InventoryColumn(CodedColumn[Inventory | None]):
    """One resource class over all rows: the inventory of each, and what is used of it.

    Attributes:
        used: by row.
    """

    __slots__ = ("_rules", "used")

    def __init__(self, rows: int) -> None:
        super().__init__(None, rows)
        self.used: IntArray = np.zeros(rows, dtype=np.int64)
        # By code: capacity, min_unit, max_unit, step_size.
        self._rules: IntArray = np.array([[_NEVER], [1], [0], [1]], dtype=np.int64)

    def grow(self, rows: int) -> None:
        super().grow(rows)
        self.used = grown(self.used, rows)

    def put(self, row: int, inventory: Inventory | None, used: int) -> None:
        """Write one row."""
        self.set(row, inventory)
        self.used[row] = used

    def _added(self, value: Inventory | None) -> None:
        code = len(self.values) - 1
        if code >= self._rules.shape[1]:
            wider = np.zeros((4, room_for(code + 1)), dtype=np.int64)
            wider[:, : self._rules.shape[1]] = self._rules
            self._rules = wider
        self._rules[:, code] = _rules_of(value)

    def _recoded(self) -> None:
        self._rules = np.array([_rules_of(value) for value in self.values], dtype=np.int64).T.copy()

    def _by_code(self) -> IntArray:
        return self._rules[:, : len(self.values)]

    def giving(self, amount: int, rows: RowNumbers | slice) -> BoolArray:
        """Return which of `rows` can give `amount` in one allocation."""
        amount = min(amount, 2 * _MOST)
        capacity, low, high, step = self._by_code()
        allowed = (low <= amount) & (amount <= high) & (amount % step == 0)
        most_used = np.where(allowed, capacity - amount, _NEVER)
        found: BoolArray = self.used[rows] <= most_used[self.codes[rows]]
        return found

    def holding(self, total: int, rows: RowNumbers | slice) -> BoolArray:
        """Return which of `rows` can give `total` in several allocations of one consumer."""
        total = min(total, 2 * _MOST)
        capacity, _low, high, _step = self._by_code()
        most_used = np.where(high >= total, capacity - total, _NEVER)
        found: BoolArray = self.used[rows] <= most_used[self.codes[rows]]
        return found

    def lefts(self, rows: RowNumbers) -> IntArray:
        """Return what each of some rows has left; far below zero for one that lacks the class."""
        found: IntArray = self._rules[0][self.codes[rows]] - self.used[rows]
        return found

    def shares_left(self, rows: RowNumbers, amount: int) -> npt.NDArray[np.float64]:
        """Return the share of its capacity that each row, which can give `amount`, has after it."""
        amount = min(amount, 2 * _MOST)
        capacity = np.maximum(self._rules[0][self.codes[rows]], 1)
        found: npt.NDArray[np.float64] = (capacity - self.used[rows] - amount) / capacity
        return found

    def left(self, row: int) -> int:
        """Return what a row has left; below zero if it has given too much."""
        code = int(self.codes[row])
        return int(self._rules[0, code] - self.used[row]) if code else 0

    def room(self, row: int, most: int) -> int:
        """Return how much of `most` a row can give to one consumer."""
        code = int(self.codes[row])
        return max(0, min(self.left(row), int(self._rules[2, code]), most)) if code else 0


def _rules_of(inventory: Inventory | None) -> tuple[int, int, int, int]:
    if inventory is None:
        return _NEVER, 1, 0, 1
    capacity = max(-_MOST, min(inventory.capacity, _MOST))
    return capacity, inventory.min_unit, inventory.max_unit, inventory.step_size


def any_of_each(
    sets: Iterable[frozenset[V]], none_of: frozenset[V]
) -> Callable[[frozenset[V]], bool]:
    """Return a test whether a set has one of each of `sets`, and nothing of `none_of`."""
    wanted = tuple(sets)
    return lambda held: all(one & held for one in wanted) and not none_of & held
