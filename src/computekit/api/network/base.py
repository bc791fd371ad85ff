"""Networks are read here; so far there is one, and each host makes its own end of it."""

from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.version import Microversion, VersionRange
from computekit.errors import NotFound
from computekit.ids import NetworkId, derived_uuid

__all__ = [
    "LIST_EXTENSIONS",
    "LIST_NETWORKS",
    "LIST_PORTS",
    "LIST_SUBNETS",
    "NETWORK_VERSIONS",
    "SHOW_NETWORK",
    "SHOW_V2",
    "SHOW_VERSIONS",
    "Network",
    "NetworkCalls",
    "NetworkPath",
    "NetworkQuery",
    "Place",
    "private_network",
]

SINCE = Microversion(2, 0)
NETWORK_VERSIONS = VersionRange("network", SINCE, SINCE)
"""Networking has no microversions: there is one form of everything."""

_SPACE = "5cbbd0a1-6f0e-4a1e-8f0c-3c1f0fd6a1a4"


@attrs.frozen
class Place:
    """Where callers find the service.

    Attributes:
        url: without a slash at its end.
    """

    url: str


@attrs.frozen
class Network:
    """What guests can be connected to.

    Attributes:
        id: UUID.
        name: for people.
        mtu_bytes: longest packet.
        shared: whether every project may use it.
    """

    id: NetworkId
    name: str
    mtu_bytes: int = 1500
    shared: bool = True


def private_network() -> Network:
    """Return the network that there always is; its id is the same everywhere."""
    return Network(NetworkId(derived_uuid(_SPACE, "private")), "private")


@attrs.frozen
class NetworkQuery:
    """Which networks are asked for.

    Attributes:
        names: of one of these; empty: all.
        ids: one of these; empty: all.
        shared: None: both.
        external: those that lead outside, which none here does; None: both.
    """

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    shared: bool | None = None
    external: bool | None = None


@attrs.frozen
class NetworkPath:
    """Which network.

    Attributes:
        id: of it; whatever stood in the path.
    """

    id: NetworkId


SHOW_VERSIONS = ApiOperation(
    name="show_versions",
    method="GET",
    path="/",
    summary="Which versions there are.",
    input=Place,
    output=Place,
    since=SINCE,
    rule=Rule.ANYONE,
)

SHOW_V2 = ApiOperation(
    name="show_v2",
    method="GET",
    path="/v2.0",
    summary="What there is in this version.",
    input=Place,
    output=Place,
    since=SINCE,
    rule=Rule.ANYONE,
)

LIST_EXTENSIONS = ApiOperation(
    name="list_extensions",
    method="GET",
    path="/v2.0/extensions",
    summary="What there is beyond the core: nothing.",
    input=NoneType,
    output=NoneType,
    since=SINCE,
    rule=Rule.READER,
)

LIST_NETWORKS = ApiOperation(
    name="list_networks",
    method="GET",
    path="/v2.0/networks",
    summary="Networks that match.",
    input=NetworkQuery,
    output=tuple[Network, ...],
    since=SINCE,
    rule=Rule.READER,
)

SHOW_NETWORK = ApiOperation(
    name="show_network",
    method="GET",
    path="/v2.0/networks/{network_id}",
    summary="One network.",
    input=NetworkPath,
    output=Network,
    since=SINCE,
    rule=Rule.READER,
    errors=(NotFound,),
)

LIST_PORTS = ApiOperation(
    name="list_ports",
    method="GET",
    path="/v2.0/ports",
    summary="Ports that somebody made by hand: none.",
    input=NoneType,
    output=NoneType,
    since=SINCE,
    rule=Rule.READER,
)

LIST_SUBNETS = ApiOperation(
    name="list_subnets",
    method="GET",
    path="/v2.0/subnets",
    summary="Subnets that somebody made by hand: none.",
    input=NoneType,
    output=NoneType,
    since=SINCE,
    rule=Rule.READER,
)


class NetworkCalls:
    """What carries out the operations on networks.

    Args:
        networks: that there are.
    """

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self._networks = networks

    def place(self, asked: Place, _context: CallContext) -> Place:
        """Carry out `SHOW_VERSIONS` and `SHOW_V2`."""
        return asked

    def none(self, _asked: None, _context: CallContext) -> None:
        """Carry out the lists of what there is none of."""
        return

    def list(self, asked: NetworkQuery, _context: CallContext) -> tuple[Network, ...]:
        """Carry out `LIST_NETWORKS`."""
        return tuple(
            network
            for network in self._networks
            if (not asked.names or network.name in asked.names)
            and (not asked.ids or network.id in asked.ids)
            and asked.shared in (None, network.shared)
            and asked.external in (None, False)
        )

    def show(self, asked: NetworkPath, _context: CallContext) -> Network:
        """Carry out `SHOW_NETWORK`."""
        for network in self._networks:
            if network.id == asked.id:
                return network
        raise NotFound("network", ascii(asked.id))
