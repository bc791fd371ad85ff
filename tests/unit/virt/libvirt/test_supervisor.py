"""What the supervisor tidies up, on directories made by hand."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from computekit.virt.libvirt import _supervisor

UNBORN = "<domstatus state='paused' reason='starting up' pid='0'>\n</domstatus>\n"
RUNNING = "<domstatus state='running' reason='booted' pid='77'>\n</domstatus>\n"


@pytest.mark.parametrize("place", ["run/libvirt/qemu", "run/libvirt/qemu/run"])
def test_guests_that_were_never_born_are_forgotten(tmp_path: Path, place: str) -> None:
    notes = tmp_path / place
    notes.mkdir(parents=True)
    for name, text in (("unborn", UNBORN), ("running", RUNNING)):
        (notes / f"{name}.xml").write_text(text, "utf-8")
        (notes / f"{name}.pid").write_text("2147483646\n", "ascii")
    _supervisor.Supervisor(tmp_path, "libvirtd")._forget_unborn()
    assert sorted(path.name for path in notes.glob("*.*")) == ["running.pid", "running.xml"]


def test_a_guest_that_has_a_process_is_not_forgotten(tmp_path: Path) -> None:
    notes = tmp_path / "run/libvirt/qemu"
    notes.mkdir(parents=True)
    script = "import sys; print('up', flush=True); sys.stdin.read()"
    command = (sys.executable, "-c", script, "-name", "guest=ck-1,debug-threads=on")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        (notes / "ck-1.xml").write_text(UNBORN, "utf-8")
        (notes / "ck-1.pid").write_text(f"{process.pid}\n", "ascii")
        supervisor = _supervisor.Supervisor(tmp_path, "libvirtd")
        supervisor._forget_unborn()
        assert (notes / "ck-1.xml").exists()
        assert supervisor._strays() == [process.pid]
        assert process.pid in _supervisor._children()
        process.communicate(timeout=10)


def test_logs_go_a_day_after_their_domain(tmp_path: Path) -> None:
    logs, definitions = tmp_path / "log/libvirt/qemu", tmp_path / "etc/libvirt/qemu"
    logs.mkdir(parents=True)
    definitions.mkdir(parents=True)
    (definitions / "ck-there.xml").write_text("<domain/>", "utf-8")
    now_s = time.time()
    for name, age_s in (("ck-there", 1e6), ("ck-gone", 1e6), ("ck-just-gone", 3600)):
        (logs / f"{name}.log").write_text("said", "utf-8")
        os.utime(logs / f"{name}.log", (now_s - age_s, now_s - age_s))
    _supervisor.Supervisor(tmp_path, "libvirtd")._remove_old_logs()
    assert sorted(path.stem for path in logs.iterdir()) == ["ck-just-gone", "ck-there"]
