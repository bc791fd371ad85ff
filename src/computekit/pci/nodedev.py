"""PCI devices as libvirt describes them: node-device XML (libvirt, formatnode)."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import attrs

from computekit.pci.address import MAX_DOMAIN, PciAddress
from computekit.pci.device import DiscoveryNote, HostDevices, NoteCode, PciDevice
from computekit.pci.vgpu import MdevType, VgpuFacts, VgpuInterface

__all__ = ["parse_nodedevs", "read_nodedevs"]


def read_nodedevs(home: Path) -> HostDevices:
    """Return what the `*.xml` files of a directory describe, one node device each.

    Raises:
        OSError: the directory cannot be listed.
    """
    documents: list[tuple[str, str]] = []
    notes: list[DiscoveryNote] = []
    for path in sorted(home.iterdir()):
        if path.suffix != ".xml":
            continue
        try:
            documents.append((path.name, path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            notes.append(DiscoveryNote(NoteCode.BROKEN_ENTRY, path.name, str(error)))
    found = parse_nodedevs(documents)
    return HostDevices.of(found.devices, (*found.notes, *notes))


def parse_nodedevs(documents: Iterable[tuple[str, str]]) -> HostDevices:
    """Return the PCI functions among node devices, joined with what their neighbours say.

    Devices that are not on a PCI bus are read for what they tell about those that are: a network
    interface for its name. A document that is broken gets a note; the others are reported.

    Args:
        documents: a name for the notes, and the XML of one device, in any order.
    """
    reading = _Reading()
    for entry, text in documents:
        try:
            reading.take(entry, ET.fromstring(text))  # noqa: S314  # of the host's own libvirt
        except ET.ParseError as error:
            reading.note(NoteCode.BROKEN_ENTRY, entry, f"not XML: {error}")
    return HostDevices.of(reading.devices(), reading.notes)


class _Reading:
    """What the documents said so far, by libvirt's names."""

    def __init__(self) -> None:
        self.notes: list[DiscoveryNote] = []
        self._devices: dict[str, PciDevice] = {}
        self._addresses: set[PciAddress] = set()
        self._parents: dict[str, str] = {}
        self._interfaces: dict[str, list[str]] = {}
        self._vf_indexes: dict[PciAddress, int] = {}

    def note(self, code: NoteCode, entry: str, message: str) -> None:
        self.notes.append(DiscoveryNote(code, entry, message))

    def take(self, entry: str, device: ET.Element) -> None:
        name = device.findtext("name", "")
        parent = device.findtext("parent", "")
        interface = device.findtext("capability[@type='net']/interface")
        if interface:
            self._interfaces.setdefault(parent, []).append(interface)
        pci = device.find("capability[@type='pci']")
        if pci is None:
            return
        try:
            address = _address(pci)
        except ValueError as error:
            self.note(NoteCode.NOT_AN_ADDRESS, entry, str(error))
            return
        if address in self._addresses:
            self.note(NoteCode.TWICE, entry, f"{address} has been described before")
            return
        try:
            vendor_id, product_id, class_code = _identity(pci)
        except ValueError as error:
            self.note(NoteCode.NO_IDENTITY, entry, f"{error}; the device is left out")
            return
        if address.domain > MAX_DOMAIN:
            message = f"domain {address.domain:x} is above ffff: no guest can get this device"
            self.note(NoteCode.HIGH_DOMAIN, entry, message)
        self._addresses.add(address)
        self._parents[name] = parent
        physical_function = self._physical_function(entry, pci)
        self._devices[name] = PciDevice(
            address=address,
            vendor_id=vendor_id,
            product_id=product_id,
            class_code=class_code,
            numa_node=self._number(entry, pci.find("numa"), "node", NoteCode.NO_NUMA_NODE),
            iommu_group=self._number(entry, pci.find("iommuGroup"), "number", NoteCode.BROKEN_LINK),
            driver=device.findtext("driver/name"),
            physical_function=physical_function,
            max_vfs=self._read_vfs(entry, pci),
            card_serial=_serial(pci),
            vgpu=self._mdev_types(entry, pci, virtual=physical_function is not None),
        )

    def devices(self) -> list[PciDevice]:
        return [
            attrs.evolve(
                device,
                vf_index=self._vf_indexes.get(device.address),
                ports=self._ports(name),
                interfaces=tuple(sorted(self._interfaces.get(name, ()))),
            )
            for name, device in self._devices.items()
        ]

    def _ports(self, name: str) -> tuple[PciAddress, ...]:
        ports: list[PciAddress] = []
        domain = self._devices[name].address.domain
        above = self._devices.get(self._parents[name])
        while above is not None and above.address.domain == domain and above.address not in ports:
            ports.append(above.address)
            name = self._parents[name]
            above = self._devices.get(self._parents[name])
        return tuple(ports)

    def _number(
        self, entry: str, element: ET.Element | None, name: str, code: NoteCode
    ) -> int | None:
        """Return a number that may be absent, which libvirt means by leaving the element out."""
        if element is None:
            return None
        text = element.get(name, "")
        if text.isdecimal():
            return int(text)
        if text != "-1":
            self.note(code, entry, f"{element.tag}: {text[:40]!r} is no number")
        return None

    def _physical_function(self, entry: str, pci: ET.Element) -> PciAddress | None:
        found = pci.find("capability[@type='phys_function']/address")
        try:
            return None if found is None else _address(found)
        except ValueError as error:
            self.note(NoteCode.BROKEN_LINK, entry, f"phys_function: {error}")
            return None

    def _mdev_types(self, entry: str, pci: ET.Element, *, virtual: bool) -> VgpuFacts | None:
        """Return the types of mediated devices; libvirt tells nothing of other virtual GPUs."""
        found = pci.find("capability[@type='mdev_types']")
        if found is None:
            return None
        types: list[MdevType] = []
        for element in found.findall("type"):
            available = element.findtext("availableInstances", "")
            if not available.isdecimal():
                message = f"availableInstances: {available[:40]!r} is no number"
                self.note(NoteCode.BROKEN_VGPU, entry, message)
                return None
            name, api = element.findtext("name", ""), element.findtext("deviceAPI", "")
            types.append(MdevType(element.get("id", ""), name, int(available), api))
        interface = VgpuInterface.MDEV_ON_VF if virtual else VgpuInterface.MDEV
        return VgpuFacts(interface, mdev_types=tuple(sorted(types)))

    def _read_vfs(self, entry: str, pci: ET.Element) -> int:
        """Keep the indexes of the VFs of a PF; return how many it can have."""
        found = pci.find("capability[@type='virt_functions']")
        if found is None:
            return 0
        listed = found.findall("address")
        for index, element in enumerate(listed):
            try:
                self._vf_indexes[_address(element)] = index
            except ValueError as error:
                self.note(NoteCode.BROKEN_LINK, entry, f"virt_functions: {error}")
        # An older libvirt lists only the VFs that there are.
        most = found.get("maxCount", "")
        return int(most) if most.isdecimal() else len(listed)


