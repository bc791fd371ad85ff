"""Small hosts whose units lie on nodes, behind switches, in groups, as VFs of PFs."""

import attrs

from computekit.ids import ProviderId
from computekit.model import ResourceClass
from computekit.pci import (
    DeviceUnit,
    KeptUnit,
    PciAddress,
    PciDevice,
    PciState,
    UnitMember,
)
from computekit.pci.unit import device_id
from tests.property.dice import Dice

CLASSES = (ResourceClass("CUSTOM_A"), ResourceClass("CUSTOM_B"))


def member(device: PciDevice) -> UnitMember:
    return UnitMember(device, device_id(device, None))


def board(dice: Dice, *, most: int = 6) -> tuple[DeviceUnit, ...]:
    """Return units: devices, VFs beside their PF, and groups that overlap with single devices."""
    devices: list[PciDevice] = []
    for bus in range(1, 2 + dice.pick(range(most))):
        switch = dice.pick((1, 2))
        node = dice.pick((None, 0, 1))
        root = PciAddress(0, 0, switch, 0)
        ports = (PciAddress(0, bus, 1, 0), PciAddress(0, 64 + switch, 0, 0), root)
        pf = PciDevice(PciAddress(0, bus, 0, 0), 1, 1, 0x020000, node, bus, ports=ports)
        if dice.once_in(3):
            pf = attrs.evolve(pf, max_vfs=2)
            for at in range(1 + dice.pick((0, 1))):
                address = PciAddress(0, bus, 0, at + 1)
                devices.append(
                    attrs.evolve(
                        pf,
                        address=address,
                        max_vfs=0,
                        physical_function=pf.address,
                        vf_index=at,
                        product_id=2,
                    )
                )
            if dice.once_in(2):
                devices.append(pf)
        else:
            devices.append(pf)
    units: list[DeviceUnit] = []
    for device in devices:
        provider = ProviderId(f"p-{device.physical_function or device.address}")
        name = dice.pick(CLASSES)
        units.append(DeviceUnit(provider, provider, name, frozenset(), (member(device),)))
    if len(devices) > 2 and dice.once_in(2):
        first = dice.pick(range(len(devices) - 1))
        members = tuple(member(device) for device in devices[first : first + 2])
        group = DeviceUnit(
            ProviderId("p-g"), "p-g", CLASSES[0], frozenset(), members, "g", "t", "s"
        )
        units.append(group)
    return DeviceUnit.ordered(units)


def fresh(units: tuple[DeviceUnit, ...]) -> PciState:
    return PciState(tuple(KeptUnit(unit) for unit in units))
