"""A libvirtd of our own: as root and as an ordinary user, found again, and gone without a trace."""

import os
import pwd
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from computekit.errors import (
    HypervisorUnavailable,
    InvalidInput,
    Unsupported,
)
from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import HostName, InstanceId, OperationId, new_uuid
from computekit.testing.virt_bench import BOOTABLE, LawImages
from computekit.units import Bytes, Mib, Seconds
from computekit.virt import DomainMark, DomainSpec, DomainState
from computekit.virt.libvirt import LibvirtHypervisor, PrivateLibvirtd
from tests.real.conftest import missing_for_libvirt

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]

GUEST = GuestConfig(
    "x86_64",
    "q35",
    Firmware.BIOS,
    1,
    Mib(32),
    (GuestDisk(DiskRole.ROOT, Bytes(1 << 20), BOOTABLE),),
)


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory with a short name, in which nothing is left running."""
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")
    with tempfile.TemporaryDirectory(prefix="ck-") as directory:
        yield Path(directory)
        PrivateLibvirtd(Path(directory) / "libvirt").stop(destroy_domains=True)


@pytest.fixture
def daemon(home: Path) -> PrivateLibvirtd:
    return PrivateLibvirtd(home / "libvirt")


def spec() -> DomainSpec:
    source = random.Random(30)
    mark = DomainMark(InstanceId(new_uuid(source)), 1, OperationId(new_uuid(source)))
    return DomainSpec(mark, "private", GUEST)


def hypervisor(daemon: PrivateLibvirtd, home: Path) -> LibvirtHypervisor:
    return LibvirtHypervisor(daemon.uri, home / "guests", HostName("real"), virt_type="qemu")


def start_guest(daemon: PrivateLibvirtd, home: Path) -> DomainSpec:
    """Start a guest through a driver of its own."""
    driver, made = hypervisor(daemon, home), spec()
    driver.cache_image(BOOTABLE, LawImages())
    driver.prepare(made)
    driver.define(made)
    driver.start(made.mark)
    driver.close()
    return made


def state(daemon: PrivateLibvirtd, home: Path, made: DomainSpec) -> DomainState | None:
    driver = hypervisor(daemon, home)
    status = driver.status(made.mark.instance)
    driver.close()
    return status.state if status else None


def processes(directory: Path) -> list[str]:
    """Return the command lines of all processes that name a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"{directory}/" in line and f"{os.getpid()}" != path.parent.name:
            found.append(line)
    return found


def until_none(directory: Path) -> None:
    end_s = monotonic() + 10.0
    while processes(directory):
        assert monotonic() < end_s, processes(directory)
        sleep(0.05)


def test_it_starts_once_and_is_found_again(daemon: PrivateLibvirtd) -> None:
    daemon.start()
    first = daemon.libvirtd_pid
    daemon.start()
    again = PrivateLibvirtd(daemon.directory)
    again.start()
    assert daemon.libvirtd_pid == again.libvirtd_pid == first
    assert again.uri == daemon.uri


def test_it_ends_with_its_guests_and_leaves_no_process(daemon: PrivateLibvirtd, home: Path) -> None:
    daemon.start()
    start_guest(daemon, home)
    assert any("qemu-system" in line for line in processes(home))
    daemon.stop(destroy_domains=True)
    daemon.stop(destroy_domains=True)
    assert daemon.supervisor_pid is None
    until_none(home)


def test_guests_go_on_without_it_and_are_found_again(daemon: PrivateLibvirtd, home: Path) -> None:
    daemon.start()
    made = start_guest(daemon, home)
    daemon.stop()
    assert daemon.libvirtd_pid is None
    assert any("qemu-system" in line for line in processes(home))
    daemon.start()
    assert state(daemon, home, made) is DomainState.RUNNING


def test_the_supervisor_goes_with_the_last_guest(daemon: PrivateLibvirtd, home: Path) -> None:
    daemon.start()
    start_guest(daemon, home)
    daemon.stop()
    assert daemon.supervisor_pid is not None
    (pid_file,) = (daemon.directory / "run/libvirt/qemu").glob("**/ck-*.pid")
    os.kill(int(pid_file.read_text("ascii")), signal.SIGKILL)
    until_none(home)


def test_a_libvirtd_that_dies_is_started_again(daemon: PrivateLibvirtd) -> None:
    daemon.start()
    pid = daemon.libvirtd_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    end_s = monotonic() + 10.0
    while daemon.libvirtd_pid in {pid, None}:
        assert monotonic() < end_s
        sleep(0.02)


def test_a_supervisor_that_dies_takes_libvirtd_along_and_no_guest(
    daemon: PrivateLibvirtd, home: Path
) -> None:
    daemon.start()
    made = start_guest(daemon, home)
    supervisor, libvirtd = daemon.supervisor_pid, daemon.libvirtd_pid
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    end_s = monotonic() + 10.0
    while daemon.supervisor_pid is not None:
        assert monotonic() < end_s
        sleep(0.02)
    daemon.start()
    assert daemon.libvirtd_pid != libvirtd
    assert state(daemon, home, made) is DomainState.RUNNING
    daemon.stop(destroy_domains=True)
    until_none(home)


