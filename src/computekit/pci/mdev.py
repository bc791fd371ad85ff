"""Mediated devices: what their parents have to give, and under which class (Nova, `[devices]`)."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import attrs

from computekit.ids import ProviderId
from computekit.model import FrozenMap, Inventory, Provider, ResourceClass
from computekit.pci.address import PciAddress
from computekit.pci.device import HostDevices, PciDevice
from computekit.pci.finding import Finding, Severity
from computekit.pci.names import OWNER_TRAIT
from computekit.pci.unit import PciHost
from computekit.pci.vgpu import MdevType, VgpuInterface

__all__ = ["Mdev", "MdevPool", "MdevRule", "mdev_pools"]

VGPU = ResourceClass("VGPU")


@attrs.frozen
class MdevRule:
    """Which type of mediated devices some parents give.

    Attributes:
        type: `nvidia-63`.
        parents: of it; empty: those that no other rule names.
        resource_class: that one of them is.
        max_instances: of one parent; None: as many as it can.
    """

    type: str
    parents: frozenset[PciAddress] = frozenset()
    resource_class: ResourceClass = VGPU
    max_instances: int | None = None


@attrs.frozen(order=True)
class Mdev:
    """A mediated device that there is.

    Attributes:
        uuid: its name.
        parent: that it was created on.
        type: of it.
    """

    uuid: str
    parent: PciAddress
    type: str


@attrs.frozen
class MdevPool:
    """What one parent gives.

    Attributes:
        provider: that counts it.
        name: of the provider, as libvirt calls the parent.
        parent: where it is.
        type: that it gives.
        resource_class: of one.
        total: of them, those that there are already among them.
    """

    provider: ProviderId
    name: str
    parent: PciAddress
    type: str
    resource_class: ResourceClass
    total: int

    def as_provider(self, host: PciHost) -> Provider:
        """Return the provider that counts them."""
        stock = Inventory(self.total, max_unit=self.total)
        return Provider(
            self.provider,
            self.name,
            host.root,
            FrozenMap({self.resource_class: stock}),
            frozenset({OWNER_TRAIT}),
        )


def mdev_pools(
    rules: Sequence[MdevRule], devices: HostDevices, existing: Iterable[Mdev], host: PciHost
) -> tuple[tuple[MdevPool, ...], tuple[Finding, ...]]:
    """Return what each parent gives, and what came up: a parent gives one type.

    What exists counts, even of a type that the parent can create no more of; more than the rule
    allows is not given, less than is there neither. A parent with nothing to give has no pool.

    Args:
        rules: at most one may have no parents.
        devices: of the host.
        existing: mediated devices that there are.
        host: whose they are.
    """
    findings: list[Finding] = []
    by_parent = _by_parent(rules, findings)
    fallback = next((rule for rule in rules if not rule.parents), None)
    there: dict[tuple[PciAddress, str], int] = {}
    for mdev in existing:
        there[mdev.parent, mdev.type] = there.get((mdev.parent, mdev.type), 0) + 1
    pools: list[MdevPool] = []
    for device in devices.devices:
        rule = by_parent.get(device.address, fallback)
        if rule is None or device.vgpu is None or device.vgpu.interface is VgpuInterface.VENDOR:
            continue
        offered = next((it for it in device.vgpu.mdev_types if it.id == rule.type), None)
        if offered is None:
            if device.address in rule.parents:
                findings.append(_not_offered(device, rule))
            continue
        total = _total(offered, there.get((device.address, rule.type), 0), rule.max_instances)
        if total:
            pools.append(_pool(device, rule, total, host))
    findings.extend(_nowhere(rules, devices.by_address))
    return tuple(pools), tuple(findings)


def _total(offered: MdevType, existing: int, most: int | None) -> int:
    total = existing + offered.available
    return total if most is None else max(existing, min(total, most))


def _pool(device: PciDevice, rule: MdevRule, total: int, host: PciHost) -> MdevPool:
    at = device.address
    provider, name = host.of_mdev_parent(at)
    return MdevPool(provider, name, at, rule.type, rule.resource_class, total)


def _by_parent(rules: Sequence[MdevRule], findings: list[Finding]) -> dict[PciAddress, MdevRule]:
    found: dict[PciAddress, MdevRule] = {}
    for at, rule in enumerate(rules):
        for address in sorted(rule.parents):
            other = found.setdefault(address, rule)
            if other is not rule:
                message = f"{address} is to give {other.type} and {rule.type}; a parent gives one"
                findings.append(Finding("M01", Severity.REFUSE, f"mdev[{at}]", message, (address,)))
    defaults = [at for at, rule in enumerate(rules) if not rule.parents]
    for at in defaults[1:]:
        message = f"mdev[{defaults[0]}] is for all other parents already; name the parents"
        findings.append(Finding("M02", Severity.REFUSE, f"mdev[{at}]", message))
    return found


def _not_offered(device: PciDevice, rule: MdevRule) -> Finding:
    types = ", ".join(it.id for it in device.vgpu.mdev_types) if device.vgpu else ""
    message = f"{device.address} has no type {rule.type!r}; it has {types or 'none'}"
    return Finding("M03", Severity.WARN, "mdev", message, (device.address,))


def _nowhere(rules: Iterable[MdevRule], there: Collection[PciAddress]) -> Iterator[Finding]:
    for at, rule in enumerate(rules):
        for address in sorted(rule.parents):
            if address not in there:
                message = f"{address} is not there"
                yield Finding("M04", Severity.WARN, f"mdev[{at}]", message, (address,))
