"""Asking for many rows by id, in portions that every database takes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["chunks"]

T = TypeVar("T")

_SIZE = 1000


def chunks(items: Iterable[T], size: int = _SIZE) -> Iterator[list[T]]:
    """Yield `items` in lists of at most `size`; SQLite takes 32766 parameters in a statement."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
