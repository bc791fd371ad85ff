"""Servers as they are shown."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType, field

from computekit.api.compute.server_view import ServerView
from computekit.http.compute.binding import Reader
from computekit.http.compute.links import Link, links_of
from computekit.http.compute.query import iso
from computekit.http.compute.versioned import between, since
from computekit.ids import HostName, ProjectId
from computekit.model import InstanceState

__all__ = [
    "STATUSES",
    "ServerAnswer",
    "ServerName",
    "ServersAnswer",
    "host_id",
    "server_answer",
    "server_name",
]

STATUSES: Mapping[InstanceState, str] = MappingProxyType(
    {
        InstanceState.BUILDING: "BUILD",
        InstanceState.ACTIVE: "ACTIVE",
        InstanceState.STOPPED: "SHUTOFF",
        InstanceState.ERROR: "ERROR",
        InstanceState.DELETED: "DELETED",
    }
)
_WHILE = {"rebooting": "REBOOT", "reboot_started": "REBOOT"}
_POWER = {InstanceState.ACTIVE: 1, InstanceState.STOPPED: 4}
_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})


class Fault(Struct, kw_only=True):
    """Why a server is in error."""

    code: int
    created: str
    message: str
    details: str | UnsetType = UNSET


class FlavorPart(Struct, kw_only=True):
    """The flavor that a server was made with: by its id, later by what it was."""

    id: Annotated[str, between(None, 46)]
    links: Annotated[list[Link], between(None, 46)]
    original_name: Annotated[str, since(47)]
    vcpus: Annotated[int, since(47)]
    ram: Annotated[int, since(47)]
    disk: Annotated[int, since(47)]
    ephemeral: Annotated[int, since(47)]
    swap: Annotated[int, since(47)]
    extra_specs: Annotated[dict[str, str], since(47)]


class ImagePart(Struct, kw_only=True):
    """The image that a server was made of."""

    id: str
    links: list[Link]
    properties: Annotated[dict[str, str], since(98)]


class Address(Struct, kw_only=True):
    """One address of a server."""

    addr: str
    version: int
    type: str = field(name="OS-EXT-IPS:type", default="fixed")
    mac: str = field(name="OS-EXT-IPS-MAC:mac_addr")


class Named(Struct):
    """Something by its name."""

    name: str


class Volume(Struct):
    """A volume that is attached."""

    id: str
    delete_on_termination: Annotated[bool, since(3)]


class ServerAnswer(Struct, kw_only=True):
    """A server."""

    id: str
    name: str
    status: str
    tenant_id: str
    user_id: str
    metadata: dict[str, str]
    host_id: str = field(name="hostId")
    image: ImagePart | str
    flavor: FlavorPart
    created: str
    updated: str
    addresses: dict[str, list[Address]]
    access_ipv4: str = field(name="accessIPv4")
    access_ipv6: str = field(name="accessIPv6")
    links: list[Link]
    config_drive: str
    key_name: str | None
    disk_config: str = field(name="OS-DCF:diskConfig", default="AUTO")
    zone: str = field(name="OS-EXT-AZ:availability_zone")
    launched_at: str | None = field(name="OS-SRV-USG:launched_at")
    terminated_at: str | None = field(name="OS-SRV-USG:terminated_at")
    task_state: str | None = field(name="OS-EXT-STS:task_state")
    vm_state: str = field(name="OS-EXT-STS:vm_state")
    power_state: int = field(name="OS-EXT-STS:power_state")
    volumes: list[Volume] = field(name="os-extended-volumes:volumes_attached")
    progress: int | UnsetType = UNSET
    fault: Fault | UnsetType = UNSET
    security_groups: list[Named] | UnsetType = UNSET
    host: str | UnsetType | None = field(name="OS-EXT-SRV-ATTR:host", default=UNSET)
    hypervisor_hostname: str | UnsetType | None = field(
        name="OS-EXT-SRV-ATTR:hypervisor_hostname", default=UNSET
    )
    instance_name: str | UnsetType = field(name="OS-EXT-SRV-ATTR:instance_name", default=UNSET)
    reservation_id: Annotated[str | UnsetType, since(3)] = field(
        name="OS-EXT-SRV-ATTR:reservation_id", default=UNSET
    )
    launch_index: Annotated[int | UnsetType, since(3)] = field(
        name="OS-EXT-SRV-ATTR:launch_index", default=UNSET
    )
    hostname: Annotated[str | UnsetType, since(3)] = field(
        name="OS-EXT-SRV-ATTR:hostname", default=UNSET
    )
    kernel_id: Annotated[str | UnsetType, since(3)] = field(
        name="OS-EXT-SRV-ATTR:kernel_id", default=UNSET
    )
    ramdisk_id: Annotated[str | UnsetType, since(3)] = field(
        name="OS-EXT-SRV-ATTR:ramdisk_id", default=UNSET
    )
    root_device_name: Annotated[str | UnsetType | None, since(3)] = field(
        name="OS-EXT-SRV-ATTR:root_device_name", default=UNSET
    )
    user_data: Annotated[str | UnsetType | None, since(3)] = field(
        name="OS-EXT-SRV-ATTR:user_data", default=UNSET
    )
    locked: Annotated[bool, since(9)]
    host_status: Annotated[str | UnsetType, since(16)] = UNSET
    description: Annotated[str | None, since(19)]
    tags: Annotated[list[str], since(26)]
    trusted_image_certificates: Annotated[list[str] | None, since(63)] = None
    server_groups: Annotated[list[str] | UnsetType, since(71)] = UNSET
    locked_reason: Annotated[str | None, since(73)]
    pinned_zone: Annotated[str | None, since(96)] = field(name="pinned_availability_zone")
    scheduler_hints: Annotated[dict[str, str | list[str]], since(100)]


class OneServer(Struct):
    """One server under its name."""

    server: ServerAnswer


class ServersAnswer(Struct):
    """Servers."""

    servers: list[ServerAnswer]
    servers_links: list[Link] | UnsetType = UNSET


class ServerName(Struct):
    """A server's name."""

    id: str
    name: str
    links: list[Link]


