"""From matched devices to groups, and to those that stay single."""

from collections.abc import Collection, Iterable, Sequence

import attrs

from computekit.model import ResourceClass
from computekit.pci.address import PciAddress
from computekit.pci.device import DeviceType, HostDevices, PciDevice
from computekit.pci.finding import Finding, Severity
from computekit.pci.group import DeviceGroup, GroupMember
from computekit.pci.group_rules import check_groups
from computekit.pci.matching import Match
from computekit.pci.names import group_class
from computekit.pci.spec import DeviceSpec, GroupBy, GroupRemainder, GroupRule

__all__ = ["Formed", "form_groups"]


@attrs.frozen
class Formed:
    """What the devices of a host become.

    Attributes:
        groups: by name.
        single: devices that are given away one by one.
        left_out: devices that are given to nobody.
        findings: what came up.
    """

    groups: tuple[DeviceGroup, ...]
    single: tuple[Match, ...]
    left_out: tuple[Match, ...]
    findings: tuple[Finding, ...]


@attrs.frozen
class _Part:
    """The matches of one group to be, and the rule of the first."""

    name: str
    rule: GroupRule
    matches: tuple[Match, ...]


class _Sorting:
    """Matches on their way into groups."""

    def __init__(self, host: HostDevices) -> None:
        self._host = host
        self.parts: list[_Part] = []
        self.single: list[Match] = []
        self.left_out: list[Match] = []
        self.findings: list[Finding] = []

    def sort(self, matches: Iterable[Match]) -> None:
        units: dict[tuple[str, str, GroupBy | None], list[Match]] = {}
        for match in matches:
            rule = match.spec.group
            if rule is None:
                self.single.append(match)
                continue
            by = rule.by
            key = rule.name if by is None else key_of(match.device, by, self._host)
            if by is not None and key is None:
                message = (
                    f"{match.device.address} is left out: it has no {by.value} to be grouped by"
                )
                self._find("H10", Severity.WARN, match.spec, message, match)
                self.left_out.append(match)
            elif key is not None:
                units.setdefault((rule.type, key, rule.by), []).append(match)
        for (type_, key, _by), found in units.items():
            rule = found[0].spec.group
            assert rule is not None  # single matches are not here
            if rule.by is GroupBy.PF and rule.size is not None:
                self._slice(f"{type_}.{key}", rule, rule.size, found)
            else:
                name = key if rule.by is None else f"{type_}.{key}"
                self.parts.append(_Part(name, rule, tuple(found)))

    def _slice(self, name: str, rule: GroupRule, size: int, found: list[Match]) -> None:
        """Make groups of `size` of the VFs of a PF, by index."""
        ordered = sorted(found, key=lambda match: _vf_order(match.device))
        whole = len(ordered) - len(ordered) % size
        for at in range(0, whole, size):
            part = tuple(ordered[at : at + size])
            self.parts.append(_Part(f"{name}.{at // size}", rule, part))
        rest = ordered[whole:]
        if rest and rule.remainder is GroupRemainder.REFUSE:
            message = f"{name}: {len(ordered)} VFs are no multiple of {size}; "
            message += "group_remainder can say what becomes of the rest"
            self._find("G04", Severity.REFUSE, rest[0].spec, message, *rest)
        keeps = rule.remainder is GroupRemainder.UNGROUPED
        (self.single if keeps else self.left_out).extend(rest)

    def _find(
        self, code: str, severity: Severity, spec: DeviceSpec, message: str, *matches: Match
    ) -> None:
        addresses = tuple(match.device.address for match in matches)
        self.findings.append(Finding(code, severity, spec.path, message, addresses))


