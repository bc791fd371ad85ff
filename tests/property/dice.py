"""Many small choices from one drawn number."""

from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

from hypothesis import strategies as st

__all__ = ["DICE", "Dice", "subsets"]

T = TypeVar("T")


class Dice:
    """One number, spent on choices among few: far cheaper than a draw for each of them.

    Zero always chooses the first, so that hypothesis finds the plain case by making numbers small.
    """

    def __init__(self, number: int) -> None:
        self._left = number

    def pick(self, things: Sequence[T]) -> T:
        self._left, at = divmod(self._left, len(things))
        return things[at]

    def once_in(self, times: int) -> bool:
        return self.pick(range(times)) == times - 1

    def pick_some(self, things: Sequence[T], times: int) -> frozenset[T]:
        """Return one of the things, once in so many times, or none."""
        thing = self.pick(things)
        return frozenset({thing}) if self.once_in(times) else frozenset()


DICE = st.integers(0, 2**24 - 1).map(Dice)  # one more bit, and hypothesis prefers small numbers


def subsets(things: Sequence[T], least: int, most: int) -> tuple[frozenset[T], ...]:
    """Return all sets of `least` to `most` of the things, small ones first."""
    sizes = range(least, most + 1)
    return tuple(frozenset(some) for size in sizes for some in combinations(things, size))
