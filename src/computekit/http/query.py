"""Query strings: split and decoded."""

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

import attrs

from computekit.http.problem import Problem, Refused

__all__ = ["INVALID", "Query", "parse_query"]

INVALID = "Invalid query string parameters"


@attrs.frozen
class Query:
    """The parameters of a request.

    Attributes:
        values: of each, in order.
        last: the last value of each.
    """

    values: Mapping[str, tuple[str, ...]]
    last: Mapping[str, str]

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter, in order."""
        return self.values.get(name, ())


_NOTHING = Query({}, {})


def parse_query(text: str) -> Query:
    """Return what a query string says; `&` and `;` separate (as WebOb does it).

    Raises:
        Refused: it is not UTF-8.
    """
    if not text:
        return _NOTHING
    values: dict[str, list[str]] = {}
    try:
        for part in text.replace(";", "&").split("&"):
            if part:
                name, _, value = part.partition("=")
                values.setdefault(_decoded(name), []).append(_decoded(value))
    except UnicodeDecodeError as error:
        raise Refused(Problem(400, f"{INVALID}: {error}")) from None
    return Query(
        {name: tuple(several) for name, several in values.items()},
        {name: several[-1] for name, several in values.items()},
    )


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text and text.isascii():
        return text
    # WSGI hands the octets over as Latin-1.
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
