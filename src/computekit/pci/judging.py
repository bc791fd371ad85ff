"""What a configuration makes of a host's devices: matched, grouped and laid out."""

from collections.abc import Collection

import attrs

from computekit.pci.address import PciAddress
from computekit.pci.config import PciConfig
from computekit.pci.device import HostDevices
from computekit.pci.finding import Finding
from computekit.pci.forming import form_groups
from computekit.pci.group import DeviceGroup
from computekit.pci.layout import lay_out
from computekit.pci.matching import Match, match_devices
from computekit.pci.templates import fill_templates
from computekit.pci.unit import DeviceUnit, PciHost

__all__ = ["Judged", "judge_devices"]


@attrs.frozen
class Judged:
    """What a configuration makes of a host.

    Attributes:
        matches: the devices that a spec means, by address.
        groups: by name.
        units: what is to be given away, by key.
        findings: what came up; some may keep the host from starting.
    """

    matches: tuple[Match, ...]
    groups: tuple[DeviceGroup, ...]
    units: tuple[DeviceUnit, ...]
    findings: tuple[Finding, ...]


def judge_devices(
    config: PciConfig,
    devices: HostDevices,
    host: PciHost,
    absent: Collection[PciAddress] = (),
) -> Judged:
    """Return what becomes of each device.

    Args:
        config: what may be given away.
        devices: what there is, and what is remembered.
        host: whose devices they are.
        absent: those that are remembered and no longer there.
    """
    found, matched = match_devices(config.specs, devices)
    matches, filled = fill_templates(found, devices, config.vgpu_types)
    formed = form_groups(
        matches,
        config.specs,
        devices,
        allow_iommu_split=config.allow_iommu_split,
        guest_ports=config.guest_ports,
        absent=absent,
    )
    layout = lay_out(formed, devices, host)
    return Judged(
        tuple(match for match in found if match.device.address not in absent),
        formed.groups,
        layout.units,
        (*matched, *filled, *formed.findings, *layout.findings),
    )
