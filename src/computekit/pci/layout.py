"""From groups and single devices to units: which provider counts what, and how it is called."""

from collections.abc import Iterable

import attrs

from computekit.model import ResourceClass, Trait
from computekit.pci.address import PciAddress
from computekit.pci.device import HostDevices
from computekit.pci.finding import Finding, Severity
from computekit.pci.forming import Formed
from computekit.pci.group import DeviceGroup, GroupMember
from computekit.pci.matching import Match
from computekit.pci.names import (
    LIVE_MIGRATABLE_TRAIT,
    MANAGED_TRAIT,
    ONE_TIME_USE_TRAIT,
    OWNER_TRAIT,
    default_class,
)
from computekit.pci.unit import DeviceUnit, PciHost, UnitMember, device_id

__all__ = ["Layout", "lay_out"]

_LONGEST_NAME = 200
"""Characters of a provider's name (Placement API)."""


@attrs.frozen
class Layout:
    """What a host gives away.

    Attributes:
        units: groups and single devices, by key.
        findings: what came up.
    """

    units: tuple[DeviceUnit, ...]
    findings: tuple[Finding, ...]


def lay_out(formed: Formed, devices: HostDevices, host: PciHost) -> Layout:
    """Return the units of a host.

    A group has a provider of its own below the root. So has each device; VFs share that of their
    PF, with an inventory for each class. If VFs of one PF have different traits, which a provider
    has all or none of, those of each class have a provider of their own.
    """
    findings: list[Finding] = []
    units = [_group_unit(group, devices, host) for group in formed.groups]
    families: dict[PciAddress, list[Match]] = {}
    for match in formed.single:
        if not match.spec.networked:  # a network service gives these away
            pf = match.device.physical_function or match.device.address
            families.setdefault(pf, []).append(match)
    for pf, family in families.items():
        units.extend(_family_units(pf, family, devices, host, findings))
    findings.extend(_long_names(units))
    return Layout(DeviceUnit.ordered(units), tuple(findings))


def _group_unit(group: DeviceGroup, devices: HostDevices, host: PciHost) -> DeviceUnit:
    provider, name = host.of_group(group.name)
    return DeviceUnit(
        provider=provider,
        provider_name=name,
        resource_class=group.resource_class,
        traits=group.traits,
        members=tuple(_member(member, devices) for member in group.members),
        group=group.name,
        group_type=group.type,
        signature=group.signature,
        missing=group.missing,
        tagged=any(member.spec.tags for member in group.members),
        path=group.members[0].spec.path,
    )


def _member(member: GroupMember, devices: HostDevices) -> UnitMember:
    serial = devices.card_serial_of(member.device)
    return UnitMember(
        device=member.device,
        id=device_id(member.device, serial),
        role=member.role,
        card_serial=serial,
        managed=member.spec.managed,
        live_migratable=member.spec.live_migratable is True,
        one_time_use=member.spec.one_time_use is True,
    )


def _family_units(
    pf: PciAddress,
    family: list[Match],
    devices: HostDevices,
    host: PciHost,
    findings: list[Finding],
) -> Iterable[DeviceUnit]:
    by_class: dict[ResourceClass, list[Match]] = {}
    for match in family:
        by_class.setdefault(_class_of(match), []).append(match)
    apart = len({_traits_of(match) for match in family}) > 1
    for resource_class, same in by_class.items():
        first = same[0]
        provider, name = host.of_bucket(pf, resource_class) if apart else host.of_device(pf)
        for match in same:
            traits, at = _traits_of(match), match.device.address
            if traits != _traits_of(first):
                message = f"{at} and {first.device.address} are VFs of {pf} and both "
                message += f"{resource_class}, so they must have the same traits"
                findings.append(Finding("H11", Severity.REFUSE, match.spec.path, message, (at,)))
            member = _member(GroupMember(match.device, "", match.spec), devices)
            yield DeviceUnit(
                provider,
                name,
                resource_class,
                traits,
                (member,),
                tagged=bool(match.spec.tags),
                path=match.spec.path,
            )


def _long_names(units: Iterable[DeviceUnit]) -> Iterable[Finding]:
    told: set[str] = set()
    for unit in units:
        name = unit.provider_name
        if len(name) > _LONGEST_NAME and name not in told:
            told.add(name)
            message = f"the provider {name[:60]!r}... has a name of {len(name)} characters; "
            yield Finding("H12", Severity.REFUSE, unit.path, message + f"{_LONGEST_NAME} is most")


def _class_of(match: Match) -> ResourceClass:
    ids = default_class(match.device.vendor_id, match.device.product_id)
    return match.spec.resource_class or ids


def _traits_of(match: Match) -> frozenset[Trait]:
    found = {MANAGED_TRAIT, OWNER_TRAIT, *match.spec.traits}
    if match.spec.live_migratable:
        found.add(LIVE_MIGRATABLE_TRAIT)
    if match.spec.one_time_use:
        found.add(ONE_TIME_USE_TRAIT)
    return frozenset(found)
