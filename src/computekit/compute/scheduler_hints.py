"""The hints that an instance may be made with: each is either obeyed or refused."""

from collections.abc import Iterator, Mapping

from computekit.compute.services import Services
from computekit.errors import CounterFull, Fault
from computekit.ids import HostName, InstanceId, ProjectId, ServerGroupId, is_uuid
from computekit.model import FrozenMap, Instance
from computekit.scheduler import (
    DifferentHostFilter,
    JsonFilter,
    PlacementIntent,
    SameHostFilter,
    SimpleCIDRAffinityFilter,
    named_instances,
)

__all__ = ["check_room", "hint_faults", "hosts_of"]

_RULES: Mapping[type, tuple[str, ...]] = {
    SameHostFilter: ("same_host",),
    DifferentHostFilter: ("different_host",),
    SimpleCIDRAffinityFilter: ("build_near_host_ip", "cidr"),
    JsonFilter: ("query",),
}
_INSTANCES = frozenset({"same_host", "different_host"})


def hint_faults(
    services: Services, hints: FrozenMap[str, tuple[str, ...]], project: ProjectId
) -> Iterator[Fault]:
    """Return what is wrong with the hints of a new instance.

    A hint that no rule of the policy looks at is refused: nobody would keep it.

    Args:
        services: the ports.
        hints: by name, all values of each.
        project: whose instance it is; its groups are those that may be named.
    """
    obeyed = {"group"}
    for rule in services.scheduler.policy.rules:
        obeyed.update(_RULES.get(type(rule), ()))
    for hint, values in hints.items():
        path = f"hints[{hint!a}]"
        if hint not in obeyed:
            message = "no rule of this deployment looks at it; leave it out"
            yield Fault(path, "unsupported_hint", message)
        elif hint == "group":
            yield from _group_faults(services, path, values, project)
        elif hint in _INSTANCES:
            for value in values:
                if not is_uuid(value):
                    yield Fault(path, "not_a_uuid", f"{value[:80]!a} is not a UUID")


def _group_faults(
    services: Services, path: str, values: tuple[str, ...], project: ProjectId
) -> Iterator[Fault]:
    if len(values) != 1:
        yield Fault(path, "count", f"{len(values)} groups; an instance is in one")
        return
    (value,) = values
    if not is_uuid(value):
        yield Fault(path, "not_a_uuid", f"{value[:80]!a} is not a UUID")
        return
    group = services.slots.groups.group(ServerGroupId(value))
    if group is None or group.project != project:
        yield Fault(path, "not_found", f"there is no server group {value}")


def check_room(services: Services, instance: Instance) -> None:
    """Raise `CounterFull` if the group of an instance that is not written yet has no room for it.

    Called in the transaction that writes the instance.
    """
    if instance.group is None:
        return
    members = len(services.instances.instances(group=instance.group))
    most = services.most_members
    if members >= most:
        raise CounterFull("server_group_members", instance.group, 1, members, most)


def hosts_of(
    services: Services, intent: PlacementIntent
) -> FrozenMap[InstanceId, frozenset[HostName]]:
    """Return where the instances are that hints name.

    One without a host is left out, and so is one of another project: a hint is no way to find out
    where somebody else's servers are, or to get near them.
    """
    found: dict[InstanceId, frozenset[HostName]] = {}
    for name in sorted(named_instances(intent)):
        row = services.instances.instance(name)
        if row is not None and row.host is not None and row.project == intent.project:
            found[name] = frozenset({row.host})
    return FrozenMap(found)
