"""The demo's guest boots on this machine's QEMU, says who it is, and obeys the power button."""

import json
import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit.errors import DeadlineExceeded, ProgramFailed, Unsupported
from computekit_daemons.demo_guest import COMMAND_LINE, DemoGuest, build_demo_guest

NAME = "demo 1 <&> 'é', 東"
BOOT_TIMEOUT_S = 90
OFF_TIMEOUT_S = 15

pytestmark = [pytest.mark.real, pytest.mark.online]


@attrs.frozen
class Machine:
    """A guest under QEMU, without KVM."""

    process: "subprocess.Popen[bytes]"
    monitor: Path
    lines: "queue.Queue[str]"

    def line(self, start: str) -> str:
        """Return the next serial line that starts with `start`."""
        while True:
            line = self.lines.get(timeout=BOOT_TIMEOUT_S)
            if line.startswith(start):
                return line

    def tell(self, command: str) -> None:
        """Let QEMU do a command (QMP), and see that it has."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(OFF_TIMEOUT_S)
            monitor.connect(str(self.monitor))
            with monitor.makefile("rw", encoding="utf-8", newline="\n") as stream:
                assert "QMP" in json.loads(stream.readline())
                for name in ("qmp_capabilities", command):
                    stream.write(json.dumps({"execute": name}) + "\n")
                    stream.flush()
                    while "return" not in (answer := json.loads(stream.readline())):
                        assert "error" not in answer


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> DemoGuest:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed (package qemu-system-x86)")
    try:
        return build_demo_guest(tmp_path_factory.mktemp("guest"), lambda _: None)
    except (DeadlineExceeded, ProgramFailed, Unsupported) as error:
        pytest.skip(error.message)


@pytest.fixture(params=["q35", "pc"])
def machine(guest: DemoGuest, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    disk = tmp_path / "disk"
    shutil.copyfile(guest.disk, disk)
    monitor = tmp_path / "monitor"
    process = subprocess.Popen(
        (
            *("qemu-system-x86_64", "-accel", "tcg", "-machine", str(request.param)),
            *("-m", "192", "-smp", "2", "-nodefaults", "-display", "none"),
            *("-serial", "stdio", "-qmp", f"unix:{monitor},server=on,wait=off"),
            *("-kernel", str(guest.kernel), "-initrd", str(guest.ramdisk)),
            *("-append", COMMAND_LINE),
            *("-smbios", f"type=1,sku={NAME.replace(',', ',,')}"),
            *("-drive", f"file={disk},format=raw,if=virtio"),
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    output = process.stdout

    def read() -> None:
        for line in output:
            lines.put(line.decode(errors="replace").rstrip("\r\n"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield Machine(process, monitor, lines)
    finally:
        process.kill()
        process.wait(OFF_TIMEOUT_S)
        reader.join(OFF_TIMEOUT_S)
        output.close()


def test_a_life_with_a_reset_and_the_power_button(machine: Machine) -> None:
    assert machine.line("BOOTED") == f"BOOTED {NAME}"
    assert machine.line("GUEST").startswith("GUEST cpus 2, memory 1")
    assert machine.line("DISK") == "DISK vda 16 MiB, computekit demo disk, boot 1"

    machine.tell("system_reset")
    assert machine.line("BOOTED") == f"BOOTED {NAME}"
    machine.tell("system_powerdown")
    assert machine.line("DISK") == "DISK vda 16 MiB, computekit demo disk, boot 2"
    assert machine.line("POWER BUTTON") == "POWER BUTTON"
    assert machine.process.wait(OFF_TIMEOUT_S) == 0
