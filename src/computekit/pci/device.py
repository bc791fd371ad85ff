"""What a host has on its PCI buses, at one moment."""

from collections.abc import Iterable
from enum import Enum
from functools import cached_property

import attrs

from computekit.model import FrozenMap
from computekit.pci.address import PciAddress
from computekit.pci.vgpu import VgpuFacts

__all__ = ["DeviceType", "DiscoveryNote", "HostDevices", "NoteCode", "PciDevice"]

_HOST_BRIDGE = 0x0600
_PCI_BRIDGE = 0x0604


class DeviceType(Enum):
    """What kind of function it is, in Nova's words."""

    PCI = "type-PCI"
    PF = "type-PF"
    VF = "type-VF"


@attrs.frozen(slots=False)  # what is derived is kept
class PciDevice:
    """One PCI function of a host.

    Attributes:
        address: where it sits.
        vendor_id: 0 to FFFF.
        product_id: 0 to FFFF.
        class_code: base class, subclass and programming interface: 0x010802 is NVMe.
        numa_node: where its memory accesses are short; None: the firmware does not say.
        iommu_group: what can only be given to a guest together; None: no IOMMU.
        driver: the kernel driver that holds it; None: nobody does.
        physical_function: of a VF, the PF that it belongs to.
        vf_index: of a VF, its place among the VFs of that PF, from 0.
        max_vfs: of a PF, how many VFs it can have; 0 for others.
        ports: the bridges between it and the root bus, the nearest first.
        card_serial: the serial number in its own vital product data; None: it has none.
        interfaces: the network interfaces that the host has of it.
        vgpu: what its driver says of virtual GPUs; None: nothing.
    """

    address: PciAddress
    vendor_id: int
    product_id: int
    class_code: int
    numa_node: int | None = None
    iommu_group: int | None = None
    driver: str | None = None
    physical_function: PciAddress | None = None
    vf_index: int | None = None
    max_vfs: int = 0
    ports: tuple[PciAddress, ...] = ()
    card_serial: str | None = None
    interfaces: tuple[str, ...] = ()
    vgpu: VgpuFacts | None = None

    @cached_property
    def type(self) -> DeviceType:
        """What kind of function it is; who belongs to another is a VF whatever else it says."""
        if self.physical_function is not None:
            return DeviceType.VF
        return DeviceType.PF if self.max_vfs else DeviceType.PCI

    @property
    def is_bridge(self) -> bool:
        """Whether it is a bridge to a bus. The whole subclass counts: 0x0680 is a device."""
        return self.class_code >> 8 in (_HOST_BRIDGE, _PCI_BRIDGE)

    @property
    def root_port(self) -> PciAddress | None:
        """The bridge on the root bus that it is behind; None: it sits there itself."""
        return self.ports[-1] if self.ports else None

    @property
    def upstream_port(self) -> PciAddress | None:
        """The port that it shares with its neighbours: of the nearest switch, or the root port.

        A switch is two bridges deep (its upstream port, a downstream port for each device) and
        hangs below a root port or another switch (PCI Express, topology), so that no config space
        has to be read to tell the ports apart.
        """
        if not self.ports:
            return None
        behind_switch = len(self.ports) > 2
        return self.ports[1 if behind_switch else 0]


class NoteCode(Enum):
    """What discovery found broken. The device is reported where the code does not say otherwise."""

    NOT_AN_ADDRESS = "N01"
    """The entry is not called like a PCI address; it is left out."""

    NO_IDENTITY = "N02"
    """Vendor, product or class cannot be read; the device is left out."""

    NO_NUMA_NODE = "N03"
    """The NUMA node cannot be read; it counts as unknown."""

    NO_CONFIG = "N04"
    """The configuration space cannot be read."""

    HIGH_DOMAIN = "N05"
    """The domain is above FFFF; no spec can name it, and no guest can get it."""

    NO_ANSWER = "N06"
    """The configuration space holds only ones: the device has fallen off its bus."""

    BROKEN_LINK = "N07"
    """A link to another device, the driver or the IOMMU group leads nowhere sensible."""

    BROKEN_VPD = "N08"
    """The vital product data cannot be understood; the card counts as one without serial."""

    BROKEN_ENTRY = "N09"
    """The entry cannot be read at all; it is left out."""

    TWICE = "N10"
    """Two entries have one address; the first counts."""

    BROKEN_VGPU = "N11"
    """What the driver says of virtual GPUs cannot be read; the device counts as one without."""


@attrs.frozen
class DiscoveryNote:
    """One thing that is broken in one entry.

    Attributes:
        code: what kind of thing.
        entry: the name of the entry in sysfs, or of the XML file.
        message: what was there, for people.
    """

    code: NoteCode
    entry: str
    message: str


@attrs.frozen(slots=False)  # the lookups are kept
class HostDevices:
    """Every PCI function of a host, and what was broken on the way.

    A value: whoever looks again gets another one, and compares.

    Attributes:
        devices: by address.
        notes: by entry.
    """

    devices: tuple[PciDevice, ...]
    notes: tuple[DiscoveryNote, ...] = ()

    @classmethod
    def of(cls, devices: Iterable[PciDevice], notes: Iterable[DiscoveryNote]) -> "HostDevices":
        """Return them in order."""
        return cls(
            tuple(sorted(devices, key=lambda device: device.address)),
            tuple(sorted(notes, key=lambda note: (note.entry, note.code.value))),
        )

    @cached_property
    def by_address(self) -> FrozenMap[PciAddress, PciDevice]:
        """Each device by its address."""
        return FrozenMap({device.address: device for device in self.devices})

    @cached_property
    def vfs_of(self) -> FrozenMap[PciAddress, tuple[PciDevice, ...]]:
        """The VFs of each PF that has some, by their index."""
        found: dict[PciAddress, list[PciDevice]] = {}
        for device in self.devices:
            if device.physical_function is not None:
                found.setdefault(device.physical_function, []).append(device)
        return FrozenMap({pf: tuple(sorted(vfs, key=_vf_order)) for pf, vfs in found.items()})

    @cached_property
    def iommu_groups(self) -> FrozenMap[int, tuple[PciDevice, ...]]:
        """The devices of each IOMMU group."""
        found: dict[int, list[PciDevice]] = {}
        for device in self.devices:
            if device.iommu_group is not None:
                found.setdefault(device.iommu_group, []).append(device)
        return FrozenMap({number: tuple(members) for number, members in found.items()})

    def card_serial_of(self, device: PciDevice) -> str | None:
        """Return the serial number of the card: a VF without one has that of its PF."""
        pf = device.physical_function
        if device.card_serial is None and pf is not None and pf in self.by_address:
            return self.by_address[pf].card_serial
        return device.card_serial


def _vf_order(device: PciDevice) -> tuple[int, PciAddress]:
    # A PF that lists no VFs leaves them in the order of their addresses.
    return (0 if device.vf_index is None else device.vf_index, device.address)
