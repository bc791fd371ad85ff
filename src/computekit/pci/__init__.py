"""A host's PCI devices: which there are, which may be given to guests, and as what."""

from computekit.pci.address import MAX_DOMAIN, PciAddress
from computekit.pci.address_pattern import AddressGlob, AddressPattern, AddressRegex
from computekit.pci.affinity_set import AffinitySet, affinities_of, parse_affinity_sets
from computekit.pci.alias import (
    Alias,
    AliasCount,
    AliasOption,
    NumaPolicy,
    parse_alias_request,
    parse_aliases,
)
from computekit.pci.burn import (
    Burn,
    BurnLedger,
    BurnState,
    MemoryBurns,
    ReservePolicy,
    accept_wiped,
    burn_devices,
    finish_cleaning,
    lease_dirty,
    mark_published,
    mark_started,
    not_clean,
    restore_device,
    retire_device,
)
from computekit.pci.carving import (
    CarveStep,
    CarvingPlan,
    CarvingWish,
    VfCarver,
    carve,
    plan_carving,
)
from computekit.pci.choice import ChoiceRefused, UnitChoice, choose_units
from computekit.pci.cleaning import Cleaner, CleaningShift, FakeCleaner
from computekit.pci.codes import PCI_CODES
from computekit.pci.config import PciConfig, parse_pci_config
from computekit.pci.device import DeviceType, DiscoveryNote, HostDevices, NoteCode, PciDevice
from computekit.pci.explain import DeviceExplanation, PciExplanation, explain_devices
from computekit.pci.finding import Finding, Severity
from computekit.pci.forming import Formed, form_groups
from computekit.pci.group import DeviceGroup, GroupMember
from computekit.pci.locality import Affinity, AffinityKey, GuestPlace
from computekit.pci.matching import Match, match_devices
from computekit.pci.mdev import Mdev, MdevPool, MdevRule, mdev_pools
from computekit.pci.memory_carver import CarvableType, MemoryCarver
from computekit.pci.nodedev import parse_nodedevs, read_nodedevs
from computekit.pci.plan import PciPlan, plan_devices
from computekit.pci.provider_layout import (
    PciAllocation,
    ProviderWrite,
    WriteKind,
    pci_provider_tree,
    provider_writes,
)
from computekit.pci.request import (
    DeviceGrant,
    DeviceRequest,
    DeviceWant,
    device_grants,
    device_requests,
)
from computekit.pci.reserves import wiped_elsewhere
from computekit.pci.spec import (
    ClassTemplate,
    DeviceSpec,
    GroupBy,
    GroupRemainder,
    GroupRule,
    parse_device_specs,
)
from computekit.pci.state import HoldingStage, KeptUnit, PciState, UnitHolding, UnitStanding
from computekit.pci.state_file import PciMemory, parse_pci_memory, render_pci_memory
from computekit.pci.sysfs import read_sysfs
from computekit.pci.sysfs_carver import SysfsCarver
from computekit.pci.transition import (
    AllocateUnits,
    ClaimUnits,
    DeviceEffect,
    DevicesWiped,
    EffectKind,
    FreeUnits,
    HandOverUnits,
    PciEvent,
    PciTransition,
    pci_transition,
)
from computekit.pci.unit import DeviceId, DeviceUnit, PciHost, UnitKey, UnitMember
from computekit.pci.vgpu import (
    MdevType,
    VgpuFacts,
    VgpuInterface,
    VgpuType,
    mig_profile_of,
    parse_creatable_types,
)

__all__ = [
    "MAX_DOMAIN",
    "PCI_CODES",
    "AddressGlob",
    "AddressPattern",
    "AddressRegex",
    "Affinity",
    "AffinityKey",
    "AffinitySet",
    "Alias",
    "AliasCount",
    "AliasOption",
    "AllocateUnits",
    "Burn",
    "BurnLedger",
    "BurnState",
    "CarvableType",
    "CarveStep",
    "CarvingPlan",
    "CarvingWish",
    "ChoiceRefused",
    "ClaimUnits",
    "ClassTemplate",
    "Cleaner",
    "CleaningShift",
    "DeviceEffect",
    "DeviceExplanation",
    "DeviceGrant",
    "DeviceGroup",
    "DeviceId",
    "DeviceRequest",
    "DeviceSpec",
    "DeviceType",
    "DeviceUnit",
    "DeviceWant",
    "DevicesWiped",
    "DiscoveryNote",
    "EffectKind",
    "FakeCleaner",
    "Finding",
    "Formed",
    "FreeUnits",
    "GroupBy",
    "GroupMember",
    "GroupRemainder",
    "GroupRule",
    "GuestPlace",
    "HandOverUnits",
    "HoldingStage",
    "HostDevices",
    "KeptUnit",
    "Match",
    "Mdev",
    "MdevPool",
    "MdevRule",
    "MdevType",
    "MemoryBurns",
    "MemoryCarver",
    "NoteCode",
    "NumaPolicy",
    "PciAddress",
    "PciAllocation",
    "PciConfig",
    "PciDevice",
    "PciEvent",
    "PciExplanation",
    "PciHost",
    "PciMemory",
    "PciPlan",
    "PciState",
    "PciTransition",
    "ProviderWrite",
    "ReservePolicy",
    "Severity",
    "SysfsCarver",
    "UnitChoice",
    "UnitHolding",
    "UnitKey",
    "UnitMember",
    "UnitStanding",
    "VfCarver",
    "VgpuFacts",
    "VgpuInterface",
    "VgpuType",
    "WriteKind",
    "accept_wiped",
    "affinities_of",
    "burn_devices",
    "carve",
    "choose_units",
    "device_grants",
    "device_requests",
    "explain_devices",
    "finish_cleaning",
    "form_groups",
    "lease_dirty",
    "mark_published",
    "mark_started",
    "match_devices",
    "mdev_pools",
    "mig_profile_of",
    "not_clean",
    "parse_affinity_sets",
    "parse_alias_request",
    "parse_aliases",
    "parse_creatable_types",
    "parse_device_specs",
    "parse_nodedevs",
    "parse_pci_config",
    "parse_pci_memory",
    "pci_provider_tree",
    "pci_transition",
    "plan_carving",
    "plan_devices",
    "provider_writes",
    "read_nodedevs",
    "read_sysfs",
    "render_pci_memory",
    "restore_device",
    "retire_device",
    "wiped_elsewhere",
]
