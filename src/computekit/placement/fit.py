"""Whether a request fits on one provider tree, and how: exact, lazy, without symmetric repeats.

Semantics: Placement API, allocation candidates (microversion 1.39).
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest, ResourceClass, Resources
from computekit.placement.plan import Plan, plan_of
from computekit.placement.ports import ProviderUse
from computekit.placement.search import Way, steps, ways
from computekit.placement.tree_pattern import tree_pattern
from computekit.placement.unmet import unmet

__all__ = ["Fit", "allocated", "check_request", "fits", "fits_soon", "mapped", "no_fit"]

MOST_NEEDS = 256
"""Suffixed groups, and classes of the unsuffixed one; the search goes one call deep for each."""


@attrs.frozen
class Fit:
    """One way to put a request on a tree.

    Attributes:
        allocation: amounts by provider, ready to be claimed.
        mappings: which providers serve each group, by suffix.
    """

    allocation: FrozenMap[ProviderId, Resources]
    mappings: FrozenMap[str, tuple[ProviderId, ...]]


def check_request(request: PlacementRequest) -> None:
    """Raise `InvalidInput` with everything that no tree could ever be judged by."""
    faults: list[Fault] = []
    suffixes = [group.suffix for group in request.groups]
    subtrees: frozenset[str] = frozenset().union(*request.same_subtree)
    faults.extend(
        Fault("groups", "duplicate", f"several groups have the suffix {suffix!r}")
        for suffix, times in sorted(Counter(suffixes).items())
        if times > 1
    )
    needs = sum(1 if group.suffix else len(group.resources) for group in request.groups)
    if needs > MOST_NEEDS:
        text = f"{needs} groups, and classes of the one without suffix; {MOST_NEEDS} are allowed"
        faults.append(Fault("groups", "too_many", text))
    if not any(group.resources for group in request.groups):
        faults.append(Fault("groups", "missing", "at least one group must ask for resources"))
    for group in request.groups:
        path = f"groups[{group.suffix}]"
        if not group.resources and group.suffix not in subtrees:
            text = "a group without resources must be named in a same_subtree"
            faults.append(Fault(path, "missing", text))
        for resource_class, amount in group.resources.items():
            if amount < 1:
                at = f"{path}.resources[{resource_class}]"
                faults.append(Fault(at, "too_small", f"{amount} asked for; at least 1 is needed"))
    if sum(1 for suffix in suffixes if suffix) > 1 and request.group_policy is None:
        faults.append(
            Fault("group_policy", "missing", "two or more suffixed groups need none or isolate")
        )
    for suffix in sorted(subtrees - set(suffixes) | subtrees & {""}):
        text = f"there is no group with the suffix {suffix!r}" if suffix else "needs a suffix"
        faults.append(Fault("same_subtree", "unknown_group", text))
    if faults:
        raise InvalidInput(tuple(faults))


def fits(
    tree: Sequence[ProviderUse],
    request: PlacementRequest,
    *,
    twins: bool = False,
) -> Iterator[Fit]:
    """Return the ways to put `request` on `tree` alone, one by one.

    Their order is the same for the same input.

    Args:
        tree: all its providers, the root first.
        request: what is asked; `check_request` passes it.
        twins: also give ways that differ only by which of several alike providers serve which of
            several alike groups; without it they are given once.
    """
    root = tree[0].provider
    if not request.root_required <= root.traits or request.root_forbidden & root.traits:
        return
    plan = plan_of(request)
    found = tree_pattern(plan, tree, twins=twins)
    ids = tuple(use.provider.id for use in found.providers)
    for way in ways(plan, found.pattern):
        yield Fit(allocated(plan, ids, way), mapped(plan, ids, way))


def no_fit(tree: Sequence[ProviderUse], request: PlacementRequest) -> str:
    """Return why `fits` finds nothing: the groups that no provider can serve even alone."""
    root = tree[0].provider
    if missing := request.root_required - root.traits:
        return "the root lacks " + ", ".join(sorted(missing))
    if present := request.root_forbidden & root.traits:
        return "the root has " + ", ".join(sorted(present))
    plan = plan_of(request)
    alone = [text for need in plan.needs if (text := unmet(plan, need, tree))]
    if alone:
        return "; ".join(alone)
    return "each group fits on some provider, but not all together"


def fits_soon(tree: Sequence[ProviderUse], request: PlacementRequest, *, looks: int) -> bool | None:
    """Return whether a request fits on a tree alone; None if that is not found out soon.

    Args:
        tree: all its providers, the root first.
        request: what is asked; `check_request` passes it.
        looks: how often the search, which stops every 64 steps, is asked to go on.
    """
    root = tree[0].provider
    if not request.root_required <= root.traits or request.root_forbidden & root.traits:
        return False
    plan = plan_of(request)
    for way in steps(plan, tree_pattern(plan, tree).pattern):
        if way is not None:
            return True
        looks -= 1
        if looks <= 0:
            return None
    return False


def allocated(plan: Plan, ids: Sequence[ProviderId], way: Way) -> FrozenMap[ProviderId, Resources]:
    """Return what a way takes of each provider."""
    amounts: dict[ProviderId, dict[ResourceClass, int]] = {}
    for need, at in zip(plan.needs, way, strict=True):
        if need.amounts:
            of = amounts.setdefault(ids[at], {})
            for name, amount in need.amounts:
                of[name] = of.get(name, 0) + amount
    return FrozenMap({provider: FrozenMap(of) for provider, of in amounts.items()})


def mapped(
    plan: Plan, ids: Sequence[ProviderId], way: Way
) -> FrozenMap[str, tuple[ProviderId, ...]]:
    """Return which providers serve each group in a way."""
    serving: dict[str, dict[ProviderId, None]] = {}
    for need, at in zip(plan.needs, way, strict=True):
        serving.setdefault(need.group.suffix, {})[ids[at]] = None
    return FrozenMap({suffix: tuple(found) for suffix, found in serving.items()})
