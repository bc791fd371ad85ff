"""The fewest changes, and of those the smallest, after which one host takes a request.

A search over sets of changes, cheapest first. In each state some rule fails; one of the changes
that this rule names must be made, so only these are branched on. The first state in which nothing
fails is the answer; if no state is left, nothing on the list of changes helps.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

import attrs

from computekit.placement import FleetIndex
from computekit.scheduler.amount import Amount
from computekit.scheduler.changes import Adjustment, AskAmount, AskZone, FreeUp, LowerFigure
from computekit.scheduler.deciding_again import applied, failing, searched
from computekit.scheduler.policy import Policy
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request
from computekit.scheduler.tree_changes import amount_changes, tree_changes

__all__ = ["Smallest", "cost", "smallest_changes"]

_STATES = 512
_Changes: TypeAlias = tuple[Adjustment, ...]


@attrs.frozen
class Smallest:
    """What the search came to.

    Attributes:
        changes: all of them are needed; () if it fits as it is; None if none were found.
        complete: whether everything on the list of changes was looked at.
    """

    changes: _Changes | None
    complete: bool = True


def cost(changes: Sequence[Adjustment]) -> tuple[int, float]:
    """Return by what changes are compared: how many, then how much they change."""
    return len(changes), sum(change.size for change in changes)


def smallest_changes(
    fleet: FleetIndex, row: int, request: Request, policy: Policy, *, states: int = _STATES
) -> Smallest:
    """Return the fewest, then smallest changes after which a row takes the request.

    Args:
        fleet: a copy that nobody writes to.
        row: of the host.
        request: what was asked.
        policy: by which it was decided.
        states: how many sets of changes are tried at most.
    """
    order = count()
    waiting: list[tuple[tuple[int, float], int, _Changes]] = [((0, 0.0), next(order), ())]
    seen: set[frozenset[Adjustment]] = {frozenset()}
    for _ in range(states):
        if not waiting:
            return Smallest(None)
        _cost, _order, changes = heappop(waiting)
        changed = applied(fleet, request, changes)
        if changed is None:
            continue
        offers = _offers(changed[0], row, changed[1], policy)
        if offers is None:
            return Smallest(changes)
        for change in offers:
            further = _joined(changes, change)
            if frozenset(further) not in seen:
                seen.add(frozenset(further))
                heappush(waiting, (cost(further), next(order), further))
    return Smallest(None, complete=not waiting)


def _offers(
    fleet: FleetIndex, row: int, request: Request, policy: Policy
) -> tuple[Adjustment, ...] | None:
    """Return changes of which one must be made before the row takes the request; None: it does.

    Of the rules that fail, the one with the fewest ways out is asked: what must be is done first.
    """
    broken = failing(fleet, row, request, policy)
    if broken:
        return min((_ways_out(fleet, row, request, rule) for rule in broken), key=len)
    if not searched(fleet, row, request):
        return tree_changes(fleet, row, request)
    return None if policy.refusal(fleet.view(row), request) is None else ()


def _ways_out(
    fleet: FleetIndex, row: int, request: Request, rule: Predicate
) -> tuple[Adjustment, ...]:
    found = rule.changes(fleet, row)
    if not isinstance(rule, Amount):
        return found
    if fleet.nested[row]:
        found += amount_changes(fleet, row, request, rule.resource_class)
    return tuple(dict.fromkeys(found or rule.steps(fleet, row)))


def _joined(changes: _Changes, change: Adjustment) -> _Changes:
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
