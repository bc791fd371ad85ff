"""What everybody who has accelerators must do."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.clock import Deadline
from computekit.errors import DeadlineExceeded, NotFound, StateConflict
from computekit.ids import InstanceId
from computekit.pci import AcceleratorBinding, DeviceProvider
from computekit.testing.clock import ManualClock
from computekit.units import Seconds

__all__ = ["DeviceProviderBench", "DeviceProviderLaws"]


@attrs.frozen
class DeviceProviderBench:
    """A device provider with two or more accelerators that are nobody's."""

    devices: DeviceProvider
    clock: ManualClock

    def deadline(self) -> Deadline:
        """Return a deadline in ten seconds."""
        return Deadline(self.clock, Seconds(10))

    def binding(self, name: str, at: int = 0) -> AcceleratorBinding:
        """Return a binding of one of the accelerators."""
        return AcceleratorBinding(name, InstanceId("i"), self.devices.discover()[at].id)


class DeviceProviderLaws(ABC):
    """Subclass it with `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[DeviceProviderBench]:
        """Make a device provider."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[DeviceProviderBench]:
        """Give a device provider."""
        with self.open(tmp_path) as bench:
            yield bench

    def test_what_there_is_has_names_of_its_own(self, bench: DeviceProviderBench) -> None:
        ids = [it.id for it in bench.devices.discover()]

        assert len(ids) >= 2
        assert ids == sorted(set(ids))

    def test_preparing_again_gives_the_same(self, bench: DeviceProviderBench) -> None:
        mine = bench.binding("b-1")
        assert bench.devices.handle(mine) is None

        first = bench.devices.prepare(mine, bench.deadline())

        assert bench.devices.prepare(mine, bench.deadline()) == first
        assert bench.devices.handle(mine) == first

    def test_an_accelerator_is_one_bindings(self, bench: DeviceProviderBench) -> None:
        mine, other = bench.binding("b-1"), bench.binding("b-2")
        bench.devices.prepare(mine, bench.deadline())

        with pytest.raises(StateConflict):
            bench.devices.prepare(other, bench.deadline())
        assert bench.devices.handle(other) is None
        bench.devices.release(other, bench.deadline())
        assert bench.devices.handle(mine) is not None
        bench.devices.prepare(bench.binding("b-2", 1), bench.deadline())

    def test_what_is_released_is_anybodys(self, bench: DeviceProviderBench) -> None:
        mine = bench.binding("b-1")
        bench.devices.prepare(mine, bench.deadline())

        bench.devices.release(mine, bench.deadline())
        bench.devices.release(mine, bench.deadline())

        assert bench.devices.handle(mine) is None
        bench.devices.prepare(bench.binding("b-2"), bench.deadline())

    def test_nothing_begins_after_its_deadline(self, bench: DeviceProviderBench) -> None:
        late = bench.deadline()
        bench.clock.advance(Seconds(11))

        with pytest.raises(DeadlineExceeded):
            bench.devices.prepare(bench.binding("b-1"), late)
        assert bench.devices.handle(bench.binding("b-1")) is None

    def test_what_is_not_there_is_not_found(self, bench: DeviceProviderBench) -> None:
        nothing = AcceleratorBinding("b-1", InstanceId("i"), "no such accelerator")

        with pytest.raises(NotFound):
            bench.devices.prepare(nothing, bench.deadline())
        assert bench.devices.handle(nothing) is None
        bench.devices.release(nothing, bench.deadline())
