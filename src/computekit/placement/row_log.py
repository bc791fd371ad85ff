"""Which rows were changed, in the order of changing; the oldest are forgotten."""

import numpy as np
import numpy.typing as npt

__all__ = ["RowLog"]

_LENGTH = 65_536


class RowLog:
    """Rows in the order they were changed, so that whoever keeps something derived can follow.

    Attributes:
        version: how many changes there were.
    """

    __slots__ = ("_rows", "_start", "version")

    def __init__(self) -> None:
        self.version: int = 0
        self._rows: npt.NDArray[np.intp] = np.zeros(64, dtype=np.intp)
        # So many changes were forgotten.
        self._start = 0

    def since(self, version: int) -> npt.NDArray[np.intp] | None:
        """Return the rows changed after `version`, maybe repeated; None if no longer known."""
        if version < self._start:
            return None
        return self._rows[version - self._start : self.version - self._start]

    def append(self, row: int) -> None:
        """Remember a change."""
        at = self.version - self._start
        if at == len(self._rows):
            at = self._make_room()
        self._rows[at] = row
        self.version += 1

    def forget(self) -> None:
        """Forget all: rows have other numbers now."""
        self._start = self.version
        self._rows = np.zeros(64, dtype=np.intp)

    def _make_room(self) -> int:
        """Make the log longer, or forget its older half once it is at its longest.

        Returns:
            Where the next row goes.
        """
        before = self._rows
        if len(before) < _LENGTH:
            self._rows = np.concatenate([before, np.zeros_like(before)])
            return len(before)
        half = len(before) // 2
        self._rows = np.concatenate([before[half:], np.zeros_like(before[:half])])
        self._start += half
        return half
