"""From a request to its predicates."""

from collections.abc import Iterable, Iterator
from operator import attrgetter

from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    PCPU,
    VCPU,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
)
from computekit.scheduler.amount import Amount
from computekit.scheduler.cell_predicate import HasCells
from computekit.scheduler.overlays import NotIgnored, OnHost, Overlay
from computekit.scheduler.predicates import (
    Enabled,
    HasMachineType,
    InZone,
    Predicate,
    Up,
)
from computekit.scheduler.provider_predicates import (
    HasTrait,
    InAggregate,
    InTree,
    LacksTrait,
    NotInAggregate,
    Separate,
)
from computekit.scheduler.request import SchedulingRun
from computekit.scheduler.zone_overlay import AlsoInZone
from computekit.scheduler.zones import DEFAULT_ZONE
from computekit.topology import GuestTopology

__all__ = ["run_overlays", "shape_predicates"]

_FIRST = (VCPU, PCPU, MEMORY_MB, DISK_GB)


def shape_predicates(
    placement: PlacementRequest,
    zone: str | None,
    machine_type: str | None,
    topology: GuestTopology | None = None,
    *,
    default_zone: str = DEFAULT_ZONE,
) -> tuple[Predicate, ...]:
    """Return what is asked of every host by all requests of this shape, in the order of telling."""
    found: dict[Predicate, None] = {Enabled(): None, Up(): None}
    if zone is not None:
        found[InZone(zone, default_zone)] = None
    if machine_type is not None:
        found[HasMachineType(machine_type)] = None
    for trait in sorted(placement.root_required):
        found[HasTrait(frozenset({trait}), of_root=True)] = None
    for trait in sorted(placement.root_forbidden):
        found[LacksTrait(trait, of_root=True)] = None
    for group in sorted(placement.groups, key=attrgetter("suffix")):
        found.update(dict.fromkeys(_group_predicates(group)))
    suffixed = sum(1 for group in placement.groups if group.suffix)
    if placement.group_policy == "isolate" and suffixed > 1:
        found[Separate(suffixed)] = None
    found.update(dict.fromkeys(_amounts(placement.groups)))
    if topology is not None:
        found[HasCells(topology)] = None
    return tuple(found)


def _group_predicates(group: RequestGroup) -> Iterator[Predicate]:
    for aggregates in sorted(group.member_of, key=sorted):
        yield InAggregate(aggregates)
    for aggregate in sorted(group.not_member_of):
        yield NotInAggregate(aggregate, spans=not group.suffix)
    if group.in_tree is not None:
        yield InTree(group.in_tree)
    for traits in sorted(group.required, key=sorted):
        yield HasTrait(traits)
    for trait in sorted(group.forbidden):
        yield LacksTrait(trait)


def _amounts(groups: Iterable[RequestGroup]) -> Iterator[Predicate]:
    amounts: dict[ResourceClass, list[tuple[str, int]]] = {}
    for group in sorted(groups, key=attrgetter("suffix")):
        for resource_class, amount in group.resources.items():
            amounts.setdefault(resource_class, []).append((group.suffix, amount))
    for resource_class in sorted(amounts, key=_place):
        yield Amount(resource_class, tuple(amounts[resource_class]))


def run_overlays(run: SchedulingRun, *, default_zone: str = DEFAULT_ZONE) -> tuple[Overlay, ...]:
    """Return what is asked by one run only; it is never part of a shape."""
    found: list[Overlay] = []
    if run.host is not None:
        found.append(OnHost(run.host))
    if run.ignored_hosts:
        found.append(NotIgnored(run.ignored_hosts))
    found.extend(AlsoInZone(zone, default_zone) for zone in sorted(run.zones))
    return tuple(found)


def _place(resource_class: ResourceClass) -> tuple[int, str]:
    known = resource_class in _FIRST
    return (_FIRST.index(resource_class) if known else len(_FIRST), resource_class)
