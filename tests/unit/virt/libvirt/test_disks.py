"""The image cache: whole or not at all, and nothing left of what was refused."""

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import pytest

from computekit.clock import SystemClock
from computekit.errors import ImageRefused, InvalidInput, PermissionRefused
from computekit.ids import ImageId, InstanceId
from computekit.model import Image
from computekit.testing.virt_bench import BOOTABLE, LawImages
from computekit.units import Bytes
from computekit.virt.libvirt import LocalDisks

MIB = 1 << 20


class Liar:
    """A source that hands out other bytes than it says."""

    def __init__(self, content: bytes, said: bytes, disk_format: str = "raw") -> None:
        self._content = content
        size = Bytes(len(said))
        digest = hashlib.sha256(said).hexdigest()
        self._image = Image(BOOTABLE, "liar", disk_format, size, size, digest)

    def image(self, image: ImageId) -> Image:
        return self._image

    def read(self, image: ImageId) -> BinaryIO:
        return io.BytesIO(self._content)


@pytest.fixture
def disks(tmp_path: Path) -> LocalDisks:
    return LocalDisks(tmp_path, SystemClock())


def files(disks: LocalDisks) -> list[str]:
    return sorted(str(path.relative_to(disks.directory)) for path in disks.directory.rglob("*"))


def test_an_image_is_kept_as_it_is_and_read_only(disks: LocalDisks) -> None:
    images = LawImages()
    disks.cache_image(BOOTABLE, images)
    path = disks.directory / "images" / BOOTABLE
    assert path.read_bytes() == images.read(BOOTABLE).read()
    assert path.stat().st_mode & 0o777 == 0o444


def test_zeros_take_no_space(disks: LocalDisks) -> None:
    images = LawImages()
    image = ImageId("55555555-5555-4555-8555-555555555555")
    images.add(image, b"x" * 4096 + bytes(16 * MIB) + b"y" * 512 + bytes(2 * MIB))
    disks.cache_image(image, images)
    path = disks.directory / "images" / image
    assert path.read_bytes() == images.read(image).read()
    assert path.stat().st_blocks * 512 <= 4 * MIB


@pytest.mark.parametrize(
    ("content", "said", "reason"),
    [
        (bytes(MIB + 512), bytes(MIB), "longer"),
        (bytes(MIB - 512), bytes(MIB), "not the"),
        (b"a" * MIB, b"b" * MIB, "checksum"),
    ],
)
def test_what_is_not_as_long_or_the_same_as_said_is_refused(
    disks: LocalDisks, content: bytes, said: bytes, reason: str
) -> None:
    with pytest.raises(ImageRefused, match=reason):
        disks.cache_image(BOOTABLE, Liar(content, said))
    assert files(disks) == ["images", "instances"]


def test_a_disguised_image_is_refused(disks: LocalDisks) -> None:
    qcow2 = b"QFI\xfb\x00\x00\x00\x03".ljust(MIB, b"\0")
    with pytest.raises(ImageRefused):
        disks.cache_image(BOOTABLE, Liar(qcow2, qcow2))
    assert files(disks) == ["images", "instances"]


def test_what_a_killed_process_has_left_is_cleared(tmp_path: Path) -> None:
    disks = LocalDisks(tmp_path, SystemClock())
    (tmp_path / "images" / f".new-{BOOTABLE}").write_bytes(b"half")
    going = tmp_path / "instances/.gone-0d8a9c3e-5f4b-4c1d-9e2f-1a2b3c4d5e6f"
    going.mkdir()
    (going / "root.qcow2").write_bytes(b"old")
    assert disks.instances() == frozenset()
    assert files(LocalDisks(tmp_path, SystemClock())) == ["images", "instances"]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "0D8A9C3E-5F4B-4C1D-9E2F-1A2B3C4D5E6F"])
def test_an_id_that_is_no_uuid_never_becomes_a_path(disks: LocalDisks, name: str) -> None:
    with pytest.raises(InvalidInput):
        disks.remove(InstanceId(name))
    with pytest.raises(InvalidInput):
        disks.cache_image(ImageId(name), LawImages())


def test_a_directory_that_may_not_be_written_is_said_at_once() -> None:
    with pytest.raises(PermissionRefused, match="/sys"):
        LocalDisks(Path("/sys/computekit"), SystemClock())
