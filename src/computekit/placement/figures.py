"""Figures of hosts that no claim takes: how many instances, builds under way, measured load ..."""

from collections.abc import Mapping
from math import nan

import numpy as np
import numpy.typing as npt

from computekit.placement.columns import Cow, IntArray, Rows, relaid

__all__ = ["Figures"]

_Floats = npt.NDArray[np.float64]


class Figures:
    """Columns of numbers by name; a number that nobody wrote is not known."""

    __slots__ = ("_columns", "_rows", "_whole")

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._columns: dict[str, Cow[_Floats]] = {}
        # Those of which nothing is unknown; other rows alter that, or a figure that is forgotten.
        self._whole: set[str] = set()

    def fork(self) -> "Figures":
        """Return a copy that shares until written."""
        other = Figures(self._rows)
        other._columns = {name: column.fork() for name, column in self._columns.items()}
        other._whole = set(self._whole)
        return other

    def relay(self, source: IntArray) -> None:
        """Take the rows in a new order; of new rows nothing is known."""
        self._rows = len(source)
        self._whole.clear()
        for name, column in self._columns.items():
            self._columns[name] = Cow(relaid(column.value, source, nan))

    def set(self, row: int, figures: Mapping[str, float]) -> None:
        """Write some figures of one row, and leave the others; nan: it is no longer known."""
        for name, value in figures.items():
            self._column(name).own()[row] = value
            if value != value:  # nan
                self._whole.discard(name)

    def add(self, row: int, figures: Mapping[str, float]) -> None:
        """Add to some figures of one row; what is not known counts as 0."""
        for name, value in figures.items():
            column = self._column(name).own()
            before = column.item(row)
            column[row] = value if before != before else before + value  # nan

    def set_all(self, name: str, values: npt.ArrayLike) -> None:
        """Write one figure of every row."""
        self._column(name).own()[:] = values

    def vector(self, name: str, rows: Rows, unknown: float = 0.0) -> _Floats:
        """Return a figure of `rows`, with `unknown` where it is not known."""
        column = self._columns.get(name)
        if column is None:
            count = len(range(*rows.indices(self._rows))) if isinstance(rows, slice) else len(rows)
            return np.full(count, unknown)
        found = column.value[rows]
        if name in self._whole or not np.isnan(column.value).any():
            self._whole.add(name)
            return found.copy() if isinstance(rows, slice) else found
        return np.where(np.isnan(found), unknown, found)

    def of(self, name: str, row: int) -> float | None:
        """Return a figure of one row, or None if it is not known."""
        column = self._columns.get(name)
        found = nan if column is None else column.value.item(row)
        return None if found != found else found  # nan

    def values(self, row: int) -> dict[str, float]:
        """Return the figures of one row that are known."""
        found = ((name, self.of(name, row)) for name in self._columns)
        return {name: value for name, value in found if value is not None}

    def _column(self, name: str) -> Cow[_Floats]:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = Cow(np.full(self._rows, nan))
        return column
