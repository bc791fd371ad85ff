"""What was given away meets what the configuration makes of the host now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from computekit.pci.address import PciAddress
from computekit.pci.device import PciDevice
from computekit.pci.finding import Finding, Severity
from computekit.pci.state import KeptUnit, PciState, UnitStanding
from computekit.pci.unit import DeviceUnit, UnitKey

__all__ = ["Reconciled", "reconcile"]


@attrs.frozen
class Reconciled:
    """The units of a host that goes on.

    Attributes:
        units: held ones as they were taken, free ones as the configuration makes them.
        findings: what came up; some may keep the host from starting.
    """

    units: tuple[KeptUnit, ...]
    findings: tuple[Finding, ...]


def reconcile(
    state: PciState, wanted: Sequence[DeviceUnit], there: Mapping[PciAddress, PciDevice]
) -> Reconciled:
    """Return what becomes of each unit, by the life cycle of groups and devices.

    ===================  =========================  ============================================
    change               free                       held
    ===================  =========================  ============================================
    new, or regrouped    applied                    refused: G09 (a single device), G08 (a group)
    member added         applied                    refused: G08
    member left out      applied                    kept as it is, retires: G10
    class, type, name    applied                    refused: G08, H14
    traits               applied                    applied, told: H13
    spec gone            withdrawn                  kept as it is, retires: G10, H16
    device gone          degraded: G11; withdrawn   kept, and applied when it is free: G11, H17
    device back          offered again              nothing
    ===================  =========================  ============================================

    Args:
        state: what is remembered.
        wanted: the units that the configuration makes, what is remembered among their members.
        there: the devices, by address. Another one in the place of a member does not count.
    """
    look = _Look(wanted, there)
    findings: list[Finding] = []
    kept: list[KeptUnit] = []
    for held in state.held:
        if held.unit.group is None:
            kept.append(look.single(held, findings))
        else:
            kept.append(look.group(held, findings))
    taken = {it.unit.key for it in kept}
    clashes = _Clashes(it.unit for it in kept)
    for unit in wanted:
        if unit.key in taken:
            continue
        blocker = clashes.of(unit)
        if blocker is not None:
            message = f"{_words(unit)} is withheld: {_words(blocker)} is in use"
            addresses = tuple(sorted(unit.addresses))
            findings.append(Finding("H18", Severity.WARN, unit.path, message, addresses))
            kept.append(KeptUnit(unit, UnitStanding.WITHHELD))
        else:
            kept.append(
                KeptUnit(unit, UnitStanding.DEGRADED if unit.missing else UnitStanding.OFFERED)
            )
    return Reconciled(tuple(kept), tuple(findings))


class _Look:
    """What is wanted, by what it is looked for."""

    def __init__(self, wanted: Iterable[DeviceUnit], there: Mapping[PciAddress, PciDevice]) -> None:
        self._there = there
        self._by_key: dict[UnitKey, DeviceUnit] = {}
        self._of: dict[PciAddress, DeviceUnit] = {}
        for unit in wanted:
            self._by_key[unit.key] = unit
            for address in unit.addresses:
                self._of.setdefault(address, unit)

    def group(self, held: KeptUnit, findings: list[Finding]) -> KeptUnit:
        old = held.unit
        new = self._by_key.get(old.key)
        reasons = list(self._refused_changes(old, new))
        path = "device_spec" if new is None else new.path
        if reasons:
            lists = f"it has {_listed(old.addresses)}"
            if new is not None:
                lists += f" and would have {_listed(new.addresses)}"
            message = f"{_of_whom(held)} cannot change: {'; '.join(reasons)} ({lists})"
            findings.append(Finding("G08", Severity.REFUSE, path, message, _sorted(old.addresses)))
            return held
        gone = self._gone(old)
        if gone:
            message = f"{_of_whom(held)}: {_listed(gone)} is not there; it is kept until it is free"
            findings.append(Finding("G11", Severity.WARN, path, message, _sorted(old.addresses)))
        if new is None or new.addresses != old.addresses:
            left = "" if new is None else f" all but {_listed(new.addresses)} of"
            message = f"{_of_whom(held)}: the specs leave out{left} it; it is kept until it is free"
            findings.append(Finding("G10", Severity.WARN, path, message, _sorted(old.addresses)))
            return KeptUnit(attrs.evolve(old, missing=gone), UnitStanding.RETIRING, held.holding)
        findings.extend(_traits_change(held, new))
        if new.signature != old.signature:
            message = f"{_of_whom(held)}: roles, ids or binding change; that waits until it is free"
            findings.append(Finding("G10", Severity.WARN, path, message, _sorted(old.addresses)))
            unit = attrs.evolve(old, traits=new.traits, missing=gone)
            return KeptUnit(unit, UnitStanding.RETIRING, held.holding)
        return KeptUnit(new, UnitStanding.DEGRADED if gone else UnitStanding.OFFERED, held.holding)

    def _gone(self, unit: DeviceUnit) -> tuple[PciAddress, ...]:
        """Return the members that are not there, or others than they were."""
        ids = {it.address: (it.device.vendor_id, it.device.product_id) for it in unit.members}
        now = {
            address: (device.vendor_id, device.product_id)
            for address in unit.addresses
            if (device := self._there.get(address)) is not None
        }
        return tuple(
            at for at in _sorted(unit.addresses) if at not in now or now[at] != ids.get(at, now[at])
        )

    def _refused_changes(self, old: DeviceUnit, new: DeviceUnit | None) -> Iterator[str]:
        for address in _sorted(old.addresses):
            other = self._of.get(address)
            if other is not None and other.group is not None and other.key != old.key:
                yield f"{address} would belong to the group {other.group!r}"
        if new is None:
            return
        if new.group_type != old.group_type:
            yield f"the type {old.group_type!r} would become {new.group_type!r}"
        if new.resource_class != old.resource_class:
            yield f"the resource class {old.resource_class} would become {new.resource_class}"
        added = new.addresses - old.addresses
        if added:
            yield f"{_listed(added)} would be added"

    def single(self, held: KeptUnit, findings: list[Finding]) -> KeptUnit:
        old = held.unit
        (address,) = old.addresses
        new = self._of.get(address)
        path = "device_spec" if new is None else new.path

        def find(code: str, severity: Severity, message: str) -> None:
            said = f"{_of_whom(held)} {message}"
            findings.append(Finding(code, severity, path, said, (address,)))

        if new is not None and new.group is not None:
            message = f"would become a member of the group {new.group!r}; move its owner away, or "
            find("G09", Severity.REFUSE, message + "wait for the end of a migration, first")
            return held
        if self._gone(old):
            find("H17", Severity.WARN, "is not there; it is kept until it is free")
            return attrs.evolve(held, standing=UnitStanding.RETIRING)
        if new is not None and new.resource_class != old.resource_class:
            message = f"is {old.resource_class} and would become {new.resource_class}"
            find("H14", Severity.REFUSE, message)
            return held
        if new is not None and new.provider != old.provider:
            message = f"is counted by {old.provider_name} and would be by {new.provider_name}: "
            find("H15", Severity.REFUSE, message + "give the VFs of a PF equal traits meanwhile")
            return held
        if new is None:
            find("H16", Severity.WARN, "is meant by no spec; it is kept until it is free")
            return attrs.evolve(held, standing=UnitStanding.RETIRING)
        findings.extend(_traits_change(held, new))
        return KeptUnit(new, UnitStanding.OFFERED, held.holding)


class _Clashes:
    """Which held unit keeps another from being given away."""

    def __init__(self, held: Iterable[DeviceUnit]) -> None:
        self._addresses: dict[PciAddress, DeviceUnit] = {}
        self._excludes: dict[PciAddress, DeviceUnit] = {}
        for unit in held:
            self._addresses.update(dict.fromkeys(unit.addresses, unit))
            self._excludes.update(dict.fromkeys(unit.excludes, unit))

    def of(self, unit: DeviceUnit) -> DeviceUnit | None:
        found = (self._addresses.get(address) for address in unit.excludes)
        other = (self._excludes.get(address) for address in unit.addresses)
        return next((it for it in (*found, *other) if it is not None), None)


def _traits_change(held: KeptUnit, new: DeviceUnit) -> Iterator[Finding]:
    changed = held.unit.traits ^ new.traits
    if changed:
        message = f"{_of_whom(held)}: its traits change: {', '.join(sorted(changed))}"
        yield Finding("H13", Severity.WARN, new.path, message, _sorted(new.addresses))


def _of_whom(held: KeptUnit) -> str:
    consumer = "nobody" if held.holding is None else held.holding.consumer
    return f"{_words(held.unit)}, which {consumer} has,"


def _words(unit: DeviceUnit) -> str:
    return str(unit.key) if unit.group is None else f"group {unit.group!r}"


def _sorted(addresses: Iterable[PciAddress]) -> tuple[PciAddress, ...]:
    return tuple(sorted(addresses))


def _listed(addresses: Iterable[PciAddress]) -> str:
    return ", ".join(map(str, sorted(addresses)))
