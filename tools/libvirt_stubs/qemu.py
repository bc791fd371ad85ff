"""Calls that the test driver does not answer, made of libvirt's QEMU driver with a real QEMU.

python -m tools.libvirt_stubs.qemu DIRECTORY     prints a JSON report

The driver runs inside a process of this program, so there is no daemon; everything it keeps is in
DIRECTORY. The guest is a machine without an operating system.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import libvirt
import libvirt_qemu

from tools.libvirt_stubs import shape

__all__ = ["CALLS", "EVENTS", "REGISTER", "Guest", "Report", "run"]

REGISTER = "virConnect.domainEventRegisterAny"
EVENTS = frozenset(
    {
        libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        libvirt.VIR_DOMAIN_EVENT_ID_REBOOT,
        libvirt.VIR_DOMAIN_EVENT_ID_GRAPHICS,
        libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB,
        libvirt.VIR_DOMAIN_EVENT_ID_DISK_CHANGE,
        libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
        libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
        libvirt.VIR_DOMAIN_EVENT_ID_TUNABLE,
        libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
        libvirt.VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
        libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
        libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
    }
)

_CONFIGURATION = """
stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
"""
_DOMAIN = """
<domain type='qemu'>
  <name>probe</name>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <iothreads>1</iothreads>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{directory}/disk.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='{directory}/missing.iso' startupPolicy='optional'/>
      <target dev='hda' bus='ide'/>
      <readonly/>
    </disk>
    <controller type='usb' model='piix3-uhci'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' socket='{directory}/vnc'/>
    <video><model type='vga'/></video>
    <channel type='unix'><target type='virtio' name='probe.0'/></channel>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""
_TABLET = "<input type='tablet' bus='usb'><alias name='ua-tablet'/></input>"
_CDROM = """
<disk type='file' device='cdrom'>
  <driver name='qemu' type='raw'/>{source}<target dev='hda' bus='ide'/><readonly/>
</disk>
"""
_COPY = "<disk type='file'><source file='{directory}/copy.img'/><driver type='raw'/></disk>"
_BACKUP = """
<domainbackup><disks><disk name='vda' type='file'>
  <target file='{directory}/backup.qcow2'/><driver type='qcow2'/>
</disk></disks></domainbackup>
"""
_CPU = "<cpu><arch>x86_64</arch><model>qemu64</model></cpu>"
_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
_FORCED = _LIVE | libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE
_TRANSIENT_COPY = libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB


@attrs.frozen
class Guest:
    """A machine without an operating system, and what its connection calls back with."""

    directory: Path
    connection: libvirt.virConnect
    domain: libvirt.virDomain
    completed: threading.Event

    def xml(self, text: str) -> str:
        """Return `text` with the directory in it."""
        return text.format(directory=self.directory)

    def backed_up(self) -> libvirt.virDomain:
        """Return the domain after a backup, whose statistics can be asked for once."""
        self.completed.clear()
        self.domain.backupBegin(self.xml(_BACKUP), None)
        if not self.completed.wait(timeout=20):
            raise TimeoutError("the backup did not end")
        return self.domain


def _on_channel(use: Callable[[libvirt.virStream], object]) -> Callable[[Guest], object]:
    """Return a call that uses a stream of a channel that nobody writes to.

    The stream does not wait for data; ending it takes away libvirt's lock file.
    """

    def call(guest: Guest) -> object:
        stream = guest.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        guest.domain.openChannel("probe.0", stream)
        try:
            return use(stream)
        finally:
            stream.abort()

    return call


def _watched(stream: libvirt.virStream) -> object:
    # A checker knows that nothing is returned, and would not let it be looked at.
    watch: Callable[..., object] = stream.eventAddCallback
    result = watch(libvirt.VIR_STREAM_EVENT_READABLE, lambda _s, _events, _opaque: None, None)
    stream.eventRemoveCallback()
    return result


def _opened(guest: Guest) -> int:
    stream = guest.connection.newStream()
    result = guest.domain.openChannel("probe.0", stream)
    stream.abort()
    return result


def _monitor_event(guest: Guest) -> int:
    number = libvirt_qemu.qemuMonitorEventRegister(
        guest.connection, None, None, lambda _c, _d, _event, _s, _us, _details, _o: None, None
    )
    libvirt_qemu.qemuMonitorEventDeregister(guest.connection, number)
    return number


