"""Lines: how figures change over something that passes."""

import math
from collections.abc import Sequence

import attrs

from computekit.display.writing import DRAWN, FONT, escaped, pad, printable, width_of

__all__ = ["Line", "Lines"]

_WIDTH_PX = 560
_HEIGHT_PX = 240
_LEFT_PX = 64
_FOOT_PX = 40
_COLOURS = ("#4878a8", "#c8553d", "#588157", "#8d6a9f", "#b08900", "#5f5f5f")
_MARKS = " .:-=+*#%@"


@attrs.frozen
class Line:
    """Points that belong together.

    Attributes:
        label: what it shows.
        points: as (x, y), x ascending.
    """

    label: str
    points: tuple[tuple[float, float], ...]


@attrs.frozen
class Lines:
    """Lines over one axis.

    Attributes:
        lines: any number.
        x_label: what passes from left to right: `asked for, %`.
        y_label: what the lines show.
        title: above them; none if empty.
    """

    lines: tuple[Line, ...]
    x_label: str = ""
    y_label: str = ""
    title: str = ""

    def text(self, *, width: int = 100) -> str:
        """Return for each line a strip of marks from low to high, with its ends in numbers."""
        out = [printable(self.title)] if self.title else []
        labels = [printable(line.label) for line in self.lines]
        left = max(map(width_of, labels), default=0)
        low, high = _span([y for line in self.lines for _x, y in line.points])
        size = max(10, min(60, width - left - 28))
        for line, label in zip(self.lines, labels, strict=True):
            marks = "".join(_mark(y, low, high) for y in _sampled(line.points, size))
            ends = f"{line.points[0][1]:.4g} .. {line.points[-1][1]:.4g}" if line.points else "none"
            out.append(f"{pad(label, left)}  [{marks}]  {ends}")
        if self.x_label or self.y_label:
            out.append(printable(f"{self.y_label} over {self.x_label}".strip()))
        return "\n".join(out)

    def html(self) -> str:
        """Return the lines as an HTML element."""
        title = f"<div><b>{escaped(self.title)}</b></div>" if self.title else ""
        return f'<div style="{FONT}">{title}{self.svg()}</div>'

    def svg(self) -> str:
        """Return the lines as an SVG element, with what each shows below it."""
        points = [point for line in self.lines for point in line.points]
        x_low, x_high = _span([x for x, _y in points])
        y_low, y_high = _span([y for _x, y in points])
        parts: list[str] = []
        for share in (0.0, 0.5, 1.0):
            y = _HEIGHT_PX * (1 - share) + 8
            x = _LEFT_PX + _WIDTH_PX * share
            parts.append(
                f'<line x1="{_LEFT_PX}" x2="{_LEFT_PX + _WIDTH_PX}" y1="{y:.1f}" y2="{y:.1f}"'
                ' stroke="#888" stroke-opacity="0.3"/>'
                f'<text x="{_LEFT_PX - 6}" y="{y + 4:.1f}" text-anchor="end">'
                f"{y_low + share * (y_high - y_low):.4g}</text>"
                f'<text x="{x:.1f}" y="{_HEIGHT_PX + 26}" text-anchor="middle">'
                f"{x_low + share * (x_high - x_low):.4g}</text>"
            )
        for at, line in enumerate(self.lines):
            colour = _COLOURS[at % len(_COLOURS)]
            path = " ".join(
                f"{_LEFT_PX + _WIDTH_PX * (x - x_low) / (x_high - x_low):.1f},"
                f"{_HEIGHT_PX * (1 - (y - y_low) / (y_high - y_low)) + 8:.1f}"
                for x, y in line.points
            )
            parts.append(f'<polyline fill="none" stroke="{colour}" points="{path}"/>')
            y_text = _HEIGHT_PX + _FOOT_PX + 18 * (at + 1)
            parts.append(
                f'<text x="{_LEFT_PX}" y="{y_text}" fill="{colour}">{escaped(line.label)}</text>'
            )
        parts.append(
            f'<text x="{_LEFT_PX + _WIDTH_PX}" y="{_HEIGHT_PX + _FOOT_PX + 2}" text-anchor="end">'
            f"{escaped(self.x_label)}</text>"
            f'<text x="{_LEFT_PX + 4}" y="20">{escaped(self.y_label)}</text>'
        )
        height = _HEIGHT_PX + _FOOT_PX + 18 * (len(self.lines) + 1)
        size = f'width="{_LEFT_PX + _WIDTH_PX + 24}" height="{height}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{DRAWN}">{"".join(parts)}</svg>'
        )

    def _repr_html_(self) -> str:
        return self.html()


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and the greatest, never the same."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    return (low, high) if high > low else (low, low + 1.0)


def _sampled(points: Sequence[tuple[float, float]], size: int) -> list[float]:
    """Return `size` values, evenly over the points."""
    if not points:
        return []
    last = len(points) - 1
    return [points[round(at * last / max(1, size - 1))][1] for at in range(size)]


def _mark(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return " "
    return _MARKS[round((value - low) / (high - low) * (len(_MARKS) - 1))]
