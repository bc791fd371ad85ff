"""Query strings of the Compute API, as its clients write them: `True`, `None`, ISO times."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from computekit.errors import Fault, InvalidInput
from computekit.http.placement.query import parse_query
from computekit.units import Seconds

__all__ = ["QueryText", "iso", "next_link", "time_of"]

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no", ""})
MOST = 1000
"""The most rows of one page."""


class QueryText:
    """The parameters of one request; what is wrong with them is collected.

    Args:
        text: what follows the question mark.
    """

    def __init__(self, text: str) -> None:
        self._query = parse_query(text)
        self._faults: list[Fault] = []

    @property
    def names(self) -> frozenset[str]:
        """The names of all parameters that are there."""
        return frozenset(self._query.values)

    def text(self, *names: str) -> str | None:
        """Return the last value of the first of these that is there."""
        for name in names:
            if (value := self._query.last.get(name)) is not None:
                return value
        return None

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a parameter, in order."""
        return self._query.all(name)

    def words(self, name: str) -> frozenset[str]:
        """Return the words of a parameter, which have commas between them."""
        return frozenset(word for word in (self.text(name) or "").split(",") if word)

    def flag(self, *names: str) -> bool | None:
        """Return a Boolean; None where it is not there, or is the word None."""
        value = (self.text(*names) or "none").strip().lower()
        if value == "none":
            return None
        if value not in _TRUE | _FALSE:
            self._faults.append(Fault(names[0], "boolean", f"{value[:80]!a} is neither"))
        return value in _TRUE

    def number(self, name: str, default: int, most: int = 2**31 - 1) -> int:
        """Return a whole number from 0 to `most`; a greater one is `most`."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdecimal() and len(value) <= 18):
            message = f"{value[:80]!a} is no whole number from 0"
            self._faults.append(Fault(name, "number", message))
            return default
        return min(int(value), most)

    def limit(self) -> int:
        """Return how many rows a page may have."""
        return self.number("limit", MOST, MOST)

    def time(self, name: str) -> Seconds | None:
        """Return a time, in seconds since the Unix epoch."""
        value = self.text(name)
        if value is None:
            return None
        found = time_of(value)
        if found is None:
            message = f"{value[:80]!a} is no time of ISO 8601"
            self._faults.append(Fault(name, "time", message))
        return found

    def one_of(self, name: str, known: Mapping[str, str], default: str) -> str:
        """Return what a word means."""
        value = self.text(name)
        if value is None:
            return default
        if value not in known:
            message = f"{value[:80]!a} is none of {', '.join(sorted(known))}"
            self._faults.append(Fault(name, "word", message))
        return known.get(value, default)

    def fault(self, name: str, code: str, message: str) -> None:
        """Note that something is wrong with a parameter."""
        self._faults.append(Fault(name, code, message))

    def check(self) -> None:
        """Let a query pass that has no faults.

        Raises:
            InvalidInput: it has; all are in it.
        """
        if self._faults:
            raise InvalidInput(tuple(self._faults))


def time_of(text: str) -> Seconds | None:
    """Return a time of ISO 8601 in seconds since the Unix epoch; without a zone, it is UTC."""
    try:
        found = datetime.fromisoformat(
            text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text
        )
        return Seconds((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def iso(at_s: Seconds, *, zulu: bool = True) -> str:
    """Return a time as the Compute API writes it: in UTC, whole seconds, mostly with a Z."""
    text = datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}Z" if zulu else f"{text}.000000"


def next_link(base: str, query_text: str, marker: str) -> str:
    """Return the address of the page behind the one that ends with `marker`."""
    kept = [
        (name, value)
        for name, values in parse_query(query_text).values.items()
        for value in values
        if name != "marker"
    ]
    return f"{base}?{urlencode([*kept, ('marker', marker)])}"
