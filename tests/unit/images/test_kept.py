"""Images with owners: described first, filled later, whole or not at all, and gone when deleted."""

import functools
import hashlib
import io
import logging
import random
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from computekit.clock import Clock, SystemClock
from computekit.errors import AlreadyExists, ImageRefused, NotFound, StateConflict
from computekit.ids import ImageId, ProjectId
from computekit.images import ImageRecord, KeptImages, LocalImages
from computekit.model import FrozenMap
from computekit.testing import ManualClock
from computekit.units import Gib, Mib, Seconds

ID = ImageId("6d9f1b52-7c3e-4a80-b1d4-5e2f90c8a713")
DISK = b"\xfa\x33\xc0".ljust(4096, b"\0")
QCOW2_HEAD = b"QFI\xfb".ljust(4096, b"\0")


def opened(directory: Path, clock: Clock | None = None) -> KeptImages:
    return KeptImages(directory / "images", clock or ManualClock(), random.Random(5))


def described(image: ImageId = ID, **more: Any) -> ImageRecord:
    record = ImageRecord(
        id=image,
        name="disk",
        owner=ProjectId("p1"),
        visibility="private",
        disk_format="raw",
        container_format="bare",
        min_disk_gib=Gib(1),
        min_memory_mib=Mib(64),
        protected=False,
        hidden=False,
        tags=("a",),
        properties=FrozenMap({"hw_rng_model": "virtio"}),
        created_s=Seconds(1.0),
        updated_s=Seconds(1.0),
    )
    return attrs.evolve(record, **more)


def left(directory: Path) -> set[str]:
    return {path.name for path in (directory / "images").iterdir()} - {".lock", ".records"}


def test_an_image_is_described_and_then_filled(tmp_path: Path) -> None:
    images = opened(tmp_path)
    assert images.describe(described()).status == "queued"
    assert images.list() == ()
    with pytest.raises(NotFound):
        images.image(ID)
    filled = images.fill(ID, io.BytesIO(DISK))
    for kept in (filled, images.kept(ID), opened(tmp_path).kept(ID)):
        assert kept.status == "active"
        assert kept.record.md5 == hashlib.md5(DISK).hexdigest()
        assert kept.record.sha512 == hashlib.sha512(DISK).hexdigest()
    image = images.image(ID)
    assert (image.name, image.min_disk_gib, image.min_memory_mib) == ("disk", 1, 64)
    assert dict(image.properties) == {"hw_rng_model": "virtio"}
    with images.read(ID) as file:
        assert file.read() == DISK


def test_hosts_see_what_the_owner_says_now(tmp_path: Path) -> None:
    clock = ManualClock()
    images = opened(tmp_path, clock)
    images.describe(described())
    images.fill(ID, io.BytesIO(DISK))
    clock.advance(Seconds(10.0))
    now = FrozenMap({"hw_cpu_policy": "dedicated"})
    kept = images.change(ID, lambda it: attrs.evolve(it, properties=now, name="other"))
    assert kept.record.updated_s == clock.wall_s()
    assert (images.image(ID).name, images.image(ID).properties) == ("other", now)
    assert [image.name for image in images.list()] == ["other"]


def test_an_image_is_filled_once(tmp_path: Path) -> None:
    images = opened(tmp_path)
    images.describe(described())
    images.fill(ID, io.BytesIO(DISK))
    with pytest.raises(StateConflict, match="active"):
        images.fill(ID, io.BytesIO(b"x" * 512))
    with images.read(ID) as file:
        assert file.read() == DISK
    with pytest.raises(AlreadyExists):
        images.describe(described())
    with pytest.raises(AlreadyExists):
        images.add("again", "raw", io.BytesIO(DISK), image=ID)


@pytest.mark.parametrize("lacking", [{"disk_format": None}, {"container_format": None}])
def test_formats_are_said_before(tmp_path: Path, lacking: dict[str, Any]) -> None:
    images = opened(tmp_path)
    images.describe(described(**lacking))
    with pytest.raises(StateConflict):
        images.fill(ID, io.BytesIO(DISK))


class During(io.BytesIO):
    """Bytes in whose midst something happens."""

    def __init__(self, content: bytes, happens: object) -> None:
        super().__init__(content)
        self.happens = happens

    def read(self, size: int | None = -1, /) -> bytes:
        if callable(self.happens) and self.tell():
            happens, self.happens = self.happens, None
            happens()
        return super().read(min(size or 0, 1000) if size and size > 0 else size)


