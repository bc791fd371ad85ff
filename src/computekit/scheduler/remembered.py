"""What rules ask, remembered for the flavors and images that they were asked about last."""

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

__all__ = ["remembered"]

P = ParamSpec("P")
R = TypeVar("R")

_MANY = 1024


def remembered(parse: Callable[P, R]) -> Callable[P, R]:
    """Return `parse`, a pure function of hashable values, that does not do the same work twice.

    What a policy's rules ask of a request is found out again for each decision; the texts that it
    is read from are those of a few hundred flavors and images.
    """
    return cast("Callable[P, R]", lru_cache(maxsize=_MANY)(parse))
