"""What the answers of the network stand-in look like."""

from msgspec import Struct, field

from computekit.http.openapi import Link

__all__ = [
    "ExtensionsAnswer",
    "NetworkAnswer",
    "NetworkRow",
    "NetworksAnswer",
    "PortsAnswer",
    "ResourceRow",
    "ResourcesAnswer",
    "SubnetsAnswer",
    "VersionRow",
    "VersionsAnswer",
]


class VersionRow(Struct):
    """One version."""

    id: str
    status: str
    links: list[Link]


class VersionsAnswer(Struct):
    """Which versions there are."""

    versions: list[VersionRow]


class ResourceRow(Struct):
    """One kind of things."""

    name: str
    collection: str
    links: list[Link]


class ResourcesAnswer(Struct):
    """What there is in a version."""

    resources: list[ResourceRow]


class ExtensionsAnswer(Struct):
    """What there is beyond the core."""

    extensions: list[dict[str, str]]


class NetworkRow(Struct):
    """One network."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    status: str
    admin_state_up: bool
    shared: bool
    mtu: int
    subnets: list[str]
    availability_zones: list[str]
    availability_zone_hints: list[str]
    tags: list[str]
    port_security_enabled: bool
    is_default: bool
    external: bool = field(name="router:external")


class NetworkAnswer(Struct):
    """One network."""

    network: NetworkRow


class NetworksAnswer(Struct):
    """Several networks."""

    networks: list[NetworkRow]


class PortsAnswer(Struct):
    """Several ports."""

    ports: list[dict[str, str]]


class SubnetsAnswer(Struct):
    """Several subnets."""

    subnets: list[dict[str, str]]
