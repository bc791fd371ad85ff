"""What can be changed where a request does not fit: of the rule that leaves the fewest ways out."""

from typing import TypeAlias

import attrs

from computekit.placement import FleetIndex
from computekit.scheduler.amount import Amount
from computekit.scheduler.changes import Adjustment, AskAmount, AskZone, FreeUp, LowerFigure
from computekit.scheduler.deciding_again import failing, searched
from computekit.scheduler.policy import Policy
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request
from computekit.scheduler.tree_changes import amount_changes, tree_changes

__all__ = ["Changes", "joined", "ways_out"]

Changes: TypeAlias = tuple[Adjustment, ...]


def ways_out(
    fleet: FleetIndex, row: int, request: Request, policy: Policy
) -> tuple[Adjustment, ...] | None:
    """Return changes of which one must be made before the row takes the request; None: it does.

    Of the rules that fail, the one with the fewest ways out is asked: what must be is done first.
    """
    broken = failing(fleet, row, request, policy)
    if broken:
        return min((_ways_past(fleet, row, request, rule) for rule in broken), key=len)
    if not searched(fleet, row, request):
        return tree_changes(fleet, row, request)
    return None if policy.refusal(fleet.view(row), request) is None else ()


def _ways_past(
    fleet: FleetIndex, row: int, request: Request, rule: Predicate
) -> tuple[Adjustment, ...]:
    found = rule.changes(fleet, row)
    if not isinstance(rule, Amount):
        return found
    if fleet.nested[row]:
        found += amount_changes(fleet, row, request, rule.resource_class)
    return tuple(dict.fromkeys(found or rule.steps(fleet, row)))


def joined(changes: Changes, change: Adjustment) -> Changes:
    """Return changes with one more; two that set the same thing are one."""
    for at, before in enumerate(changes):
        one = _as_one(before, change)
        if one is not None:
            return (*changes[:at], one, *changes[at + 1 :])
    return (*changes, change)


def _as_one(before: Adjustment, after: Adjustment) -> Adjustment | None:
    """Return what two changes of the same thing come to; None if they are about different ones."""
    if isinstance(before, AskAmount) and isinstance(after, AskAmount):
        same = before.suffix, before.resource_class
        one = attrs.evolve(after, asked=before.asked)
        return one if same == (after.suffix, after.resource_class) else None
    if isinstance(before, FreeUp) and isinstance(after, FreeUp):
        where = before.provider, before.resource_class
        sum_ = attrs.evolve(after, amount=before.amount + after.amount)
        return sum_ if where == (after.provider, after.resource_class) else None
    if isinstance(before, LowerFigure) and isinstance(after, LowerFigure):
        lower = min(before, after, key=lambda change: change.value)
        return lower if (before.host, before.figure) == (after.host, after.figure) else None
    if isinstance(before, AskZone) and isinstance(after, AskZone):
        return attrs.evolve(after, asked=before.asked)
    return None
