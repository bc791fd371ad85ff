"""Devices of the host in a guest, as libvirt wants them (formatdomain, host device assignment)."""

import xml.etree.ElementTree as ET

from computekit.ids import is_uuid
from computekit.pci import GuestDevice, GuestPort, GuestWiring, PciAddress

__all__ = ["hostdev_element", "mdev_element", "port_element", "wiring_elements"]


def wiring_elements(wiring: GuestWiring) -> tuple[ET.Element, ...]:
    """Return the elements for `devices`, in order: ports, then what sits behind them."""
    return (*map(port_element, wiring.ports), *map(hostdev_element, wiring.devices))


def port_element(port: GuestPort) -> ET.Element:
    """Return the controller that a port is."""
    element = ET.Element("controller", type="pci", index=str(port.index), model=port.model.value)
    if port.slot is not None:
        element.append(_address(PciAddress(0, port.bus, port.slot, 0), type="pci"))
    return element


def hostdev_element(device: GuestDevice) -> ET.Element:
    """Return a device that a guest gets whole; libvirt chooses the driver (VFIO, or a variant)."""
    element = ET.Element(
        "hostdev", mode="subsystem", type="pci", managed="yes" if device.managed else "no"
    )
    source = ET.SubElement(element, "source")
    source.append(_address(device.host))
    ET.SubElement(element, "alias", name=device.alias)
    guest = _address(device.guest, type="pci")
    if device.multifunction:
        guest.set("multifunction", "on")
    element.append(guest)
    return element


def mdev_element(uuid: str, alias: str) -> ET.Element:
    """Return a mediated device that a guest gets.

    Raises:
        ValueError: `uuid` is none in its canonical form.
    """
    if not is_uuid(uuid):
        raise ValueError(f"{uuid!r} is no UUID in its canonical form")
    element = ET.Element("hostdev", mode="subsystem", type="mdev", managed="no", model="vfio-pci")
    source = ET.SubElement(element, "source")
    ET.SubElement(source, "address", uuid=uuid)
    ET.SubElement(element, "alias", name=alias)
    return element


def _address(address: PciAddress, **more: str) -> ET.Element:
    return ET.Element(
        "address",
        {
            **more,
            "domain": f"{address.domain:#06x}",
            "bus": f"{address.bus:#04x}",
            "slot": f"{address.slot:#04x}",
            "function": f"{address.function:#x}",
        },
    )
