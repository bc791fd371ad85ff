"""VFs made into virtual GPUs through sysfs (NVIDIA vGPU with vendor VFIO)."""

import errno
import os
from pathlib import Path

from computekit.errors import HypervisorRefused, NotFound
from computekit.pci.address import PciAddress
from computekit.pci.sysfs_vgpu import read_vgpu
from computekit.pci.vgpu import VgpuFacts, VgpuInterface

__all__ = ["SysfsCarver"]


class SysfsCarver:
    """Writes the numbers of types below a sysfs root, `/sys` or a copy of it."""

    def __init__(self, root: Path) -> None:
        self._home = root / "bus/pci/devices"

    def read(self, vf: PciAddress) -> VgpuFacts:
        """Return what a VF is now."""
        try:
            facts = read_vgpu(self._home / str(vf), virtual=True)
        except (OSError, ValueError) as error:
            raise _refused("read", error) from error
        if facts is None or facts.interface is not VgpuInterface.VENDOR:
            raise NotFound("VF that types are written to", str(vf))
        return facts

    def write(self, vf: PciAddress, type_id: int) -> None:
        """Make a VF that type, 0 for none."""
        facts = self.read(vf)
        if facts.current == type_id:
            return
        # The driver checks this too; its answer would say less.
        if facts.current and type_id:
            reason = f"{vf} is type {facts.current} already"
            raise HypervisorRefused("write current_vgpu_type", errno.EBUSY, reason)
        if type_id and type_id not in {it.id for it in facts.creatable}:
            reason = f"type {type_id} cannot be created on {vf} now"
            raise HypervisorRefused("write current_vgpu_type", errno.EINVAL, reason)
        try:
            self._store(vf, type_id)
        except OSError as error:
            raise _refused("write", error) from error

    def _store(self, vf: PciAddress, type_id: int) -> None:
        """Write the number at once: a driver takes each write for a whole answer."""
        path = self._home / str(vf) / "nvidia/current_vgpu_type"
        handle = os.open(path, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(handle, f"{type_id}\n".encode())
        finally:
            os.close(handle)


def _refused(verb: str, error: Exception) -> HypervisorRefused:
    code = error.errno if isinstance(error, OSError) and error.errno is not None else 0
    return HypervisorRefused(f"{verb} current_vgpu_type", code, str(error))
