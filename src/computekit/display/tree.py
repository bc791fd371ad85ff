"""A tree."""

from collections.abc import Iterator

import attrs

from computekit.display.writing import FONT, escaped, printable

__all__ = ["Tree"]

_ROW_PX = 20
_STEP_PX = 20


@attrs.frozen
class Tree:
    """A label with further trees below it.

    Attributes:
        label: one line.
        notes: lines that belong to the label.
        children: in the order of showing.
    """

    label: str
    notes: tuple[str, ...] = ()
    children: tuple["Tree", ...] = ()

    def text(self, *, width: int = 100) -> str:
        """Return the tree in lines of at most `width` characters; longer ones are cut."""
        lines = (lead + printable(label) for lead, label, _depth in _lines(self))
        return "\n".join(line if len(line) <= width else line[: width - 2] + ".." for line in lines)

    def html(self) -> str:
        """Return the tree as an HTML element."""
        return f'<ul style="{FONT};list-style:none;padding-left:0">{_item(self)}</ul>'

    def svg(self) -> str:
        """Return the tree as an SVG element."""
        lines = list(_lines(self))
        wide = max(depth * _STEP_PX + 8 * len(label) for _lead, label, depth in lines) + 20
        drawn = "".join(
            f'<text x="{10 + depth * _STEP_PX}" y="{(at + 1) * _ROW_PX}">{escaped(label)}</text>'
            for at, (_lead, label, depth) in enumerate(lines)
        )
        size = f'width="{wide}" height="{(len(lines) + 1) * _ROW_PX}"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{FONT}">{drawn}</svg>'

    def _repr_html_(self) -> str:
        return self.html()


def _item(tree: Tree) -> str:
    notes = "".join(
        f'<div style="color:#666;padding-left:16px">{escaped(note)}</div>' for note in tree.notes
    )
    below = "".join(map(_item, tree.children))
    if below:
        style = "list-style:none;padding-left:16px;border-left:1px solid #ccc"
        below = f'<ul style="{style}">{below}</ul>'
    return f"<li><b>{escaped(tree.label)}</b>{notes}{below}</li>"


def _lines(
    tree: Tree, lead: str = "", below: str = "", depth: int = 0
) -> Iterator[tuple[str, str, int]]:
    """Return each line as what leads it, its words, and how deep it is."""
    yield lead, tree.label, depth
    for note in tree.notes:
        yield below + ("|   " if tree.children else "    "), note, depth + 1
    for child in tree.children:
        last = child is tree.children[-1]
        branch, further = ("`-- ", "    ") if last else ("|-- ", "|   ")
        yield from _lines(child, below + branch, below + further, depth + 1)
