"""What is known of an image beside its file: whose it is, who may see it, what people say of it."""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Literal

import attrs
import cattrs

from computekit.clock import Clock, Deadline
from computekit.errors import AlreadyExists, DeadlineExceeded, ImageRefused, NotFound
from computekit.files import storage_errors, sync, write_whole
from computekit.ids import ImageId, ProjectId, is_uuid
from computekit.model import FrozenMap, decode, encode
from computekit.units import Gib, Mib, Seconds

__all__ = ["ImageRecord", "ImageRecords", "Visibility"]

_log = logging.getLogger(__name__)
_LOCK_TIMEOUT_S = Seconds(30.0)

Visibility = Literal["public", "private", "shared", "community"]


@attrs.frozen
class ImageRecord:
    """An image as its owner describes it (Image API v2); its file may be yet to come.

    Attributes:
        id: UUID.
        name: for people; may be empty.
        owner: whose it is; None: of nobody, so that only who acts everywhere may see or change it,
            unless it is public.
        visibility: who may see it: everybody, or the owner's project.
        disk_format: that the file is to have; None: not said yet.
        container_format: `bare`, `aki` or `ari`; None: not said yet.
        min_disk_gib: smallest root disk that it fits on.
        min_memory_mib: least memory that it boots with.
        protected: whether it cannot be deleted.
        hidden: whether lists leave it out unless they are asked for it.
        tags: sorted.
        properties: free text by key.
        created_s: in seconds since the Unix epoch.
        updated_s: when this was last changed.
        md5: hex digest of the file, as old clients compare it; empty without a file.
        sha512: hex digest of the file; empty without one.
        deleted: on its way out.
    """

    id: ImageId
    name: str
    owner: ProjectId | None
    visibility: Visibility
    disk_format: str | None
    container_format: str | None
    min_disk_gib: Gib
    min_memory_mib: Mib
    protected: bool
    hidden: bool
    tags: tuple[str, ...]
    properties: FrozenMap[str, str]
    created_s: Seconds
    updated_s: Seconds
    md5: str = ""
    sha512: str = ""
    deleted: bool = False


class ImageRecords:
    """Records in a directory, one file each; several processes may use it at the same time.

    Args:
        directory: made if it is not there.
        clock: measures how long one waits for others to have written.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = Lock()
        with storage_errors(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, image: ImageId) -> ImageRecord | None:
        """Return a record, or None if there is none.

        Raises:
            ImageRefused: it is damaged.
        """
        if not is_uuid(image):
            return None
        try:
            text = self._path(image).read_text("utf-8")
            record = decode(text, ImageRecord)
        except FileNotFoundError:
            return None
        except (ValueError, cattrs.BaseValidationError) as error:
            raise ImageRefused(image, "what is kept of it cannot be read") from error
        if record.id != image:
            raise ImageRefused(image, f"it is kept under the id of {record.id!a}")
        return record

    def all(self) -> tuple[ImageRecord, ...]:
        """Return all records, in the order in which they were made; damaged ones are logged."""
        records: list[ImageRecord] = []
        for path in self._directory.iterdir():
            if path.suffix != ".json":
                continue
            try:
                record = self.get(ImageId(path.stem))
            except ImageRefused as error:
                _log.warning("%s", error)
                continue
            if record is not None:
                records.append(record)
        return tuple(sorted(records, key=lambda record: (record.created_s, record.id)))

    def add(self, record: ImageRecord) -> None:
        """Keep a new record.

        Raises:
            AlreadyExists: there is one of this id.
            StorageFull: no space.
        """
        with self._alone():
            if self._path(record.id).exists():
                raise AlreadyExists("image", record.id)
            write_whole(self._path(record.id), encode(record))

    def change(
        self, image: ImageId, change: Callable[[ImageRecord], ImageRecord]
    ) -> tuple[ImageRecord, ImageRecord]:
        """Change a record, and return what it was and what it is; nobody else changes it meanwhile.

        Raises:
            NotFound: there is none.
            ImageRefused: it is damaged.
            StorageFull: no space.
        """
        with self._alone():
            record = self.get(image)
            if record is None:
                raise NotFound("image", ascii(image))
            changed = change(record)
            if changed != record:
                write_whole(self._path(image), encode(changed))
            return record, changed

    def remove(self, image: ImageId) -> None:
        """Forget a record; nothing happens if there is none."""
        if is_uuid(image):
            with self._alone():
                self._path(image).unlink(missing_ok=True)
                sync(self._directory)

    def _path(self, image: ImageId) -> Path:
        return self._directory / f"{image}.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else write meanwhile: no thread, and no process."""
        with self._lock, storage_errors(self._directory):
            lock = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._take(lock)
                yield
            finally:
                os.close(lock)

    def _take(self, lock: int) -> None:
        deadline = Deadline(self._clock, _LOCK_TIMEOUT_S)
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if deadline.passed:
                    raise DeadlineExceeded("writing about images", _LOCK_TIMEOUT_S) from None
                self._clock.sleep(Seconds(0.005))
