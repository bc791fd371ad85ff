"""A host's PCI devices: which there are, which may be given to guests, and as what."""

from computekit.pci.address import MAX_DOMAIN, PciAddress
from computekit.pci.device import DeviceType, DiscoveryNote, HostDevices, NoteCode, PciDevice
from computekit.pci.nodedev import parse_nodedevs, read_nodedevs
from computekit.pci.sysfs import read_sysfs

__all__ = [
    "MAX_DOMAIN",
    "DeviceType",
    "DiscoveryNote",
    "HostDevices",
    "NoteCode",
    "PciAddress",
    "PciDevice",
    "parse_nodedevs",
    "read_nodedevs",
    "read_sysfs",
]
