"""Aliases: what flavors ask for by name (Nova, `[pci]alias` and `pci_passthrough:alias`)."""

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from computekit.errors import Fault
from computekit.model import FrozenMap, ResourceClass, Trait
from computekit.pci.device import DeviceType
from computekit.pci.entry import Entry, entries, near
from computekit.pci.names import group_class, resource_class_of, traits_of

__all__ = [
    "Alias",
    "AliasCount",
    "AliasOption",
    "NumaPolicy",
    "parse_alias_request",
    "parse_aliases",
]


class NumaPolicy(Enum):
    """How near a device must be to the guest's NUMA nodes."""

    REQUIRED = "required"
    LEGACY = "legacy"
    PREFERRED = "preferred"
    SOCKET = "socket"


@attrs.frozen
class AliasOption:
    """One kind of device that answers to an alias; None leaves a thing open.

    Attributes:
        path: where it stands in its configuration.
    """

    path: str
    vendor_id: int | None = None
    product_id: int | None = None
    device_type: DeviceType | None = None
    resource_class: ResourceClass | None = None
    traits: frozenset[Trait] = frozenset()
    live_migratable: bool | None = None


@attrs.frozen
class Alias:
    """A name for devices, or for groups of devices.

    Attributes:
        name: 1 to 256 characters.
        numa_policy: None: not said, which means legacy.
        options: any of them will do.
    """

    name: str
    numa_policy: NumaPolicy | None
    options: tuple[AliasOption, ...]


@attrs.frozen
class AliasCount:
    """So many devices (or groups) of an alias.

    Attributes:
        name: of the alias.
        count: 1 to 64.
    """

    name: str
    count: int


_KNOWN = (
    *("name", "vendor_id", "product_id", "device_type", "numa_policy", "resource_class"),
    *("traits", "live_migratable", "capability_type", "group_type"),
)
_ANY_OF_ONE = ("vendor_id", "product_id", "device_type", "resource_class")
_MOST = 64


@attrs.frozen
class _Read:
    entry: Entry
    name: str
    policy: NumaPolicy | None
    option: AliasOption


def parse_aliases(
    occurrences: Iterable[object], faults: list[Fault], *, in_placement: bool = True
) -> FrozenMap[str, Alias]:
    """Return the aliases by name; every fault goes to `faults`, with its place and code A01 to A14.

    Args:
        occurrences: of the option, each JSON in a string, or an object.
        faults: where faults go.
        in_placement: whether devices are asked for in Placement.
    """
    read = [
        _read(entry, in_placement)
        for entry in entries("alias", occurrences, faults, code="A", lists=False)
    ]
    by_name: dict[str, list[_Read]] = {}
    for one in read:
        if one.name:
            by_name.setdefault(one.name, []).append(one)
    return FrozenMap({name: _alias(name, same, in_placement) for name, same in by_name.items()})


def _alias(name: str, same: list[_Read], in_placement: bool) -> Alias:
    first, *others = same
    for other in others:
        if in_placement:
            message = f"{first.entry.path} has this name, and Placement can ask for one kind only"
            other.entry.fault("name", "A11", message)
        if (other.policy or NumaPolicy.LEGACY) is not (first.policy or NumaPolicy.LEGACY):
            other.entry.fault("numa_policy", "A10", f"{first.entry.path} says something else")
        if other.option.device_type is not first.option.device_type:
            other.entry.fault("device_type", "A10", f"{first.entry.path} says something else")
    return Alias(name, first.policy, tuple(one.option for one in same))


def _read(entry: Entry, in_placement: bool) -> _Read:
    for key in entry.values:
        if key not in _KNOWN:
            entry.fault(key, "A07", f"no such key{near(key, _KNOWN)}")
    name = entry.text("name")
    if "name" not in entry:
        entry.fault("name", "A08", "an alias needs a name")
    elif name is not None and not 1 <= len(name) <= 256:
        entry.fault("name", "A08", f"{len(name)} characters; a name has 1 to 256")
        name = None
    group = entry.text("group_type")
    own_class = entry.parsed("resource_class", resource_class_of, "A12")
    option = AliasOption(
        path=entry.path,
        vendor_id=_id(entry, "vendor_id"),
        product_id=_id(entry, "product_id"),
        device_type=entry.choice("device_type", {it.value: it for it in DeviceType}, "A09"),
        resource_class=own_class if group is None else group_class(group),
        traits=entry.parsed("traits", traits_of, "A12") or frozenset(),
        live_migratable=_strict_flag(entry, "live_migratable"),
    )
    entry.choice("capability_type", {"pci": True}, "A09")  # says nothing that is not known
    policy = entry.choice("numa_policy", {it.value: it for it in NumaPolicy}, "A09")
    _check(entry, option, in_placement)
    return _Read(entry, name or "", policy, option)


def _check(entry: Entry, option: AliasOption, in_placement: bool) -> None:
    if "group_type" in entry:
        if not in_placement:
            entry.fault("group_type", "A13", "groups are given away by Placement only")
        for key in _ANY_OF_ONE:
            if key in entry:
                entry.fault(key, "A13", "a group_type says what is asked for; take this key out")
        return
    both = "vendor_id" in entry and "product_id" in entry
    if not both and not (in_placement and "resource_class" in entry):
        needed = "vendor_id and product_id"
        if in_placement:
            needed += ", a resource_class or a group_type"
        entry.fault("", "A14", f"nothing is asked for: it needs {needed}")


def _id(entry: Entry, key: str) -> int | None:
    text = entry.text(key)
    if text is not None and len(text) != 4:
        entry.fault(key, "A05", f"{text[:40]!r} is no id of four hexadecimal digits")
        return None
    return entry.hex_id(key, star=False) if text is not None else None


def _strict_flag(entry: Entry, key: str) -> bool | None:
    return entry.choice(key, {"yes": True, "no": False}, "A04")


def parse_alias_request(
    text: str, aliases: Mapping[str, Alias], path: str, faults: list[Fault]
) -> tuple[AliasCount, ...]:
    """Return what `name:count[,name:count...]` of a flavor asks for.

    Args:
        text: the value of `pci_passthrough:alias`.
        aliases: those that there are.
        path: of the text, for the faults.
        faults: where faults go, with the position in the text; codes A20 to A22.
    """
    found: list[AliasCount] = []
    at = 1
    for part in text.split(","):
        where = f"at character {at}"
        at += len(part) + 1
        name, colon, count = part.strip().rpartition(":")
        if not (colon and name and count.isascii() and count.isdecimal()):
            message = f"{where}: {part.strip()[:40]!r} is not name:count"
            faults.append(Fault(path, "A20", message))
        elif not 1 <= int(count[:9]) <= _MOST:
            faults.append(Fault(path, "A21", f"{where}: the count must be 1 to {_MOST}"))
        elif name not in aliases:
            message = f"{where}: no alias is called {name[:40]!r}{near(name, aliases.keys())}"
            faults.append(Fault(path, "A22", message))
        else:
            found.append(AliasCount(name, int(count)))
    return tuple(found)
