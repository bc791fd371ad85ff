"""The searches for one request, and for requests that ask a little less than it."""

from collections.abc import Hashable

from computekit.placement.patience import Patience
from computekit.placement.plan import Plan
from computekit.placement.search import DeadEnds, Pattern
from computekit.placement.tree_ways import PatternWays

__all__ = ["Searches"]

_PATTERNS = 4096


class Searches:
    """What was found, by pattern; so an answer that has to be begun again finds it done.

    Args:
        patience: of all of them.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._dead_ends = DeadEnds()
        self._ways: dict[tuple[Hashable, Pattern], PatternWays] = {}

    @property
    def kept(self) -> int:
        """How many patterns, ways, and states that led to none, are kept."""
        ways = sum([ways.kept for ways in self._ways.values()])
        return len(self._ways) + ways + self._dead_ends.kept

    def of(self, key: Hashable, plan: Plan, pattern: Pattern) -> PatternWays:
        """Return the ways of a pattern; `key` is equal for plans of the same meaning."""
        known = self._ways.get((key, pattern))
        if known is None:
            if len(self._ways) >= _PATTERNS:
                self._ways.clear()
            known = PatternWays(plan, pattern, self._patience, self._dead_ends)
            self._ways[key, pattern] = known
        return known
