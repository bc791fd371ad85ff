"""Where units are: near a guest's nodes, near each other, and in sets that could stay whole."""

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from computekit.model import FrozenMap, ResourceClass
from computekit.pci.alias import NumaPolicy
from computekit.pci.unit import DeviceUnit, UnitMember

__all__ = ["Affinity", "AffinityKey", "GuestPlace", "affinity_of", "distance_of", "whole_sets"]


class AffinityKey(Enum):
    """What units that belong together have in common."""

    UPSTREAM_PORT = "upstream_port"
    PCI_ROOT = "pcie_root"
    NUMA_NODE = "numa_node"
    PF = "pf"


@attrs.frozen
class Affinity:
    """Wants whose units must lie together, or apart.

    Attributes:
        wants: names of them.
        match: what all of them have in common; None: nothing in particular.
        distinct: what no two of them have in common; None: they may share everything.
    """

    wants: tuple[str, ...]
    match: AffinityKey | None = None
    distinct: AffinityKey | None = None


@attrs.frozen
class GuestPlace:
    """The nodes of the host that a guest's own nodes are on.

    Attributes:
        nodes: of the host.
        sockets: of each node of the host the socket; None: it is unknown.
    """

    nodes: frozenset[int]
    sockets: FrozenMap[int, int | None] = FrozenMap()


def affinity_of(unit: DeviceUnit, key: AffinityKey) -> str | None:
    """Return what a unit shares with its neighbours; None: unknown, or its members differ."""
    found = {_key_of(member, key) for member in unit.members}
    return found.pop() if len(found) == 1 else None


def _key_of(member: UnitMember, key: AffinityKey) -> str | None:
    device = member.device
    if key is AffinityKey.UPSTREAM_PORT:
        value: object = device.upstream_port
    elif key is AffinityKey.PCI_ROOT:
        value = device.root_port
    elif key is AffinityKey.NUMA_NODE:
        value = device.numa_node
    else:
        value = device.physical_function or device.address
    return None if value is None else str(value)


def distance_of(unit: DeviceUnit, policy: NumaPolicy, place: GuestPlace | None) -> int | None:
    """Return how far a unit is from a guest: the number of its members elsewhere.

    None: the policy does not allow it. Without nodes of its own a guest is near to everything.

    - required: every member is on a node of the guest.
    - legacy: so is every member whose node is known.
    - socket: every member is on a node of the guest, or every one is on a socket of the guest; for
      that, the sockets of all nodes of the host must be known.
    - preferred: anything goes, what is near goes first.
    """
    if place is None:
        return 0
    nodes = [member.device.numa_node for member in unit.members]
    far = sum(1 for node in nodes if node not in place.nodes)
    if policy is NumaPolicy.PREFERRED:
        return far
    if policy is NumaPolicy.SOCKET and far:
        if None in place.sockets.values():
            return None
        known = {place.sockets.get(node) for node in place.nodes}
        theirs = {None if node is None else place.sockets.get(node) for node in nodes}
        return far if theirs <= known - {None} else None
    if policy is NumaPolicy.LEGACY:
        far_known = any(node is not None and node not in place.nodes for node in nodes)
        return None if far_known else far
    return None if far else 0


_SIZES = (64, 32, 16, 8, 4, 2)
_LOCAL = (AffinityKey.UPSTREAM_PORT, AffinityKey.NUMA_NODE)

Site = tuple[ResourceClass, AffinityKey, str]
"""Units of one class that have something in common."""


def sites_of(unit: DeviceUnit) -> tuple[Site, ...]:
    """Return the sites that a unit is at."""
    found = ((unit.resource_class, key, affinity_of(unit, key)) for key in _LOCAL)
    return tuple((name, key, value) for name, key, value in found if value is not None)


def whole_sets(counts: Mapping[Site, int]) -> tuple[int, ...]:
    """Return how many sets of 64, 32, ... 2 units that lie together could be made of free ones."""
    return tuple(sum(count // size for count in counts.values()) for size in _SIZES)


def site_counts(units: Iterable[DeviceUnit]) -> dict[Site, int]:
    """Return how many of the units are at each site."""
    counts: dict[Site, int] = {}
    for unit in units:
        for site in sites_of(unit):
            counts[site] = counts.get(site, 0) + 1
    return counts
