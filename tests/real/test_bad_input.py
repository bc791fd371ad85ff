"""What comes of input and machines that are not as they should be, by the commands alone."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.conftest import missing_for_libvirt

pytestmark = pytest.mark.real

BIN = Path(sys.executable).parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module", autouse=True)
def _real_host() -> None:
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")


def commands(state: Path) -> Run:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(BIN / "computekit"), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "COMPUTEKIT_STATE": str(state)},
            check=False,
        )

    return run


def served(state: Path, *arguments: str) -> Iterator[Run]:
    """Run an all-in-one on `state` with a private libvirtd, and end both."""
    from computekit.virt.libvirt import PrivateLibvirtd

    libvirtd = PrivateLibvirtd(state / "libvirt")
    process = subprocess.Popen(
        [str(BIN / "computekit-allinone"), "--state", str(state), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        yield commands(state)
    finally:
        process.terminate()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()
        libvirtd.stop(destroy_domains=True)


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="ck-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def run(state: Path) -> Iterator[Run]:
    yield from served(state, "--virt-type", "qemu", "--host-name", "here")


@pytest.fixture(scope="module")
def disk(run: Run, state: Path) -> str:
    from computekit.virt.boot_sector import boot_sector_disk

    file = state / "boot-sector"
    file.write_bytes(boot_sector_disk())
    added = run("image", "add", str(file), "--name", "sector", "--format", "raw")
    assert added.returncode == 0, added.stderr
    return added.stdout.strip()


def nothing_left(run: Run, state: Path) -> None:
    assert json.loads(run("list", "--json").stdout) == []
    assert list((state / "hosts/here/guests/instances").iterdir()) == []
    amounts = re.findall(r"(\d+) of (\d+)", run("hosts").stdout)
    assert [used for used, _given in amounts] == ["0", "0", "0"]
    assert all(int(given) for _used, given in amounts)


def qemu_img(*arguments: str) -> None:
    subprocess.run(["qemu-img", *arguments], check=True, capture_output=True)


def test_images_that_reach_outside_themselves(run: Run, state: Path, tmp_path: Path) -> None:
    backing = tmp_path / "backing.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", str(backing))
    data = tmp_path / "data.qcow2"
    external = f"data_file={tmp_path}/secrets"
    qemu_img("create", "-f", "qcow2", "-o", external, str(data), "1M")
    vmdk = tmp_path / "disk.vmdk"
    vmdk.write_text('# Disk DescriptorFile\nversion=1\nRW 2048 FLAT "/etc/shadow" 0\n')
    sparse = tmp_path / "sparse.vmdk"
    qemu_img("create", "-f", "vmdk", str(sparse), "1M")
    corrupt = tmp_path / "corrupt.qcow2"
    qemu_img("create", "-f", "qcow2", str(corrupt), "1M")
    corrupt.write_bytes(corrupt.read_bytes()[:70])
    for file, disk_format, words in (
        (backing, "qcow2", "backing file"),
        (backing, "raw", "qcow2"),
        (data, "qcow2", "names the data file"),
        (vmdk, "vmdk", "vmdk"),
        (vmdk, "raw", "/etc/shadow"),
        (sparse, "raw", "vmdk"),
        (corrupt, "qcow2", "refused"),
    ):
        refused = run("image", "add", str(file), "--name", "bad", "--format", disk_format)
        assert refused.returncode == 1, (file, disk_format)
        assert words in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr
    assert "bad" not in run("image", "list").stdout
    assert all(entry.name != "bad" for entry in (state / "images").iterdir())


def test_impossible_flavors_names_and_images(run: Run, state: Path, disk: str) -> None:
    for arguments, words in (
        (("--vcpus", "0"), "flavor.vcpus"),
        (("--vcpus", "100000"), "flavor.vcpus"),
        (("--memory-mib", "0"), "flavor.memory_mib"),
        (("--extra-spec", "hw:mem_encryption=true"), "hw:mem_encryption"),
        (("--extra-spec", "trait:NO_SUCH=required"), "NO_SUCH"),
    ):
        refused = run("create", "x", "--image", disk, *arguments)
        assert refused.returncode == 1
        assert words in refused.stderr
    for name in ("", " x", "a\nb", "a\x1bb", "x" * 300):
        refused = run("create", name, "--image", disk)
        assert refused.returncode == 1, name
        assert "name:" in refused.stderr
    assert run("create", "x", "--image", "no-such-image").returncode == 1
    nothing_left(run, state)


def test_a_name_full_of_xml_is_only_a_name(run: Run, state: Path, disk: str) -> None:
    name = """</name><x a="1">&amp;]]>'"""
    made = run("create", name, "--image", disk)
    assert made.returncode == 0, made.stderr
    said = run("console", name, "--until", "BOOTED", "--timeout", "60")
    assert f"BOOTED {name}" in said.stdout
    assert run("delete", name).returncode == 0
    nothing_left(run, state)


@pytest.mark.skipif(os.geteuid() != 0, reason="full disk: only root can mount a small one")
def test_a_full_disk(disk: str, run: Run, state: Path) -> None:
    instances = state / "hosts/here/guests/instances"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(instances)], check=True)
    try:
        (instances / "fill").write_bytes(bytes(64 << 10))
        refused = run("create", "x", "--image", disk)
        assert refused.returncode == 1
        assert "no space left" in refused.stderr
        (instances / "fill").unlink()
        assert list(instances.iterdir()) == []
        shown = run("list", "--json").stdout
        assert [row["state"] for row in json.loads(shown)] == ["error"]
        assert run("delete", "x").returncode == 0
    finally:
        subprocess.run(["umount", str(instances)], check=True)
    nothing_left(run, state)


def test_no_libvirt_at_the_other_end(tmp_path: Path) -> None:
    refused = subprocess.run(
        [
            str(BIN / "computekit-allinone"),
            *("--state", str(tmp_path / "state")),
            *("--libvirt", f"qemu+unix:///system?socket={tmp_path}/none"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "host.unavailable" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_no_permission(tmp_path: Path, ordinary_user: str) -> None:
    private = tmp_path / "state"
    private.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    for command in (
        [str(BIN / "computekit-allinone"), "--state", str(private), "--fake", "1"],
        [str(BIN / "computekit-allinone"), "--state", "/no-such-place", "--fake", "1"],
    ):
        refused = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            user=ordinary_user,
            group="nogroup",
            extra_groups=[],
        )
        assert refused.returncode == 1, refused.stderr
        assert "Traceback" not in refused.stderr, refused.stderr
        assert "host.permission" in refused.stderr or "store_unavailable" in refused.stderr
