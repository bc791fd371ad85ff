"""The demo's guest, made of the packages of a distribution that is a few files of our own.

apt, dpkg and their file formats are the real ones; the package source is a directory.
"""

import fcntl
import hashlib
import lzma
import random
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from computekit.errors import DeadlineExceeded, ProgramFailed, Unsupported
from computekit.guest import HostDefaults, resolve
from computekit.ids import FlavorId
from computekit.images import LocalImages
from computekit.model import Flavor, FrozenMap
from computekit.testing import ManualClock
from computekit.units import Gib, Mib
from computekit_daemons.demo_guest import (
    COMMAND_LINE,
    DemoGuest,
    build_demo_guest,
    register_demo_guest,
)
from computekit_daemons.demo_ramdisk import make_ramdisk
from computekit_daemons.newc import character_device, directory, regular_file, write_newc

KERNEL = bytes(0x1FE) + b"\x55\xaa\0\0HdrS" + bytes(1024)


def module(*depends: str) -> bytes:
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(depends).encode() + b"\0name=x\0"


def archived(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read an archive as a kernel does: mode and content by name."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        at += -(-(110 + name_size) // 4) * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[at : at + size])
        at += -(-size // 4) * 4


class TestArchive:
    def test_files_of_each_kind(self) -> None:
        entries = archived(
            write_newc(
                (
                    directory("bin"),
                    regular_file("bin/tool", b"abc", executable=True),
                    regular_file("empty", b""),
                    character_device("console", 5, 1),
                )
            )
        )
        assert entries == {
            "bin": (stat.S_IFDIR | 0o755, b""),
            "bin/tool": (stat.S_IFREG | 0o755, b"abc"),
            "empty": (stat.S_IFREG | 0o644, b""),
            "console": (stat.S_IFCHR | 0o600, b""),
        }


class TestRamdisk:
    def root(self, tmp_path: Path, modules: dict[str, bytes], usr: str = "") -> Path:
        root = tmp_path / "root"
        (root / usr / "bin").mkdir(parents=True)
        (root / usr / "bin/busybox").write_bytes(b"busybox")
        drivers = root / usr / "lib/modules/6.1/kernel/drivers"
        drivers.mkdir(parents=True)
        for name, content in modules.items():
            (drivers / name).write_bytes(content)
        return root

    def order(self, root: Path) -> list[str]:
        entries = archived(make_ramdisk(root))
        names = entries["modules/order"][1].decode().split()
        assert {f"modules/{name}" for name in names} < entries.keys()
        return names

    def test_modules_come_after_what_they_need(self, tmp_path: Path) -> None:
        root = self.root(
            tmp_path,
            {
                "virtio_blk.ko": module("virtio-ring", "virtio"),
                "virtio.ko": module(),
                "virtio_ring.ko": module("virtio"),
                "virtio_pci.ko": module("virtio", "virtio_ring"),
                "button.ko": module(),
                "unwanted.ko": module(),
            },
        )
        order = self.order(root)
        assert sorted(order) == [
            "button.ko",
            "virtio.ko",
            "virtio_blk.ko",
            "virtio_pci.ko",
            "virtio_ring.ko",
        ]
        assert order.index("virtio.ko") < order.index("virtio_ring.ko")
        assert order.index("virtio_ring.ko") < order.index("virtio_pci.ko")
        assert order.index("virtio_ring.ko") < order.index("virtio_blk.ko")

    def test_a_kernel_with_everything_built_in(self, tmp_path: Path) -> None:
        assert self.order(self.root(tmp_path, {}, usr="usr")) == []

    def test_modules_that_need_each_other_do_not_loop(self, tmp_path: Path) -> None:
        root = self.root(tmp_path, {"evdev.ko": module("button"), "button.ko": module("evdev")})
        assert sorted(self.order(root)) == ["button.ko", "evdev.ko"]

    def test_packed_modules(self, tmp_path: Path) -> None:
        root = self.root(
            tmp_path,
            {"evdev.ko.xz": lzma.compress(module("input")), "input.ko.xz": lzma.compress(module())},
        )
        assert self.order(root) == ["input.ko", "evdev.ko"]
        assert archived(make_ramdisk(root))["modules/evdev.ko"][1] == module("input")

    def test_modules_packed_with_zstd(self, tmp_path: Path) -> None:
        if shutil.which("zstd") is None:
            pytest.skip("zstd is not installed")
        root = self.root(tmp_path, {"evdev.ko": module()})
        plain = next(root.rglob("evdev.ko"))
        subprocess.run(("zstd", "-q", "--rm", str(plain)), check=True)
        assert self.order(root) == ["evdev.ko"]
        assert archived(make_ramdisk(root))["modules/evdev.ko"][1] == module()

    def test_packages_without_busybox(self, tmp_path: Path) -> None:
        (tmp_path / "lib/modules/6.1").mkdir(parents=True)
        with pytest.raises(Unsupported, match="bin/busybox"):
            make_ramdisk(tmp_path)


class Distribution:
    """A package source in a directory, and an apt that knows only this one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._source = directory / "source"
        for name in ("source", "etc", "state/lists/partial", "cache/archives/partial", "log"):
            (directory / name).mkdir(parents=True)
        (directory / "state/status").touch()
        (directory / "etc/sources.list").write_text(f"deb [trusted=yes] file:{self._source} ./\n")
        self.config = directory / "apt.conf"
        self.config.write_text(
            f'Dir::Etc "{directory}/etc";\n'
            f'Dir::Etc::parts "{directory}/none";\n'
            f'Dir::Etc::sourceparts "{directory}/none";\n'
            f'Dir::State "{directory}/state";\n'
            f'Dir::State::status "{directory}/state/status";\n'
            f'Dir::Cache "{directory}/cache";\n'
            f'Dir::Log "{directory}/log";\n'
            'APT::Architecture "amd64";\n'
            'APT::Sandbox::User "root";\n'
        )

    def publish(self, version: str, *, busybox: bytes = b"busybox") -> None:
        """Offer a kernel of this version, and nothing older."""
        for old in self._source.iterdir():
            old.unlink()
        release = f"{version}-cloud-amd64"
        self._package(
            "linux-image-cloud-amd64", version, {}, f"linux-image-{release} (= {version})"
        )
        self._package(
            f"linux-image-{release}",
            version,
            {
                f"boot/vmlinuz-{release}": KERNEL + version.encode(),
                f"lib/modules/{release}/kernel/evdev.ko": module(),
            },
            "kmod, linux-base (>= 4.3) | other",
        )
        self._package("busybox-static", "1:1.0", {"bin/busybox": busybox} if busybox else {}, "")
        self.update()

    def lose_files(self) -> None:
        """Keep the lists, but no package can be fetched any more."""
        for package in self._source.glob("*.deb"):
            package.unlink()

    def forget_lists(self) -> None:
        """As on a machine that has never run `apt-get update`."""
        shutil.rmtree(self._directory / "state/lists")
        shutil.rmtree(self._directory / "cache")

    def update(self) -> None:
        """Write the index, and let apt read it."""
        index = ""
        for package in sorted(self._source.glob("*.deb")):
            fields = subprocess.run(
                ("dpkg-deb", "-f", str(package)), check=True, capture_output=True, text=True
            ).stdout
            digest = hashlib.sha256(package.read_bytes()).hexdigest()
            size = package.stat().st_size
            index += f"{fields}Filename: ./{package.name}\nSize: {size}\nSHA256: {digest}\n\n"
        (self._source / "Packages").write_text(index)
        subprocess.run(
            ("apt-get", "-qq", "-c", str(self.config), "update"), check=True, capture_output=True
        )

    def _package(self, name: str, version: str, files: dict[str, bytes], depends: str) -> None:
        root = self._directory / "package"
        (root / "DEBIAN").mkdir(parents=True)
        control = {
            "Package": name,
            "Version": version,
            "Architecture": "amd64",
            "Maintainer": "nobody <nobody@example.org>",
            "Depends": depends,
            "Description": "made by a test",
        }
        text = "".join(f"{key}: {value}\n" for key, value in control.items() if value)
        (root / "DEBIAN/control").write_text(text)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        target = self._source / f"{name}_{version.replace(':', '')}_amd64.deb"
        subprocess.run(
            ("dpkg-deb", "-Znone", "--root-owner-group", "-b", str(root), str(target)),
            check=True,
            capture_output=True,
        )
        shutil.rmtree(root)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    for program in ("apt-get", "apt-cache", "dpkg", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: no Debian or Ubuntu")
    arch = subprocess.run(("dpkg", "--print-architecture"), check=True, capture_output=True)
    if arch.stdout.strip() != b"amd64":
        pytest.skip("the demo guest is made for amd64 machines")
    made = Distribution(tmp_path / "distribution")
    made.publish("6.1.1")
    monkeypatch.setenv("APT_CONFIG", str(made.config))
    return made


class TestBuild:
    def build(self, directory: Path) -> tuple[DemoGuest, list[str]]:
        said: list[str] = []
        return build_demo_guest(directory, said.append, ManualClock()), said

    def test_from_packages(self, distribution: Distribution, tmp_path: Path) -> None:
        assert distribution.config.exists()
        guest, said = self.build(tmp_path / "guest")
        assert guest.kernel.read_bytes() == KERNEL + b"6.1.1"
        entries = archived(guest.ramdisk.read_bytes())
        assert entries["bin/busybox"] == (stat.S_IFREG | 0o755, b"busybox")
        assert entries["init"][1].startswith(b"#!/bin/busybox sh\n")
        assert entries["modules/evdev.ko"][1] == module()
        assert guest.disk.read_bytes().startswith(b"computekit demo disk\n\0")
        assert guest.disk.stat().st_size == 16 * 1024**2
        assert guest.versions == {"linux-image-cloud-amd64": "6.1.1", "busybox-static": "1:1.0"}
        assert said[0].startswith("downloading ")
        assert "linux-image-6.1.1-cloud-amd64 6.1.1" in said[0]

    def test_what_was_made_is_used_again(self, distribution: Distribution, tmp_path: Path) -> None:
        first, _ = self.build(tmp_path / "guest")
        distribution.lose_files()
        assert self.build(tmp_path / "guest") == (first, [])

    def test_a_newer_kernel_is_taken(self, distribution: Distribution, tmp_path: Path) -> None:
        first, _ = self.build(tmp_path / "guest")
        distribution.publish("6.1.2")
        second, said = self.build(tmp_path / "guest")
        assert said
        assert second.kernel.read_bytes() == KERNEL + b"6.1.2"
        assert first.kernel.exists()

    @pytest.mark.parametrize("lost", ["files", "lists"])
    def test_without_packages_an_older_one_will_do(
        self, distribution: Distribution, tmp_path: Path, lost: str
    ) -> None:
        first, _ = self.build(tmp_path / "guest")
        distribution.publish("6.1.2")
        if lost == "files":
            distribution.lose_files()
        else:
            distribution.forget_lists()
        found, said = self.build(tmp_path / "guest")
        assert found == first
        assert said[-1].endswith("using what was made before")

    def test_without_lists_the_way_out_is_told(
        self, distribution: Distribution, tmp_path: Path
    ) -> None:
        distribution.forget_lists()
        with pytest.raises(ProgramFailed, match="run apt-get update"):
            self.build(tmp_path / "guest")
        assert [path.name for path in (tmp_path / "guest").iterdir()] == [".lock"]

    def test_a_download_that_fails_leaves_nothing(
        self, distribution: Distribution, tmp_path: Path
    ) -> None:
        distribution.lose_files()
        with pytest.raises(ProgramFailed, match="apt-get"):
            self.build(tmp_path / "guest")
        assert [path.name for path in (tmp_path / "guest").iterdir()] == [".lock"]

    def test_packages_that_hold_something_else_leave_nothing(
        self, distribution: Distribution, tmp_path: Path
    ) -> None:
        distribution.publish("6.1.2", busybox=b"")
        with pytest.raises(Unsupported, match="no bin/busybox"):
            self.build(tmp_path / "guest")
        assert [path.name for path in (tmp_path / "guest").iterdir()] == [".lock"]

    @pytest.mark.parametrize("name", ["kernel", "ramdisk", "disk"])
    def test_a_damaged_one_is_made_anew(
        self, distribution: Distribution, tmp_path: Path, name: str
    ) -> None:
        assert distribution.config.exists()
        first, _ = self.build(tmp_path / "guest")
        path: Path = getattr(first, name)
        content = path.read_bytes()
        path.write_bytes(content[:-1] + b"!")
        again, said = self.build(tmp_path / "guest")
        assert again == first
        assert said
        assert path.read_bytes() == content

    def test_what_a_killed_build_left_goes(
        self, distribution: Distribution, tmp_path: Path
    ) -> None:
        assert distribution.config.exists()
        left = tmp_path / "guest/.build-abc/root"
        left.mkdir(parents=True)
        self.build(tmp_path / "guest")
        assert not left.parent.exists()

    def test_waiting_for_another_build_has_an_end(self, tmp_path: Path) -> None:
        clock = ManualClock()
        with (tmp_path / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before_s = clock.monotonic_s()
            with pytest.raises(DeadlineExceeded):
                build_demo_guest(tmp_path, lambda _: None, clock)
        assert clock.monotonic_s() - before_s == pytest.approx(400, abs=1)


class TestRegister:
    def guest(self, tmp_path: Path, name: str = "guest") -> DemoGuest:
        made = tmp_path / name
        made.mkdir()
        for file, content in (
            ("vmlinuz", KERNEL + name.encode()),
            ("initramfs", write_newc(())),
            ("disk.raw", b"computekit demo disk\n".ljust(4096, b"\0")),
        ):
            (made / file).write_bytes(content)
        versions: FrozenMap[str, str] = FrozenMap()
        return DemoGuest(made / "vmlinuz", made / "initramfs", made / "disk.raw", versions)

    def test_three_images_that_go_together(self, tmp_path: Path) -> None:
        images = LocalImages(tmp_path / "images", ManualClock(), random.Random(1))
        image = register_demo_guest(images, self.guest(tmp_path))
        assert {each.disk_format for each in images.list()} == {"aki", "ari", "raw"}
        assert image.kernel is not None
        assert image.ramdisk is not None
        assert images.image(image.kernel).disk_format == "aki"
        assert images.image(image.ramdisk).disk_format == "ari"
        flavor = Flavor(FlavorId("1"), "tiny", 1, Mib(128), Gib(1))
        boot = resolve(flavor, image, HostDefaults()).direct_boot
        assert boot is not None
        assert (boot.kernel, boot.ramdisk) == (image.kernel, image.ramdisk)
        assert boot.command_line == COMMAND_LINE

    def test_again_adds_nothing(self, tmp_path: Path) -> None:
        images = LocalImages(tmp_path / "images", ManualClock(), random.Random(1))
        guest = self.guest(tmp_path)
        image = register_demo_guest(images, guest)
        before = images.list()
        assert register_demo_guest(images, guest) == image
        assert images.list() == before

    def test_another_kernel_makes_another_image(self, tmp_path: Path) -> None:
        images = LocalImages(tmp_path / "images", ManualClock(), random.Random(1))
        first = register_demo_guest(images, self.guest(tmp_path, "first"))
        second = register_demo_guest(images, self.guest(tmp_path, "second"))
        assert first.id != second.id
        assert first.ramdisk == second.ramdisk
        assert len(images.list()) == 5
