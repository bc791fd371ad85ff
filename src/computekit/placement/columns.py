"""Columns over the rows of an index: numbers, words by code, and sets of rows.

All of them are cheap to copy: a copy shares the arrays until one side writes.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, KeysView, Sequence
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

import attrs
import numpy as np
import numpy.typing as npt

from computekit.model import Inventory

__all__ = ["BoolArray", "Coded", "Cow", "IntArray", "Members", "ResourceColumn", "Rows", "Units"]

BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = slice | npt.NDArray[np.intp]
"""Which rows: all of them (`slice(None)`), or some by number."""

# An over-commitment ratio may make a capacity that no column can hold; so much is never asked.
_MOST = 2**60
_TABLES = 512
_BYTE = 256

_CodeArray: TypeAlias = npt.NDArray[np.int32 | np.uint8]
_CountArray: TypeAlias = npt.NDArray[np.int32]
_FloatArray: TypeAlias = npt.NDArray[np.float64]
_ByteArray: TypeAlias = npt.NDArray[np.uint8]


class _Copyable(Protocol):
    def copy(self) -> Self: ...


C = TypeVar("C", bound=_Copyable)
S = TypeVar("S", bound=np.generic)
V = TypeVar("V", bound=Hashable)
K = TypeVar("K", bound=Hashable)


class Cow(Generic[C]):
    """Something mutable that is shared between copies until one of them writes."""

    __slots__ = ("_shared", "value")

    def __init__(self, value: C) -> None:
        self.value: C = value
        self._shared = False

    def fork(self) -> "Cow[C]":
        """Return a copy; from now on the first write of either side copies the value."""
        other = Cow(self.value)
        self._shared = other._shared = True
        return other

    def own(self) -> C:
        """Return the value for writing."""
        if self._shared:
            self.value = self.value.copy()
            self._shared = False
        return self.value


def relaid(array: npt.NDArray[S], source: IntArray, fill: float) -> npt.NDArray[S]:
    """Return `array` in a new order of rows: `source` has the old row of each, -1 for a new one."""
    result = np.full(len(source), fill, dtype=array.dtype)
    known = source >= 0
    result[known] = array[source[known]]
    return result


class Coded(Generic[V]):
    """A column of few distinct values: a small number for each row, and what it stands for."""

    __slots__ = ("_adding", "_code_of", "_codes", "_numbers", "_tables", "_values")

    def __init__(self, first: V, rows: int) -> None:
        # Values are only ever added, so that copies may share them.
        self._values: list[V] = [first]
        self._code_of: dict[V, int] = {first: 0}
        # One byte each, until there are more values than that can tell apart.
        self._codes: Cow[_CodeArray] = Cow(np.zeros(rows, dtype=np.uint8))
        self._tables: dict[Hashable, BoolArray] = {}
        self._numbers: dict[Hashable, _FloatArray] = {}
        self._adding = threading.Lock()

    def fork(self) -> "Coded[V]":
        """Return a copy that shares until written."""
        other = Coded(self._values[0], 0)
        other._values, other._code_of = self._values, self._code_of
        other._tables, other._adding = self._tables, self._adding
        other._numbers = self._numbers
        other._codes = self._codes.fork()
        return other

    def relay(self, source: IntArray) -> None:
        """Take the rows in a new order; new rows get the first value."""
        self._codes = Cow(relaid(self._codes.value, source, 0))

    def _code(self, value: V) -> int:
        code = self._code_of.get(value)
        if code is not None:
            return code
        with self._adding:  # a copy may belong to another thread
            code = self._code_of.get(value, len(self._values))
            if code == len(self._values):
                self._values.append(value)
                self._code_of[value] = code
        return code

    def set(self, row: int, value: V) -> None:
        """Write one row."""
        code = self._code(value)
        if self._codes.value[row] != code:
            self._wide(code)[row] = code

    def _wide(self, code: int) -> _CodeArray:
        """Return the codes for writing, wide enough for `code`."""
        if code >= _BYTE and self._codes.value.itemsize == 1:
            self._codes = Cow(self._codes.value.astype(np.int32))
        return self._codes.own()

    def set_all(self, values: Sequence[V]) -> None:
        """Write every row."""
        codes = np.fromiter(map(self._code, values), np.int32, len(values))
        narrow = codes.max(initial=0) < _BYTE
        self._codes = Cow(codes.astype(np.uint8) if narrow else codes)

    def fill(self, value: V) -> None:
        """Write the same into every row."""
        code = self._code(value)
        self._wide(code)[:] = code

    def __getitem__(self, row: int) -> V:
        return self._values[int(self._codes.value[row])]

    def where(self, key: Hashable, test: Callable[[V], bool], rows: Rows) -> BoolArray:
        """Return which rows have a value that passes.

        Args:
            key: names the test; it runs once for each distinct value, and is remembered by this.
            test: always says the same of the same value.
            rows: which rows.
        """
        table = self._tables.get(key)
        if table is None or len(table) < len(self._values):
            known = np.zeros(0, dtype=np.bool_) if table is None else table
            new = [test(value) for value in self._values[len(known) :]]
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            table = self._tables[key] = np.append(known, new).astype(np.bool_)
        found: BoolArray = table[self._codes.value[rows]]
        return found

    def numbers(self, key: Hashable, number: Callable[[V], float], rows: Rows) -> _FloatArray:
        """Return a number for each of `rows`; what `where` says of `test` holds of `number`."""
        table = self._numbers.get(key)
        if table is None or len(table) < len(self._values):
            known = np.zeros(0) if table is None else table
            new = [number(value) for value in self._values[len(known) :]]
            if len(self._numbers) >= _TABLES:
                self._numbers.clear()
            table = self._numbers[key] = np.append(known, new)
        found: _FloatArray = table[self._codes.value[rows]]
        return found

    def coded(self, rows: Rows) -> tuple[_CodeArray, list[V]]:
        """Return the code of each of `rows`, and the value of each code; not to be written to."""
        return self._codes.value[rows], self._values


class _RowSet:
    """The rows that have one key: a set while they are few, one bit for each row from then on."""

    __slots__ = ("_bits", "_few")

    def __init__(self) -> None:
        self._few: Cow[set[int]] = Cow(set())
        self._bits: Cow[_ByteArray] | None = None

    @classmethod
    def of(cls, held: BoolArray) -> "_RowSet":
        new = cls()
        if np.count_nonzero(held) * 64 > len(held):
            new._bits = Cow(np.packbits(held, bitorder="little"))
        else:
            new._few = Cow({int(row) for row in np.flatnonzero(held)})
        return new

    def fork(self) -> "_RowSet":
        new = _RowSet()
        new._few = self._few.fork()
        new._bits = None if self._bits is None else self._bits.fork()
        return new

    def has(self, row: int) -> bool:
        if self._bits is None:
            return row in self._few.value
        return bool(self._bits.value[row >> 3] >> (row & 7) & 1)

    def set(self, row: int, held: bool, rows: int) -> None:
        if self._bits is not None:
            bits = self._bits.own()
            if held:
                bits[row >> 3] |= 1 << (row & 7)
            else:
                bits[row >> 3] &= 255 ^ (1 << (row & 7))
            return
        few = self._few.own()
        if not held:
            few.discard(row)
            return
        few.add(row)
        if len(few) * 64 > rows:
            self._bits = Cow(np.packbits(self.vector(slice(None), rows), bitorder="little"))
            self._few = Cow(set())

    def vector(self, rows: Rows, count: int) -> BoolArray:
        """Return which of `rows`, out of `count` in all, are in the set."""
        if self._bits is not None:
            if isinstance(rows, slice):
                bits = np.unpackbits(self._bits.value, count=count, bitorder="little")
                return bits.view(np.bool_)[rows]
            found: BoolArray = (self._bits.value[rows >> 3] >> (rows & 7)) & 1 != 0
            return found
        few = self._few.value
        if isinstance(rows, slice):
            held = np.zeros(count, dtype=np.bool_)
            if few:
                held[np.fromiter(few, np.intp, len(few))] = True
            return held[rows]
        return np.fromiter((row in few for row in rows.tolist()), np.bool_, len(rows))


class Members(Generic[K]):
    """Which rows have which keys (traits, aggregates): one set of rows for each key."""

    __slots__ = ("_count", "_rows", "_sets")

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._sets: dict[K, _RowSet] = {}
        # How many keys a row has: tells without a search that nothing has changed.
        self._count: Cow[_CountArray] = Cow(np.zeros(rows, dtype=np.int32))

    def fork(self) -> "Members[K]":
        """Return a copy that shares until written."""
        other: Members[K] = Members(0)
        other._rows = self._rows
        other._sets = {key: rows.fork() for key, rows in self._sets.items()}
        other._count = self._count.fork()
        return other

    def relay(self, source: IntArray) -> None:
        """Take the rows in a new order; new rows have no keys."""
        old, self._rows = self._rows, len(source)
        known = source >= 0
        for key, rows in self._sets.items():
            held = np.zeros(len(source), dtype=np.bool_)
            held[known] = rows.vector(slice(None), old)[source[known]]
            self._sets[key] = _RowSet.of(held)
        self._count = Cow(relaid(self._count.value, source, 0))

    def set(self, row: int, keys: Iterable[K]) -> None:
        """Write the keys of one row."""
        wanted = frozenset(keys)
        sets = self._sets
        if len(wanted) == self._count.value[row] and all(
            key in sets and sets[key].has(row) for key in wanted
        ):
            return
        for key, rows in sets.items():
            if key not in wanted and rows.has(row):
                rows.set(row, False, self._rows)
        for key in wanted:
            sets.setdefault(key, _RowSet()).set(row, True, self._rows)
        self._count.own()[row] = len(wanted)

    @property
    def keys(self) -> KeysView[K]:
        """The keys that some row has, or had."""
        return self._sets.keys()

    def set_all(self, key: K, held: BoolArray) -> None:
        """Write which rows have `key`."""
        self._count.own()[:] += held.astype(np.int32) - self.vector(key, slice(None))
        self._sets[key] = _RowSet.of(held)

    def of(self, row: int) -> frozenset[K]:
        """Return the keys of one row."""
        if not self._count.value[row]:
            return frozenset()
        return frozenset(key for key, rows in self._sets.items() if rows.has(row))

    def has(self, key: K, row: int) -> bool:
        """Return whether `row` has `key`."""
        rows = self._sets.get(key)
        return rows is not None and rows.has(row)

    def vector(self, key: K, rows: Rows) -> BoolArray:
        """Return which of `rows` have `key`."""
        found = self._sets.get(key)
        if found is not None:
            return found.vector(rows, self._rows)
        count = len(range(*rows.indices(self._rows))) if isinstance(rows, slice) else len(rows)
        return np.zeros(count, dtype=np.bool_)


@attrs.frozen(cache_hash=True)
class Units:
    """In which amounts the providers of one row give one class.

    Attributes:
        rules: the distinct (min_unit, max_unit, step_size) of its providers; none: no inventory.
        single: whether just one provider of the row has the class.
    """

    rules: frozenset[tuple[int, int, int]] = frozenset()
    single: bool = True

    @classmethod
    def of(cls, inventories: Sequence[Inventory]) -> "Units":
        """Return the units of the inventories that one row has of a class."""
        rules = frozenset((i.min_unit, i.max_unit, i.step_size) for i in inventories)
        return cls(rules, len(inventories) == 1)

    def allow(self, amounts: tuple[int, ...]) -> bool:
        """Return whether some provider may give each of `amounts`; exact if `single`."""
        each = all(
            any(low <= amount <= high and not amount % step for low, high, step in self.rules)
            for amount in amounts
        )
        if not each or not self.single or len(amounts) == 1:
            return each
        return all(sum(amounts) <= high for _low, high, _step in self.rules)


class ResourceColumn:
    """One resource class over all rows.

    Attributes:
        capacity: sum over the tree of what can be allocated.
        free: what is left; for one provider capacity less use (below zero if over-committed), for
            several the sum of what each has left. No group of a request gets more.
        largest: the most that any one provider of the row has left; the same array as `free`
            while no row has the class on several providers.
        units: in which amounts.
    """

    __slots__ = ("_largest", "capacity", "free", "units")

    def __init__(self, rows: int) -> None:
        self.capacity: Cow[IntArray] = Cow(np.zeros(rows, dtype=np.int64))
        self.free: Cow[IntArray] = Cow(np.zeros(rows, dtype=np.int64))
        self._largest: Cow[IntArray] | None = None
        self.units: Coded[Units] = Coded(Units(), rows)

    @property
    def largest(self) -> IntArray | None:
        """The column, or None while it would equal `free`."""
        return None if self._largest is None else self._largest.value

    def fork(self) -> "ResourceColumn":
        """Return a copy that shares until written."""
        other = ResourceColumn(0)
        other.capacity, other.free = self.capacity.fork(), self.free.fork()
        other._largest = None if self._largest is None else self._largest.fork()
        other.units = self.units.fork()
        return other

    def relay(self, source: IntArray) -> None:
        """Take the rows in a new order; new rows have nothing."""
        self.capacity = Cow(relaid(self.capacity.value, source, 0))
        self.free = Cow(relaid(self.free.value, source, 0))
        if self._largest is not None:
            self._largest = Cow(relaid(self._largest.value, source, 0))
        self.units.relay(source)

    def set(self, row: int, held: Sequence[tuple[Inventory, int]]) -> None:
        """Write one row: the inventories of its providers, each with what is used of it."""
        left = [min(inventory.capacity, _MOST) - used for inventory, used in held]
        capacity = min(sum(inventory.capacity for inventory, _used in held), _MOST)
        free = left[0] if len(left) == 1 else min(sum(max(0, amount) for amount in left), _MOST)
        if self.capacity.value[row] != capacity:
            self.capacity.own()[row] = capacity
        self.free.own()[row] = free
        if len(held) > 1 and self._largest is None:
            self._largest = Cow(self.free.value.copy())
        if self._largest is not None:
            self._largest.own()[row] = max(left, default=0)
        self.units.set(row, Units.of([inventory for inventory, _used in held]))

    def fill(self, capacity: npt.ArrayLike, used: npt.ArrayLike, inventory: Inventory) -> None:
        """Write every row: one provider each, with the units of `inventory`."""
        everywhere = self.capacity.own()
        everywhere[:] = capacity
        self.free.own()[:] = everywhere - np.asarray(used, dtype=np.int64)
        self.units.fill(Units.of([inventory]))

    def inventory(self, row: int) -> Inventory:
        """Return an inventory that gives what the row gives, of a class on one provider."""
        ((low, high, step),) = self.units[row].rules
        return Inventory(
            total=int(self.capacity.value[row]), min_unit=low, max_unit=high, step_size=step
        )

    def take(self, row: int, amount: int) -> None:
        """Take `amount` (below zero: give back) of a row whose class is on one provider."""
        free = self.free.own()
        free[row] = free.item(row) - amount
        if self._largest is not None:
            self._largest.own()[row] -= amount
