"""What is kept with an instance for those who use it, and decides nothing about its place."""

from enum import Enum

import attrs

from computekit.ids import InstanceId
from computekit.model.frozen_map import FrozenMap
from computekit.units import Seconds

__all__ = ["LockedBy", "ServerRecord"]


class LockedBy(Enum):
    """Who has locked a server: only an administrator takes an administrator's lock away."""

    OWNER = "owner"
    ADMIN = "admin"


@attrs.frozen
class ServerRecord:
    """What is said of a server beside its instance (Compute API, servers).

    Attributes:
        id: of the instance.
        hostname: what the guest calls itself.
        description: for people.
        metadata: text by key, of its owner's making.
        tags: words of its owner's making.
        key_name: the keypair that it was made with.
        public_key: of that keypair, as it was then.
        user_data: base64 text for the guest; never shown in a log.
        config_drive: whether the guest gets its data on a disk.
        locked: who has locked it, if anybody.
        locked_reason: why.
        access_ipv4: an address that its owner has noted; "" if none.
        access_ipv6: likewise.
        reservation: groups the servers that one request made.
        launch_index: counts them, from 0.
        changed_s: when any of this was last changed; wall seconds since the Unix epoch.
    """

    id: InstanceId
    hostname: str = ""
    description: str | None = None
    metadata: FrozenMap[str, str] = FrozenMap()
    tags: frozenset[str] = frozenset()
    key_name: str | None = None
    public_key: str | None = None
    user_data: str | None = attrs.field(default=None, repr=False)
    config_drive: bool = False
    locked: LockedBy | None = None
    locked_reason: str | None = None
    access_ipv4: str = ""
    access_ipv6: str = ""
    reservation: str = ""
    launch_index: int = 0
    changed_s: Seconds = Seconds(0.0)