def _address(element: ET.Element) -> PciAddress:
    """Return the address in child elements (decimal) or attributes (hexadecimal)."""
    parts: list[int] = []
    highest = (0xFFFFFFFF, 0xFF, 0x1F, 7)
    for name, most in zip(("domain", "bus", "slot", "function"), highest, strict=True):
        text: str = element.get(name) or element.findtext(name) or ""
        try:
            number = int(text, 0)
        except ValueError:
            raise ValueError(f"{name}: {text[:40]!r} is no number") from None
        if not 0 <= number <= most:
            raise ValueError(f"{name}: {number:#x} is not within 0 to {most:#x}")
        parts.append(number)
    return PciAddress(*parts)


def _identity(pci: ET.Element) -> tuple[int, int, int]:
    numbers: list[int] = []
    for name, text, most in (
        ("vendor", _id(pci, "vendor"), 0xFFFF),
        ("product", _id(pci, "product"), 0xFFFF),
        ("class", pci.findtext("class", ""), 0xFFFFFF),
    ):
        try:
            number = int(text, 16)
        except ValueError:
            raise ValueError(f"{name}: {text[:40]!r} is no hexadecimal number") from None
        if not 0 <= number <= most:
            raise ValueError(f"{name}: {number:#x} is above {most:#x}")
        numbers.append(number)
    return numbers[0], numbers[1], numbers[2]


def _id(pci: ET.Element, name: str) -> str:
    found = pci.find(name)
    return "" if found is None else found.get("id", "")


def _serial(pci: ET.Element) -> str | None:
    fields = "capability[@type='vpd']/fields[@access='readonly']/serial_number"
    return pci.findtext(fields) or None
