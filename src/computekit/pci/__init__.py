"""A host's PCI devices: which there are, which may be given to guests, and as what."""

from computekit.pci.address import MAX_DOMAIN, PciAddress
from computekit.pci.address_pattern import AddressGlob, AddressPattern, AddressRegex
from computekit.pci.alias import (
    Alias,
    AliasCount,
    AliasOption,
    NumaPolicy,
    parse_alias_request,
    parse_aliases,
)
from computekit.pci.codes import PCI_CODES
from computekit.pci.config import PciConfig, parse_pci_config
from computekit.pci.device import DeviceType, DiscoveryNote, HostDevices, NoteCode, PciDevice
from computekit.pci.explain import DeviceExplanation, PciExplanation, explain_devices
from computekit.pci.finding import Finding, Severity
from computekit.pci.forming import Formed, form_groups
from computekit.pci.group import DeviceGroup, GroupMember
from computekit.pci.matching import Match, match_devices
from computekit.pci.nodedev import parse_nodedevs, read_nodedevs
from computekit.pci.spec import (
    DeviceSpec,
    GroupBy,
    GroupRemainder,
    GroupRule,
    parse_device_specs,
)
from computekit.pci.sysfs import read_sysfs

__all__ = [
    "MAX_DOMAIN",
    "PCI_CODES",
    "AddressGlob",
    "AddressPattern",
    "AddressRegex",
    "Alias",
    "AliasCount",
    "AliasOption",
    "DeviceExplanation",
    "DeviceGroup",
    "DeviceSpec",
    "DeviceType",
    "DiscoveryNote",
    "Finding",
    "Formed",
    "GroupBy",
    "GroupMember",
    "GroupRemainder",
    "GroupRule",
    "HostDevices",
    "Match",
    "NoteCode",
    "NumaPolicy",
    "PciAddress",
    "PciConfig",
    "PciDevice",
    "PciExplanation",
    "Severity",
    "explain_devices",
    "form_groups",
    "match_devices",
    "parse_alias_request",
    "parse_aliases",
    "parse_device_specs",
    "parse_nodedevs",
    "parse_pci_config",
    "read_nodedevs",
    "read_sysfs",
]
