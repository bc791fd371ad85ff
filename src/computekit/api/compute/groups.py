"""Operations on server groups."""

from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, Page, is_admin, may_see, project_of, since, user_of
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import GroupMembers, create_group, delete_group, group_members
from computekit.errors import NotFound
from computekit.ids import ServerGroupId
from computekit.model import FrozenMap

__all__ = [
    "CREATE_GROUP",
    "DELETE_GROUP",
    "LIST_GROUPS",
    "SHOW_GROUP",
    "GroupCalls",
    "GroupPath",
    "GroupQuery",
    "NewGroup",
]

_ALL = "/v2.1/os-server-groups"
_ONE = f"{_ALL}/{{group}}"


@attrs.frozen
class GroupPath:
    """Which server group."""

    id: ServerGroupId


@attrs.frozen
class GroupQuery:
    """Which server groups are asked for.

    Attributes:
        everybody: those of all projects; for administrators.
        offset: how many are left out at the beginning.
        limit: the most that are returned.
    """

    everybody: bool = False
    offset: int = 0
    limit: int = 1000


@attrs.frozen
class NewGroup:
    """A server group that is to be made.

    Attributes:
        name: for people.
        policy: what its members are to do.
        rules: that refine it.
    """

    name: str
    policy: str
    rules: FrozenMap[str, int | str] = FrozenMap()


LIST_GROUPS = ApiOperation(
    "list_server_groups", "GET", _ALL, "Server groups.",
    GroupQuery, Page[GroupMembers], since(1), rule=Rule.READER,
)  # fmt: skip
SHOW_GROUP = ApiOperation(
    "show_server_group", "GET", _ONE, "One server group.",
    GroupPath, GroupMembers, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
CREATE_GROUP = ApiOperation(
    "create_server_group", "POST", _ALL, "Make a server group.",
    NewGroup, GroupMembers, since(1), rule=Rule.MEMBER, has_body=True,
)  # fmt: skip
DELETE_GROUP = ApiOperation(
    "delete_server_group", "DELETE", _ONE, "Delete a server group; its members stay.",
    GroupPath, NoneType, since(1), rule=Rule.MEMBER, errors=(NotFound,),
)  # fmt: skip


class GroupCalls:
    """What carries out the operations on server groups.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._services = cloud.services

    def all(self, asked: GroupQuery, context: CallContext) -> Page[GroupMembers]:
        """Carry out `LIST_GROUPS`."""
        everybody = asked.everybody and is_admin(context.identity)
        project = None if everybody else project_of(context)
        found = self._services.slots.groups.groups(project=project)
        some = found[asked.offset : asked.offset + asked.limit]
        members = tuple(group_members(self._services, group.id) for group in some)
        return Page(members)

    def show(self, asked: GroupPath, context: CallContext) -> GroupMembers:
        """Carry out `SHOW_GROUP`."""
        found = group_members(self._services, asked.id)
        if not may_see(context.identity, found.group.project):
            raise NotFound("server group", asked.id)
        return found

    def create(self, asked: NewGroup, context: CallContext) -> GroupMembers:
        """Carry out `CREATE_GROUP`."""
        group = create_group(
            self._services,
            name=asked.name,
            policy=asked.policy,
            rules=asked.rules,
            project=project_of(context),
            user=user_of(context),
        )
        return GroupMembers(group, ())

    def delete(self, asked: GroupPath, context: CallContext) -> None:
        """Carry out `DELETE_GROUP`."""
        self.show(asked, context)
        delete_group(self._services, asked.id)
