"""Which rows were changed, in the order of changing; the oldest are forgotten."""

import numpy as np
import numpy.typing as npt

__all__ = ["RowLog"]

_LENGTH = 65_536


class RowLog:
    """Rows in the order they were changed, so that whoever keeps something derived can follow."""

    __slots__ = ("_count", "_rows", "_start")

    def __init__(self) -> None:
        # `_count` rows, after `_start` that were forgotten.
        self._rows: npt.NDArray[np.intp] = np.zeros(64, dtype=np.intp)
        self._count = 0
        self._start = 0

    @property
    def version(self) -> int:
        """How many changes there were."""
        return self._start + self._count

    def since(self, version: int) -> npt.NDArray[np.intp] | None:
        """Return the rows changed after `version`, maybe repeated; None if no longer known."""
        if version < self._start:
            return None
        return self._rows[version - self._start : self._count]

    def append(self, row: int) -> None:
        """Remember a change."""
        if self._count == len(self._rows):
            self._make_room()
        self._rows[self._count] = row
        self._count += 1

    def forget(self) -> None:
        """Forget all: rows have other numbers now."""
        self._start += self._count
        self._count = 0
        self._rows = np.zeros(64, dtype=np.intp)

    def _make_room(self) -> None:
        """Make the log longer, or forget its older half once it is at its longest."""
        before = self._rows
        if len(before) < _LENGTH:
            self._rows = np.concatenate([before, np.zeros_like(before)])
            return
        half = len(before) // 2
        self._rows = np.concatenate([before[half:], np.zeros_like(before[:half])])
        self._start += half
        self._count -= half
