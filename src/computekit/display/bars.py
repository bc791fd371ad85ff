"""Bars: how much of each thing is taken."""

import attrs

from computekit.display.writing import DRAWN, FONT, escaped, pad, printable, width_of

__all__ = ["Bar", "Bars"]

_FULL_PX = 240
_ROW_PX = 20


@attrs.frozen
class Bar:
    """A part of a whole.

    Attributes:
        label: what it is.
        part: how much is taken.
        whole: of how much; 0 shows an empty bar.
        note: beside the bar: `6 of 8 GiB`.
    """

    label: str
    part: float
    whole: float
    note: str = ""

    @property
    def share(self) -> float:
        """The part between 0 and 1."""
        return min(1.0, max(0.0, self.part / self.whole)) if self.whole > 0 else 0.0


@attrs.frozen
class Bars:
    """Bars below each other.

    Attributes:
        bars: from top to bottom.
        title: above them; none if empty.
    """

    bars: tuple[Bar, ...]
    title: str = ""

    def text(self, *, width: int = 100) -> str:
        """Return one line for each bar, of about `width` characters."""
        labels = [printable(bar.label) for bar in self.bars]
        notes = [printable(bar.note) for bar in self.bars]
        left, right = (max(map(width_of, column), default=0) for column in (labels, notes))
        size = max(10, min(40, width - left - right - 6))
        lines = [printable(self.title)] if self.title else []
        for bar, label, note in zip(self.bars, labels, notes, strict=True):
            filled = "#" * round(bar.share * size)
            lines.append(f"{pad(label, left)}  [{filled:.<{size}}]  {note}".rstrip())
        return "\n".join(lines)

    def html(self) -> str:
        """Return the bars as an HTML element."""
        title = f"<div><b>{escaped(self.title)}</b></div>" if self.title else ""
        return f'<div style="{FONT}">{title}{self.svg()}</div>'

    def svg(self) -> str:
        """Return the bars as an SVG element."""
        left = 8 * max((width_of(printable(bar.label)) for bar in self.bars), default=0) + 8
        right = 8 * max((width_of(printable(bar.note)) for bar in self.bars), default=0) + 16
        rows: list[str] = []
        for at, bar in enumerate(self.bars):
            y = at * _ROW_PX
            rows.append(
                f'<text x="0" y="{y + 14}">{escaped(bar.label)}</text>'
                f'<rect x="{left}" y="{y + 3}" width="{_FULL_PX}" height="14"'
                ' fill="#888" fill-opacity="0.2"/>'
                f'<rect x="{left}" y="{y + 3}" width="{round(bar.share * _FULL_PX)}" height="14"'
                ' fill="#4878a8"/>'
                f'<text x="{left + _FULL_PX + 8}" y="{y + 14}">{escaped(bar.note)}</text>'
            )
        size = f'width="{left + _FULL_PX + right}" height="{len(self.bars) * _ROW_PX}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{DRAWN}">{"".join(rows)}</svg>'
        )

    def _repr_html_(self) -> str:
        return self.html()
