"""Server groups, and the levels of a deployment, as people write them in a file of a fleet."""

from collections.abc import Iterator
from typing import Annotated

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.forms import String, Whole
from computekit.ids import ConsumerId, HostName, InstanceId, ProjectId, ServerGroupId
from computekit.model import (
    HOST_LEVEL,
    FrozenMap,
    PlacementRule,
    ServerGroup,
    TopologyLevel,
    TopologyLevels,
    parse_group_rules,
    rule_faults,
)
from computekit.placement import FleetIndex
from computekit.scheduler.domains import domain_in

__all__ = ["LevelForm", "ServerGroupForm", "enter_groups", "group_faults", "levels_of"]

Name = Annotated[str, String(what="a name")]


@attrs.frozen
class LevelForm:
    """A level at which hosts belong together: hosts with the same value are in one domain of it.

    Attributes:
        name: what rules call it: `rack`, `row` ...
        key: the metadata key of aggregates whose value is the domain.
    """

    name: Name
    key: Name


@attrs.frozen
class ServerGroupForm:
    """Instances whose places depend on each other (Compute API, server groups).

    Attributes:
        id: by which the hint `group` of a request names it.
        policy: `affinity`, `anti-affinity`, `soft-affinity` or `soft-anti-affinity`.
        rules: what refines it: `max_server_per_host`, `max_server_per_<level>`,
            `max_skew_<level>`, `min_<level>s`, `level`.
        members: ids of its instances; they are where hosts list them.
    """

    id: Name
    policy: Name
    rules: FrozenMap[Name, Annotated[int, Whole(0, 10**9)] | Name] = FrozenMap()
    members: frozenset[Name] = frozenset()

    def parsed(self, levels: TopologyLevels) -> tuple[PlacementRule, ...]:
        """Return its rules.

        Raises:
            InvalidInput: they are none of those that are known.
        """
        return parse_group_rules(self.policy, dict(self.rules), levels)


def levels_of(forms: tuple[LevelForm, ...]) -> TopologyLevels:
    """Return the levels of a deployment, coarse to fine.

    Raises:
        InvalidInput: names or keys are malformed or repeated.
    """
    return TopologyLevels(tuple(TopologyLevel(level.name, level.key) for level in forms))


def group_faults(
    groups: tuple[ServerGroupForm, ...], levels: tuple[LevelForm, ...]
) -> Iterator[Fault]:
    """Return what is wrong with the groups and the levels of a fleet."""
    try:
        known = levels_of(levels)
    except InvalidInput as error:
        yield from (attrs.evolve(fault, path=f"fleet.{fault.path}") for fault in error.faults)
        return
    for at, group in enumerate(groups):
        path = f"fleet.groups[{at}]"
        try:
            rules = group.parsed(known)
        except InvalidInput as error:
            yield from (attrs.evolve(fault, path=f"{path}.{fault.path}") for fault in error.faults)
            continue
        yield from rule_faults(rules, known, path=f"{path}.rules")


def enter_groups(
    fleet: FleetIndex,
    groups: tuple[ServerGroupForm, ...],
    where: FrozenMap[InstanceId, frozenset[HostName]],
) -> None:
    """Write groups, and where their members are, into a fleet.

    Args:
        fleet: with all its hosts and aggregates.
        groups: to be written.
        where: the hosts of instances.
    """
    for form in groups:
        group = ServerGroupId(form.id)
        rules = form.parsed(fleet.groups.levels)
        found = ServerGroup(group, form.id, ProjectId(""), rules)
        fleet.groups.put(found)
        for member in sorted(form.members):
            rows = [fleet.row(host) for host in where.get(InstanceId(member), frozenset())]
            places = {
                level: frozenset(
                    domain
                    for row in rows
                    if row is not None and (domain := domain_in(fleet, level, row)) is not None
                )
                for level in dict.fromkeys((*found.levels, HOST_LEVEL))
            }
            known = {level: domains for level, domains in places.items() if domains}
            fleet.groups.move(ConsumerId(member), {group: known} if known else {})
