"""What must hold for the groups of a host before it starts."""

from collections.abc import Iterable, Iterator, Sequence

from computekit.model import ResourceClass
from computekit.pci.address import PciAddress
from computekit.pci.device import HostDevices
from computekit.pci.finding import Finding, Severity
from computekit.pci.group import DeviceGroup
from computekit.pci.matching import Match
from computekit.pci.names import default_class

__all__ = ["check_groups"]

_HOLDERS = frozenset({None, "vfio-pci", "pci-stub"})
"""Who may hold a device that shares an IOMMU group with a guest's (Linux, VFIO)."""


def check_groups(
    groups: Sequence[DeviceGroup],
    single: Iterable[Match],
    host: HostDevices,
    *,
    allow_iommu_split: bool,
    guest_ports: int | None,
) -> tuple[Finding, ...]:
    """Return what breaks the rules G04 to G07, G11, G12, G14 and G15."""
    singles = tuple(single)
    found: list[Finding] = []
    for group in groups:
        found.extend(_sizes(group))
        found.extend(_classes_within(group))
        found.extend(_neighbours(group, host, allow_split=allow_iommu_split))
        found.extend(_notes(group, guest_ports))
    found.extend(_family_of_members(groups, singles))
    found.extend(_names(groups))
    found.extend(_classes_between(groups, singles))
    found.extend(_signatures(groups))
    return tuple(found)


def _sizes(group: DeviceGroup) -> Iterator[Finding]:
    configured = len(group.addresses)
    rules = (member.spec.group for member in group.members)
    sizes = {rule.size for rule in rules if rule is not None and rule.size is not None}
    if len(sizes) > 1:
        yield _of(
            group, "G04", f"its specs name different sizes: {', '.join(map(str, sorted(sizes)))}"
        )
    elif configured < 2:
        yield _of(group, "G04", "it has one member; a group needs two or more")
    elif sizes and sizes != {configured}:
        yield _of(group, "G04", f"it has {configured} members, and group_size says {min(sizes)}")
    if group.missing:
        gone = ", ".join(map(str, group.missing))
        message = f"{gone} is not there: nobody gets the group or what is left of it"
        yield _of(group, "G11", message, Severity.WARN)


def _classes_within(group: DeviceGroup) -> Iterator[Finding]:
    named = {member.spec.resource_class for member in group.members} - {None}
    if len(named) > 1:
        listed = ", ".join(sorted(map(str, named)))
        yield _of(group, "G06", f"its specs name different resource classes: {listed}")


def _neighbours(group: DeviceGroup, host: HostDevices, *, allow_split: bool) -> Iterator[Finding]:
    own = group.addresses
    severity = Severity.WARN if allow_split else Severity.REFUSE
    present = [it.device for it in group.members if it.device.address not in group.missing]
    numbers = {device.iommu_group for device in present}
    for number in sorted(number for number in numbers if number is not None):
        others = [
            device
            for device in host.iommu_groups[number]
            if not device.is_bridge and device.address not in own and device.driver not in _HOLDERS
        ]
        if others:
            listed = ", ".join(f"{it.address} (driver {it.driver})" for it in others)
            message = f"IOMMU group {number} cannot be opened: the host uses {listed} of it"
            yield _of(group, "G12", message, severity)


def _notes(group: DeviceGroup, guest_ports: int | None) -> Iterator[Finding]:
    nodes = group.numa_nodes
    if len(nodes) > 1:
        listed = ", ".join(sorted("unknown" if node is None else str(node) for node in nodes))
        yield _of(group, "G14", f"its members are on several NUMA nodes: {listed}", Severity.INFO)
    if guest_ports is not None and len(group.members) > guest_ports:
        message = f"it needs {len(group.members)} root ports, and a guest has {guest_ports}"
        yield _of(group, "G15", message, Severity.WARN)


def _family_of_members(groups: Iterable[DeviceGroup], single: Iterable[Match]) -> Iterator[Finding]:
    """Return where a VF is a member and its PF is given away as well.

    (A PF that is a member is found when the devices are matched.)
    """
    pfs = {match.device.address: match for match in single}
    for group in groups:
        for member in group.members:
            pf = pfs.get(member.device.physical_function or member.device.address)
            if pf is not None:
                message = f"{member.device.address} is a VF of {pf.device.address}, which is given "
                yield _of(group, "G05", message + f"away whole by {pf.spec.path}")
                break


def _names(groups: Sequence[DeviceGroup]) -> Iterator[Finding]:
    first: dict[str, DeviceGroup] = {}
    for group in groups:
        other = first.setdefault(group.name, group)
        if other is not group:
            yield _of(group, "G06", f"its name is that of a group of the type {other.type!r}")


def _classes_between(groups: Sequence[DeviceGroup], single: Iterable[Match]) -> Iterator[Finding]:
    types: dict[ResourceClass, str] = {}
    singles: dict[ResourceClass, PciAddress] = {}
    for match in single:
        ids = default_class(match.device.vendor_id, match.device.product_id)
        singles.setdefault(match.spec.resource_class or ids, match.device.address)
    told: set[str] = set()
    for group in groups:
        other = types.setdefault(group.resource_class, group.type)
        if group.type in told:
            continue
        if other != group.type:
            told.add(group.type)
            message = f"its resource class {group.resource_class} is that of the type {other!r}"
            yield _of(group, "G06", message)
        elif group.resource_class in singles:
            told.add(group.type)
            message = f"its resource class {group.resource_class} is that of the single device "
            yield _of(group, "G06", message + str(singles[group.resource_class]))


def _signatures(groups: Sequence[DeviceGroup]) -> Iterator[Finding]:
    first: dict[str, DeviceGroup] = {}
    for group in groups:
        if group.missing:
            continue  # it is given to nobody, and looks different while it lacks something
        other = first.setdefault(group.type, group)
        if other.signature != group.signature:
            message = f"its members differ from those of {other.name!r}, a group of the same type, "
            yield _of(group, "G07", message + "in role, ids, device type or binding")


def _of(
    group: DeviceGroup, code: str, message: str, severity: Severity = Severity.REFUSE
) -> Finding:
    path = group.members[0].spec.path
    addresses = tuple(member.device.address for member in group.members)
    return Finding(code, severity, path, f"group {group.name!r}: {message}", addresses)
