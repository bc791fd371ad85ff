"""Changes after which a host takes a request, quickly found: enough, though maybe not the fewest.

First everything that stands in the way is changed as far as it can be; then each change is taken
back, or made smaller, as long as the host still takes the request.
"""

import attrs

from computekit.placement import FleetIndex
from computekit.scheduler.changes import Adjustment, AskAmount, Drop, FreeUp
from computekit.scheduler.deciding_again import Undecided, applied, takes
from computekit.scheduler.policy import Policy
from computekit.scheduler.request import Request
from computekit.scheduler.tree_changes import tree_changes
from computekit.scheduler.ways_out import Changes, joined, ways_out

__all__ = ["enough_changes"]

_STEPS = 256


def enough_changes(fleet: FleetIndex, row: int, request: Request, policy: Policy) -> Changes | None:
    """Return changes after which a row takes the request, each of them needed; None if none do.

    Args:
        fleet: a copy that nobody writes to.
        row: of the host.
        request: what was asked.
        policy: by which it was decided.
    """
    changes: Changes = ()
    seen = {frozenset(changes)}
    for _ in range(_STEPS):
        changed = applied(fleet, request, changes)
        if changed is None:
            return None
        try:
            offers = ways_out(changed[0], row, changed[1], policy)
        except Undecided:
            offers = tree_changes(changed[0], row, changed[1])
        if offers is None:
            break
        further = (joined(changes, offer) for offer in sorted(offers, key=_strongest_first))
        fresh = next((found for found in further if frozenset(found) not in seen), None)
        if fresh is None:
            return None
        changes = fresh
        seen.add(frozenset(changes))
    if not _takes(fleet, row, request, policy, changes):
        return None
    return _fewer(fleet, row, request, policy, changes)


def _strongest_first(change: Adjustment) -> tuple[int, float]:
    kinds = (AskAmount, FreeUp, Drop)
    kind = next((at for at, of in enumerate(kinds, 1) if isinstance(change, of)), 0)
    return kind, -change.size


def _fewer(
    fleet: FleetIndex, row: int, request: Request, policy: Policy, changes: Changes
) -> Changes:
    """Return the changes without those that are not needed, and the others no larger than that."""
    for change in sorted(changes, key=lambda change: -change.size):
        without = tuple(other for other in changes if other != change)
        if _takes(fleet, row, request, policy, without):
            changes = without
    for at, change in enumerate(changes):
        if not isinstance(change, AskAmount | FreeUp):
            continue
        # From what is enough towards what was asked, or towards nothing: always enough at `sure`.
        sure, end = change.amount, change.asked if isinstance(change, AskAmount) else 0
        while abs(end - sure) > 1:
            middle = (sure + end) // 2
            smaller = (*changes[:at], attrs.evolve(change, amount=middle), *changes[at + 1 :])
            if _takes(fleet, row, request, policy, smaller):
                changes, sure = smaller, middle
            else:
                end = middle
    return changes


def _takes(fleet: FleetIndex, row: int, request: Request, policy: Policy, changes: Changes) -> bool:
    changed = applied(fleet, request, changes)
    return changed is not None and takes(changed[0], row, changed[1], policy)
