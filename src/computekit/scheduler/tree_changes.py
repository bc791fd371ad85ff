"""Changes that may make the groups of a request fit together on a host's tree of providers."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from computekit.ids import HostName
from computekit.model import PlacementRequest, RequestGroup, ResourceClass
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler.amount import near_amounts
from computekit.scheduler.cell_predicate import HasCells
from computekit.scheduler.changes import Adjustment, AskAmount, Drop, FreeUp
from computekit.scheduler.provider_predicates import (
    HasTrait,
    InAggregate,
    LacksTrait,
    NotInAggregate,
    Separate,
)
from computekit.scheduler.request import Request

__all__ = ["SameSubtree", "amount_changes", "tree_changes"]

_OTHERS = 6


@attrs.frozen
class SameSubtree:
    """The demand that the providers of some groups are on one branch of the tree.

    Attributes:
        suffixes: of the groups.
    """

    suffixes: frozenset[str]

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"same_subtree of {', '.join(sorted(self.suffixes))}"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        left = tuple(s for s in request.placement.same_subtree if s != self.suffixes)
        return attrs.evolve(request, placement=attrs.evolve(request.placement, same_subtree=left))


def tree_changes(fleet: FleetIndex, row: int, request: Request) -> tuple[Adjustment, ...]:
    """Return single changes that may make all groups fit on a host's tree, smallest first."""
    placement = request.placement
    found: dict[Adjustment, None] = {}
    names = dict.fromkeys(name for group in placement.groups for name in group.resources)
    for name in names:
        found.update(dict.fromkeys(amount_changes(fleet, row, request, name)))
    for group in placement.groups:
        found.update(dict.fromkeys(_group_drops(group)))
    if placement.group_policy == "isolate":
        found[Drop(Separate(sum(1 for group in placement.groups if group.suffix)))] = None
    found.update(dict.fromkeys(Drop(SameSubtree(s)) for s in placement.same_subtree))
    if request.topology is not None:
        found[Drop(HasCells(request.topology))] = None
    return tuple(sorted(found, key=lambda change: change.size))


def amount_changes(
    fleet: FleetIndex, row: int, request: Request, name: ResourceClass
) -> tuple[Adjustment, ...]:
    """Return changes of one resource class that may make its groups fit on a host's tree."""
    found: dict[Adjustment, None] = {}
    tree, placement = fleet.tree(row), request.placement
    for group in _distinct(placement):
        asked = group.resources.get(name)
        if asked is None:
            continue
        beside = _beside(placement, group, name)
        for amount in _amounts_in_reach(tree, asked, name, beside):
            found[AskAmount(group.suffix, name, asked, amount)] = None
        found.update(dict.fromkeys(_to_free(fleet.names[row], tree, asked, name, beside)))
    return tuple(found)


def _distinct(placement: PlacementRequest) -> Iterable[RequestGroup]:
    """Return the groups, but only the first of those that ask the same: the others are like it."""
    named: frozenset[str] = frozenset().union(*placement.same_subtree)
    found: dict[RequestGroup, RequestGroup] = {}
    for group in placement.groups:
        alike = bool(group.suffix) and group.suffix not in named
        found.setdefault(attrs.evolve(group, suffix="*") if alike else group, group)
    return found.values()


def _beside(placement: PlacementRequest, group: RequestGroup, name: ResourceClass) -> set[int]:
    """Return what some of the other groups may take of the provider that serves a group."""
    others = [g.resources[name] for g in placement.groups if g != group and name in g.resources]
    beside = {0}
    for amount in others[:_OTHERS]:
        beside |= {already + amount for already in beside}
    return beside


def _amounts_in_reach(
    tree: Sequence[ProviderUse], asked: int, name: ResourceClass, beside: Iterable[int]
) -> Iterator[int]:
    """Return what some provider could give a group beside some of the other groups."""
    for use in tree:
        inventory = use.provider.inventories.get(name)
        if inventory is None:
            continue
        free = inventory.capacity - use.used.get(name, 0)
        for already in beside:
            top = min(free, inventory.max_unit) - already
            for amount in near_amounts(asked, inventory.min_unit, top, inventory.step_size):
                if amount != asked:
                    yield amount


def _to_free(
    host: HostName,
    tree: Sequence[ProviderUse],
    asked: int,
    name: ResourceClass,
    beside: Iterable[int],
) -> Iterator[FreeUp]:
    """Return what some provider would have to get back to serve a group beside the others."""
    for use in tree:
        inventory, used = use.provider.inventories.get(name), use.used.get(name, 0)
        if inventory is None or not used or inventory.broken_rule(asked) is not None:
            continue
        for already in beside:
            lacking = already + asked - (inventory.capacity - used)
            if 0 < lacking <= used and already + asked <= inventory.max_unit:
                yield FreeUp(host, use.provider.id, name, lacking)


def _group_drops(group: RequestGroup) -> Iterator[Adjustment]:
    for traits in sorted(group.required, key=sorted):
        yield Drop(HasTrait(traits))
    for trait in sorted(group.forbidden):
        yield Drop(LacksTrait(trait))
    for aggregates in sorted(group.member_of, key=sorted):
        yield Drop(InAggregate(aggregates))
    for aggregate in sorted(group.not_member_of):
        yield Drop(NotInAggregate(aggregate, spans=not group.suffix))
