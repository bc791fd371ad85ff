"""JSON text, read strictly: what JSON forbids, and what a typed value could not hold, is a fault.

Objects keep all their members, so that a name that comes twice can be told instead of lost.
"""

import json
import math
from typing import TypeAlias

import attrs

from computekit.errors import Fault, InvalidInput

__all__ = ["Json", "Members", "Unreadable", "read_json"]

_MOST_DIGITS = 300


@attrs.frozen
class Members:
    """An object: its members in order, repeated names and all."""

    pairs: tuple[tuple[str, "Json"], ...]


@attrs.frozen
class Unreadable:
    """A number that no value can hold: infinite, or of very many digits."""

    text: str


Json: TypeAlias = "bool | int | float | str | list[Json] | Members | Unreadable | None"
"""What a text can hold; lists and `Members` hold further ones."""


def read_json(text: str | bytes, root: str, *, most_bytes: int = 2**28) -> Json:
    """Return what JSON text says.

    Args:
        text: bytes are UTF-8.
        root: what the whole is called in paths: `fleet`.
        most_bytes: a longer one is not read.

    Raises:
        InvalidInput: it is no JSON, no UTF-8, too long, or nests too deeply.
    """
    if len(text) > most_bytes:
        raise _refused(root, "too_long", f"{len(text)} bytes; at most {most_bytes} are read")
    try:
        words = text if isinstance(text, str) else text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(root, "malformed", f"not UTF-8 at byte {error.start}") from None
    try:
        found: Json = json.loads(
            words,
            object_pairs_hook=lambda pairs: Members(tuple(pairs)),
            parse_int=_whole,
            parse_float=_number,
            parse_constant=Unreadable,
        )
    except RecursionError:
        raise _refused(root, "too_deep", "nests too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refused(root, "malformed", f"no JSON at {where}: {error.msg.lower()}") from None
    return found


def _refused(root: str, code: str, message: str) -> InvalidInput:
    return InvalidInput((Fault(root, code, message),))


def _whole(digits: str) -> int | Unreadable:
    return int(digits) if len(digits) <= _MOST_DIGITS else Unreadable(digits)


def _number(digits: str) -> float | Unreadable:
    found = float(digits) if len(digits) <= _MOST_DIGITS else math.inf
    return found if math.isfinite(found) else Unreadable(digits)
