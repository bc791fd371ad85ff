"""What becomes of each device of a host, and why, before anything is written."""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from computekit.display import Page, Table, Tree
from computekit.errors import InvalidInput
from computekit.model import ResourceClass, Trait
from computekit.pci.address import PciAddress
from computekit.pci.answering import answering_aliases
from computekit.pci.config import PciConfig
from computekit.pci.device import DiscoveryNote, HostDevices, PciDevice
from computekit.pci.finding import Finding, refusals
from computekit.pci.group import DeviceGroup
from computekit.pci.judging import Judged, judge_devices
from computekit.pci.unit import DeviceUnit, PciHost
from computekit.pci.views import findings_text

__all__ = ["DeviceExplanation", "PciExplanation", "explain_devices", "explain_judged"]


@attrs.frozen
class DeviceExplanation:
    """What becomes of one device.

    Attributes:
        device: the device.
        card_serial: of its card, which a VF has from its PF.
        specs: paths of the specs that mean it; the first decides.
        resource_class: that it, or its group, is one unit of; None: it is not in Placement.
        traits: of its provider.
        group: the name of its group.
        role: its part in that group.
        provider: the name of the provider that holds it; None: nobody can ask for it.
        aliases: that it, or its group, answers to.
        findings: that are about it.
    """

    device: PciDevice
    card_serial: str | None = None
    specs: tuple[str, ...] = ()
    resource_class: ResourceClass | None = None
    traits: tuple[Trait, ...] = ()
    group: str | None = None
    role: str | None = None
    provider: str | None = None
    aliases: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def pool(self) -> str | None:
        """What is counted together: the provider and the resource class."""
        if self.provider is None or self.resource_class is None:
            return None
        return f"{self.provider}/{self.resource_class}"


@attrs.frozen
class PciExplanation:
    """What becomes of the devices of a host.

    Attributes:
        host: its name.
        devices: by address.
        groups: by name.
        findings: what is worth knowing; nothing that would keep the host from starting.
        notes: what discovery found broken.
    """

    host: str
    devices: tuple[DeviceExplanation, ...]
    groups: tuple[DeviceGroup, ...]
    findings: tuple[Finding, ...]
    notes: tuple[DiscoveryNote, ...]

    def table(self) -> Table:
        """Return a row for each device that a spec means."""
        rows = tuple(
            (
                str(one.device.address),
                one.device.type.value,
                "-" if one.device.numa_node is None else str(one.device.numa_node),
                " ".join(one.specs),
                one.resource_class or "-",
                one.group or "-",
                one.provider or "-",
                " ".join(one.aliases) or "-",
                " ".join(sorted({finding.code for finding in one.findings})) or "-",
            )
            for one in self.devices
            if one.specs
        )
        headings = (
            "device",
            "type",
            "NUMA",
            "specs",
            "class",
            "group",
            "provider",
            "aliases",
            "codes",
        )
        return Table(headings, rows, title=f"Devices of {self.host} that a spec means")

    def tree(self) -> Tree:
        """Return the devices where they are on the buses."""
        below: dict[PciAddress | None, list[DeviceExplanation]] = {}
        there = {one.device.address for one in self.devices}
        for one in self.devices:
            # A bridge that could not be read is not there to hang anything below.
            above = (port for port in one.device.ports if port in there)
            below.setdefault(next(above, None), []).append(one)
        return Tree(self.host, children=tuple(_branch(one, below) for one in below.get(None, ())))

    def page(self) -> Page:
        """Return the table, the tree and the findings below each other."""
        return Page((self.table(), self.tree(), *findings_text(self.findings, self.notes).parts))

    def _repr_html_(self) -> str:
        return self.page().html()


def explain_devices(config: PciConfig, devices: HostDevices, name: str) -> PciExplanation:
    """Return what becomes of each device.

    Args:
        config: what may be given away.
        devices: what there is.
        name: of the host, with which the names of its providers begin.

    Raises:
        InvalidInput: a host with this configuration would not start; every reason is there.
    """
    judged = judge_devices(config, devices, PciHost.named(name))
    faults = refusals(judged.findings)
    if faults:
        raise InvalidInput(tuple(dict.fromkeys(faults)))
    return explain_judged(judged, judged.units, judged.findings, config, devices, name)


def explain_judged(
    judged: Judged,
    units: Iterable[DeviceUnit],
    findings: tuple[Finding, ...],
    config: PciConfig,
    devices: HostDevices,
    name: str,
) -> PciExplanation:
    """Return what becomes of each device when these units of it are given away."""
    meant = {match.device.address: match for match in judged.matches}
    about: dict[PciAddress, list[Finding]] = {}
    for finding in findings:
        for address in finding.devices:
            about.setdefault(address, []).append(finding)
    by_address: dict[PciAddress, DeviceExplanation] = {}
    for unit in units:
        by_address.update(_of_unit(unit, config))
    explained: list[DeviceExplanation] = []
    for device in devices.devices:
        match = meant.get(device.address)
        one = by_address.get(device.address, DeviceExplanation(device))
        specs = () if match is None else (match.spec, *match.shadowed)
        explained.append(
            attrs.evolve(
                one,
                device=device,
                card_serial=devices.card_serial_of(device),
                specs=tuple(spec.path for spec in specs),
                findings=tuple(about.get(device.address, ())),
            )
        )
    return PciExplanation(name, tuple(explained), judged.groups, findings, devices.notes)


def _of_unit(unit: DeviceUnit, config: PciConfig) -> Iterator[tuple[PciAddress, DeviceExplanation]]:
    aliases = answering_aliases(unit, config.aliases.values())
    traits = tuple(sorted(unit.traits))
    for member in unit.members:
        yield (
            member.address,
            DeviceExplanation(
                member.device,
                resource_class=unit.resource_class,
                traits=traits,
                group=unit.group,
                role=member.role or None,
                provider=None if unit.missing else unit.provider_name,
                aliases=aliases,
            ),
        )


def _branch(
    one: DeviceExplanation, below: Mapping[PciAddress | None, list[DeviceExplanation]]
) -> Tree:
    device = one.device
    label = f"{device.address} {device.vendor_id:04x}:{device.product_id:04x} {device.type.value}"
    if device.numa_node is not None:
        label += f" node {device.numa_node}"
    notes = () if one.pool is None else (one.pool,)
    children = tuple(_branch(inner, below) for inner in below.get(device.address, ()))
    return Tree(label, notes, children)
