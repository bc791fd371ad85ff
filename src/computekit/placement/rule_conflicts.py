"""Which rules keep groups apart that would each fit alone."""

from collections.abc import Iterator

import attrs

from computekit.model import PlacementRequest
from computekit.placement.explanation import Reason
from computekit.placement.plan import Plan, plan_of
from computekit.placement.search import Pattern
from computekit.placement.searches import Searches

__all__ = ["conflicts"]


def conflicts(plan: Plan, pattern: Pattern, searches: Searches) -> Iterator[Reason]:
    """Yield each rule without which the request would fit a tree that each group fits alone.

    If it takes more than one, say so.
    """
    found = False
    for reason, easier, seen in _easier(plan, pattern):
        told_apart = attrs.evolve(seen, likeness=None)
        if searches.of((plan.request, reason), easier, told_apart).way(0) is not None:
            found = True
            yield reason
    if not found:
        yield Reason("together", "", "all groups")


def _easier(plan: Plan, pattern: Pattern) -> Iterator[tuple[Reason, Plan, Pattern]]:
    request = plan.request
    if plan.isolate:
        yield (
            Reason("isolate", "", "a provider for each group"),
            attrs.evolve(plan, isolate=False),
            pattern,
        )
    for at, named in enumerate(request.same_subtree):
        others = request.same_subtree[:at] + request.same_subtree[at + 1 :]
        asked = ", ".join(sorted(named))
        yield Reason("same_subtree", "", asked), _with_subtrees(plan, others), pattern
    for at, (name, total) in enumerate(plan.contested):
        room = tuple(
            tuple(total if number == at else amount for number, amount in enumerate(of))
            for of in pattern.room
        )
        yield Reason("together", "", f"{total} {name}"), plan, attrs.evolve(pattern, room=room)
    for at, any_of in enumerate(plan.together):
        meets = tuple(met | 1 << at for met in pattern.meets)
        asked = " or ".join(sorted(any_of))
        yield Reason("required", "", asked), plan, attrs.evolve(pattern, meets=meets)


def _with_subtrees(plan: Plan, subtrees: tuple[frozenset[str], ...]) -> Plan:
    request: PlacementRequest = attrs.evolve(plan.request, same_subtree=subtrees)
    # A group without resources stays what it is, also where it is no longer named.
    return attrs.evolve(plan_of(request, blank=False), kinds=plan.kinds)
