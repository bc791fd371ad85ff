"""Everybody who makes VFs into virtual GPUs does what the laws say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.pci import CarvableType, MemoryCarver, PciAddress, SysfsCarver, VgpuType
from computekit.testing.carver_laws import CarverBench, CarverLaws
from tests.unit.pci.fixture import unpack
from tests.unit.pci.vgpu import TYPES, add_vgpu

VFS = tuple(PciAddress(0, 1, 0, function) for function in range(1, 5))


class TestMemoryCarver(CarverLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[CarverBench]:
        types = [CarvableType(VgpuType(number, name), 1) for number, name in TYPES.items()]
        yield CarverBench(MemoryCarver(VFS, types, parts=4), VFS, (1, 2), 99)


class TestSysfsCarver(CarverLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[CarverBench]:
        root = unpack(directory)
        for vf in VFS:
            add_vgpu(root, str(vf))
        yield CarverBench(SysfsCarver(root), VFS, (1, 2), 99)
