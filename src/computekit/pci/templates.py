"""Resource classes that are made of what each device is."""

from collections.abc import Iterable, Mapping

import attrs

from computekit.model import ResourceClass
from computekit.pci.device import HostDevices, PciDevice
from computekit.pci.finding import Finding, Severity
from computekit.pci.matching import Match
from computekit.pci.names import default_class, resource_class_of
from computekit.pci.spec import ClassTemplate
from computekit.pci.vgpu import VgpuInterface, mig_profile_of, type_names

__all__ = ["fill_templates"]


def fill_templates(
    matches: Iterable[Match], devices: HostDevices, known: Mapping[int, str]
) -> tuple[tuple[Match, ...], tuple[Finding, ...]]:
    """Return the matches with a class for each template, and what came up.

    A VF that is no virtual GPU now, or one of a type that nobody knows the name of, is left out.

    Args:
        matches: the devices and what decides about each.
        devices: all of the host, whose VFs tell the names of each other's types.
        known: names of types by number, for those that no VF lists any longer.
    """
    names: Mapping[int, str] | None = None
    kept: list[Match] = []
    findings: list[Finding] = []
    for match in matches:
        findings.extend(_binding(match))
        template = match.spec.template
        if template is None:
            kept.append(match)
            continue
        if names is None:
            facts = (it.vgpu for it in devices.devices if it.vgpu is not None)
            names = type_names(facts, known)
        made = _class_of(match.device, template, names)
        at = match.device.address
        if isinstance(made, _Left):
            message = f"{at} is left out: {made.reason}"
            findings.append(Finding(made.code, made.severity, match.spec.path, message, (at,)))
        else:
            spec = attrs.evolve(match.spec, resource_class=made, template=None)
            kept.append(attrs.evolve(match, spec=spec))
    return tuple(kept), tuple(findings)


@attrs.frozen
class _Left:
    code: str
    severity: Severity
    reason: str


def _class_of(
    device: PciDevice, template: ClassTemplate, names: Mapping[int, str]
) -> ResourceClass | _Left:
    if template is ClassTemplate.PCI_ID:
        return default_class(device.vendor_id, device.product_id)
    if device.vgpu is None or device.vgpu.interface is not VgpuInterface.VENDOR:
        return _Left("H22", Severity.WARN, "it is no VF that a type of virtual GPU is written to")
    if device.vgpu.current == 0:
        return _Left("H21", Severity.INFO, "it is no virtual GPU now")
    name = names.get(device.vgpu.current)
    if name is None:
        reason = f"nobody lists the name of its type {device.vgpu.current}; vgpu_types can say it"
        return _Left("H22", Severity.WARN, reason)
    if template is ClassTemplate.VGPU_TYPE:
        return resource_class_of(f"VGPU_{name}".replace("CUSTOM_", ""))
    profile = mig_profile_of(name)
    if profile is None:
        return _Left("H22", Severity.WARN, f"its type {name!r} is not behind a MIG instance")
    return resource_class_of(f"MIG_{profile}")


def _binding(match: Match) -> Iterable[Finding]:
    vgpu = match.device.vgpu
    if vgpu is not None and vgpu.interface is VgpuInterface.VENDOR and match.spec.managed:
        at = match.device.address
        message = f"{at} keeps its vendor's driver, so managed must be no"
        yield Finding("H23", Severity.REFUSE, match.spec.path, message, (at,))