def test_an_image_that_is_being_filled_says_so_and_takes_no_other(tmp_path: Path) -> None:
    images = opened(tmp_path)
    images.describe(described())
    seen: list[str] = []

    def look() -> None:
        seen.append(images.kept(ID).status)
        with pytest.raises(StateConflict, match="saving"):
            images.fill(ID, io.BytesIO(b"x" * 512))

    images.fill(ID, During(DISK, look))
    assert seen == ["saving"]


def test_an_image_that_is_deleted_while_it_comes_is_gone(tmp_path: Path) -> None:
    images = opened(tmp_path)
    images.describe(described())
    with pytest.raises(NotFound):
        images.fill(ID, During(DISK, lambda: images.delete(ID)))
    assert images.all_kept() == ()
    assert left(tmp_path) == set()


@pytest.mark.parametrize(
    ("disk_format", "content"), [("raw", QCOW2_HEAD), ("qcow2", DISK), ("raw", b""), ("ari", DISK)]
)
def test_a_file_that_is_not_what_was_said_leaves_nothing(
    tmp_path: Path, disk_format: str, content: bytes
) -> None:
    images = opened(tmp_path)
    images.describe(described(disk_format=disk_format))
    with pytest.raises(ImageRefused):
        images.fill(ID, io.BytesIO(content))
    assert images.kept(ID).status == "queued"
    assert left(tmp_path) == set()


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def cut() -> None:
        raise ConnectionResetError

    images = opened(tmp_path)
    images.describe(described())
    with pytest.raises(ConnectionResetError):
        images.fill(ID, During(DISK, cut))
    assert (images.kept(ID).status, left(tmp_path)) == ("queued", set())
    assert images.fill(ID, io.BytesIO(DISK)).status == "active"


def test_a_delete_that_was_cut_short_is_finished_by_who_opens_next(tmp_path: Path) -> None:
    images = opened(tmp_path)
    images.describe(described())
    images.fill(ID, io.BytesIO(DISK))
    images._records.change(ID, lambda record: attrs.evolve(record, deleted=True))
    for gone in (images.kept, images.image, images.read):
        with pytest.raises(NotFound):
            gone(ID)
    with pytest.raises(NotFound):
        images.change(ID, lambda record: attrs.evolve(record, name="x"))
    assert images.list() == ()
    assert opened(tmp_path).all_kept() == ()
    assert left(tmp_path) == set()


def test_the_file_of_nobody_is_private(tmp_path: Path) -> None:
    disk = LocalImages(tmp_path / "images", ManualClock(), random.Random(1)).add(
        "old", "raw", io.BytesIO(DISK)
    )
    (kept,) = opened(tmp_path).all_kept()
    assert (kept.record.id, kept.record.owner, kept.record.visibility) == (disk.id, None, "private")
    assert (kept.status, kept.file) == ("active", disk)


def test_what_a_command_adds_is_public(tmp_path: Path) -> None:
    images = opened(tmp_path)
    added = images.add("demo", "raw", io.BytesIO(DISK), properties={"os_distro": "debian"})
    record = images.kept(added.id).record
    assert (record.owner, record.visibility, record.name) == (None, "public", "demo")
    assert record.sha512 == hashlib.sha512(DISK).hexdigest()
    assert dict(record.properties) == {"os_distro": "debian"}


@pytest.mark.parametrize("text", ["", "{", "null", '{"id": 1}'])
def test_a_damaged_record_hides_no_other(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    images = opened(tmp_path)
    images.describe(described())
    whole = images.add("whole", "raw", io.BytesIO(DISK))
    (tmp_path / "images/.records" / f"{ID}.json").write_text(text)
    with pytest.raises(ImageRefused):
        images.kept(ID)
    with caplog.at_level(logging.WARNING):
        again = opened(tmp_path)
        assert [kept.record.id for kept in again.all_kept()] == [whole.id]
    assert ID in caplog.text
    again.delete(ID)
    with pytest.raises(NotFound):
        again.kept(ID)


def tagged(tag: str, record: ImageRecord) -> ImageRecord:
    return attrs.evolve(record, tags=(*record.tags, tag))


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    stores = [opened(tmp_path, SystemClock()) for _ in range(2)]
    stores[0].describe(described(tags=()))

    def write(number: int) -> None:
        for turn in range(5):
            add = functools.partial(tagged, f"{number}-{turn}")
            stores[number % 2].change(ID, add)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(stores[0].kept(ID).record.tags) == 20