def test_it_outlives_who_started_it(home: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from computekit.virt.libvirt import PrivateLibvirtd\n"
        "PrivateLibvirtd(pathlib.Path(sys.argv[1])).start()\n"
    )
    subprocess.run((sys.executable, "-c", script, str(home / "libvirt")), check=True, timeout=60)
    daemon = PrivateLibvirtd(home / "libvirt")
    pid = daemon.libvirtd_pid
    assert pid is not None
    daemon.start()
    assert daemon.libvirtd_pid == pid


def test_a_long_directory_gets_a_short_name(home: Path) -> None:
    daemon = PrivateLibvirtd(home / ("long" * 40) / "libvirt")
    daemon.start()
    try:
        assert len(daemon.uri) < 140
        made = start_guest(daemon, home)
        assert state(daemon, home, made) is DomainState.RUNNING
    finally:
        daemon.stop(destroy_domains=True)
    assert daemon.supervisor_pid is None
    socket = Path(daemon.uri.partition("socket=")[2])
    assert not socket.parents[2].is_symlink()


def test_what_is_not_installed_is_named_with_its_package(home: Path) -> None:
    daemon = PrivateLibvirtd(home / "libvirt", search_path=str(home))
    with pytest.raises(Unsupported, match="libvirt-daemon-system"):
        daemon.start()
    assert not daemon.directory.exists()


def test_a_libvirtd_that_does_not_come_up_leaves_its_last_words(home: Path) -> None:
    programs = home / "programs"
    programs.mkdir()
    for name in ("libvirtd", "qemu-system-x86_64", "qemu-img"):
        (programs / name).write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n", "utf-8")
        (programs / name).chmod(0o755)
    daemon = PrivateLibvirtd(home / "libvirt", search_path=str(programs))
    with pytest.raises(HypervisorUnavailable, match="it is broken"):
        daemon.start(Seconds(1.0))


@pytest.mark.skipif(os.geteuid() != 0, reason="real libvirt: only root's has its own directories")
def test_a_directory_that_its_own_libvirtd_cannot_see_is_refused() -> None:
    with pytest.raises(InvalidInput, match="hidden"):
        PrivateLibvirtd(Path("/var/lib/libvirt/computekit")).start()


SESSION = """
import pathlib, sys, time
from computekit.ids import HostName
from computekit.testing.virt_bench import BOOTABLE, LawImages
from computekit.virt.libvirt import LibvirtHypervisor, PrivateLibvirtd
from tests.real.test_libvirt_private import spec

home = pathlib.Path(sys.argv[1])
daemon = PrivateLibvirtd(home / "libvirt")
daemon.start()
try:
    driver, made = LibvirtHypervisor(daemon.uri, home / "guests", HostName("s")), spec()
    driver.cache_image(BOOTABLE, LawImages())
    driver.prepare(made)
    driver.define(made)
    driver.start(made.mark)
    for _ in range(600):
        said = driver.console_output(made.mark.instance, 1000)
        if b"BOOTED private" in said:
            break
        time.sleep(0.05)
    print(daemon.uri, said)
    driver.close()
finally:
    daemon.stop(destroy_domains=True)
"""

REFUSED = """
import pathlib, sys
from computekit.errors import PermissionRefused
from computekit.ids import HostName
from computekit.virt.libvirt import LibvirtHypervisor

driver = LibvirtHypervisor(sys.argv[2], pathlib.Path(sys.argv[1]), HostName("s"), virt_type="qemu")
try:
    driver.domains()
except PermissionRefused as error:
    print("refused:", error)
try:
    LibvirtHypervisor(sys.argv[2], pathlib.Path("/root/guests"), HostName("s"), virt_type="qemu")
except PermissionRefused as error:
    print("refused:", error)
driver.close()
"""


def as_ordinary_user(script: str, *arguments: str) -> str:
    """Run a script as user `nobody` in a directory of its own; return what it prints."""
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="ck-") as directory:
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        done = subprocess.run(
            (sys.executable, "-c", script, directory, *arguments),
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=(),
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        until_none(Path(directory))
    return done.stdout


@pytest.mark.usefixtures("ordinary_user")
def test_an_ordinary_user_has_a_session_of_its_own() -> None:
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")
    said = as_ordinary_user(SESSION)
    assert said.startswith("qemu+unix:///session?socket=/tmp/ck-")
    assert "BOOTED private" in said


@pytest.mark.usefixtures("ordinary_user")
def test_who_may_not_is_told_so(daemon: PrivateLibvirtd) -> None:
    daemon.start()
    lines = as_ordinary_user(REFUSED, daemon.uri).splitlines()
    assert len(lines) == 2
    assert "Permission denied" in lines[0]
    assert "/root/guests" in lines[1]


def test_a_mount_namespace_that_is_refused_is_said(daemon: PrivateLibvirtd, home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("real libvirt: an ordinary user needs no mount namespace")
    script = (
        "import sys, pathlib\n"
        "from computekit.errors import PermissionRefused\n"
        "from computekit.virt.libvirt import PrivateLibvirtd\n"
        "try:\n"
        "    PrivateLibvirtd(pathlib.Path(sys.argv[1])).start()\n"
        "except PermissionRefused as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        (
            *("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"),
            *(sys.executable, "-c", script, str(daemon.directory)),
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "unshare: Operation not permitted" in done.stdout
