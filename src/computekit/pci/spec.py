"""Device specs: which devices guests may get, and as what (Nova, `[pci]device_spec`)."""

import re
from collections.abc import Iterable
from enum import Enum

import attrs

from computekit.errors import Fault
from computekit.model import FrozenMap, ResourceClass, Trait
from computekit.pci.address_pattern import AddressGlob, AddressPattern, AddressRegex
from computekit.pci.entry import Entry, entries, near
from computekit.pci.names import resource_class_of, traits_of

__all__ = [
    "ClassTemplate",
    "DeviceSpec",
    "GroupBy",
    "GroupRemainder",
    "GroupRule",
    "parse_device_specs",
]


class GroupBy(Enum):
    """What the members of an automatic group have in common."""

    SLOT = "slot"
    IOMMU_GROUP = "iommu_group"
    PF = "pf"
    UPSTREAM_PORT = "upstream_port"
    ROOT_PORT = "root_port"
    NUMA_NODE = "numa_node"
    CARD_SERIAL = "card_serial"


class GroupRemainder(Enum):
    """What becomes of the VFs that are too few for a last group."""

    REFUSE = "refuse"
    UNGROUPED = "ungrouped"
    IGNORE = "ignore"


class ClassTemplate(Enum):
    """What a device's resource class is made of, so that one spec does for many cards."""

    PCI_ID = "@pci_id"
    """Its ids, as without any class."""

    VGPU_TYPE = "@vgpu_type"
    """The name of the type of virtual GPU that the VF is now."""

    MIG_PROFILE = "@mig_profile"
    """The profile of the MIG instance behind it."""


@attrs.frozen
class GroupRule:
    """How the devices of a spec become members of groups, which are given away whole.

    Attributes:
        type: what kind of group; its resource class comes from it.
        name: of the one group that they all belong to; None: `by` says.
        by: what those of one group have in common; None: `name` says.
        size: how many members a group has; None: two or more.
        role: what part a member plays; None: `m0`, `m1` and so on, by address.
        remainder: what becomes of VFs that fill no group (`by` is `pf` only).
    """

    type: str
    name: str | None = None
    by: GroupBy | None = None
    size: int | None = None
    role: str | None = None
    remainder: GroupRemainder = GroupRemainder.REFUSE


@attrs.frozen
class DeviceSpec:
    """One entry of `device_spec`.

    Attributes:
        path: where it stands in its configuration.
        vendor_id: None: any.
        product_id: None: any.
        address: None: any.
        interface: the network interface that the host has of the device; None: any.
        resource_class: None: the default one of the device, or of the group's type.
        template: what the resource class is made of; None: it is said, or the default.
        traits: besides those that every device has.
        managed: whether the hypervisor binds and unbinds the host's driver.
        live_migratable: None: not said.
        one_time_use: whether the device is wiped before somebody else gets it; None: not said.
        trusted: whether a guest may change what a VF is on the network; None: not said.
        remote_managed: whether the card's own processor looks after its network ports.
        networked: whether it names a physical network; such devices are not in Placement.
        physical_network: its name; None: for overlays.
        group: None: devices are given away one by one.
        tags: keys of the operator's own, which a request must name too.
    """

    path: str
    vendor_id: int | None = None
    product_id: int | None = None
    address: AddressPattern | None = None
    interface: str | None = None
    resource_class: ResourceClass | None = None
    template: ClassTemplate | None = None
    traits: frozenset[Trait] = frozenset()
    managed: bool = True
    live_migratable: bool | None = None
    one_time_use: bool | None = None
    trusted: bool | None = None
    remote_managed: bool = False
    networked: bool = False
    physical_network: str | None = None
    group: GroupRule | None = None
    tags: FrozenMap[str, str] = FrozenMap()


_GROUP_KEYS = (
    "group_type",
    "group_name",
    "group_by",
    "group_size",
    "group_role",
    "group_remainder",
)
_KNOWN = (
    *("vendor_id", "product_id", "address", "devname", "physical_network", "trusted"),
    *("remote_managed", "managed", "live_migratable", "one_time_use", "resource_class", "traits"),
    *_GROUP_KEYS,
)
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_ROLE = re.compile(r"[a-z0-9_]{1,32}\Z")
_MOST_MEMBERS = 64


def parse_device_specs(
    occurrences: Iterable[object], faults: list[Fault], *, in_placement: bool = True
) -> tuple[DeviceSpec, ...]:
    """Return the specs; every fault goes to `faults`, with its place and code S01 to S15, G01, G02.

    Args:
        occurrences: of the option, each JSON in a string, an object, or a list of objects.
        faults: where faults go; a spec with one is returned with what could be read of it.
        in_placement: whether the host reports its devices to Placement.
    """
    read = entries("device_spec", occurrences, faults, code="S", lists=True)
    return tuple(_spec(entry, in_placement) for entry in read)


