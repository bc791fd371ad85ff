"""Which spec decides about which device: the most specific one, and never silently."""

from collections.abc import Iterable, Iterator

import attrs

from computekit.pci.address import MAX_DOMAIN, PciAddress
from computekit.pci.address_pattern import AddressRegex
from computekit.pci.device import DeviceType, HostDevices, PciDevice
from computekit.pci.finding import Finding, Severity
from computekit.pci.spec import ClassTemplate, DeviceSpec, GroupBy

__all__ = ["Match", "match_devices"]

_EXACT, _PARTIAL, _IDS = 3, 2, 1


@attrs.frozen
class Match:
    """A device and the specs that mean it.

    Attributes:
        device: the device.
        spec: the one that decides.
        shadowed: those that mean it too, in the order in which they would decide.
    """

    device: PciDevice
    spec: DeviceSpec
    shadowed: tuple[DeviceSpec, ...] = ()


def match_devices(
    specs: Iterable[DeviceSpec], host: HostDevices
) -> tuple[tuple[Match, ...], tuple[Finding, ...]]:
    """Return the devices that may be given away, each with its spec, and what came up.

    An exact address goes before a part of one, and that before ids alone; among equals the first
    one decides, as in Nova. An exact address of a PF is a part of one for its VFs. A device that no
    guest can have (a bridge, a domain above FFFF) is left out with a finding.
    """
    listed = tuple(specs)
    index = _Index(listed)
    matches: list[Match] = []
    findings: list[Finding] = []
    used: set[str] = set()
    for device in host.devices:
        found = [(spec, level) for spec in index.near(device) if (level := _level(spec, device))]
        if not found:
            continue
        used.update(spec.path for spec, _level in found)
        found.sort(key=lambda pair: -pair[1])  # stable: equals stay in the order of the file
        match = Match(device, found[0][0], tuple(spec for spec, _level in found[1:]))
        reason = _not_for_guests(device)
        if reason is None:
            matches.append(match)
            findings.extend(_precedence(device, found))
            findings.extend(_unfit(match, host))
        elif match.spec.group is None or not device.is_bridge:
            findings.append(_finding("H06", Severity.WARN, match, f"is left out: {reason}"))
        else:
            findings.append(_finding("G13", Severity.REFUSE, match, f"cannot be grouped: {reason}"))
    findings.extend(_families(matches, host))
    findings.extend(
        Finding("H02", Severity.INFO, spec.path, "the spec means no device of this host")
        for spec in listed
        if spec.path not in used
    )
    refused = {id(it.device) for it in matches if _lacks_serial(it.spec, it.device, host)}
    return tuple(it for it in matches if id(it.device) not in refused), tuple(findings)


class _Index:
    """Specs by the address that they name, so that each device meets only those it may be of."""

    def __init__(self, specs: tuple[DeviceSpec, ...]) -> None:
        self._exact: dict[PciAddress, list[tuple[int, DeviceSpec]]] = {}
        self._wide: list[tuple[int, DeviceSpec]] = []
        for at, spec in enumerate(specs):
            exact = None if spec.address is None else spec.address.exact
            listed = self._wide if exact is None else self._exact.setdefault(exact, [])
            listed.append((at, spec))

    def near(self, device: PciDevice) -> Iterator[DeviceSpec]:
        """Return those that may mean a device, in the order of the file."""
        found = [*self._wide, *self._exact.get(device.address, ())]
        if device.physical_function is not None:
            found.extend(self._exact.get(device.physical_function, ()))
        return (spec for _at, spec in sorted(found, key=lambda pair: pair[0]))


def _level(spec: DeviceSpec, device: PciDevice) -> int:
    """Return how specific a spec is for a device; 0: it does not mean it."""
    if spec.vendor_id not in (None, device.vendor_id):
        return 0
    if spec.product_id not in (None, device.product_id):
        return 0
    if device.type is not DeviceType.VF and _for_vfs(spec):
        return 0
    if spec.interface is not None:
        return _EXACT if spec.interface in device.interfaces else 0
    if spec.address is None or not spec.address.narrows:
        return _IDS
    if spec.address.matches(device.address):
        return _PARTIAL if spec.address.exact is None else _EXACT
    of_pf = spec.address.exact is not None and spec.address.exact == device.physical_function
    return _PARTIAL if of_pf else 0


