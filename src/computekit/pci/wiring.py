"""How a guest sees the devices that it gets: ports, addresses, names, and what metadata says."""

import re
from collections.abc import Iterable, Sequence
from enum import Enum

import attrs

from computekit.pci.address import PciAddress
from computekit.pci.unit import DeviceUnit, UnitMember

__all__ = [
    "DeviceTag",
    "GuestDevice",
    "GuestLayout",
    "GuestPort",
    "GuestWiring",
    "PortModel",
    "ports_needed",
    "wire_units",
]


class GuestLayout(Enum):
    """How the members of a group lie in a guest."""

    FLAT = "flat"
    """Each behind a root port of its own."""

    MULTIFUNCTION = "multifunction"
    """Functions of one slot of the host are functions of one slot of the guest."""

    SWITCH = "switch"
    """All behind one switch, as neighbours that can talk past the processor."""


class PortModel(Enum):
    """What a port is (libvirt, controllers of type `pci`)."""

    ROOT = "pcie-root-port"
    UPSTREAM = "pcie-switch-upstream-port"
    DOWNSTREAM = "pcie-switch-downstream-port"


@attrs.frozen
class GuestPort:
    """A port of a guest, and so a bus behind it.

    Attributes:
        index: of the port, the number of its bus.
        model: what it is.
        bus: that it sits on.
        slot: on that bus; None: the hypervisor chooses.
    """

    index: int
    model: PortModel
    bus: int = 0
    slot: int | None = None


@attrs.frozen
class GuestDevice:
    """A device of the host in a guest.

    Attributes:
        host: where it is in the host.
        alias: its name in the guest's definition, `ua-...`.
        managed: whether the hypervisor binds and unbinds the host's driver.
        guest: where the guest sees it.
        multifunction: whether it is the first of several functions of one slot.
        role: its part in a group; empty for a single device.
        group_type: of its group; None: it is a single device.
    """

    host: PciAddress
    alias: str
    managed: bool
    guest: PciAddress
    multifunction: bool = False
    role: str = ""
    group_type: str | None = None


@attrs.frozen
class DeviceTag:
    """What a guest's metadata says of a device (Nova, device metadata).

    Attributes:
        address: where the guest sees it.
        role: its part in a group; empty for a single device.
        group_type: of its group; None: it is a single device.
    """

    address: PciAddress
    role: str
    group_type: str | None


@attrs.frozen
class GuestWiring:
    """Ports and devices of a guest, in the order of plugging.

    Attributes:
        ports: each below one that comes before it, or on the root bus.
        devices: unplugged in reverse.
    """

    ports: tuple[GuestPort, ...] = ()
    devices: tuple[GuestDevice, ...] = ()

    @property
    def tags(self) -> tuple[DeviceTag, ...]:
        """What metadata says: programs in the guest find `gpu` and `nic` by their roles."""
        return tuple(DeviceTag(it.guest, it.role, it.group_type) for it in self.devices)


def wire_units(
    units: Sequence[DeviceUnit], first_index: int, layout: GuestLayout = GuestLayout.FLAT
) -> GuestWiring:
    """Return how a guest sees units, in their order; the members of each by address.

    Args:
        units: that it gets, none missing a member.
        first_index: of the first port; those below it are other devices'.
        layout: of groups; a single device has a root port of its own.
    """
    ports: list[GuestPort] = []
    devices: list[GuestDevice] = []

    def port(model: PortModel, bus: int = 0, slot: int | None = None) -> int:
        ports.append(GuestPort(first_index + len(ports), model, bus, slot))
        return ports[-1].index

    for unit in units:
        members = sorted(unit.members, key=lambda member: member.address)
        slots = _slots(members, layout)
        above: int | None = None
        if layout is GuestLayout.SWITCH and unit.group is not None:
            above = port(PortModel.UPSTREAM, port(PortModel.ROOT), 0)
        number = 0
        for at, slot in enumerate(slots):
            bus = port(PortModel.ROOT) if above is None else port(PortModel.DOWNSTREAM, above, at)
            for function, member in enumerate(slot):
                devices.append(
                    GuestDevice(
                        host=member.address,
                        alias=_alias(unit, number),
                        managed=member.managed,
                        guest=PciAddress(0, bus, 0, function),
                        multifunction=function == 0 and len(slot) > 1,
                        role=member.role,
                        group_type=unit.group_type,
                    )
                )
                number += 1
    return GuestWiring(tuple(ports), tuple(devices))


def ports_needed(units: Iterable[DeviceUnit], layout: GuestLayout = GuestLayout.FLAT) -> int:
    """Return how many root ports of a guest units take."""
    listed = tuple(units)
    ports = wire_units(listed, 1, layout).ports
    return sum(1 for port in ports if port.model is PortModel.ROOT)


def _slots(members: Sequence[UnitMember], layout: GuestLayout) -> list[list[UnitMember]]:
    if layout is not GuestLayout.MULTIFUNCTION:
        return [[member] for member in members]
    found: dict[str, list[UnitMember]] = {}
    for member in members:
        found.setdefault(member.address.slot_text, []).append(member)
    return list(found.values())


_SHORT = 24


def _alias(unit: DeviceUnit, number: int) -> str:
    """Return a name that libvirt takes and that is unique in a guest: `[a-zA-Z0-9_-]`, `ua-`."""
    if unit.group is None:
        return f"ua-pci-{re.sub('[:.]', '-', str(unit.members[0].address))}"
    short = re.sub("[^A-Za-z0-9_-]", "-", unit.group)
    if short != unit.group or len(short) > _SHORT:
        short = f"{short[:_SHORT]}-{unit.provider[:8]}"
    return f"ua-pcigrp-{short}-{number}"
