"""Make, list and delete server groups."""

from collections.abc import Mapping

import attrs

from computekit.compute.services import Services
from computekit.errors import CounterFull, Fault, InvalidInput, NotFound
from computekit.guest import check_name
from computekit.ids import ProjectId, ServerGroupId, UserId, new_uuid
from computekit.model import Instance, PlacementRule, ServerGroup, parse_group_rules, rule_faults
from computekit.work import Tx

__all__ = ["GroupMembers", "create_group", "delete_group", "group_members", "make_group"]

MOST_GROUPS = 10
"""Groups that one project may have, unless somebody says otherwise (Nova, server_groups)."""


@attrs.frozen
class GroupMembers:
    """A group and its members.

    Attributes:
        group: the group.
        members: instances that are not deleted, oldest first.
    """

    group: ServerGroup
    members: tuple[Instance, ...]


def create_group(
    services: Services,
    *,
    name: str,
    policy: str,
    rules: Mapping[str, int | str],
    project: ProjectId,
    user: UserId | None = None,
    most: int = MOST_GROUPS,
) -> ServerGroup:
    """Write down a new group whose rules are given as a policy and its keys.

    Raises:
        InvalidInput: name, policy or keys break rules; all faults are in it.
        CounterFull: the project has `most` groups.
    """
    faults: list[Fault] = []
    found: tuple[PlacementRule, ...] = ()
    try:
        found = parse_group_rules(policy, rules, services.slots.levels)
    except InvalidInput as error:
        faults.extend(error.faults)
    else:
        faults.extend(rule_faults(found, services.slots.levels, services.most_members))
    return make_group(services, name, found, project, user, most=most, faults=tuple(faults))


def make_group(
    services: Services,
    name: str,
    rules: tuple[PlacementRule, ...],
    project: ProjectId,
    user: UserId | None = None,
    *,
    most: int = MOST_GROUPS,
    faults: tuple[Fault, ...] | None = None,
) -> ServerGroup:
    """Write down a new group.

    Args:
        services: the ports.
        name: for people.
        rules: how its members are to lie.
        project: whose it is.
        user: who makes it.
        most: groups that the project may have.
        faults: what is known to be wrong with the rules; None if nobody has looked.

    Raises:
        InvalidInput: name or rules break rules; all faults are in it.
        CounterFull: the project has `most` groups.
    """
    if faults is None:
        faults = rule_faults(rules, services.slots.levels, services.most_members)
    try:
        check_name(name)
    except InvalidInput as error:
        faults = (*error.faults, *faults)
    if faults:
        raise InvalidInput(faults)
    group = ServerGroup(ServerGroupId(new_uuid(services.random)), name, project, rules, user)

    def write(tx: Tx) -> None:
        there = len(services.slots.groups.groups(project=project))
        if there >= most:
            raise CounterFull("server_groups", project, 1, there, most)
        services.slots.groups.add_group(tx, group)

    services.store.write(write)
    return group


def delete_group(services: Services, group: ServerGroupId) -> None:
    """Delete a group; its members stay where they are, and from then on go where they like.

    Raises:
        NotFound: there is none.
    """

    def write(tx: Tx) -> None:
        if services.slots.groups.lock_group(tx, group) is None:
            raise NotFound("server group", group)
        services.slots.groups.delete_group(tx, group)

    services.store.write(write)


def group_members(services: Services, group: ServerGroupId) -> GroupMembers:
    """Return a group and its members.

    Raises:
        NotFound: there is none.
    """
    found = services.slots.groups.group(group)
    if found is None:
        raise NotFound("server group", group)
    return GroupMembers(found, services.instances.instances(group=group))