def _for_vfs(spec: DeviceSpec) -> bool:
    """Return whether a spec says what only VFs have; a PF often has the ids of its VFs."""
    if spec.group is not None and spec.group.by is GroupBy.PF:
        return True
    return spec.template in {ClassTemplate.VGPU_TYPE, ClassTemplate.MIG_PROFILE}


def _not_for_guests(device: PciDevice) -> str | None:
    if device.is_bridge:
        return f"class {device.class_code:06x} is a bridge to a bus"
    if device.address.domain > MAX_DOMAIN:
        return f"domain {device.address.domain:x} is above ffff"
    return None


def _precedence(device: PciDevice, found: list[tuple[DeviceSpec, int]]) -> Iterator[Finding]:
    first, highest = found[0]
    grouped = [spec for spec, _level in found if spec.group is not None]
    if len({_unit(spec) for spec in grouped}) > 1:
        paths = ", ".join(spec.path for spec in grouped)
        message = f"{device.address} is meant for different groups by {paths}"
        yield Finding("G03", Severity.REFUSE, first.path, message, (device.address,))
        return
    equals = [spec for spec, level in found if level == highest]
    if len({spec.group is None for spec in equals}) > 1:
        paths = ", ".join(spec.path for spec in equals)
        message = f"{device.address} is grouped and ungrouped at once, equally exactly, by {paths}"
        yield Finding("G03", Severity.REFUSE, first.path, message, (device.address,))
        return
    for spec, level in found[1:]:
        if level == highest and _outcome(spec) != _outcome(first):
            message = f"{device.address} is meant as exactly by {first.path}, which comes first"
            yield Finding("H08", Severity.WARN, spec.path, message, (device.address,))
        else:
            message = f"{device.address} is decided by {first.path}"
            yield Finding("H09", Severity.INFO, spec.path, message, (device.address,))


def _unit(spec: DeviceSpec) -> tuple[object, ...]:
    rule = spec.group
    return () if rule is None else (rule.type, rule.name, rule.by)


def _outcome(spec: DeviceSpec) -> DeviceSpec:
    return attrs.evolve(
        spec, path="", vendor_id=None, product_id=None, address=None, interface=None
    )


def _lacks_serial(spec: DeviceSpec, device: PciDevice, host: HostDevices) -> bool:
    return spec.remote_managed and host.card_serial_of(device) is None


def _unfit(match: Match, host: HostDevices) -> Iterator[Finding]:
    """Return what the deciding spec says that this device cannot be."""
    spec, device = match.spec, match.device
    virtual = device.type is DeviceType.VF
    if spec.one_time_use is not None and virtual and spec.group is None:
        yield _finding("H03", Severity.REFUSE, match, "is a VF, and one_time_use is not for VFs")
    if spec.remote_managed and not virtual:
        message = f"is {device.type.value}, and only VFs can be managed by their card"
        yield _finding("H05", Severity.REFUSE, match, message)
    elif _lacks_serial(spec, device, host):
        message = (
            "is left out: neither it nor its PF has the serial number that remote_managed needs"
        )
        yield _finding("H04", Severity.WARN, match, message)
    pattern = spec.address
    if isinstance(pattern, AddressRegex) and pattern.by_beginning_only(device.address):
        message = (
            "begins as an expression of the address wants, and goes on; add a $ if that is wrong"
        )
        yield _finding("H07", Severity.WARN, match, message)


def _families(matches: list[Match], host: HostDevices) -> Iterator[Finding]:
    """Return where a PF and VFs of it are both to be given away, which cannot be."""
    meant = {match.device.address: match for match in matches}
    for pf in matches:
        grouped = pf.spec.group is not None
        family = [
            vf
            for it in host.vfs_of.get(pf.device.address, ())
            if (vf := meant.get(it.address))
            # Of a VF that is grouped its group tells.
            and (grouped or vf.spec.group is None)
            # These are not in Placement; who takes one makes the other unavailable.
            and (grouped or not (pf.spec.networked or vf.spec.networked))
        ]
        if not family:
            continue
        addresses = ", ".join(str(vf.device.address) for vf in family)
        message = f"is meant, and so are its VFs {addresses}: take one or the other out"
        yield _finding("G05" if grouped else "H01", Severity.REFUSE, pf, message)


def _finding(code: str, severity: Severity, match: Match, message: str) -> Finding:
    at = match.device.address
    return Finding(code, severity, match.spec.path, f"{at} {message}", (at,))
