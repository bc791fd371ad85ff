"""A table."""

import attrs

from computekit.display.writing import FONT, escaped, pad, printable, width_of, wrap

__all__ = ["Table"]

_GAP = 2
_NARROWEST = 6


@attrs.frozen
class Table:
    """Rows under headings.

    Attributes:
        headings: one for each column.
        rows: as many cells as there are headings.
        numbers: which columns hold numbers and are set to the right.
        title: above the table; none if empty.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = attrs.field()
    numbers: frozenset[str] = frozenset()
    title: str = ""

    @rows.validator
    def _check(self, _attribute: object, rows: tuple[tuple[str, ...], ...]) -> None:
        if any(len(row) != len(self.headings) for row in rows):
            raise ValueError("every row needs one cell for each heading")

    def text(self, *, width: int = 100) -> str:
        """Return the table in lines of at most `width` cells; long cells are wrapped."""
        widths = self._widths(width)
        lines = list(wrap(self.title, width)) if self.title else []
        lines.append(self._line(self.headings, widths))
        lines.append(" ".join("-" * size + " " * (_GAP - 1) for size in widths).rstrip())
        for row in self.rows:
            cells = [wrap(cell, size) for cell, size in zip(row, widths, strict=True)]
            for at in range(max(map(len, cells), default=0)):
                lines.append(self._line(tuple(c[at] if at < len(c) else "" for c in cells), widths))
        return "\n".join(lines)

    def html(self) -> str:
        """Return the table as an HTML element."""
        head = "".join(self._cell("th", heading, heading) for heading in self.headings)
        rows = "".join(
            "<tr>"
            + "".join(
                self._cell("td", heading, cell)
                for heading, cell in zip(self.headings, row, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        caption = ""
        if self.title:
            style = "text-align:left;font-weight:bold"
            caption = f'<caption style="{style}">{escaped(self.title)}</caption>'
        return (
            f'<table style="{FONT};border-collapse:collapse">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _repr_html_(self) -> str:
        return self.html()

    def _cell(self, tag: str, heading: str, cell: str) -> str:
        align = "right" if heading in self.numbers else "left"
        style = f"text-align:{align};padding:2px 8px;border-bottom:1px solid #8884"
        return f'<{tag} style="{style}">{escaped(cell)}</{tag}>'

    def _line(self, cells: tuple[str, ...], widths: list[int]) -> str:
        padded = (
            pad(printable(cell), size, right=heading in self.numbers)
            for heading, cell, size in zip(self.headings, cells, widths, strict=True)
        )
        return (" " * _GAP).join(padded).rstrip()

    def _widths(self, width: int) -> list[int]:
        """Return the widths of the columns; the widest give way until the table fits."""
        widths = [
            max(width_of(printable(cell)) for cell in column)
            for column in zip(self.headings, *self.rows, strict=True)
        ]
        while sum(widths) + _GAP * (len(widths) - 1) > width and max(widths) > _NARROWEST:
            widths[widths.index(max(widths))] -= 1
        return widths
