"""One provider tree as a request sees it, made from the providers themselves.

The index makes the same from its columns; this is the plain spelling of the rules.
"""

from collections.abc import Sequence
from typing import TypeVar

import attrs

from computekit.ids import AggregateId
from computekit.model import ResourceClass, Trait
from computekit.placement.plan import Kind, Plan
from computekit.placement.ports import ProviderUse
from computekit.placement.search import Pattern

__all__ = ["SHARES", "TreePattern", "amount_fits", "amount_left", "can_serve", "tree_pattern"]

SHARES = Trait("MISC_SHARES_VIA_AGGREGATE")
"""A provider with this trait gives to every tree that has a member in one of its aggregates."""

T = TypeVar("T")


@attrs.frozen
class TreePattern:
    """A pattern, and the providers that its numbers stand for."""

    pattern: Pattern
    providers: tuple[ProviderUse, ...]


def amount_left(use: ProviderUse, name: ResourceClass) -> int:
    """Return how much of a class a provider has left; below zero if it has given too much."""
    inventory = use.provider.inventories.get(name)
    return 0 if inventory is None else inventory.capacity - use.used.get(name, 0)


def amount_fits(use: ProviderUse, name: ResourceClass, amount: int) -> bool:
    """Return whether a provider can give `amount` of a class."""
    inventory = use.provider.inventories.get(name)
    if inventory is None or inventory.broken_rule(amount):
        return False
    return use.used.get(name, 0) + amount <= inventory.capacity


def can_serve(
    kind: Kind, use: ProviderUse, *, root_aggregates: frozenset[AggregateId], in_tree: bool
) -> bool:
    """Return whether a provider could serve a need of this kind if nothing else were asked of it.

    Args:
        kind: of the need.
        use: the provider.
        root_aggregates: of the root of its tree.
        in_tree: whether it is where `kind.in_tree` wants it.
    """
    provider = use.provider
    return (
        in_tree
        and not kind.blank
        and all(amount_fits(use, name, amount) for name, amount in kind.amounts)
        and all(any_of & provider.traits for any_of in kind.required)
        and not kind.forbidden & provider.traits
        and kind.within(provider.aggregates, root_aggregates)
    )


def tree_pattern(plan: Plan, tree: Sequence[ProviderUse], *, twins: bool = False) -> TreePattern:
    """Return how `plan` sees a tree that nobody shares with.

    Args:
        plan: of the request.
        tree: all its providers, parents first.
        twins: whether each provider is to be told from all others.
    """
    ids = {use.provider.id for use in tree}
    groups = tree[0].provider.aggregates
    there = [kind.in_tree is None or kind.in_tree in ids for kind in plan.kinds]
    serves = {
        use.provider.id: sum(
            1 << at
            for at, kind in enumerate(plan.kinds)
            if can_serve(kind, use, root_aggregates=groups, in_tree=there[at])
        )
        for use in tree
    }
    order, ancestors, likeness = arranged(
        [use.provider.id for use in tree],
        [use.provider.parent for use in tree],
        [use.provider.name for use in tree],
        {use.provider.id: (*_seen(plan, use), serves[use.provider.id]) for use in tree},
        own=len(tree),
        twins=twins,
    )
    providers = tuple(tree[at] for at in order)
    return TreePattern(
        Pattern(
            ancestors,
            tuple(serves[use.provider.id] for use in providers),
            tuple(meets(plan, use.provider.traits) for use in providers),
            tuple(
                tuple(_room(use, name, total) for name, total in plan.contested)
                for use in providers
            ),
            likeness,
        ),
        providers,
    )


def meets(plan: Plan, traits: frozenset[Trait]) -> int:
    """Return which of `Plan.together` these traits meet, one bit each."""
    return sum(1 << at for at, any_of in enumerate(plan.together) if any_of & traits)


def _room(use: ProviderUse, name: ResourceClass, total: int) -> int:
    inventory = use.provider.inventories.get(name)
    if inventory is None:
        return 0
    return max(0, min(amount_left(use, name), inventory.max_unit, total))


def _seen(plan: Plan, use: ProviderUse) -> tuple[object, ...]:
    """Return all that a request looks at, exactly: what keeps providers from being alike."""
    provider = use.provider
    classes = sorted({name for kind in plan.kinds for name, _amount in kind.amounts})
    amounts: list[object] = []
    for name in classes:
        of = provider.inventories.get(name)
        if of is not None:
            amounts.append((name, amount_left(use, name), of.min_unit, of.max_unit, of.step_size))
    return tuple(amounts), provider.traits & plan.traits


def arranged(
    ids: Sequence[T],
    parents: Sequence[T | None],
    names: Sequence[str],
    own_kind: dict[T, tuple[object, ...]],
    *,
    own: int,
    twins: bool,
) -> tuple[list[int], tuple[tuple[int, ...], ...], tuple[int, ...] | None]:
    """Number the providers of a tree, and those that share with it, depth first.

    Siblings come by name; unless `twins`, alike ones come in a row.

    Args:
        ids: those of the tree first, parents before children; then the others.
        parents: of each; one that is not among `ids` counts as none.
        names: of each.
        own_kind: what can be seen of each by itself.
        own: how many belong to the tree.
        twins: whether each is to be told from all others.

    Returns:
        For each number the position in `ids`, the numbers of its ancestors, itself last, and its
        likeness (None with `twins`).
    """
    at_of = {one: at for at, one in enumerate(ids)}
    children: dict[int | None, list[int]] = {}
    for at, parent in enumerate(parents):
        above = None if parent is None else at_of.get(parent)
        children.setdefault(above, []).append(at)
    likeness = [0] * len(ids)
    if not twins:
        numbers: dict[object, int] = {}
        depth_first: list[int] = []
        todo = list(children.get(None, ()))
        while todo:
            at = todo.pop()
            depth_first.append(at)
            todo.extend(children.get(at, ()))
        for at in reversed(depth_first):
            below = sorted(likeness[child] for child in children.get(at, ()))
            what = (own_kind[ids[at]], at < own, tuple(below))
            likeness[at] = numbers.setdefault(what, len(numbers))

    order: list[int] = []
    ancestors: list[tuple[int, ...]] = []
    # The tree's own root is the first without a parent; the others keep behind it.
    stack: list[tuple[int, tuple[int, ...]]] = []

    def push(found: Sequence[int], path: tuple[int, ...]) -> None:
        found = sorted(found, key=lambda a: (a >= own, likeness[a], names[a]), reverse=True)
        stack.extend((at, path) for at in found)

    push(children.get(None, ()), ())
    while stack:
        at, path = stack.pop()
        path = (*path, len(order))
        order.append(at)
        ancestors.append(path)
        push(children.get(at, ()), path)
    if twins:
        return order, tuple(ancestors), None
    renamed: dict[int, int] = {}
    alike = tuple(renamed.setdefault(likeness[at], len(renamed)) for at in order)
    return order, tuple(ancestors), alike
