"""The laws of image stores.

An implementation's test module subclasses `ImageStoreLaws` and gives it a `bench` fixture::

    class TestMine(ImageStoreLaws):
        @pytest.fixture
        def bench(self, tmp_path: Path) -> ImageBench: ...
"""

import hashlib
import io
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import pytest

from computekit.errors import AlreadyExists, ImageRefused, InvalidInput, NotFound
from computekit.ids import ImageId
from computekit.images import ImageStore
from computekit.units import Gib, Mib

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["ImageBench", "ImageStoreLaws"]

_ID = ImageId("6d9f1b52-7c3e-4a80-b1d4-5e2f90c8a713")
_DISK = b"\xfa\x33\xc0".ljust(4096, b"\0") + b"data" * 1024
_HOSTILE_IDS = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    f"../{_ID}",
    f"{_ID}/data",
    f"{_ID}\0",
    _ID.upper(),
    f"{{{_ID}}}",
    _ID.replace("-", ""),
)


@attrs.frozen
class ImageBench:
    """An empty image store to test.

    Attributes:
        store: the store.
        reopen: makes another store on the same images, as a process that starts again would.
        space: what the store takes, in whatever unit, so that two moments can be compared.
    """

    store: ImageStore
    reopen: Callable[[], ImageStore]
    space: Callable[[], int]


class _Broken(io.RawIOBase):
    """A source that gives some bytes and then fails."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = None
        self._then = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if self._error is not None:
            raise self._error
        self._error = self._then
        view = memoryview(buffer)
        view[:3] = b"abc"
        return 3


class ImageStoreLaws:
    """What every `ImageStore` does."""

    @pytest.fixture
    def bench(self) -> ImageBench:
        """Give an empty store."""
        raise AssertionError("a subclass gives the bench")

    def test_what_was_added_is_there(self, bench: ImageBench) -> None:
        added = bench.store.add(
            "a <disk> & 'more'",
            "raw",
            io.BytesIO(_DISK),
            min_disk_gib=Gib(2),
            min_memory_mib=Mib(64),
            properties={"os_distro": "debian", "note": '<a b="c">&amp;'},
        )
        assert added.name == "a <disk> & 'more'"
        assert added.disk_format == "raw"
        assert added.size_bytes == added.virtual_size_bytes == len(_DISK)
        assert added.sha256 == hashlib.sha256(_DISK).hexdigest()
        assert (added.min_disk_gib, added.min_memory_mib) == (2, 64)
        assert dict(added.properties) == {"os_distro": "debian", "note": '<a b="c">&amp;'}
        for store in (bench.store, bench.reopen()):
            assert store.image(added.id) == added
            assert store.list() == (added,)
            with store.read(added.id) as file:
                assert file.read() == _DISK

    def test_each_image_gets_an_id_of_its_own(self, bench: ImageBench) -> None:
        added = [bench.store.add("same", "raw", io.BytesIO(_DISK)) for _ in range(3)]
        assert len({image.id for image in added}) == 3
        assert set(bench.store.list()) == set(added)

    def test_an_id_may_be_given_once(self, bench: ImageBench) -> None:
        first = bench.store.add("first", "raw", io.BytesIO(_DISK), image=_ID)
        assert first.id == _ID
        space = bench.space()
        with pytest.raises(AlreadyExists):
            bench.store.add("second", "raw", io.BytesIO(b"x" * 512), image=_ID)
        assert bench.store.list() == (first,)
        assert bench.space() == space
        with bench.store.read(_ID) as file:
            assert file.read() == _DISK

    def test_one_of_many_at_once_gets_the_id(self, bench: ImageBench) -> None:
        outcomes: list[str] = []
        start = threading.Barrier(4)

        def add(number: int) -> None:
            start.wait(10)
            try:
                bench.store.add(f"{number}", "raw", io.BytesIO(bytes([number]) * 512), image=_ID)
            except AlreadyExists:
                outcomes.append("exists")
            else:
                outcomes.append("added")

        threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["added", "exists", "exists", "exists"]
        (image,) = bench.store.list()
        with bench.store.read(_ID) as file:
            assert file.read() == bytes([int(image.name)]) * 512

    @pytest.mark.parametrize(
        ("disk_format", "content"),
        [
            ("raw", b""),
            ("raw", b"QFI\xfb".ljust(4096, b"\0")),
            ("qcow2", _DISK),
            ("vmdk", _DISK),
            ("aki", _DISK),
            ("ari", _DISK),
            ("../raw", _DISK),
        ],
    )
    def test_a_refused_image_leaves_nothing(
        self, bench: ImageBench, disk_format: str, content: bytes
    ) -> None:
        space = bench.space()
        with pytest.raises(ImageRefused):
            bench.store.add("refused", disk_format, io.BytesIO(content), image=_ID)
        assert bench.store.list() == ()
        assert bench.space() == space
        with pytest.raises(NotFound):
            bench.store.image(_ID)
        bench.store.add("taken", "raw", io.BytesIO(_DISK), image=_ID)

    def test_a_source_that_fails_leaves_nothing(self, bench: ImageBench) -> None:
        space = bench.space()
        with pytest.raises(ConnectionResetError):
            bench.store.add("cut", "raw", io.BufferedReader(_Broken(ConnectionResetError())))
        assert bench.store.list() == ()
        assert bench.space() == space

    def test_all_faults_of_an_input_at_once(self, bench: ImageBench) -> None:
        with pytest.raises(InvalidInput) as caught:
            bench.store.add(
                "a\nb",
                "raw",
                io.BytesIO(_DISK),
                image=ImageId("../x"),
                min_disk_gib=Gib(-1),
                min_memory_mib=Mib(-1),
                properties={"": "x", "key": "a\0b"},
            )
        assert {fault.path for fault in caught.value.faults} == {
            "name",
            "image",
            "min_disk_gib",
            "min_memory_mib",
            "properties['']",
            "properties['key']",
        }
        assert bench.store.list() == ()

    @pytest.mark.parametrize("text", _HOSTILE_IDS)
    def test_what_is_no_id_is_nowhere(self, bench: ImageBench, text: str) -> None:
        bench.store.add("there", "raw", io.BytesIO(_DISK), image=_ID)
        with pytest.raises(NotFound):
            bench.store.image(ImageId(text))
        with pytest.raises(NotFound):
            bench.store.read(ImageId(text))
        bench.store.delete(ImageId(text))
        with pytest.raises(InvalidInput):
            bench.store.add("x", "raw", io.BytesIO(_DISK), image=ImageId(text))
        assert [image.id for image in bench.store.list()] == [_ID]

    def test_delete_may_be_repeated(self, bench: ImageBench) -> None:
        space = bench.space()
        bench.store.delete(_ID)
        bench.store.add("gone soon", "raw", io.BytesIO(_DISK), image=_ID)
        with bench.store.read(_ID) as file:
            bench.store.delete(_ID)
            bench.store.delete(_ID)
            assert file.read() == _DISK
        with pytest.raises(NotFound):
            bench.store.image(_ID)
        with pytest.raises(NotFound):
            bench.store.read(_ID)
        assert bench.store.list() == ()
        assert bench.space() == space
        bench.store.add("again", "raw", io.BytesIO(_DISK), image=_ID)
