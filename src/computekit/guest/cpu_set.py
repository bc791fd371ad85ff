"""Sets of CPU numbers as people write them: `0-3,^1,6`."""

import re

__all__ = ["parse_cpu_set"]

_PART = re.compile(r"(?P<out>\^?)\s*(?P<first>[0-9]{1,6})\s*(?:-\s*(?P<last>[0-9]{1,6})\s*)?\Z")


def parse_cpu_set(text: str, *, within: frozenset[int] = frozenset()) -> frozenset[int]:
    """Return the numbers of `text`: numbers and ranges joined by commas, `^` takes some out.

    Args:
        text: what was written.
        within: what a text is taken out of that begins with `^`; none: of the rest of the text.

    Raises:
        ValueError: this is no such set; the message says which part.
    """
    taken: set[int] = set()
    left_out: set[int] = set()
    if text.lstrip().startswith("^"):
        taken |= within
    for part in text.split(","):
        found = _PART.match(part.strip())
        if found is None:
            raise ValueError(f"{part.strip()[:40]!r} is neither a CPU nor a range like 0-3")
        first = int(found["first"])
        last = first if found["last"] is None else int(found["last"])
        if last < first or last - first > 65_535:
            raise ValueError(f"{part.strip()!r} is no range: its end comes before its start")
        (left_out if found["out"] else taken).update(range(first, last + 1))
    return frozenset(taken - left_out)
