"""What everybody who makes VFs into virtual GPUs must do."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.errors import HypervisorRefused, NotFound
from computekit.pci import (
    CarveStep,
    CarvingPlan,
    PciAddress,
    VfCarver,
    VgpuFacts,
    VgpuInterface,
    carve,
)

__all__ = ["CarverBench", "CarverLaws"]


@attrs.frozen
class CarverBench:
    """A carver and a card with room for what the laws do.

    Attributes:
        carver: under test.
        vfs: two or more VFs that are nothing.
        types: numbers of two types; two of the first fit.
        unknown: number of no type.
    """

    carver: VfCarver
    vfs: tuple[PciAddress, ...]
    types: tuple[int, int]
    unknown: int


class CarverLaws(ABC):
    """Subclass it with `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[CarverBench]:
        """Make a card whose VFs are nothing."""

    def test_a_vf_becomes_what_is_written(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            vf, other = bench.vfs[:2]
            bench.carver.write(vf, bench.types[0])
            bench.carver.write(vf, bench.types[0])

            assert bench.carver.read(vf).current == bench.types[0]
            assert bench.carver.read(other).current == 0
            bench.carver.write(vf, 0)
            bench.carver.write(vf, 0)
            assert bench.carver.read(vf).current == 0

    def test_what_it_could_become_is_listed(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            facts = bench.carver.read(bench.vfs[0])

            assert facts.interface is VgpuInterface.VENDOR
            assert set(bench.types) <= {it.id for it in facts.creatable}

    def test_a_vf_that_is_something_does_not_become_something_else(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            vf, (first, second) = bench.vfs[0], bench.types
            bench.carver.write(vf, first)

            with pytest.raises(HypervisorRefused):
                bench.carver.write(vf, second)
            assert bench.carver.read(vf).current == first

    def test_an_unknown_type_is_refused(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            with pytest.raises(HypervisorRefused):
                bench.carver.write(bench.vfs[0], bench.unknown)
            assert bench.carver.read(bench.vfs[0]).current == 0

    def test_an_unknown_vf_is_not_found(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            nowhere = PciAddress(0xFFFF, 0xFF, 0x1F, 7)
            with pytest.raises(NotFound):
                bench.carver.read(nowhere)
            with pytest.raises(NotFound):
                bench.carver.write(nowhere, bench.types[0])

    def test_a_plan_is_done_whole_or_undone(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            (first, second), (number, other) = bench.vfs[:2], bench.types
            bench.carver.write(first, number)
            steps = (
                CarveStep(first, number, 0),
                CarveStep(first, 0, other),
                CarveStep(second, 0, bench.unknown),
            )

            with pytest.raises(HypervisorRefused):
                carve(bench.carver, CarvingPlan(steps, ()))
            assert self._now(bench) == (number, 0)

            carve(bench.carver, CarvingPlan((*steps[:2], CarveStep(second, 0, number)), ()))
            assert self._now(bench) == (other, number)

    def _now(self, bench: CarverBench) -> tuple[int, ...]:
        facts: list[VgpuFacts] = [bench.carver.read(vf) for vf in bench.vfs[:2]]
        return tuple(it.current for it in facts)
