"""Operations that tell what a project may have, and has."""

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, may_see, project_of, since
from computekit.api.compute.keypairs import MOST_KEYPAIRS
from computekit.api.compute.labels import MOST_METADATA
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import ServerQuery
from computekit.errors import NotFound
from computekit.ids import ProjectId

__all__ = ["SHOW_LIMITS", "SHOW_QUOTA", "LimitCalls", "Limits", "LimitsQuery"]

_MOST_GROUPS = 10
UNLIMITED = -1
_ALL_OF_THEM = 1_000_000


@attrs.frozen
class LimitsQuery:
    """Whose limits are asked for; None: those of the project that calls."""

    project: ProjectId | None = None


@attrs.frozen
class Limits:
    """What a project may have, and has; -1 where there is no limit.

    Attributes:
        project: whose.
        servers: that it has; likewise the next two.
        vcpus: of them.
        memory_mib: of them.
        groups: that it has.
        most_groups: that it may have.
        most_members: that one of its groups may have.
        most_keypairs: that a user may have.
        most_metadata: items that a server may have.
    """

    project: ProjectId
    servers: int
    vcpus: int
    memory_mib: int
    groups: int
    most_groups: int = _MOST_GROUPS
    most_members: int = 10
    most_keypairs: int = MOST_KEYPAIRS
    most_metadata: int = MOST_METADATA


SHOW_LIMITS = ApiOperation(
    "show_limits", "GET", "/v2.1/limits", "What a project may have, and has.",
    LimitsQuery, Limits, since(1), rule=Rule.READER,
)  # fmt: skip
SHOW_QUOTA = ApiOperation(
    "show_quota_set", "GET", "/v2.1/os-quota-sets/{project}", "What a project may have.",
    LimitsQuery, Limits, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip


class LimitCalls:
    """What carries out the operations on limits.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def show(self, asked: LimitsQuery, context: CallContext) -> Limits:
        """Carry out `SHOW_LIMITS` and `SHOW_QUOTA`."""
        project = asked.project or project_of(context)
        if not may_see(context.identity, project):
            raise NotFound("project", project)
        services = self._cloud.services
        rows = self._cloud.servers.servers(ServerQuery(project=project, limit=_ALL_OF_THEM))
        flavors = [row.instance.flavor for row in rows]
        return Limits(
            project,
            len(flavors),
            sum(flavor.vcpus for flavor in flavors),
            sum(flavor.memory_mib for flavor in flavors),
            len(services.slots.groups.groups(project=project)),
            most_members=services.most_members,
        )
