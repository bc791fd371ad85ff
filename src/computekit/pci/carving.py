"""VFs made into virtual GPUs of the types that are wanted: what to change, and changing it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import attrs

from computekit.errors import ComputekitError
from computekit.model import FrozenMap
from computekit.pci.address import PciAddress
from computekit.pci.device import HostDevices, PciDevice
from computekit.pci.finding import Finding, Severity
from computekit.pci.vgpu import VgpuFacts, VgpuInterface, type_names

__all__ = ["CarveStep", "CarvingPlan", "CarvingWish", "VfCarver", "carve", "plan_carving"]


@attrs.frozen
class CarvingWish:
    """What a card should be cut into.

    Attributes:
        pf: the card.
        types: how many VFs of each type, by its name.
    """

    pf: PciAddress
    types: FrozenMap[str, int]


@attrs.frozen
class CarveStep:
    """One VF that becomes something else.

    Attributes:
        vf: where it is.
        before: number of its type now; 0: none.
        after: number of its type then; 0: none.
    """

    vf: PciAddress
    before: int
    after: int


@attrs.frozen
class CarvingPlan:
    """What to change, in order: what goes makes room for what comes.

    Attributes:
        steps: nothing, if all cards are as they should be.
        findings: where a wish cannot be met.
    """

    steps: tuple[CarveStep, ...]
    findings: tuple[Finding, ...]


class VfCarver(Protocol):
    """Whoever can make a VF a virtual GPU."""

    def read(self, vf: PciAddress) -> VgpuFacts:
        """Return what a VF is now.

        Raises:
            NotFound: there is no such VF, or it is none that types are written to.
        """
        ...

    def write(self, vf: PciAddress, type_id: int) -> None:
        """Make a VF that type, 0 for none; it may be it already.

        Raises:
            NotFound: there is no such VF.
            HypervisorRefused: the driver does not do it: the VF is another type, the card has no
                room, a guest has the VF.
        """
        ...


def plan_carving(
    wishes: Sequence[CarvingWish],
    devices: HostDevices,
    in_use: Collection[PciAddress],
    known: Mapping[int, str] = FrozenMap[int, str](),  # a frozen value
) -> CarvingPlan:
    """Return the fewest changes that give each card what is wanted of it.

    A card with a VF in use is never touched.

    Args:
        wishes: at most one for each card.
        devices: of the host.
        in_use: devices that somebody holds.
        known: names of types by number, for those that no VF lists.
    """
    names = type_names((it.vgpu for it in devices.devices if it.vgpu is not None), known)
    numbers = {name: number for number, name in names.items()}
    steps: list[CarveStep] = []
    findings: list[Finding] = []
    for at, wish in enumerate(wishes):
        found = _of_card(wish, f"carving[{at}]", devices, in_use, numbers)
        if isinstance(found, Finding):
            findings.append(found)
        else:
            steps.extend(found)
    steps.sort(key=lambda step: step.after != 0)  # stable: clearing comes first
    return CarvingPlan(tuple(steps), tuple(findings))


def _of_card(
    wish: CarvingWish,
    path: str,
    devices: HostDevices,
    in_use: Collection[PciAddress],
    numbers: Mapping[str, int],
) -> list[CarveStep] | Finding:
    def refused(code: str, message: str) -> Finding:
        return Finding(code, Severity.REFUSE, path, f"{wish.pf}: {message}", (wish.pf,))

    vfs = [it for it in devices.vfs_of.get(wish.pf, ()) if _current(it) is not None]
    if not vfs:
        return refused("K04", "there are no VFs that types are written to")
    unknown = sorted(name for name in wish.types if name not in numbers)
    if unknown:
        return refused("K03", f"no type is called {', '.join(map(repr, unknown))}")
    wanted = sum(wish.types.values())
    if wanted > len(vfs):
        return refused("K02", f"{wanted} VFs are wanted, and it has {len(vfs)}")
    missing = {numbers[name]: count for name, count in wish.types.items()}
    empty: list[PciDevice] = []
    steps: list[CarveStep] = []
    for vf in vfs:
        current = _current(vf) or 0
        if missing.get(current, 0):
            missing[current] -= 1
            continue
        empty.append(vf)
        if current:
            steps.append(CarveStep(vf.address, current, 0))
    # Numbers of types say nothing of their size; what is written first is made first.
    coming = [number for number, count in missing.items() for _ in range(count)]
    steps.extend(
        CarveStep(vf.address, 0, number) for vf, number in zip(empty, coming, strict=False)
    )
    busy = [it.address for it in vfs if it.address in in_use]
    if steps and busy:
        return refused("K01", f"{', '.join(map(str, busy))} is in use; nothing of it is changed")
    return steps


def _current(vf: PciDevice) -> int | None:
    if vf.vgpu is None or vf.vgpu.interface is not VgpuInterface.VENDOR:
        return None
    return vf.vgpu.current


def carve(carver: VfCarver, plan: CarvingPlan) -> None:
    """Do what a plan says, or nothing of it. A step that has been done before changes nothing.

    Raises:
        NotFound: a VF has gone.
        HypervisorRefused: the driver does not do a step; what was done before it is undone.
    """
    done: list[CarveStep] = []
    try:
        for step in plan.steps:
            if carver.read(step.vf).current != step.after:
                done.append(step)
                carver.write(step.vf, step.after)
    except ComputekitError as error:
        for step in reversed(done):
            try:
                if carver.read(step.vf).current != step.before:
                    carver.write(step.vf, step.before)
            except ComputekitError as also:
                error.add_note(f"{step.vf} is not type {step.before} again: {also.message}")
        raise