def _spec(entry: Entry, in_placement: bool) -> DeviceSpec:
    template = _template(entry)
    spec = DeviceSpec(
        path=entry.path,
        vendor_id=entry.hex_id("vendor_id", star=True),
        product_id=entry.hex_id("product_id", star=True),
        address=_address(entry),
        interface=entry.text("devname"),
        resource_class=None if template else _class(entry),
        template=template,
        traits=entry.parsed("traits", traits_of, "S10") or frozenset(),
        managed=entry.flag("managed") is not False,
        live_migratable=entry.flag("live_migratable"),
        one_time_use=entry.flag("one_time_use"),
        trusted=entry.flag("trusted"),
        remote_managed=entry.flag("remote_managed") is True,
        networked="physical_network" in entry,
        physical_network=_network(entry),
        group=_group(entry),
        tags=_tags(entry),
    )
    _check(entry, spec, in_placement)
    return spec


def _check(entry: Entry, spec: DeviceSpec, in_placement: bool) -> None:
    if "address" in entry and "devname" in entry:
        entry.fault("devname", "S12", "an address and an interface cannot both be named")
    if "devname" in entry and in_placement:
        message = "names of interfaces change, so Placement needs the address instead"
        entry.fault("devname", "S13", message)
    if "one_time_use" in entry and not in_placement:
        entry.fault("one_time_use", "S14", "only Placement keeps a used device from others")
    used = [key for key in _GROUP_KEYS if key in entry]
    if not used:
        return
    if not in_placement:
        message = "groups are given away by Placement, which this host does not report to"
        entry.fault(used[0], "G01", message)
    for key in ("physical_network", "trusted", "devname"):
        if key in entry:
            entry.fault(key, "S15", "a member of a group cannot have this key")
    if spec.remote_managed:
        entry.fault("remote_managed", "S15", "a member of a group cannot be managed by its card")


def _address(entry: Entry) -> AddressPattern | None:
    value = entry.values.get("address")
    if not isinstance(value, dict):
        return entry.parsed("address", AddressGlob.parse, "S07")
    parts = {str(name): part for name, part in value.items()}
    expressions = {name: part for name, part in parts.items() if isinstance(part, str)}
    for name in parts.keys() - expressions.keys():
        entry.fault(f"address.{name}", "S03", "only a string can be an expression")
    try:
        return AddressRegex.parse(expressions)
    except ValueError as error:
        entry.fault("address", "S08", str(error))
        return None


def _template(entry: Entry) -> ClassTemplate | None:
    value = entry.values.get("resource_class")
    if not isinstance(value, str) or not value.strip().startswith("@"):
        return None
    return entry.choice("resource_class", {it.value: it for it in ClassTemplate}, "S09")


def _class(entry: Entry) -> ResourceClass | None:
    value = entry.values.get("resource_class")
    if isinstance(value, str) and value.strip().startswith("@"):
        return None  # a template that there is not
    return entry.parsed("resource_class", resource_class_of, "S09")


def _network(entry: Entry) -> str | None:
    if entry.values.get("physical_network") is None:
        return None
    return entry.text("physical_network")


def _tags(entry: Entry) -> FrozenMap[str, str]:
    found: dict[str, str] = {}
    for key in entry.values:
        if key in _KNOWN:
            continue
        # A word of the operator's own is a tag; one that is nearly ours is a slip.
        if hint := near(key, _KNOWN):
            entry.fault(key, "S11", f"no such key{hint}")
        elif (value := entry.text(key)) is not None:
            found[key] = value
    return FrozenMap(found)


def _group(entry: Entry) -> GroupRule | None:
    if not any(key in entry for key in _GROUP_KEYS):
        return None
    type_ = entry.parsed("group_type", lambda text: _word(text, _TYPE), "S09")
    name = entry.parsed("group_name", lambda text: _word(text, _NAME), "S09")
    by = entry.choice("group_by", {by.value: by for by in GroupBy}, "S09")
    rule = GroupRule(
        type=type_ or "",
        name=name,
        by=by,
        size=entry.number("group_size", 2, _MOST_MEMBERS),
        role=entry.parsed("group_role", lambda text: _word(text, _ROLE), "S09"),
        remainder=entry.choice("group_remainder", {it.value: it for it in GroupRemainder}, "S09")
        or GroupRemainder.REFUSE,
    )
    if "group_type" not in entry:
        entry.fault("", "G02", "the other group keys need a group_type")
    if ("group_name" in entry) == ("group_by" in entry):
        entry.fault("", "G02", "a group needs either group_name or group_by, and not both")
    if "group_remainder" in entry and not (by is GroupBy.PF and "group_size" in entry):
        entry.fault("group_remainder", "S15", "only group_by=pf with a group_size leaves a rest")
    return rule


def _word(text: str, pattern: re.Pattern[str]) -> str:
    if pattern.match(text) is None:
        raise ValueError(f"{text[:40]!r} is no name of the form {pattern.pattern[:-2]}")
    return text
