"""Every change on the list, of every size, whatever the rules of the scheduler would offer."""

from collections.abc import Iterable, Iterator
from itertools import combinations

import attrs

from computekit.errors import InvalidInput
from computekit.ids import HostName
from computekit.model import PlacementRequest
from computekit.placement import FleetIndex, check_request
from computekit.scheduler import (
    Adjustment,
    Amount,
    AskAmount,
    AskZone,
    Drop,
    EnableHost,
    FreeUp,
    HasMachineType,
    HasTrait,
    InAggregate,
    InTree,
    LacksTrait,
    NotIgnored,
    NotInAggregate,
    OnHost,
    Placed,
    Policy,
    Request,
    SameSubtree,
    Scheduler,
    Separate,
    WakeHost,
)
from tests.property.scheduler.fleets import FleetHost

MOST = 13
"""More than any amount that these fleets have in one place."""


def every_change(of: FleetHost, fleet: FleetIndex, request: Request) -> tuple[Adjustment, ...]:
    """Return every change on the list that could have to do with a host and a request."""
    found = [*_of_host(of), *_of_run(of, request), *_of_groups(request.placement)]
    for group in request.placement.groups:
        for name, asked in group.resources.items():
            found.extend(
                AskAmount(group.suffix, name, asked, amount)
                for amount in range(1, MOST)
                if amount != asked
            )
            row = fleet.row(of.host.name)
            assert row is not None
            parts = tuple(
                (g.suffix, g.resources[name])
                for g in request.placement.groups
                if name in g.resources
            )
            drops = Amount(name, parts).changes(fleet, row)
            found.extend(change for change in drops if isinstance(change, Drop))
    return tuple(dict.fromkeys(found))


def _of_host(of: FleetHost) -> Iterator[Adjustment]:
    if of.host.disabled is not None:
        yield EnableHost(of.host.name)
    if not of.host.up:
        yield WakeHost(of.host.name)
    for use in of.uses:
        for name, used in use.used.items():
            for amount in range(1, used + 1):
                yield FreeUp(of.host.name, use.provider.id, name, amount)


def _of_run(of: FleetHost, request: Request) -> Iterator[Adjustment]:
    run, zone, placement = request.run, request.intent.zone, request.placement
    if zone is not None:
        yield AskZone(zone, of.host.zone)
    if run.host is not None:
        yield Drop(OnHost(run.host))
    if of.host.name in run.ignored_hosts:
        yield Drop(NotIgnored(frozenset({of.host.name})))
    if request.machine_type is not None:
        yield Drop(HasMachineType(request.machine_type))
    for trait in placement.root_required:
        yield Drop(HasTrait(frozenset({trait}), of_root=True))
    for trait in placement.root_forbidden:
        yield Drop(LacksTrait(trait, of_root=True))
    if placement.group_policy == "isolate":
        yield Drop(Separate(2))
    for suffixes in placement.same_subtree:
        yield Drop(SameSubtree(suffixes))


def _of_groups(placement: PlacementRequest) -> Iterator[Adjustment]:
    for group in placement.groups:
        for traits in group.required:
            yield Drop(HasTrait(traits))
        for trait in group.forbidden:
            yield Drop(LacksTrait(trait))
        for aggregates in group.member_of:
            yield Drop(InAggregate(aggregates))
        for aggregate in group.not_member_of:
            yield Drop(NotInAggregate(aggregate, spans=not group.suffix))
        if group.in_tree is not None:
            yield Drop(InTree(group.in_tree))


def smallest_by_trying(
    fleet: FleetIndex,
    request: Request,
    host: HostName,
    changes: Iterable[Adjustment],
    policy: Policy,
    most: int,
) -> tuple[int, float] | None:
    """Return how many changes of which total size let a host take a request; None above `most`."""
    listed = tuple(changes)
    for count in range(most + 1):
        sizes = (
            sum(change.size for change in chosen)
            for chosen in combinations(listed, count)
            if _fits(fleet, request, host, chosen, policy)
        )
        least = min(sizes, default=None)
        if least is not None:
            return count, least
    return None


def _fits(
    fleet: FleetIndex,
    request: Request,
    host: HostName,
    changes: Iterable[Adjustment],
    policy: Policy,
) -> bool:
    other = fleet.copy()
    for change in changes:
        request = change.apply(request, other)
    try:
        check_request(request.placement)
    except InvalidInput:
        return False
    run = attrs.evolve(request.run, host=request.run.host or host)
    decision = Scheduler(other, policy).place(attrs.evolve(request, run=run))
    return isinstance(decision, Placed) and decision.host == host
