"""The fewest changes, and of those the smallest, after which one host takes a request.

A search over sets of changes, cheapest first. In each state some rule fails; one of the changes
that this rule names must be made, so only these are branched on. The first state in which nothing
fails is the answer; if no state is left, nothing on the list of changes helps.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

import attrs

from computekit.placement import FleetIndex
from computekit.scheduler.changes import Adjustment
from computekit.scheduler.deciding_again import Undecided, applied
from computekit.scheduler.enough import enough_changes
from computekit.scheduler.policy import Policy
from computekit.scheduler.request import Request
from computekit.scheduler.tree_changes import tree_changes
from computekit.scheduler.ways_out import Changes, joined, ways_out

__all__ = ["STATES", "Smallest", "cost", "smallest_changes"]

STATES = 256


@attrs.frozen
class Smallest:
    """What the search came to.

    Attributes:
        changes: all of them are needed; () if it fits as it is; None if none were found.
        complete: whether it is certain that there are no fewer or smaller ones.
        states: how many sets of changes were tried.
    """

    changes: Changes | None
    complete: bool = True
    states: int = 0


def cost(changes: Sequence[Adjustment]) -> tuple[int, float]:
    """Return by what changes are compared: how many, then how much they change."""
    return len(changes), sum(change.size for change in changes)


def smallest_changes(
    fleet: FleetIndex,
    row: int,
    request: Request,
    policy: Policy,
    *,
    most: int | None = None,
    states: int = STATES,
) -> Smallest:
    """Return the fewest, then smallest changes after which a row takes the request.

    If too many sets of changes would have to be tried, they are some that do and that are all
    needed, though fewer or smaller ones might do.

    Args:
        fleet: a copy that nobody writes to.
        row: of the host.
        request: what was asked.
        policy: by which it was decided.
        most: how many changes are of interest at most; None: any number.
        states: how many sets of changes are tried at most.
    """
    order = count()
    waiting: list[tuple[tuple[int, float], int, Changes]] = [((0, 0.0), next(order), ())]
    seen: set[frozenset[Adjustment]] = {frozenset()}
    decided = True
    for tried in range(states):
        if not waiting or (most is not None and waiting[0][0][0] > most):
            return Smallest(None, decided, states=tried)
        _cost, _order, changes = heappop(waiting)
        changed = applied(fleet, request, changes)
        if changed is None:
            continue
        try:
            offers = ways_out(changed[0], row, changed[1], policy)
        except Undecided:
            decided, offers = False, tree_changes(changed[0], row, changed[1])
        if offers is None:
            return Smallest(changes, decided, states=tried)
        for change in offers:
            further = joined(changes, change)
            if frozenset(further) not in seen:
                seen.add(frozenset(further))
                heappush(waiting, (cost(further), next(order), further))
    return Smallest(enough_changes(fleet, row, request, policy), complete=False, states=states)
