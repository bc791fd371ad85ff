"""The laws of the hypervisor seam, on the fake driver."""

import random
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit.guest import DiskRole, GuestDisk
from computekit.ids import HostName
from computekit.model import HostCell, HostFacts
from computekit.testing import ManualClock
from computekit.testing.virt_bench import LawImages, VirtBench
from computekit.testing.virt_laws import VirtLaws
from computekit.units import Bytes, Gib, Mib, Seconds, gib_to_bytes
from computekit.virt import DomainSpec, FakeHypervisor

FACTS = HostFacts(
    name=HostName("fake-1"),
    arch="x86_64",
    cpus=4,
    memory_mib=Mib(4096),
    disk_gib=Gib(10),
    cells=(HostCell(0, Mib(4096), frozenset(range(4))),),
    hypervisor="fake",
    hypervisor_version=1_000_000,
    library_version=0,
    virt_type="qemu",
    machine_types=frozenset({"q35", "pc"}),
    uefi=True,
)


@attrs.define
class FakeBench(VirtBench):
    fake: FakeHypervisor
    clock: ManualClock

    def pass_time(self, duration_s: Seconds) -> None:
        self.clock.advance(duration_s)

    def add_foreign_domain(self, uuid: str, name: str) -> None:
        self.fake.add_foreign_domain(uuid, name)

    def foreign_names(self) -> frozenset[str]:
        return frozenset(self.fake.foreign_domains.values())

    def pins(self, spec: DomainSpec) -> tuple[frozenset[int], ...]:
        guest = self.fake.running_guest(spec.mark.instance)
        assert guest.topology is not None
        assert guest.cells is not None
        found = {vcpu: frozenset({cpu}) for vcpu, cpu in guest.cells.cpus.items()}
        for asked, node in zip(guest.topology.nodes, guest.cells.nodes, strict=True):
            found.update(dict.fromkeys(asked.floating, node.floats_on))
        return tuple(found[vcpu] for vcpu in range(guest.vcpus))

    def fill_storage(self) -> None:
        left = gib_to_bytes(self.fake.facts().disk_gib) - self.fake.used_bytes()
        disk = GuestDisk(DiskRole.EPHEMERAL, Bytes(left))
        ballast = self.spec()
        self.fake.prepare(attrs.evolve(ballast, guest=attrs.evolve(ballast.guest, disks=(disk,))))


def bench(directory: Path | None) -> FakeBench:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock, directory=directory)
    return FakeBench(fake, LawImages(), random.Random(1), Seconds(5.0), fake, clock)


class TestFakeHypervisor(VirtLaws):
    @pytest.fixture
    def bench(self) -> Iterator[VirtBench]:
        made = bench(None)
        yield made
        made.fake.close()


class TestFakeHypervisorInDirectory(VirtLaws):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[VirtBench]:
        made = bench(tmp_path)
        yield made
        assert not list(tmp_path.glob("*.new"))
