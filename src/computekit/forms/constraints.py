"""What a value must be beyond its type: written beside it, as `Annotated[int, Whole(1)]`."""

import math

import attrs

__all__ = ["Number", "String", "Unique", "Whole"]

MOST = 2**63 - 1
"""The largest whole number that every store and every reader of JSON schemas can hold."""


@attrs.frozen
class Whole:
    """A whole number within bounds.

    Attributes:
        least: the smallest.
        most: the largest.
    """

    least: int = -MOST
    most: int = MOST

    def wrong(self, value: int) -> str | None:
        """Return what is wrong with a number, or None."""
        if self.least <= value <= self.most:
            return None
        shown = str(value) if abs(value) <= MOST else "a number of that size"
        return f"{shown} is not within {self.least} to {self.most}"


@attrs.frozen
class Number:
    """A finite number within bounds.

    Attributes:
        least: the smallest.
        most: the largest.
    """

    least: float = -math.inf
    most: float = math.inf

    def wrong(self, value: float) -> str | None:
        """Return what is wrong with a number, or None."""
        if self.least <= value <= self.most:
            return None
        if self.most == math.inf:
            return f"{value:g} is below {self.least:g}"
        return f"{value:g} is not within {self.least:g} to {self.most:g}"


@attrs.frozen
class String:
    """Text of one line.

    Attributes:
        most: how many characters at most.
        least: how many at least.
        pattern: a regular expression that all of it must match; None: anything.
        what: what matches, for people: `a resource class`.
    """

    most: int = 255
    least: int = 1
    pattern: str | None = None
    what: str = "text"


@attrs.frozen
class Unique:
    """An array of objects of which no two agree in one member.

    Attributes:
        member: its name.
    """

    member: str
