"""Images in a directory, when things go wrong around them."""

import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from computekit.clock import Clock
from computekit.errors import ImageRefused, NotFound
from computekit.ids import ImageId
from computekit.images import LocalImages
from computekit.model import Image
from computekit.testing import ManualClock
from computekit.units import Bytes, Seconds
from computekit.virt import ImageSource

DISK = b"\xfa" * 4096


def opened(directory: Path, clock: Clock | None = None, limit_bytes: int = 10**9) -> LocalImages:
    return LocalImages(
        directory, clock or ManualClock(), random.Random(os.getpid()), Bytes(limit_bytes)
    )


def files(directory: Path) -> set[str]:
    """What is there apart from whole images and the lock."""
    return {path.name for path in directory.iterdir() if path.name.startswith(".")} - {".lock"}


def added(images: LocalImages, name: str = "disk") -> Image:
    return images.add(name, "raw", io.BytesIO(DISK))


def test_a_hypervisor_can_read_from_it(tmp_path: Path) -> None:
    source: ImageSource = opened(tmp_path)
    with pytest.raises(NotFound):
        source.image(ImageId("6d9f1b52-7c3e-4a80-b1d4-5e2f90c8a713"))


def test_images_are_listed_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    clock = ManualClock()
    images = opened(tmp_path, clock)
    names = [f"disk {number}" for number in range(8)]
    for name in names:
        added(images, name)
        clock.sleep(Seconds(1))
    assert [image.name for image in images.list()] == names


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    images = opened(tmp_path, limit_bytes=len(DISK))
    added(images)
    with pytest.raises(ImageRefused, match=f"longer than {len(DISK)} bytes"):
        images.add("long", "raw", io.BytesIO(DISK + b"x"))
    assert len(images.list()) == 1
    assert not files(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '{"added_s": 1}', '{"added_s": 1, "image": null}', "\xff"]
)
def test_damaged_metadata_is_told(tmp_path: Path, text: str) -> None:
    images = opened(tmp_path)
    image = added(images)
    (tmp_path / image.id / "image.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ImageRefused, match=image.id):
        images.image(image.id)
    with pytest.raises(ImageRefused, match=image.id):
        images.read(image.id)
    images.delete(image.id)
    assert images.list() == ()


def test_metadata_of_another_image_is_told(tmp_path: Path) -> None:
    images = opened(tmp_path)
    one, two = added(images, "one"), added(images, "two")
    text = (tmp_path / one.id / "image.json").read_text("utf-8")
    (tmp_path / two.id / "image.json").write_text(text, "utf-8")
    with pytest.raises(ImageRefused, match="under the id of"):
        images.image(two.id)


def test_a_file_that_lost_its_end_is_told(tmp_path: Path) -> None:
    images = opened(tmp_path)
    image = added(images)
    os.truncate(tmp_path / image.id / "data", 100)
    with pytest.raises(ImageRefused, match="no longer has 4096 bytes"):
        images.read(image.id)


_DIE_WHILE_ADDING = """
import io, os, random, sys
from pathlib import Path
from computekit.clock import SystemClock
from computekit.images import LocalImages

class Deadly(io.BytesIO):
    def read(self, size=-1):
        if self.tell():
            os.kill(os.getpid(), 9)
        return super().read(100)

images = LocalImages(Path(sys.argv[1]), SystemClock(), random.Random(1))
images.add("dies", "raw", Deadly(b"x" * 4096))
"""


def test_what_a_killed_process_left_does_not_count_and_goes(tmp_path: Path) -> None:
    kept = added(opened(tmp_path))
    done = subprocess.run(
        (sys.executable, "-c", _DIE_WHILE_ADDING, str(tmp_path)), check=False, timeout=60
    )
    assert done.returncode == -9
    assert files(tmp_path)
    assert opened(tmp_path).list() == (kept,)
    assert not files(tmp_path)


def test_who_opens_the_store_leaves_an_image_alone_that_is_being_added(tmp_path: Path) -> None:
    class Nosy(io.BytesIO):
        """Lets another process open the store while it is read."""

        def read(self, size: int | None = -1, /) -> bytes:
            opened(tmp_path)
            return super().read(size)

    images = opened(tmp_path)
    image = images.add("slow", "raw", Nosy(DISK))
    assert images.list() == (image,)
    assert not files(tmp_path)


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".hidden").write_text("mine")
    assert opened(tmp_path).list() == ()
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", ".hidden", ".lock"}


_FILL = """
import errno, io, random, sys
from pathlib import Path
from computekit.clock import SystemClock
from computekit.errors import StorageFull
from computekit.images import LocalImages

directory = Path(sys.argv[1])
images = LocalImages(directory, SystemClock(), random.Random(1))
small = images.add("small", "raw", io.BytesIO(b"x" * 4096))
try:
    images.add("large", "raw", io.BytesIO(b"x" * 4 * 1024**2))
except StorageFull as error:
    assert error.path == str(directory), error.path
    assert images.list() == (small,)
    left = {path.name for path in directory.iterdir()}
    assert left == {".lock", small.id}, left
    images.add("fits", "raw", io.BytesIO(b"y" * 4096))
    print("as it should be")
"""


_REFUSED = """
import random, sys
from pathlib import Path
from computekit.clock import SystemClock
from computekit.errors import PermissionRefused
from computekit.images import LocalImages

try:
    LocalImages(Path(sys.argv[1]) / "images", SystemClock(), random.Random(1))
except PermissionRefused as error:
    print(error.reason)
"""


def on_a_file_system_of_our_own(directory: Path, options: str, program: str) -> str:
    """Run a program on a file system in memory that is gone when the program is."""
    own = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
    mount = f'mount -t tmpfs -o {options} none "$1"'
    trial = subprocess.run(
        (*own, "sh", "-c", mount, "sh", str(directory)),
        check=False,
        capture_output=True,
        timeout=30,
    )
    if trial.returncode:
        pytest.skip("this machine does not let us mount a small file system")
    shell = mount + ' && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        (*own, "sh", "-c", shell, "sh", str(directory), sys.executable, program),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_full_disk(tmp_path: Path) -> None:
    assert on_a_file_system_of_our_own(tmp_path, "size=1m", _FILL) == "as it should be\n"


def test_a_directory_that_may_not_be_written(tmp_path: Path) -> None:
    said = on_a_file_system_of_our_own(tmp_path, "ro", _REFUSED)
    assert said == "Read-only file system\n"
