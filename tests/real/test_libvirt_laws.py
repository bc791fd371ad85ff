"""The laws of the hypervisor seam, on real libvirt and QEMU."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import attrs
import libvirt
import pytest

from computekit.ids import HostName
from computekit.testing.virt_bench import LawImages, VirtBench
from computekit.testing.virt_laws import VirtLaws
from computekit.units import Seconds
from computekit.virt import DomainSpec
from computekit.virt.libvirt import LibvirtHypervisor

pytestmark = pytest.mark.real

FOREIGN = """
<domain type='qemu'>
  <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
</domain>
"""


@attrs.define
class LibvirtBench(VirtBench):
    connection: libvirt.virConnect
    directory: Path
    foreign: list[str] = attrs.field(factory=list)

    def pass_time(self, duration_s: Seconds) -> None:
        sleep(duration_s)

    def add_foreign_domain(self, uuid: str, name: str) -> None:
        self.connection.defineXML(FOREIGN.format(name=name, uuid=uuid))
        self.foreign.append(uuid)

    def foreign_names(self) -> frozenset[str]:
        names = {domain.name() for domain in self.connection.listAllDomains()}
        return frozenset(name for name in names if not name.startswith("ck-"))

    def pins(self, spec: DomainSpec) -> tuple[frozenset[int], ...]:
        domain = self.connection.lookupByUUIDString(spec.mark.instance)
        return tuple(
            frozenset(cpu for cpu, may in enumerate(cpus) if may)
            for cpus in domain.vcpuPinInfo(libvirt.VIR_DOMAIN_AFFECT_LIVE)
        )

    def fill_storage(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("real libvirt: only root can make a file system that is soon full")
        with (self.directory.parent / "ballast").open("wb") as file:
            storage = os.statvfs(file.fileno())
            os.posix_fallocate(file.fileno(), 0, storage.f_bavail * storage.f_frsize)

    def clean(self) -> None:
        (self.directory.parent / "ballast").unlink(missing_ok=True)
        for status in self.driver.domains():
            self.driver.destroy(status.mark.instance)
            self.driver.undefine(status.mark.instance)
        for uuid in self.foreign:
            self.connection.lookupByUUIDString(uuid).undefine()
        for instance in self.driver.instances():
            self.driver.remove(instance)


class TestLibvirtHypervisor(VirtLaws):
    @pytest.fixture
    def bench(
        self, libvirt_uri: str, guest_directory: Path, request: pytest.FixtureRequest
    ) -> Iterator[VirtBench]:
        directory = guest_directory / str(abs(hash(request.node.name)))
        driver = LibvirtHypervisor(libvirt_uri, directory, HostName("real"), virt_type="qemu")
        connection = libvirt.open(libvirt_uri)
        made = LibvirtBench(
            driver, LawImages(), random.Random(os.urandom(8)), Seconds(30.0), connection, directory
        )
        try:
            yield made
        finally:
            made.clean()
            connection.close()
            driver.close()
