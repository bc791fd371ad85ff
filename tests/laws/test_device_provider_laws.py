"""Everybody who has accelerators does what the laws say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.ids import ProviderId
from computekit.model import ResourceClass
from computekit.pci import Accelerator, DryHandle, MemoryDeviceProvider, PciAddress, PciHandle
from computekit.testing import ManualClock
from computekit.testing.device_provider_laws import DeviceProviderBench, DeviceProviderLaws

FPGA = ResourceClass("FPGA")


class TestMemoryDeviceProvider(DeviceProviderLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[DeviceProviderBench]:
        devices = MemoryDeviceProvider(
            {
                Accelerator("a", ProviderId("p-a"), FPGA): PciHandle(PciAddress(0, 1, 0, 0)),
                Accelerator("b", ProviderId("p-b"), FPGA): DryHandle(),
            }
        )
        yield DeviceProviderBench(devices, ManualClock())
