"""A card of virtual GPUs that is not there: VFs, types and room, in memory."""

from collections.abc import Iterable, Mapping

import attrs

from computekit.errors import HypervisorRefused, NotFound
from computekit.pci.address import PciAddress
from computekit.pci.device import HostDevices, PciDevice
from computekit.pci.vgpu import VgpuFacts, VgpuInterface, VgpuType

__all__ = ["CarvableType", "MemoryCarver"]

_BUSY, _INVALID = 16, 22
"""EBUSY and EINVAL, which drivers answer with."""


@attrs.frozen
class CarvableType:
    """A type of virtual GPU and how much of the card one of it takes.

    Attributes:
        type: its number and name.
        parts: of the card.
    """

    type: VgpuType
    parts: int


class MemoryCarver:
    """VFs of one card that can be made virtual GPUs, as long as the card has room.

    Like a driver, it lists for each VF what it could become now: a type is gone from all lists when
    there is no room for it, and a VF that is something lists nothing.
    """

    def __init__(
        self, vfs: Iterable[PciAddress], types: Iterable[CarvableType], *, parts: int
    ) -> None:
        self._types = {it.type.id: it for it in types}
        self._current: dict[PciAddress, int] = dict.fromkeys(vfs, 0)
        self._parts = parts
        self._in_use: set[PciAddress] = set()

    def use(self, vfs: Iterable[PciAddress]) -> None:
        """Let guests have these VFs, and no others."""
        self._in_use = set(vfs)

    def read(self, vf: PciAddress) -> VgpuFacts:
        """Return what a VF is now."""
        current = self._current_of(vf)
        room = self._room()
        fitting = (it.type for it in self._types.values() if it.parts <= room)
        creatable = () if current else tuple(sorted(fitting))
        return VgpuFacts(VgpuInterface.VENDOR, current, creatable)

    def write(self, vf: PciAddress, type_id: int) -> None:
        """Make a VF that type, 0 for none."""
        current = self._current_of(vf)
        if current == type_id:
            return
        if vf in self._in_use:
            raise HypervisorRefused("write current_vgpu_type", _BUSY, f"a guest has {vf}")
        if current and type_id:
            reason = f"{vf} is type {current} already"
            raise HypervisorRefused("write current_vgpu_type", _BUSY, reason)
        if type_id and type_id not in {it.id for it in self.read(vf).creatable}:
            reason = f"type {type_id} cannot be created on {vf} now"
            raise HypervisorRefused("write current_vgpu_type", _INVALID, reason)
        self._current[vf] = type_id

    def devices(self, devices: HostDevices) -> HostDevices:
        """Return a host whose VFs of this card say what they are now."""
        told: Mapping[PciAddress, VgpuFacts] = {vf: self.read(vf) for vf in self._current}

        def seen(device: PciDevice) -> PciDevice:
            facts = told.get(device.address)
            return device if facts is None else attrs.evolve(device, vgpu=facts)

        return HostDevices.of(map(seen, devices.devices), devices.notes)

    def _current_of(self, vf: PciAddress) -> int:
        if vf not in self._current:
            raise NotFound("VF that types are written to", str(vf))
        return self._current[vf]

    def _room(self) -> int:
        used = sum(self._types[number].parts for number in self._current.values() if number)
        return self._parts - used
