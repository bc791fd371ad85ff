"""What happens when a host starts: one function of what is there, what is said, what was."""

from collections.abc import Collection, Iterator

import attrs

from computekit.display import Page
from computekit.errors import InvalidInput
from computekit.model import ProviderTree
from computekit.pci.address import PciAddress
from computekit.pci.config import PciConfig
from computekit.pci.device import HostDevices, PciDevice
from computekit.pci.explain import PciExplanation, explain_judged
from computekit.pci.finding import Finding, Severity, refusals
from computekit.pci.judging import judge_devices
from computekit.pci.lifecycle import reconcile
from computekit.pci.names import MANAGED_TRAIT
from computekit.pci.provider_layout import (
    PciAllocation,
    ProviderWrite,
    pci_provider_tree,
    provider_writes,
)
from computekit.pci.reserves import keep_reserves
from computekit.pci.state import PciState
from computekit.pci.unit import PciHost, UnitMember
from computekit.pci.views import findings_text, provider_drawing, units_table

__all__ = ["PciPlan", "plan_devices"]


@attrs.frozen
class PciPlan:
    """What a host does with its devices from now on.

    Attributes:
        state: to be remembered.
        tree: to be said to Placement.
        writes: what makes it say that, in order; empty if nobody knows what it says now.
        explanation: what becomes of each device, with all findings.
    """

    state: PciState
    tree: ProviderTree
    writes: tuple[ProviderWrite, ...]
    explanation: PciExplanation

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is worth knowing; nothing that would keep the host from starting."""
        return self.explanation.findings

    def page(self) -> Page:
        """Return devices, providers, units and findings below each other."""
        told = self.explanation
        return Page(
            (
                told.table(),
                told.tree(),
                provider_drawing(self.tree),
                units_table(self.state),
                *findings_text(told.findings, told.notes).parts,
            )
        )

    def _repr_html_(self) -> str:
        return self.page().html()


def plan_devices(
    config: PciConfig,
    devices: HostDevices,
    host: PciHost,
    state: PciState = PciState(),  # noqa: B008  # a frozen value
    allocations: Collection[PciAllocation] = (),
    view: ProviderTree | None = None,
    forget: Collection[PciAddress] = (),
) -> PciPlan:
    """Return what a host does with its devices. Planning again with the outcome changes nothing.

    Args:
        config: what may be given away.
        devices: what there is now.
        host: whose devices they are.
        state: what is remembered: groups, and who holds what.
        allocations: what Placement says is held of the providers of devices.
        view: what Placement says now of the host and below it; None: nobody has asked.
        forget: devices that are gone for good, so that no group waits for them any longer.

    Raises:
        InvalidInput: the host must not start like this; every reason is there, nothing changes.
    """
    ghosts = tuple(_ghosts(state, devices, forget))
    merged = HostDevices.of((*devices.devices, *ghosts), devices.notes)
    absent = frozenset(ghost.address for ghost in ghosts)
    judged = judge_devices(config, merged, host, absent)
    reconciled = reconcile(state, judged.units, devices.by_address)
    after = attrs.evolve(state, units=reconciled.units)
    tree = pci_provider_tree(after if config.in_placement else PciState(), host, allocations)
    tree, kept = (tree, ()) if view is None else keep_reserves(tree, view)
    findings = (
        *judged.findings,
        *reconciled.findings,
        *_moved(state, devices, absent),
        *_disagreements(state, allocations),
        *_still_reported(config, view),
        *kept,
    )
    faults = refusals(findings)
    if faults:
        raise InvalidInput(tuple(dict.fromkeys(faults)))
    writes = () if view is None else provider_writes(view, tree)
    units = (it.unit for it in after.units if it.counted)
    explanation = explain_judged(judged, units, findings, config, devices, host.name)
    return PciPlan(after, tree, writes, explanation)


def _ghosts(
    state: PciState, devices: HostDevices, forget: Collection[PciAddress]
) -> Iterator[PciDevice]:
    """Return the members of groups that were there once and are not now.

    They are matched and grouped like the others, so that a group keeps its place and its shape
    while it lacks something, and its other members stay its own.
    """
    seen: set[PciAddress] = set()
    for kept in state.units:
        for member in kept.unit.members if kept.unit.group is not None else ():
            at = member.address
            if at in devices.by_address or at in seen or (at in forget and kept.holding is None):
                continue
            seen.add(at)
            yield attrs.evolve(member.device, card_serial=member.card_serial, driver=None)


def _moved(
    state: PciState, devices: HostDevices, absent: Collection[PciAddress]
) -> Iterator[Finding]:
    """Return where a card that is missed seems to be now."""
    known = {member.address for kept in state.units for member in kept.unit.members}
    for kept in state.units:
        for member in kept.unit.members:
            if member.address not in absent or member.card_serial is None:
                continue
            for device in _alike(member, devices):
                if device.address not in known:
                    message = f"{member.address} may be {device.address} now: a card with its "
                    message += f"serial number {member.card_serial!r} sits there"
                    where = (member.address, device.address)
                    yield Finding("G11", Severity.INFO, "device_spec", message, where)


def _alike(member: UnitMember, devices: HostDevices) -> Iterator[PciDevice]:
    ids = (member.device.vendor_id, member.device.product_id, member.device.vf_index)
    for device in devices.devices:
        same = (device.vendor_id, device.product_id, device.vf_index) == ids
        if same and devices.card_serial_of(device) == member.card_serial:
            yield device


def _disagreements(state: PciState, allocations: Collection[PciAllocation]) -> Iterator[Finding]:
    """Return where Placement and the host differ about who holds how much."""
    counts: dict[tuple[str, str, str], list[int]] = {}
    for kept in state.held:
        if kept.holding is not None:
            key = (kept.holding.consumer, kept.unit.provider, kept.unit.resource_class)
            counts.setdefault(key, [0, 0])[0] += 1
    for it in allocations:
        key = (it.consumer, it.provider, it.resource_class)
        counts.setdefault(key, [0, 0])[1] += it.amount
    for (consumer, provider, resource_class), (here, said) in sorted(counts.items()):
        # Without allocations nobody has asked Placement.
        if here != said and allocations:
            message = f"{consumer} holds {here} of {resource_class} of {provider} on the host, and "
            yield Finding("H20", Severity.WARN, "", message + f"{said} in Placement")


def _still_reported(config: PciConfig, view: ProviderTree | None) -> Iterator[Finding]:
    reported = [it.name for it in view or () if MANAGED_TRAIT in it.traits]
    if reported and not config.in_placement:
        message = f"devices of this host are in Placement ({reported[0]}); that cannot be ended"
        yield Finding("H19", Severity.REFUSE, "report_in_placement", message)
