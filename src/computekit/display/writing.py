"""Text made safe to show: nothing in a name may move the cursor, reorder a line or open a tag."""

import html
import textwrap
import unicodedata

__all__ = ["DRAWN", "FONT", "escaped", "pad", "printable", "width_of", "wrap"]

FONT = "font-family:ui-monospace,monospace;font-size:12px"

DRAWN = f"{FONT};fill:currentColor"
"""The style of a drawing: its words have the colour of the page, which may be dark."""


def printable(text: str) -> str:
    """Return `text` on one line, with what cannot be seen spelled out (as hex)."""
    return "".join(char if _is_visible(char) else _spelled(char) for char in text)


def _is_visible(char: str) -> bool:
    return char == " " or unicodedata.category(char)[0] not in "CZ"


def _spelled(char: str) -> str:
    code = ord(char)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def escaped(text: str) -> str:
    """Return `text` for HTML and SVG, inside elements and quoted attributes."""
    return html.escape(printable(text), quote=True)


def width_of(text: str) -> int:
    """Return how many cells of a terminal `text`, which is printable, takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "FW" else 1


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` filled up with spaces to `width` cells, on its left if `right`."""
    fill = " " * max(0, width - width_of(text))
    return fill + text if right else text + fill


def wrap(text: str, width: int) -> tuple[str, ...]:
    """Return `text`, made printable, in lines of at most `width` cells; at least one line."""
    lines: list[str] = []
    for line in textwrap.wrap(printable(text), max(1, width)) or [""]:
        rest = line
        while width_of(rest) > width:
            cut = _fitting(rest, width)
            lines.append(rest[:cut])
            rest = rest[cut:]
        lines.append(rest)
    return tuple(lines)


def _fitting(text: str, width: int) -> int:
    used = 0
    for at, char in enumerate(text):
        used += _cells(char)
        if used > width:
            return max(1, at)
    return len(text)
