"""What the laws of the hypervisor seam are tried on: a driver, its images, its guests."""

import abc
import hashlib
import io
import random
from collections.abc import Callable
from typing import BinaryIO

import attrs
import pytest

from computekit.agent import Hypervisor
from computekit.errors import (
    NotFound,
)
from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import ImageId, InstanceId, OperationId, new_uuid
from computekit.model import Image
from computekit.topology import GuestTopology, HostNode, HostTopology, fit_guest
from computekit.units import Bytes, Mib, Seconds
from computekit.virt import (
    DomainMark,
    DomainSpec,
    DomainState,
    DomainStatus,
    boot_sector_disk,
)

__all__ = ["BOOTABLE", "DEAF", "MISSING", "SPOILT", "LawImages", "VirtBench"]

BOOTABLE = ImageId("11111111-1111-4111-8111-111111111111")
DEAF = ImageId("22222222-2222-4222-8222-222222222222")
SPOILT = ImageId("33333333-3333-4333-8333-333333333333")
MISSING = ImageId("44444444-4444-4444-8444-444444444444")

_DISK_BYTES = Bytes(1 << 20)


class LawImages:
    """Images in memory, as an `ImageSource`.

    `BOOTABLE` boots and obeys the power button, `DEAF` boots and does not, `SPOILT` does not have
    the checksum that it says, `MISSING` does not exist.
    """

    def __init__(self) -> None:
        self._contents: dict[ImageId, bytes] = {}
        self._images: dict[ImageId, Image] = {}
        self.reads: int = 0
        self.add(BOOTABLE, boot_sector_disk(_DISK_BYTES))
        self.add(DEAF, boot_sector_disk(_DISK_BYTES, obeys_power_button=False))
        self.add(SPOILT, b"spoilt".ljust(_DISK_BYTES, b"\0"))
        self._contents[SPOILT] = b"spoils".ljust(_DISK_BYTES, b"\0")

    def add(
        self,
        image: ImageId,
        content: bytes,
        disk_format: str = "raw",
        virtual_size_bytes: Bytes | None = None,
    ) -> None:
        """Keep an image; its disk is as long as its file unless another length is said."""
        size, digest = Bytes(len(content)), hashlib.sha256(content).hexdigest()
        length = size if virtual_size_bytes is None else virtual_size_bytes
        self._contents[image] = content
        self._images[image] = Image(image, "law", disk_format, size, length, digest)

    def image(self, image: ImageId) -> Image:
        """Return what `ImageSource.image` says."""
        if image not in self._images:
            raise NotFound("image", image)
        return self._images[image]

    def read(self, image: ImageId) -> BinaryIO:
        """Return what `ImageSource.read` says."""
        self.image(image)
        self.reads += 1
        return io.BytesIO(self._contents[image])


@attrs.define
class VirtBench(abc.ABC):
    """A driver under test, and what the laws need around it.

    Attributes:
        driver: the driver.
        images: where it gets images from.
        random: for ids.
        patience_s: how long a guest may take for anything.
    """

    driver: Hypervisor
    images: LawImages
    random: random.Random
    patience_s: Seconds

    @abc.abstractmethod
    def pass_time(self, duration_s: Seconds) -> None:
        """Let time pass."""

    @abc.abstractmethod
    def add_foreign_domain(self, uuid: str, name: str) -> None:
        """Define a domain that is not ours."""

    @abc.abstractmethod
    def foreign_names(self) -> frozenset[str]:
        """Return the names of the domains that are not ours."""

    @abc.abstractmethod
    def fill_storage(self) -> None:
        """Leave too little space for anything more."""

    @abc.abstractmethod
    def pins(self, spec: DomainSpec) -> tuple[frozenset[int], ...]:
        """Return the host's CPUs on which each vCPU of a running guest may run."""

    def placed(self, topology: GuestTopology, host: HostNode | None = None) -> DomainSpec:
        """Return a guest with NUMA nodes, placed on the host's first node.

        Args:
            topology: of the guest, one node.
            host: that node as it is given out; by default its first CPU is dedicated.
        """
        cell = min(self.driver.facts().cells, key=lambda cell: cell.id)
        first = frozenset({min(cell.cpus)})
        node = host or HostNode(cell.id, first, cell.cpus - first or first, memory_mib=Mib(512))
        fit = fit_guest(HostTopology((node,)), topology)
        assert fit is not None
        spec = self.spec()
        guest = attrs.evolve(
            spec.guest,
            vcpus=sum(len(part.vcpus) for part in topology.nodes),
            memory_mib=Mib(sum(part.memory_mib for part in topology.nodes)),
            topology=topology,
            cells=fit,
        )
        return attrs.evolve(spec, guest=guest)

    def spec(
        self,
        name: str = "law",
        *,
        image: ImageId = BOOTABLE,
        size_bytes: Bytes = Bytes(2 << 20),
        epoch: int = 1,
        firmware: Firmware = Firmware.BIOS,
    ) -> DomainSpec:
        """Return a small guest of a new instance."""
        mark = DomainMark(InstanceId(new_uuid(self.random)), epoch, self.operation())
        disks = (
            GuestDisk(DiskRole.ROOT, size_bytes, image),
            GuestDisk(DiskRole.EPHEMERAL, Bytes(1 << 20)),
        )
        guest = GuestConfig("x86_64", "q35", firmware, 1, Mib(64), disks)
        return DomainSpec(mark, name, guest)

    def operation(self) -> OperationId:
        """Return a new operation's id."""
        return OperationId(new_uuid(self.random))

    def prepared(self, spec: DomainSpec | None = None) -> DomainSpec:
        """Return a spec whose disks and domain are made."""
        spec = spec or self.spec()
        for disk in spec.guest.disks:
            if disk.image is not None:
                self.driver.cache_image(disk.image, self.images)
        self.driver.prepare(spec)
        self.driver.define(spec)
        return spec

    def running(self, spec: DomainSpec | None = None) -> DomainSpec:
        """Return the spec of a guest that has booted."""
        spec = self.prepared(spec)
        self.driver.start(spec.mark)
        self.wait_for_line(spec)
        return spec

    def wait_for_line(self, spec: DomainSpec, times: int = 1) -> None:
        """Wait until the guest has said `times` times that it has booted."""
        line = f"BOOTED {spec.name}".encode()
        self.wait(lambda: self.console(spec).count(line) >= times, f"{times} x {line!r}")

    def wait_for_state(self, spec: DomainSpec, state: DomainState) -> None:
        """Wait until the domain is in `state`."""
        self.wait(lambda: self.status(spec).state is state, state.value)

    def wait(self, reached: Callable[[], bool], what: str) -> None:
        """Wait until `reached`, as long as patience lasts."""
        step_s = Seconds(0.1)
        for _ in range(int(self.patience_s / step_s)):
            if reached():
                return
            self.pass_time(step_s)
        pytest.fail(f"not within {self.patience_s} s: {what}")

    def console(self, spec: DomainSpec) -> bytes:
        """Return what the guest has written."""
        return self.driver.console_output(spec.mark.instance, 65_536)

    def status(self, spec: DomainSpec) -> DomainStatus:
        """Return the status of a domain that is there."""
        status = self.driver.status(spec.mark.instance)
        assert status is not None, f"no domain of {spec.mark.instance}"
        return status
