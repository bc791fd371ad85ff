"""Images in a directory of this machine.

Each image is a directory named by its id with its file and what is known of it. It is made under
another name and comes into being by one rename, and goes by one; so a process that dies leaves
nothing that counts. What it does leave is removed when the store is next opened and nobody is
adding: who adds or deletes holds a shared lock, who cleans an exclusive one.
"""

import errno
import fcntl
import hashlib
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs
import cattrs

from computekit.clock import Clock, Deadline
from computekit.errors import (
    AlreadyExists,
    DeadlineExceeded,
    Fault,
    ImageRefused,
    InvalidInput,
    NotFound,
)
from computekit.files import storage_errors, sync
from computekit.guest import check_name
from computekit.ids import ImageId, is_uuid, new_uuid
from computekit.images.inspection import inspect_image
from computekit.images.ports import ByteSource
from computekit.model import MAX_AMOUNT, FrozenMap, Image, decode, encode
from computekit.units import Bytes, Gib, Mib, Seconds, gib_to_bytes

__all__ = ["LocalImages"]

_CHUNK = 1024**2
_LOCK_TIMEOUT_S = Seconds(30)
_NONE: FrozenMap[str, str] = FrozenMap()
_PASSING = "."  # what starts with a dot is on its way in or out
_MAX_VALUE_LENGTH = 65535  # Image API


@attrs.frozen
class _Record:
    added_s: Seconds
    image: Image


