"""KVM or emulation? Found out by what the machine has, and by booting a guest with it."""

import json
import os
import platform
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import attrs

from computekit.clock import Clock, Deadline
from computekit.files import storage_errors, write_whole
from computekit.units import Seconds
from computekit.virt.boot_sector import boot_sector_disk

__all__ = ["Acceleration", "ProbeGuest", "choose_acceleration", "missing_for_kvm"]

PROBE_TIMEOUT_S = Seconds(10.0)

_LINE = b"BOOTED"
_QEMU = "qemu-system-x86_64"


@attrs.frozen
class Acceleration:
    """How guests are run.

    Attributes:
        virt_type: libvirt's name: `kvm`, or `qemu` for emulation.
        reason: why, for people.
    """

    virt_type: str
    reason: str


@attrs.frozen
class ProbeGuest:
    """A guest that says `BOOTED` on its serial console once it runs.

    Attributes:
        kernel: a Linux kernel.
        ramdisk: that goes with it.
    """

    kernel: Path
    ramdisk: Path


def choose_acceleration(
    memory: Path, clock: Clock, guest: ProbeGuest | None = None
) -> Acceleration:
    """Return whether guests can be run with KVM, after having tried.

    A `/dev/kvm` alone proves nothing, and neither does libvirt's word: some nested ones run no
    stock kernel. So the processor must have the extension, its module must be loaded, and one
    guest must boot within ten seconds. That is remembered until the machine starts anew or has
    another kernel or QEMU.

    Args:
        memory: the file to remember it in; its directory exists.
        clock: for the ten seconds.
        guest: what to boot; None: the smallest guest, one boot sector.

    Raises:
        PermissionRefused: `memory` cannot be written.
    """
    missing = missing_for_kvm(
        Path("/proc/cpuinfo").read_text("utf-8", "replace"),
        frozenset(path.name for path in Path("/sys/module").glob("kvm*")),
        usable=os.access("/dev/kvm", os.R_OK | os.W_OK),
    )
    if missing is None and shutil.which(_QEMU) is None:
        missing = f"{_QEMU} was not found to try KVM with"
    if missing is not None:
        return Acceleration("qemu", missing)
    key = _machine_key(guest)
    known = _recall(memory, key)
    if known is None:
        known = _probe(clock, guest)
        with storage_errors(memory):
            _remember(memory, key, known)
    return known


def missing_for_kvm(cpuinfo: str, modules: frozenset[str], *, usable: bool) -> str | None:
    """Return what this machine lacks to run guests with KVM, or None if a trial is worth it.

    Args:
        cpuinfo: the text of /proc/cpuinfo.
        modules: names of loaded kernel modules.
        usable: whether /dev/kvm may be read and written.
    """
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    if flags is None or not {"vmx", "svm"} & set(flags[1].split()):
        return "the processor shows neither vmx nor svm"
    if not {"kvm_intel", "kvm_amd"} & modules:
        return "neither kvm_intel nor kvm_amd is loaded"
    if not usable:
        return "this user may not use /dev/kvm"
    return None


def _probe(clock: Clock, guest: ProbeGuest | None) -> Acceleration:
    with tempfile.TemporaryDirectory(prefix="computekit-probe-") as directory:
        disk = Path(directory) / "disk"
        disk.write_bytes(boot_sector_disk())
        what: tuple[str, ...] = ("-drive", f"file={disk},format=raw,if=virtio,snapshot=on")
        if guest is not None:
            what = (
                *("-kernel", str(guest.kernel), "-initrd", str(guest.ramdisk)),
                *("-append", "console=ttyS0 quiet"),
            )
        name = "the probe kernel" if guest else "a boot sector"
        said = _first_output(what, clock)
    if _LINE in said:
        return Acceleration("kvm", f"{name} boots with KVM")
    return Acceleration("qemu", f"{name} does not boot with KVM within {PROBE_TIMEOUT_S:g} s")


def _first_output(what: tuple[str, ...], clock: Clock) -> bytes:
    """Return what a guest says until it has said the line, ends, or its time is over."""
    command = (
        *(_QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-accel", "kvm", "-machine", "q35", "-cpu", "host", "-m", "256"),
        *("-serial", "stdio", *what),
    )
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return b""
    chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 4096):
            chunks.put(chunk)
        chunks.put(b"")

    reader = threading.Thread(target=read, name="kvm-probe", daemon=True)
    deadline = Deadline(clock, PROBE_TIMEOUT_S)
    said = b""
    with process:
        reader.start()
        try:
            while _LINE not in said and (chunk := chunks.get(timeout=deadline.left_s())):
                said += chunk
        except queue.Empty:
            return said
        finally:
            process.kill()
            reader.join()
    return said


def _machine_key(guest: ProbeGuest | None) -> str:
    """Return what an outcome holds for."""
    version = subprocess.run(
        (_QEMU, "--version"), capture_output=True, text=True, check=False, timeout=PROBE_TIMEOUT_S
    ).stdout.splitlines()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return " | ".join([platform.release(), boot, *version[:1], str(guest and guest.kernel)])


def _recall(memory: Path, key: str) -> Acceleration | None:
    try:
        found = json.loads(memory.read_text("utf-8"))
        if found["key"] != key:
            return None
        return Acceleration(str(found["virt_type"]), str(found["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it can always be found out again


def _remember(memory: Path, key: str, found: Acceleration) -> None:
    write_whole(memory, json.dumps({"key": key, **attrs.asdict(found)}))
