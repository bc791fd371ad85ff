"""Rows of plain words and numbers, as data frames take them."""

from typing import TypeAlias

__all__ = ["Row"]

Row: TypeAlias = dict[str, str | int | float | bool | None]
"""Values by column; `pandas.DataFrame(rows)` makes a table of a tuple of them."""
