"""A libvirtd of the tests' own, and what keeps a machine from having one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def missing_for_libvirt() -> str | None:
    """Return why this machine cannot run guests, or None."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for name in ("libvirtd", "qemu-system-x86_64", "qemu-img"):
        if shutil.which(name, path=path) is None:
            return f"{name} not found"
    try:
        import libvirt
    except ImportError:
        return "libvirt-python not found"
    if libvirt.getVersion() < 9_000_000:
        return f"libvirt {libvirt.getVersion()} is older than 9.0"
    return None


@pytest.fixture(scope="session")
def ordinary_user() -> str:
    """A user that can do nothing here but read the code; skipped where there is no such user."""
    if os.geteuid() != 0:
        pytest.skip("ordinary user: only root can become another user")
    try:
        probe = subprocess.run(
            (sys.executable, "-c", "import computekit.model"),
            user="nobody",
            cwd="/",
            env={"PYTHONPATH": f"{ROOT}/src:{ROOT}"},
            capture_output=True,
            check=False,
        )
    except PermissionError:
        pytest.skip("ordinary user: others cannot reach this virtual environment")
    if probe.returncode != 0:
        pytest.skip("ordinary user: others cannot read this virtual environment")
    return "nobody"


@pytest.fixture(scope="session")
def guest_directory() -> Iterator[Path]:
    """A directory for guests' files that a test can fill up: 256 MiB, if root makes it."""
    directory = Path(tempfile.mkdtemp(prefix="computekit-guests-"))
    if os.geteuid() == 0:
        subprocess.run(
            ("mount", "-t", "tmpfs", "-o", "size=256m", "none", str(directory)), check=True
        )
    try:
        yield directory
    finally:
        if os.geteuid() == 0:
            subprocess.run(("umount", "--lazy", str(directory)), check=True)
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def libvirt_uri(guest_directory: Path) -> Iterator[str]:
    """The URI of a private libvirtd; all its guests end with the session."""
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")
    from computekit.virt.libvirt import PrivateLibvirtd

    with tempfile.TemporaryDirectory(prefix="computekit-libvirt-") as directory:
        daemon = PrivateLibvirtd(Path(directory))
        daemon.start()
        try:
            yield daemon.uri
        finally:
            daemon.stop(destroy_domains=True)
