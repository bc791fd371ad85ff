"""libvirt's test driver with one of each of its objects.

The driver lives inside the library, needs no daemon and touches nothing outside the process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import libvirt

__all__ = ["CHECKPOINT", "SNAPSHOT", "Bench", "bench"]

_DOMAIN = """
<domain type='test'>
  <name>probe</name>
  <title>a title</title>
  <description>a description</description>
  <metadata><p:note xmlns:p='urn:probe'>1</p:note></metadata>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <iothreads>1</iothreads>
  <cputune><iothreadpin iothread='1' cpuset='0-1'/></cputune>
  <os><type arch='i686'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <source file='/nonexistent/probe.img'/><target dev='vda' bus='virtio'/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:00:00:01'/><source network='default'/><target dev='testnet0'/>
    </interface>
    <video><model type='cirrus' vram='16384' heads='1'/></video>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""
SNAPSHOT = "<domainsnapshot><name>{}</name></domainsnapshot>"
CHECKPOINT = """
<domaincheckpoint>
  <name>{}</name><disks><disk name='vda' checkpoint='bitmap'/></disks>
</domaincheckpoint>
"""
_VOLUME = "<volume><name>probe</name><capacity>1048576</capacity></volume>"


@attrs.frozen
class Bench:
    """A connection to the test driver and one of each of its objects, the domain running.

    Files are made in `directory`.
    """

    directory: Path
    connection: libvirt.virConnect
    domain: libvirt.virDomain
    network: libvirt.virNetwork
    interface: libvirt.virInterface
    pool: libvirt.virStoragePool
    volume: libvirt.virStorageVol
    device: libvirt.virNodeDevice

    def another(self) -> libvirt.virConnect:
        """Return a second connection to the same driver."""
        return libvirt.open(self.connection.getURI())

    def watched(self) -> libvirt.virConnect:
        """Return the connection with a close callback."""
        self.connection.registerCloseCallback(lambda _connection, _reason, _opaque: None, None)
        return self.connection

    def snapshots(self) -> tuple[libvirt.virDomainSnapshot, libvirt.virDomainSnapshot]:
        """Return a snapshot and its child, made now."""
        first = self.domain.snapshotCreateXML(SNAPSHOT.format("first"))
        return first, self.domain.snapshotCreateXML(SNAPSHOT.format("second"))

    def checkpoints(self) -> tuple[libvirt.virDomainCheckpoint, libvirt.virDomainCheckpoint]:
        """Return a checkpoint and its child, made now."""
        first = self.domain.checkpointCreateXML(CHECKPOINT.format("first"))
        return first, self.domain.checkpointCreateXML(CHECKPOINT.format("second"))

    def shut_off(self) -> libvirt.virDomain:
        """Return the domain, no longer running."""
        self.domain.destroy()
        return self.domain

    def file(self) -> str:
        """Return the path of a file that may be written."""
        return str(self.directory / "file")

    def suspended(self) -> libvirt.virDomain:
        """Return the domain, paused."""
        self.domain.suspend()
        return self.domain

    def saved(self) -> libvirt.virDomain:
        """Return the domain with a managed save image."""
        self.domain.managedSave()
        return self.domain

    def frozen(self) -> libvirt.virDomain:
        """Return the domain with its file systems frozen."""
        self.domain.fsFreeze()
        return self.domain

    def png(self) -> libvirt.virStream:
        """Return a stream that a screenshot comes through."""
        stream = self.connection.newStream()
        self.domain.screenshot(stream, 0)
        return stream


@contextmanager
def bench(directory: Path) -> Iterator[Bench]:
    """Open the test driver.

    It is in its first state when nothing refers to an object of an earlier connection any more.
    """
    # Event callbacks cannot be registered without a loop; a second registration changes nothing.
    libvirt.virEventRegisterDefaultImpl()
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open("test:///default")
    try:
        domain = connection.defineXML(_DOMAIN)
        domain.create()
        pool = connection.storagePoolLookupByName("default-pool")
        yield Bench(
            directory=directory,
            connection=connection,
            domain=domain,
            network=connection.networkLookupByName("default"),
            interface=connection.interfaceLookupByName("eth1"),
            pool=pool,
            volume=pool.createXML(_VOLUME),
            device=connection.nodeDeviceLookupByName("computer"),
        )
    finally:
        connection.close()