# In this order, on one guest.
CALLS: tuple[tuple[str, Callable[[Guest], object]], ...] = (
    ("virConnect.getDomainCapabilities", lambda g: g.connection.getDomainCapabilities()),
    (
        "virConnect.compareHypervisorCPU",
        lambda g: g.connection.compareHypervisorCPU(None, None, None, "qemu", _CPU),
    ),
    (
        "virConnect.baselineHypervisorCPU",
        lambda g: g.connection.baselineHypervisorCPU(None, None, None, "qemu", [_CPU]),
    ),
    ("virConnect.getMemoryStats", lambda g: g.connection.getMemoryStats(-1)),
    ("virConnect.getMemoryParameters", lambda g: g.connection.getMemoryParameters()),
    ("virConnect.getAllDomainStats", lambda g: g.connection.getAllDomainStats()),
    ("virDomain.agentSetResponseTimeout", lambda g: g.domain.agentSetResponseTimeout(1)),
    ("virDomain.blockPeek", lambda g: g.domain.blockPeek("vda", 0, 4)),
    ("virDomain.blockStatsFlags", lambda g: g.domain.blockStatsFlags("vda")),
    ("virDomain.jobInfo", lambda g: g.domain.jobInfo()),
    ("virDomain.jobStats", lambda g: g.domain.jobStats()),
    ("virDomain.launchSecurityInfo", lambda g: g.domain.launchSecurityInfo()),
    ("virDomain.memoryStats", lambda g: g.domain.memoryStats()),
    ("virDomain.messages", lambda g: g.domain.messages()),
    ("virDomain.migrateGetCompressionCache", lambda g: g.domain.migrateGetCompressionCache()),
    ("virDomain.migrateGetMaxDowntime", lambda g: g.domain.migrateGetMaxDowntime()),
    ("virDomain.migrateGetMaxSpeed", lambda g: g.domain.migrateGetMaxSpeed()),
    ("virDomain.openChannel", _opened),
    ("virDomain.openGraphicsFD", lambda g: g.domain.openGraphicsFD(0)),
    ("virDomain.securityLabelList", lambda g: g.domain.securityLabelList()),
    ("virDomain.setBlockThreshold", lambda g: g.domain.setBlockThreshold("vda", 1)),
    ("virDomain.setIOThreadParams", lambda g: g.domain.setIOThreadParams(1, {"poll_grow": 1})),
    ("virDomain.startDirtyRateCalc", lambda g: g.domain.startDirtyRateCalc(1)),
    ("virDomain.vcpus", lambda g: g.domain.vcpus()),
    ("virStream.recv", _on_channel(lambda stream: stream.recv(16))),
    ("virStream.send", _on_channel(lambda stream: stream.send(b"x"))),
    ("virStream.eventAddCallback", _on_channel(_watched)),
    (
        "qemuMonitorCommand",
        lambda g: libvirt_qemu.qemuMonitorCommand(g.domain, '{"execute": "query-status"}', 0),
    ),
    (
        "qemuMonitorCommandWithFiles",
        lambda g: libvirt_qemu.qemuMonitorCommandWithFiles(g.domain, '{"execute": "query-status"}'),
    ),
    ("qemuMonitorEventRegister", _monitor_event),
    (
        "virDomain.updateDeviceFlags",
        lambda g: g.domain.updateDeviceFlags(
            _CDROM.format(source=f"<source file='{g.directory}/cd.iso'/>"), _FORCED
        ),
    ),
    ("virDomain.attachDeviceFlags", lambda g: g.domain.attachDeviceFlags(_TABLET, _LIVE)),
    ("virDomain.detachDeviceFlags", lambda g: g.domain.detachDeviceFlags(_TABLET, _LIVE)),
    ("virDomain.attachDevice", lambda g: g.domain.attachDevice(_TABLET)),
    ("virDomain.detachDeviceAlias", lambda g: g.domain.detachDeviceAlias("ua-tablet", _LIVE)),
    ("virDomain.setBlockIoTune", lambda g: g.domain.setBlockIoTune("vda", {"total_iops_sec": 9})),
    ("virDomain.blockIoTune", lambda g: g.domain.blockIoTune("vda")),
    ("virDomain.setBlockIoTune", lambda g: g.domain.setBlockIoTune("vda", {"total_iops_sec": 0})),
    (
        "virDomain.setMetadata",
        lambda g: g.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "a title", None, None),
    ),
    ("virDomain.reset", lambda g: g.domain.reset()),
    ("virDomain.blockJobInfo", lambda g: g.domain.blockJobInfo("vda")),
    (
        "virDomain.blockCopy",
        lambda g: g.domain.blockCopy("vda", g.xml(_COPY), {"granularity": 4096}, _TRANSIENT_COPY),
    ),
    ("virDomain.blockJobInfo", lambda g: g.domain.blockJobInfo("vda")),
    ("virDomain.blockJobSetSpeed", lambda g: g.domain.blockJobSetSpeed("vda", 100)),
    ("virDomain.blockJobAbort", lambda g: g.domain.blockJobAbort("vda")),
    ("virDomain.blockResize", lambda g: g.domain.blockResize("vda", 2048)),
    (
        "virDomain.jobStats",
        lambda g: g.backed_up().jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED),
    ),
    ("virDomain.managedSave", lambda g: g.domain.managedSave()),
    ("virDomain.managedSaveGetXMLDesc", lambda g: g.domain.managedSaveGetXMLDesc()),
    (
        "virDomain.managedSaveDefineXML",
        lambda g: g.domain.managedSaveDefineXML(g.domain.managedSaveGetXMLDesc()),
    ),
    ("virDomain.create", lambda g: g.domain.create()),
    (
        "virDomain.jobStats",
        lambda g: g.domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED),
    ),
    ("virDomain.save", lambda g: g.domain.save(f"{g.directory}/saved")),
    (
        "virConnect.saveImageGetXMLDesc",
        lambda g: g.connection.saveImageGetXMLDesc(f"{g.directory}/saved"),
    ),
    ("virConnect.restore", lambda g: g.connection.restore(f"{g.directory}/saved")),
)


