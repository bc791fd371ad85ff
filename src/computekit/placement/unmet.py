"""Why no provider of a tree can serve one need even alone."""

from collections.abc import Sequence

from computekit.placement.plan import Need, Plan
from computekit.placement.ports import ProviderUse
from computekit.placement.tree_pattern import amount_left

__all__ = ["unmet"]

# The providers that came furthest say most.
_ORDER = (
    "is in another tree",
    "lacks inventory",
    "has too little",
    "lacks a trait",
    "has a forbidden trait",
    "is in the wrong aggregates",
)


def unmet(plan: Plan, need: Need, tree: Sequence[ProviderUse]) -> str:
    """Return why no provider of `tree` serves `need` even alone, or "" if one does."""
    found = [_obstacle(plan, need, use, tree) for use in tree]
    if not all(found):
        return ""
    asked = ", ".join(f"{amount} {name}" for name, amount in need.amounts) or "its traits"
    where = f"group {need.group.suffix}" if need.group.suffix else "the unsuffixed group"
    best = max(found, key=_ORDER.index)
    return f"{where}: no provider can give {asked} (the nearest {best})"


def _obstacle(plan: Plan, need: Need, use: ProviderUse, tree: Sequence[ProviderUse]) -> str:
    kind, provider = plan.kinds[need.kind], use.provider
    for name, amount in kind.amounts:
        inventory = provider.inventories.get(name)
        if inventory is None:
            return "lacks inventory"
        if inventory.broken_rule(amount) or amount > amount_left(use, name):
            return "has too little"
    if any(not any_of & provider.traits for any_of in kind.required):
        return "lacks a trait"
    if kind.forbidden & provider.traits:
        return "has a forbidden trait"
    if not kind.within(provider.aggregates, tree[0].provider.aggregates):
        return "is in the wrong aggregates"
    if kind.in_tree is not None and all(kind.in_tree != one.provider.id for one in tree):
        return "is in another tree"
    return ""