class LocalImages:
    """An `ImageStore` in a directory, which several processes may use at the same time.

    Args:
        directory: made if it is not there.
        clock: says when an image was added.
        source: makes new ids.
        limit_bytes: longest file that is taken.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        source: random.Random,
        limit_bytes: Bytes = gib_to_bytes(Gib(256)),
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._random = source
        self._limit_bytes = limit_bytes
        with storage_errors(self._directory):
            directory.mkdir(parents=True, exist_ok=True)
            self._sweep()

    def image(self, image: ImageId) -> Image:
        """Return what is known of an image."""
        return self._record(image).image

    def added_s(self, image: ImageId) -> Seconds:
        """Return when an image was added, in seconds since the Unix epoch.

        Raises:
            NotFound: there is none.
            ImageRefused: what is kept of it is damaged.
        """
        return self._record(image).added_s

    def read(self, image: ImageId) -> BinaryIO:
        """Open the image's file; the caller closes it."""
        known = self.image(image)
        try:
            file = (self._directory / image / "data").open("rb")
        except FileNotFoundError:
            raise NotFound("image", image) from None
        if os.fstat(file.fileno()).st_size != known.size_bytes:
            file.close()
            raise ImageRefused(image, f"its file no longer has {known.size_bytes} bytes")
        return file

    def list(self) -> tuple[Image, ...]:
        """Return all images, in the order in which they were added."""
        found: list[_Record] = []
        for entry in self._directory.iterdir():
            if is_uuid(entry.name):
                try:
                    found.append(self._record(ImageId(entry.name)))
                except NotFound:  # deleted since
                    continue
        found.sort(key=lambda record: (record.added_s, record.image.id))
        return tuple(record.image for record in found)

    def add(
        self,
        name: str,
        disk_format: str,
        source: ByteSource,
        *,
        image: ImageId | None = None,
        min_disk_gib: Gib = Gib(0),
        min_memory_mib: Mib = Mib(0),
        properties: Mapping[str, str] = _NONE,
    ) -> Image:
        """Copy `source` to its end, check it and keep it; on failure nothing of it is left."""
        _check(name, image, min_disk_gib, min_memory_mib, properties)
        new_id = image or ImageId(new_uuid(self._random))
        target = self._directory / new_id
        passing = self._passing()
        with storage_errors(self._directory), self._lock():
            if target.exists():  # told early; the rename below decides
                raise AlreadyExists("image", new_id)
            passing.mkdir()
            try:
                data = passing / "data"
                digest = self._copy(source, data, name)
                facts = inspect_image(data, disk_format, name)
                added = Image(
                    id=new_id,
                    name=name,
                    disk_format=facts.disk_format,
                    size_bytes=facts.size_bytes,
                    virtual_size_bytes=facts.virtual_size_bytes,
                    sha256=digest,
                    min_disk_gib=min_disk_gib,
                    min_memory_mib=min_memory_mib,
                    properties=FrozenMap(properties),
                )
                with (passing / "image.json").open("w", encoding="utf-8") as file:
                    file.write(encode(_Record(self._clock.wall_s(), added)))
                    os.fsync(file.fileno())
                sync(passing)
                _rename_new(passing, target)
            except BaseException:
                shutil.rmtree(passing)
                raise
            sync(self._directory)
        return added

    def delete(self, image: ImageId) -> None:
        """Remove an image; nothing happens if there is none."""
        if not is_uuid(image):
            return
        passing = self._passing()
        with storage_errors(self._directory), self._lock():
            try:
                (self._directory / image).rename(passing)
            except FileNotFoundError:
                return
            sync(self._directory)
            shutil.rmtree(passing)

    def _record(self, image: ImageId) -> _Record:
        if not is_uuid(image):
            raise NotFound("image", ascii(image))
        try:
            record = decode((self._directory / image / "image.json").read_text("utf-8"), _Record)
        except FileNotFoundError:
            raise NotFound("image", image) from None
        except (ValueError, cattrs.BaseValidationError) as error:
            raise ImageRefused(image, "what is kept of it cannot be read") from error
        if record.image.id != image:
            raise ImageRefused(image, f"it is kept under the id of {record.image.id!a}")
        return record

    def _copy(self, source: ByteSource, target: Path, name: str) -> str:
        digest = hashlib.sha256()
        copied = 0
        with target.open("xb") as file:
            while chunk := source.read(_CHUNK):
                copied += len(chunk)
                if copied > self._limit_bytes:
                    raise ImageRefused(name, f"it is longer than {self._limit_bytes} bytes")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return digest.hexdigest()

    def _passing(self) -> Path:
        return self._directory / f"{_PASSING}{new_uuid(self._random)}"

    def _sweep(self) -> None:
        """Remove what dead processes have left, unless somebody is at work."""
        with (self._directory / f"{_PASSING}lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            for entry in self._directory.iterdir():
                if entry.name.startswith(_PASSING) and is_uuid(entry.name.removeprefix(_PASSING)):
                    shutil.rmtree(entry)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        deadline = Deadline(self._clock, _LOCK_TIMEOUT_S)
        with (self._directory / f"{_PASSING}lock").open("a") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if deadline.passed:
                        raise DeadlineExceeded("cleaning of images", _LOCK_TIMEOUT_S) from None
                    self._clock.sleep(Seconds(0.02))
            yield


def _check(
    name: str,
    image: ImageId | None,
    min_disk_gib: int,
    min_memory_mib: int,
    properties: Mapping[str, str],
) -> None:
    faults: list[Fault] = []
    try:
        check_name(name)
    except InvalidInput as error:
        faults += error.faults
    if image is not None and not is_uuid(image):
        faults.append(Fault("image", "invalid_value", f"{image[:80]!a} is not a UUID"))
    for path, amount in (("min_disk_gib", min_disk_gib), ("min_memory_mib", min_memory_mib)):
        if not 0 <= amount <= MAX_AMOUNT:
            message = f"{amount} is not within 0 to {MAX_AMOUNT}"
            faults.append(Fault(path, "out_of_range", message))
    for key, value in properties.items():
        path = f"properties[{key[:80]!a}]"
        if not 1 <= len(key) <= 255 or not key.isprintable():
            faults.append(Fault(path, "invalid_key", "a key has 1 to 255 printable characters"))
        if len(value) > _MAX_VALUE_LENGTH or not value.isprintable():
            message = f"a value has at most {_MAX_VALUE_LENGTH} printable characters"
            faults.append(Fault(path, "invalid_value", message))
    if faults:
        raise InvalidInput(tuple(faults))


def _rename_new(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise AlreadyExists("image", target.name) from None
        raise