@attrs.define
class Report:
    """What differed from the stubs, by call; what this machine refused; what was seen.

    `unavailable` says why there was no guest at all.
    """

    faults: list[str] = attrs.field(factory=list)
    refused: list[str] = attrs.field(factory=list)
    events: list[int] = attrs.field(factory=list)
    unavailable: str | None = None


def run(directory: Path, stubs: Mapping[str, shape.Stub]) -> Report:
    """Make all calls on a new guest in `directory`; `stubs` are those of both modules.

    Runs libvirt's event loop on a thread for as long as the process lives.
    """
    report = Report()
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_loop, daemon=True).start()
    _prepare(directory)
    try:
        connection = libvirt.open(f"qemu:///embed?root={directory}")
        domain = connection.defineXML(_DOMAIN.format(directory=directory))
        guest = Guest(directory, connection, domain, threading.Event())
        _listen(guest, stubs["libvirt"], report)
        domain.create()
    except libvirt.libvirtError as error:
        report.unavailable = str(error)
        return report
    try:
        for method, call in CALLS:
            _check(guest, method, call, stubs, report)
        _wait(lambda: set(report.events) >= EVENTS, deadline_s=10)
    finally:
        if domain.isActive():
            domain.destroy()
    return report


def _loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _prepare(directory: Path) -> None:
    for name in ("disk.img", "cd.iso"):
        with (directory / name).open("wb") as file:
            file.truncate(1 << 20)
    # A privileged driver would give the guest to a user who may not enter the directory.
    owner = 'user = "root"\ngroup = "root"\n' if os.geteuid() == 0 else ""
    (directory / "etc").mkdir()
    (directory / "etc" / "qemu.conf").write_text(_CONFIGURATION + owner, "utf-8")


def _listen(guest: Guest, stub: shape.Stub, report: Report) -> None:
    register: Callable[..., int] = guest.connection.domainEventRegisterAny

    def watch(event: int) -> Callable[..., None]:
        def callback(*arguments: object) -> None:
            report.faults.extend(stub.event_faults(REGISTER, event, arguments))
            report.events.append(event)
            if event == libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED:
                guest.completed.set()

        return callback

    for event in sorted(stub.events(REGISTER)):
        register(None, event, watch(event), None)


def _check(
    guest: Guest,
    method: str,
    call: Callable[[Guest], object],
    stubs: Mapping[str, shape.Stub],
    report: Report,
) -> None:
    stub = stubs["libvirt" if "." in method else "libvirt_qemu"]
    try:
        result = call(guest)
    except libvirt.libvirtError as error:
        report.refused.append(f"{method}: {error}")
        return
    tries = [stub.faults(result, stated) for stated in stub.returns(method)]
    report.faults.extend(f"{method}: {fault}" for fault in min(tries, key=len))


def _wait(done: Callable[[], bool], deadline_s: float) -> None:
    end = time.monotonic() + deadline_s
    while not done() and time.monotonic() < end:
        time.sleep(0.05)


def main(directory: Path) -> int:
    """Run in a process below a reaper: QEMU leaves its parent and must not stay a zombie."""
    if os.environ.get("REAPED") is None:
        return _reap([sys.executable, "-m", "tools.libvirt_stubs.qemu", str(directory)])
    from tools.generate_libvirt_stubs import ROOT, STUBS, is_made_for

    closed = is_made_for(libvirt.getVersion())
    modules = {"libvirt": libvirt, "libvirt_qemu": libvirt_qemu}
    stubs = {
        name: shape.read((ROOT / path).read_text("utf-8"), modules[name], closed=closed)
        for name, path in STUBS.items()
    }
    print(json.dumps(attrs.asdict(run(directory, stubs))))
    return 0


def _reap(command: list[str]) -> int:
    """Run `command`, reap what it leaves behind, and let nothing outlive it."""
    become_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(become_subreaper, 1, 0, 0, 0)
    child = subprocess.Popen(command, env={**os.environ, "REAPED": "1"})
    signal.signal(signal.SIGTERM, lambda _number, _frame: child.kill())
    status = 1
    while True:
        try:
            pid, ended = os.wait()
        except ChildProcessError:
            return status
        if pid == child.pid:
            status = os.waitstatus_to_exitcode(ended)
            _kill_children()


def _kill_children() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
    for pid in children:
        os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
