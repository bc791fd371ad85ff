"""Requests that ask a little less: what would have to change for a tree to fit."""

from collections.abc import Callable

import attrs

from computekit.model import Inventory, PlacementRequest, RequestGroup, ResourceClass, Trait
from computekit.placement.obstacles import (
    Constraint,
    HasInventory,
    HasTrait,
    InAggregate,
    InTree,
    LacksTrait,
    Left,
    NotInAggregate,
    UnitsAllow,
)
from computekit.placement.provider_rows import ProviderRows

__all__ = ["Change", "change_for", "without_root_trait"]


@attrs.frozen
class Change:
    """A change of a request.

    Attributes:
        text: what it is, after "would fit": `with 2048 MEMORY_MB less`.
        apply: makes it.
        lack: how far away that is, as a share of what is asked; 1 for what is no amount.
    """

    text: str
    apply: Callable[[PlacementRequest], PlacementRequest]
    lack: float = 1.0


def change_for(constraint: Constraint, suffix: str, rows: ProviderRows, row: int) -> Change | None:
    """Return the smallest change with which a provider keeps a constraint, or None."""
    of = f" in group {suffix}" if suffix else ""
    if isinstance(constraint, Left | UnitsAllow):
        return _less(constraint.name, constraint.amount, suffix, rows, row)
    if isinstance(constraint, HasInventory):
        name = constraint.name
        return Change(
            f"without {name}{of}",
            _on(suffix, lambda g: attrs.evolve(g, resources=g.resources.without(name))),
        )
    if isinstance(constraint, HasTrait):
        any_of = constraint.any_of
        return Change(
            f"without {constraint.asked}{of}",
            _on(suffix, lambda g: attrs.evolve(g, required=g.required - {any_of})),
        )
    if isinstance(constraint, LacksTrait):
        trait = constraint.trait
        return Change(
            f"with {trait} allowed{of}",
            _on(suffix, lambda g: attrs.evolve(g, forbidden=g.forbidden - {trait})),
        )
    return _other_place(constraint, suffix, of)


def _other_place(constraint: Constraint, suffix: str, of: str) -> Change | None:
    if isinstance(constraint, InAggregate):
        groups = constraint.any_of
        return Change(
            f"outside of aggregate {constraint.asked}{of}",
            _on(suffix, lambda g: attrs.evolve(g, member_of=g.member_of - {groups})),
        )
    if isinstance(constraint, NotInAggregate):
        aggregate = constraint.aggregate
        return Change(
            f"in aggregate {aggregate}{of}",
            _on(suffix, lambda g: attrs.evolve(g, not_member_of=g.not_member_of - {aggregate})),
        )
    if isinstance(constraint, InTree):
        return Change(
            f"outside of {constraint.asked}{of}",
            _on(suffix, lambda g: attrs.evolve(g, in_tree=None)),
        )
    return None


def without_root_trait(trait: Trait, *, forbidden: bool) -> Change:
    """Return the change by which the root may lack a trait, or have it."""

    def apply(request: PlacementRequest) -> PlacementRequest:
        if forbidden:
            return attrs.evolve(request, root_forbidden=request.root_forbidden - {trait})
        return attrs.evolve(request, root_required=request.root_required - {trait})

    return Change(f"{'with' if forbidden else 'without'} {trait} on the root", apply)


def _less(
    name: ResourceClass, asked: int, suffix: str, rows: ProviderRows, row: int
) -> Change | None:
    column = rows.inventories.get(name)
    inventory = None if column is None else column[row]
    if column is None or inventory is None:
        return None
    amount = _nearest(inventory, column.left(row), asked)
    if amount is None:
        return None
    of = f" in group {suffix}" if suffix else ""
    words = f"{abs(asked - amount)} {name} {'less' if amount < asked else 'more'}"
    return Change(
        f"with {words}{of}",
        _on(suffix, lambda g: attrs.evolve(g, resources=g.resources.replace(name, amount))),
        abs(asked - amount) / asked,
    )


def _nearest(inventory: Inventory, left: int, asked: int) -> int | None:
    """Return the amount nearest to `asked`, rather less than more, that may be had."""
    step, most = inventory.step_size, min(left, inventory.max_unit)
    below = min(asked, most) // step * step
    if below >= max(1, inventory.min_unit):
        return below
    above = -(-max(inventory.min_unit, asked) // step) * step
    return above if above <= most else None


def _on(
    suffix: str, change: Callable[[RequestGroup], RequestGroup]
) -> Callable[[PlacementRequest], PlacementRequest]:
    def apply(request: PlacementRequest) -> PlacementRequest:
        groups = tuple(change(g) if g.suffix == suffix else g for g in request.groups)
        return attrs.evolve(request, groups=groups)

    return apply
