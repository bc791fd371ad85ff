"""What the scheduler is asked: the intent that is kept, and what holds for one run only."""

import attrs

from computekit.ids import HostName, InstanceId, ProjectId, ServerGroupId, UserId
from computekit.model import (
    Flavor,
    FrozenMap,
    Image,
    Instance,
    PlacementRequest,
    Trait,
)
from computekit.scheduler.request_delta import RequestDelta
from computekit.topology import GuestTopology

__all__ = ["PlacementIntent", "Request", "SchedulingRun", "intent_of"]


@attrs.frozen
class PlacementIntent:
    """What the owner wants of the place, kept with the instance for its whole life.

    Attributes:
        zone: the availability zone that it is pinned to.
        hints: scheduler hints by name, all values of each.
        required_traits: of the host, beyond what the guest needs.
        forbidden_traits: that the host must not have.
        project: who owns the instance.
        user: who asked for it.
        flavor: as it was when the instance was made or last resized.
        image: as it was when the instance was made or last rebuilt.
        group: the server group that it is a member of.
    """

    zone: str | None = None
    hints: FrozenMap[str, tuple[str, ...]] = FrozenMap()
    required_traits: frozenset[Trait] = frozenset()
    forbidden_traits: frozenset[Trait] = frozenset()
    project: ProjectId | None = None
    user: UserId | None = None
    flavor: Flavor | None = None
    image: Image | None = None
    group: ServerGroupId | None = None


def intent_of(instance: Instance) -> PlacementIntent:
    """Return what the owner of an instance wants of its place.

    Its server group is the first value of the hint `group` (Compute API, scheduler hints).
    """
    group = next(iter(instance.hints.get("group", ())), None)
    return PlacementIntent(
        zone=instance.zone,
        hints=instance.hints,
        project=instance.project,
        user=instance.user,
        flavor=instance.flavor,
        image=instance.image,
        group=ServerGroupId(group) if group else None,
    )


@attrs.frozen
class SchedulingRun:
    """What holds for one run of the scheduler and is never kept.

    Attributes:
        ignored_hosts: hosts that must not be chosen: those that were tried, the one to leave ...
        host: the only host that may be chosen; every rule is still asked.
        zones: that the host must be in too, whatever the instance is pinned to.
        instance: the one that is to be placed, so that a rule can leave it out of what it counts.
        hosts_of: where other instances are that the hints or the group name, as read for this run:
            one host each, two while one moves.
    """

    ignored_hosts: frozenset[HostName] = frozenset()
    host: HostName | None = None
    zones: frozenset[str] = frozenset()
    instance: InstanceId | None = None
    hosts_of: FrozenMap[InstanceId, frozenset[HostName]] = FrozenMap()


@attrs.frozen
class Request:
    """Everything that a decision depends on, beside the fleet and the policy.

    Attributes:
        placement: the resources, and what their providers must be like.
        intent: what the owner wants of the place.
        run: what holds this time only.
        machine_type: that the host's hypervisor must have; None if any will do.
        topology: NUMA nodes, pinning and pages that the host must have room for; None if none.
        deltas: what request filters have added; their traits and groups are in `placement`.
    """

    placement: PlacementRequest
    intent: PlacementIntent = PlacementIntent()
    run: SchedulingRun = SchedulingRun()
    machine_type: str | None = None
    topology: GuestTopology | None = None
    deltas: tuple[RequestDelta, ...] = ()
