"""What is asked of servers, as bodies."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from computekit.http.compute.versioned import between, since

Name = Annotated[str, Meta(min_length=1, max_length=255)]
MetadataKey = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9-_:. ]{1,255}$")]
MetadataText = Annotated[str, Meta(max_length=255)]
Metadata = dict[MetadataKey, MetadataText]
Tag = Annotated[str, Meta(pattern=r"^[^,/]*$", min_length=1, max_length=60)]
Tags = Annotated[list[Tag], Meta(max_length=50)]
Number = Annotated[int, Meta(ge=1)]
Hostname = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9-._]*$", min_length=1, max_length=255)]
Description = Annotated[str, Meta(max_length=255)] | None
HintValue = str | int | list[str] | dict[str, str] | None


class BlockDevice(Struct, kw_only=True, forbid_unknown_fields=True):
    """A disk, and where its content comes from."""

    source_type: str
    destination_type: str = "local"
    uuid: str | None = None
    boot_index: int | None = None
    delete_on_termination: bool = True
    volume_size: int | None = None
    device_name: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    guest_format: str | None = None
    no_device: bool | None = None
    tag: Annotated[str | UnsetType | None, since(42)] = UNSET
    volume_type: Annotated[str | UnsetType | None, since(67)] = UNSET


class Network(Struct, kw_only=True, forbid_unknown_fields=True):
    """A network or a port that a server gets."""

    uuid: str | None = None
    port: str | None = None
    fixed_ip: str | None = None
    tag: Annotated[str | UnsetType | None, since(42)] = UNSET


class SecurityGroup(Struct, forbid_unknown_fields=True):
    """A security group by its name."""

    name: str


class File(Struct, forbid_unknown_fields=True):
    """A file that is put into the guest."""

    path: str
    contents: str


class Hints(Struct, kw_only=True):
    """Hints for the scheduler; further ones may be there."""


class NewServerFields(Struct, kw_only=True, forbid_unknown_fields=True):
    """A server to be made."""

    name: Name
    flavor: str | int = field(name="flavorRef")
    image: str | UnsetType = field(name="imageRef", default=UNSET)
    networks: Annotated[list[Network] | str | UnsetType, Meta()] = UNSET
    block_device_mapping_v2: list[BlockDevice] | UnsetType = UNSET
    block_device_mapping: list[dict[str, str | int | bool | None]] | UnsetType = UNSET
    min_count: Number = 1
    max_count: Number | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    admin_pass: str | UnsetType = field(name="adminPass", default=UNSET)
    key_name: Name | UnsetType | None = UNSET
    availability_zone: Name | UnsetType = UNSET
    config_drive: bool | None = None
    user_data: Annotated[str, Meta(max_length=65535)] | UnsetType | None = UNSET
    security_groups: list[SecurityGroup] | UnsetType = UNSET
    return_reservation_id: bool = False
    disk_config: str = field(name="OS-DCF:diskConfig", default="AUTO")
    access_ipv4: str | UnsetType = field(name="accessIPv4", default=UNSET)
    access_ipv6: str | UnsetType = field(name="accessIPv6", default=UNSET)
    personality: Annotated[list[File] | UnsetType, between(None, 56)] = UNSET
    description: Annotated[Description | UnsetType, since(19)] = UNSET
    tags: Annotated[Tags | UnsetType, since(52)] = UNSET
    trusted_image_certificates: Annotated[list[str] | UnsetType | None, since(63)] = UNSET
    host: Annotated[Name | UnsetType, since(74)] = UNSET
    hypervisor_hostname: Annotated[Name | UnsetType, since(74)] = UNSET
    hostname: Annotated[Hostname | UnsetType, since(90)] = UNSET


class NewServerBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A server to be made, under its name, with hints beside it."""

    server: NewServerFields
    hints: dict[str, HintValue] | UnsetType = field(name="os:scheduler_hints", default=UNSET)
    old_hints: dict[str, HintValue] | UnsetType = field(
        name="OS-SCH-HNT:scheduler_hints", default=UNSET
    )


class ServerChangeFields(Struct, kw_only=True, forbid_unknown_fields=True):
    """What of a server is to change."""

    name: Name | UnsetType = UNSET
    access_ipv4: str | UnsetType = field(name="accessIPv4", default=UNSET)
    access_ipv6: str | UnsetType = field(name="accessIPv6", default=UNSET)
    disk_config: str | UnsetType = field(name="OS-DCF:diskConfig", default=UNSET)
    description: Annotated[Description | UnsetType, since(19)] = UNSET
    hostname: Annotated[Hostname | UnsetType, since(90)] = UNSET
    pinned_zone: Annotated[Name | UnsetType | None, since(104)] = field(
        name="pinned_availability_zone", default=UNSET
    )


class ServerChangeBody(Struct, forbid_unknown_fields=True):
    """What of a server is to change, under its name."""

    server: ServerChangeFields
