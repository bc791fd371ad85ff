"""An instance: what somebody asked for, and where it is."""

from enum import Enum

import attrs

from computekit.ids import HostName, InstanceId, ProjectId, ServerGroupId, UserId
from computekit.model.flavor import Flavor
from computekit.model.frozen_map import FrozenMap
from computekit.model.image import Image
from computekit.units import Seconds

__all__ = ["Instance", "InstanceState"]


class InstanceState(Enum):
    """The stable state of an instance; what is under way is read from its operation."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    ERROR = "error"
    DELETED = "deleted"


@attrs.frozen
class Instance:
    """A virtual server (Compute API, servers).

    Attributes:
        id: UUID.
        name: for people; the guest learns it.
        project: who owns it.
        user: who asked for it.
        flavor: as it was when the instance was made.
        image: as it was when the instance was made.
        state: the last stable state.
        created_s: wall clock, seconds since the Unix epoch.
        host: where it is; None before it is placed and after it has gone.
        epoch: raised, in the same transaction, with each change of place.
        zone: the availability zone that it is pinned to.
        hints: scheduler hints by name, all values of each.
    """

    id: InstanceId
    name: str
    project: ProjectId
    user: UserId
    flavor: Flavor
    image: Image
    state: InstanceState
    created_s: Seconds
    host: HostName | None = None
    epoch: int = 0
    zone: str | None = None
    hints: FrozenMap[str, tuple[str, ...]] = FrozenMap()

    @property
    def group(self) -> ServerGroupId | None:
        """The server group that it is a member of: the first value of the hint `group`."""
        named = next(iter(self.hints.get("group", ())), None)
        return ServerGroupId(named) if named else None
