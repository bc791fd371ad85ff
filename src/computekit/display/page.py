"""Several drawings below each other, with words between them."""

from typing import Protocol

import attrs

from computekit.display.writing import FONT, escaped, wrap

__all__ = ["Drawing", "Page", "Text"]


class Drawing(Protocol):
    """Something that can be shown."""

    def text(self, *, width: int = 100) -> str:
        """Return it for a terminal of `width` columns, without a line end."""
        ...

    def html(self) -> str:
        """Return it as one HTML element; every name in it is escaped."""
        ...


@attrs.frozen
class Text:
    """Lines of words.

    Attributes:
        lines: wrapped where they are too long.
        title: above them; none if empty.
    """

    lines: tuple[str, ...]
    title: str = ""

    def text(self, *, width: int = 100) -> str:
        """Return the lines; under a title they are indented."""
        lead = "  " if self.title else ""
        lines = list(wrap(self.title, width)) if self.title else []
        for line in self.lines:
            lines.extend(lead + part for part in wrap(line, width - len(lead)))
        return "\n".join(lines)

    def html(self) -> str:
        """Return the lines as an HTML element."""
        title = f"<div><b>{escaped(self.title)}</b></div>" if self.title else ""
        lines = "".join(f"<div>{escaped(line)}</div>" for line in self.lines)
        return f'<div style="{FONT}">{title}{lines}</div>'

    def _repr_html_(self) -> str:
        return self.html()


@attrs.frozen
class Page:
    """Drawings below each other.

    Attributes:
        parts: from top to bottom.
    """

    parts: tuple[Drawing, ...]

    def text(self, *, width: int = 100) -> str:
        """Return the parts with an empty line between them."""
        return "\n\n".join(part.text(width=width) for part in self.parts)

    def html(self) -> str:
        """Return the parts as one HTML element."""
        parts = "".join(f'<div style="margin:0 0 12px 0">{p.html()}</div>' for p in self.parts)
        return f"<div>{parts}</div>"

    def _repr_html_(self) -> str:
        return self.html()
