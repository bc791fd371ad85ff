"""What becomes of each device of a host, and why, before anything is written."""

from collections.abc import Mapping

import attrs

from computekit.display import Table, Tree
from computekit.errors import InvalidInput
from computekit.model import ResourceClass, Trait
from computekit.pci.address import PciAddress
from computekit.pci.alias import Alias, AliasOption
from computekit.pci.config import PciConfig
from computekit.pci.device import DeviceType, DiscoveryNote, HostDevices, PciDevice
from computekit.pci.finding import Finding, Severity, refusals
from computekit.pci.forming import Formed, form_groups
from computekit.pci.group import DeviceGroup
from computekit.pci.matching import Match, match_devices
from computekit.pci.names import (
    LIVE_MIGRATABLE_TRAIT,
    MANAGED_TRAIT,
    ONE_TIME_USE_TRAIT,
    OWNER_TRAIT,
    default_class,
)

__all__ = ["DeviceExplanation", "PciExplanation", "explain_devices"]

_LONGEST_PROVIDER = 200
"""Characters of a provider's name (Placement API)."""


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


def explain_devices(config: PciConfig, host: HostDevices, name: str) -> PciExplanation:
    """Return what becomes of each device.

    Args:
        config: what may be given away.
        host: what there is.
        name: of the host, with which the names of its providers begin.

    Raises:
        InvalidInput: a host with this configuration would not start; every reason is there.
    """
    matches, matched = match_devices(config.specs, host)
    formed = form_groups(
        matches,
        config.specs,
        host,
        allow_iommu_split=config.allow_iommu_split,
        guest_ports=config.guest_ports,
    )
    offers = _Offers(config, formed, host, name)
    findings = (*matched, *formed.findings, *offers.findings)
    faults = refusals(findings)
    if faults:
        raise InvalidInput(tuple(dict.fromkeys(faults)))
    meant = {match.device.address: match for match in matches}
    about: dict[PciAddress, list[Finding]] = {}
    for finding in findings:
        for address in finding.devices:
            about.setdefault(address, []).append(finding)
    devices: list[DeviceExplanation] = []
    for device in host.devices:
        match = meant.get(device.address)
        one = offers.by_address.get(device.address, DeviceExplanation(device))
        specs = () if match is None else (match.spec, *match.shadowed)
        devices.append(
            attrs.evolve(
                one,
                card_serial=host.card_serial_of(device),
                specs=tuple(spec.path for spec in specs),
                findings=tuple(about.get(device.address, ())),
            )
        )
    return PciExplanation(name, tuple(devices), formed.groups, findings, host.notes)


class _Offers:
    """As what each device can be asked for."""

    def __init__(self, config: PciConfig, formed: Formed, host: HostDevices, name: str) -> None:
        self.by_address: dict[PciAddress, DeviceExplanation] = {}
        self.findings: list[Finding] = []
        self._aliases = config.aliases
        self._host = host
        self._name = name
        for group in formed.groups:
            self._group(group)
        families: dict[PciAddress, list[Match]] = {}
        for match in formed.single:
            if match.spec.networked:
                self.by_address[match.device.address] = DeviceExplanation(match.device)
            else:
                pf = match.device.physical_function or match.device.address
                families.setdefault(pf, []).append(match)
        for pf, family in families.items():
            self._family(pf, family)

    def _group(self, group: DeviceGroup) -> None:
        provider = f"{self._name}_PCI_GROUP_{group.name}"
        first = group.members[0]
        self._check_length(provider, first.spec.path)
        traits = group.traits
        answers = tuple(
            alias.name
            for alias in self._aliases.values()
            if any(
                option.resource_class == group.resource_class
                and option.traits <= traits
                and option.live_migratable in (None, LIVE_MIGRATABLE_TRAIT in traits)
                for option in alias.options
            )
        )
        for member in group.members:
            self.by_address[member.device.address] = DeviceExplanation(
                member.device,
                resource_class=group.resource_class,
                traits=tuple(sorted(traits)),
                group=group.name,
                role=member.role,
                provider=None if group.degraded else provider,
                aliases=() if group.degraded else answers,
            )

    def _family(self, pf: PciAddress, family: list[Match]) -> None:
        """Offer a device, or the VFs of a PF: on one provider if their traits agree."""
        by_class: dict[ResourceClass, list[Match]] = {}
        for match in family:
            by_class.setdefault(_class_of(match), []).append(match)
        apart = len({_traits_of(match) for match in family}) > 1
        for resource_class, same in by_class.items():
            first = same[0]
            provider = f"{self._name}_{str(pf).upper()}"
            if apart:
                provider = f"{provider}_{resource_class}"
            self._check_length(provider, first.spec.path)
            for match in same:
                traits = _traits_of(match)
                if traits != _traits_of(first):
                    message = (
                        f"{match.device.address} and {first.device.address} are VFs of {pf} and "
                    )
                    message += f"both {resource_class}, so they must have the same traits"
                    self._refuse("H11", match.spec.path, message, match.device.address)
                self.by_address[match.device.address] = DeviceExplanation(
                    match.device,
                    resource_class=resource_class,
                    traits=tuple(sorted(traits)),
                    provider=provider,
                    aliases=_answers(self._aliases, match, resource_class, traits),
                )

    def _check_length(self, provider: str, path: str) -> None:
        if len(provider) > _LONGEST_PROVIDER:
            message = (
                f"the provider {provider[:60]!r}... has a name of {len(provider)} characters; "
            )
            self._refuse("H12", path, message + f"{_LONGEST_PROVIDER} is most")

    def _refuse(self, code: str, path: str, message: str, *devices: PciAddress) -> None:
        self.findings.append(Finding(code, Severity.REFUSE, path, message, devices))


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


def _answers(
    aliases: Mapping[str, Alias],
    match: Match,
    resource_class: ResourceClass,
    traits: frozenset[Trait],
) -> tuple[str, ...]:
    return tuple(
        alias.name
        for alias in aliases.values()
        if any(_answers_to(match, option, resource_class, traits) for option in alias.options)
    )


def _answers_to(
    match: Match, option: AliasOption, resource_class: ResourceClass, traits: frozenset[Trait]
) -> bool:
    device = match.device
    # A request that names no class asks for the one that its ids have.
    asked = option.resource_class
    if asked is None and option.vendor_id is not None and option.product_id is not None:
        asked = default_class(option.vendor_id, option.product_id)
    # A PF or a whole device with VFs is given only to who says so (Nova: unrequested PFs).
    kind = option.device_type
    kind_fits = device.type is not DeviceType.PF if kind is None else kind is device.type
    return (
        asked == resource_class
        and option.vendor_id in (None, device.vendor_id)
        and option.product_id in (None, device.product_id)
        and kind_fits
        and option.traits <= traits
        and option.live_migratable in (None, match.spec.live_migratable is True)
        and not match.spec.tags
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