class ServerNamesAnswer(Struct):
    """Names of servers."""

    servers: list[ServerName]
    servers_links: list[Link] | UnsetType = UNSET


class MadeServer(Struct, kw_only=True):
    """A server that will be there."""

    id: str
    links: list[Link]
    disk_config: str = field(name="OS-DCF:diskConfig", default="AUTO")
    security_groups: list[Named]


class MadeAnswer(Struct):
    """A server that will be there, under its name; or what groups several."""

    server: MadeServer | UnsetType = UNSET
    reservation_id: str | UnsetType = UNSET


def host_id(host: HostName | None, project: ProjectId) -> str:
    """Return a word for a host that is different for each project, and tells nothing else."""
    return "" if host is None else hashlib.sha224(f"{project}{host}".encode()).hexdigest()


def server_name(view: ServerView, reader: Reader) -> ServerName:
    """Return a server's name."""
    instance = view.row.instance
    return ServerName(instance.id, instance.name, links_of(f"servers/{instance.id}", reader))


def server_answer(view: ServerView, reader: Reader) -> ServerAnswer:
    """Return a server as its reader sees it."""
    row = view.row
    instance, record, flavor = row.instance, row.record, row.instance.flavor
    status = STATUSES[instance.state]
    if instance.state is InstanceState.ACTIVE:
        status = _WHILE.get(view.task or "", status)
    launched_s, gone_s = row.times.launched_s, row.times.deleted_s
    said = ServerAnswer(
        id=instance.id,
        name=instance.name,
        status=status,
        tenant_id=instance.project,
        user_id=instance.user,
        metadata=dict(record.metadata),
        host_id=host_id(instance.host, instance.project),
        image=_image(view, reader),
        flavor=FlavorPart(
            id=flavor.id,
            links=[Link("bookmark", reader.bookmark(f"flavors/{flavor.id}"))],
            original_name=flavor.name,
            vcpus=flavor.vcpus,
            ram=flavor.memory_mib,
            disk=flavor.disk_gib,
            ephemeral=flavor.ephemeral_gib,
            swap=flavor.swap_mib,
            extra_specs=dict(flavor.extra_specs),
        ),
        created=iso(instance.created_s),
        updated=iso(view.changed_s),
        addresses={},
        access_ipv4=record.access_ipv4,
        access_ipv6=record.access_ipv6,
        links=links_of(f"servers/{instance.id}", reader),
        config_drive="True" if record.config_drive else "",
        key_name=record.key_name,
        zone=view.zone or "",
        launched_at=None if launched_s is None else iso(launched_s, zulu=False),
        terminated_at=None if gone_s is None else iso(gone_s, zulu=False),
        task_state=view.task,
        vm_state=instance.state.value,
        power_state=_POWER.get(instance.state, 0),
        volumes=[],
        locked=record.locked is not None,
        description=record.description,
        tags=sorted(record.tags),
        locked_reason=record.locked_reason,
        pinned_zone=instance.zone,
        scheduler_hints={
            name: values[0] if len(values) == 1 else list(values)
            for name, values in instance.hints.items()
        },
    )
    if status in _PROGRESS:
        said.progress = view.progress if status == "BUILD" else 0
    if view.fault is not None:
        fault = view.fault
        said.fault = Fault(code=fault.code, created=iso(fault.created_s), message=fault.message)
        if reader.admin:
            said.fault.details = fault.details
    if view.full:
        said.server_groups = [] if instance.group is None else [instance.group]
    if reader.admin or reader.minor >= 90:
        said.hostname = record.hostname or instance.name
    if reader.admin:
        _for_admins(said, view)
    return said


def _for_admins(said: ServerAnswer, view: ServerView) -> None:
    row = view.row
    instance, record = row.instance, row.record
    said.host = said.hypervisor_hostname = instance.host
    said.instance_name = f"instance-{instance.id[:8]}"
    said.reservation_id = record.reservation
    said.launch_index = record.launch_index
    said.kernel_id = instance.image.kernel or ""
    said.ramdisk_id = instance.image.ramdisk or ""
    said.root_device_name = "/dev/vda"
    said.user_data = record.user_data
    host = view.host
    if host is None:
        said.host_status = ""
    elif host.disabled is not None:
        said.host_status = "MAINTENANCE"
    else:
        said.host_status = "UP" if host.up else "DOWN"


def _image(view: ServerView, reader: Reader) -> ImagePart:
    image = view.row.instance.image
    return ImagePart(
        id=image.id,
        links=[Link("bookmark", reader.bookmark(f"images/{image.id}"))],
        properties=dict(image.properties),
    )
