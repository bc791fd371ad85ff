"""A funnel: how many of all are left after each step."""

import attrs

from computekit.display.table import Table
from computekit.display.writing import DRAWN, FONT, escaped, printable, width_of

__all__ = ["Funnel", "Stage"]

_FULL_PX = 280
_ROW_PX = 22
_LETTER_PX = 8
_LONGEST = 36


@attrs.frozen
class Stage:
    """One step.

    Attributes:
        label: what is judged.
        asked: what for; may be empty.
        left: how many are left after it.
        alone: how many fail at this step and at no other.
    """

    label: str
    asked: str
    left: int
    alone: int = 0


@attrs.frozen
class Funnel:
    """Steps below each other, each with what it leaves: a table in a terminal, bars on a page.

    Attributes:
        total: how many there are before the first step.
        stages: from first to last.
        things: what is counted: `hosts`.
        title: above them; none if empty.
    """

    total: int
    stages: tuple[Stage, ...]
    things: str = "hosts"
    title: str = ""

    def text(self, *, width: int = 100) -> str:
        """Return a table with one line for each step."""
        rows = [(f"all {self.things}", "", str(self.total), "", "")]
        for stage, lost in zip(self.stages, self._lost(), strict=True):
            rows.append(
                (
                    stage.label,
                    stage.asked,
                    str(stage.left),
                    f"-{lost}" if lost else "",
                    str(stage.alone) if stage.alone else "",
                )
            )
        headings = ("rule", "asked", f"{self.things} left", "lost", "fail only this")
        numbers = frozenset(headings[2:])
        return Table(headings, tuple(rows), numbers=numbers, title=self.title).text(width=width)

    def html(self) -> str:
        """Return the bars as an HTML element."""
        title = f"<div><b>{escaped(self.title)}</b></div>" if self.title else ""
        return f'<div style="{FONT}">{title}{self.svg()}</div>'

    def svg(self) -> str:
        """Return the bars as an SVG element: what is left, and beside it what each step took."""
        labels = [f"all {self.things}", *(_label(stage) for stage in self.stages)]
        left = _LETTER_PX * max(map(width_of, labels)) + 12
        rows = [_row(0, left, labels[0], self.total, 0, 0, self.total)]
        lost = self._lost()
        for at, stage in enumerate(self.stages):
            row = _row(at + 1, left, labels[at + 1], stage.left, lost[at], stage.alone, self.total)
            rows.append(row)
        wide = left + _FULL_PX + 260
        size = f'width="{wide}" height="{_ROW_PX * len(rows)}"'
        box = f'viewBox="0 0 {wide} {_ROW_PX * len(rows)}"'
        style = f"{DRAWN};max-width:100%"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {box} style="{style}">'
            f"{''.join(rows)}</svg>"
        )

    def _lost(self) -> list[int]:
        before = [self.total, *(stage.left for stage in self.stages)]
        return [had - stage.left for had, stage in zip(before, self.stages, strict=False)]

    def _repr_html_(self) -> str:
        return self.html()


def _label(stage: Stage) -> str:
    asked = "" if stage.asked == "yes" else stage.asked
    text = printable(f"{stage.label} {asked}".strip())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 2] + ".."


def _row(at: int, x: int, label: str, left: int, lost: int, alone: int, total: int) -> str:
    whole = max(total, 1)
    kept = round(_FULL_PX * left / whole)
    if left and not kept:
        kept = 1
    gone = round(_FULL_PX * (left + lost) / whole) - kept
    if lost and gone < 1:
        gone = 1
    y = at * _ROW_PX
    note = str(left)
    if lost:
        note += f"  -{lost}" + (f" ({alone} fail only this)" if alone else "")
    took = (
        f'<rect x="{x + kept}" y="{y + 3}" width="{gone}" height="16" fill="#e0a899"/>'
        if lost
        else ""
    )
    back = 'fill="#888" fill-opacity="0.12"'
    return (
        f'<text x="{x - 12}" y="{y + 16}" text-anchor="end">{escaped(label)}</text>'
        f'<rect x="{x}" y="{y + 3}" width="{_FULL_PX}" height="16" {back}/>'
        f'<rect x="{x}" y="{y + 3}" width="{kept}" height="16" fill="#4878a8"/>{took}'
        f'<text x="{x + _FULL_PX + 10}" y="{y + 16}" xml:space="preserve">{escaped(note)}</text>'
    )