def form_groups(
    matches: Sequence[Match],
    specs: Iterable[DeviceSpec],
    host: HostDevices,
    *,
    allow_iommu_split: bool = False,
    guest_ports: int | None = None,
    absent: Collection[PciAddress] = (),
) -> Formed:
    """Return the groups of a host; what is wrong with them are findings G04 to G07 and G11 to G15.

    Args:
        matches: the devices and what decides about each.
        specs: all of them, for members that are not there.
        host: where the devices are.
        allow_iommu_split: whether a group may share an IOMMU group with devices of the host.
        guest_ports: for how many devices a guest has ports; None: nobody knows.
        absent: those among the devices that are remembered and no longer there. They keep their
            place in a group, which lacks them; of a group that lacks all nothing is left.
    """
    sorting = _Sorting(host)
    sorting.sort(matches)
    missing = _missing(specs, host)
    whole = (_group(part, missing, absent) for part in sorting.parts)
    groups = tuple(
        sorted(
            (group for group in whole if not group.addresses.issubset(group.missing)),
            key=lambda group: group.name,
        )
    )
    findings = check_groups(
        groups,
        sorting.single,
        host,
        allow_iommu_split=allow_iommu_split,
        guest_ports=guest_ports,
    )
    formed = {(part.rule.type, part.name) for part in sorting.parts}
    nowhere = tuple(
        Finding(
            "G11",
            Severity.WARN,
            "device_spec",
            f"group {name!r}: none of its members is there: {', '.join(map(str, addresses))}",
        )
        for (type_, name), addresses in missing.items()
        if (type_, name) not in formed
    )
    return Formed(
        groups,
        tuple(it for it in sorting.single if it.device.address not in absent),
        tuple(it for it in sorting.left_out if it.device.address not in absent),
        (*sorting.findings, *findings, *nowhere),
    )


def key_of(device: PciDevice, by: GroupBy, host: HostDevices) -> str | None:
    """Return what the device has in common with those of its group; None: it lacks that."""
    if by is GroupBy.SLOT:
        return device.address.slot_text
    if by is GroupBy.PF:
        return _text(device.physical_function)
    if by is GroupBy.UPSTREAM_PORT:
        return _text(device.upstream_port)
    if by is GroupBy.ROOT_PORT:
        return _text(device.root_port)
    if by is GroupBy.IOMMU_GROUP:
        return _text(device.iommu_group)
    if by is GroupBy.NUMA_NODE:
        return _text(device.numa_node)
    return host.card_serial_of(device)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _vf_order(device: PciDevice) -> tuple[bool, int, PciAddress]:
    return device.type is not DeviceType.VF, device.vf_index or 0, device.address


def _missing(
    specs: Iterable[DeviceSpec], host: HostDevices
) -> dict[tuple[str, str], tuple[PciAddress, ...]]:
    """Return the members that are named exactly and are not there, by type and name."""
    found: dict[tuple[str, str], tuple[PciAddress, ...]] = {}
    for spec in specs:
        address = None if spec.address is None else spec.address.exact
        rule = spec.group
        if rule is None or rule.name is None or address is None or address in host.by_address:
            continue
        key = (rule.type, rule.name)
        found[key] = tuple(sorted({*found.get(key, ()), address}))
    return found


def _group(
    part: _Part,
    missing: dict[tuple[str, str], tuple[PciAddress, ...]],
    absent: Collection[PciAddress],
) -> DeviceGroup:
    ordered = sorted(part.matches, key=lambda match: match.device.address)
    members = tuple(
        GroupMember(match.device, _role(match.spec) or f"m{at}", match.spec)
        for at, match in enumerate(ordered)
    )
    classes = [spec.resource_class for spec in (match.spec for match in ordered)]
    named: list[ResourceClass] = [name for name in classes if name is not None]
    return DeviceGroup(
        name=part.name,
        type=part.rule.type,
        resource_class=named[0] if named else group_class(part.rule.type),
        members=members,
        missing=tuple(
            sorted(
                {
                    *missing.get((part.rule.type, part.name), ()),
                    *(it.device.address for it in ordered if it.device.address in absent),
                }
            )
        ),
    )


def _role(spec: DeviceSpec) -> str | None:
    return None if spec.group is None else spec.group.role
