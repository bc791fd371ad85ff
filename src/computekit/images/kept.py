"""Images with what their owners say of them: one store, for the image service and for hosts.

The record of an image says whose it is and who may see it; its file, once it has come, never
changes. An image is active when its file is there; nothing else says so, and so nothing can say
otherwise. A file without a record is nobody's.
"""

import hashlib
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import attrs

from computekit.clock import Clock
from computekit.errors import AlreadyExists, ImageRefused, NotFound, StateConflict
from computekit.ids import ImageId
from computekit.images.local import LocalImages
from computekit.images.ports import ByteSource
from computekit.images.record import ImageRecord, ImageRecords
from computekit.model import FrozenMap, Image
from computekit.units import Gib, Mib

__all__ = ["KeptImage", "KeptImages"]

_log = logging.getLogger(__name__)
_NONE: FrozenMap[str, str] = FrozenMap()
_CONTAINERS = {"aki": "aki", "ari": "ari"}


@attrs.frozen
class KeptImage:
    """An image as it stands.

    Attributes:
        record: what its owner says of it.
        file: what its file was found to be; None while there is none.
        status: `queued`, `saving` or `active` (Image API).
    """

    record: ImageRecord
    file: Image | None
    status: str


class KeptImages:
    """An `ImageStore` whose images have owners, and can be described before their files come.

    Args:
        directory: made if it is not there.
        clock: says when an image was made and changed.
        source: makes new ids.
    """

    def __init__(self, directory: Path, clock: Clock, source: random.Random) -> None:
        self._files = LocalImages(directory, clock, source)
        self._records = ImageRecords(directory / ".records", clock)
        self._clock = clock
        self._lock = Lock()
        self._filling: set[ImageId] = set()
        for record in self._records.all():
            if record.deleted:  # by a process that died over it
                self._finish_delete(record.id)

    # What hosts and commands need: `ImageStore`.

    def image(self, image: ImageId) -> Image:
        """Return what is known of an image: of its file what was found, else what people say."""
        record = self._record(image)
        return _described(self._files.image(image), record)

    def read(self, image: ImageId) -> BinaryIO:
        """Open the image's file; the caller closes it."""
        self._record(image)
        return self._files.read(image)

    def list(self) -> tuple[Image, ...]:
        """Return all images that have a file, in the order in which these were added."""
        records = {record.id: record for record in self._records.all()}
        return tuple(
            _described(file, records.get(file.id))
            for file in self._files.list()
            if not (file.id in records and records[file.id].deleted)
        )

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
        """Add a public image that is nobody's; on failure nothing of it is left."""
        if image is not None and self._records.get(image) is not None:
            raise AlreadyExists("image", image)
        summed = _Summed(source)
        added = self._files.add(
            name,
            disk_format,
            summed,
            image=image,
            min_disk_gib=min_disk_gib,
            min_memory_mib=min_memory_mib,
            properties=properties,
        )
        try:
            self._records.add(
                summed.summing(attrs.evolve(self._of_file(added), visibility="public"))
            )
        except BaseException:
            self._files.delete(added.id)
            raise
        return added

    def delete(self, image: ImageId) -> None:
        """Remove an image; nothing happens if there is none."""
        # Where the record is not there or damaged, the file goes all the same.
        with suppress(NotFound, ImageRefused):
            self._records.change(image, lambda record: attrs.evolve(record, deleted=True))
        self._finish_delete(image)

    # What the image service needs.

    def kept(self, image: ImageId) -> KeptImage:
        """Return an image as it stands.

        Raises:
            NotFound: there is none.
            ImageRefused: what is kept of it is damaged.
        """
        record = self._record(image)
        try:
            file = self._files.image(image)
        except NotFound:
            if record is None:
                raise
            file = None
        return self._as_it_stands(record, file)

    def all_kept(self) -> tuple[KeptImage, ...]:
        """Return all images as they stand, oldest first; damaged ones are left out and logged."""
        ids = {record.id for record in self._records.all()} | {it.id for it in self._files.list()}
        found: list[KeptImage] = []
        for image in ids:
            try:
                found.append(self.kept(image))
            except NotFound:  # deleted since
                continue
            except ImageRefused as error:
                _log.warning("%s", error)
        return tuple(sorted(found, key=lambda it: (it.record.created_s, it.record.id)))

    def describe(self, record: ImageRecord) -> KeptImage:
        """Keep a new image whose file is yet to come.

        Raises:
            AlreadyExists: there is one of this id.
            StorageFull: no space.
        """
        try:
            self._files.image(record.id)
        except NotFound:
            self._records.add(record)
            return self._as_it_stands(record, None)
        raise AlreadyExists("image", record.id)

    def change(self, image: ImageId, change: Callable[[ImageRecord], ImageRecord]) -> KeptImage:
        """Change what is said of an image; its id, its times and its sums stay.

        Raises:
            NotFound: there is none.
            StorageFull: no space.
        """
        kept = self.kept(image)
        with suppress(AlreadyExists):  # but for the file of nobody, which gets a record now
            self._records.add(kept.record)
        return self._changed(image, change)

    def _changed(self, image: ImageId, change: Callable[[ImageRecord], ImageRecord]) -> KeptImage:
        now_s = self._clock.wall_s()

        def changed(record: ImageRecord) -> ImageRecord:
            if record.deleted:
                raise NotFound("image", image)
            found = change(record)
            return record if found == record else attrs.evolve(found, updated_s=now_s)

        self._records.change(image, changed)
        return self.kept(image)

    def fill(self, image: ImageId, source: ByteSource) -> KeptImage:
        """Take the file of an image: all of it, checked; on failure nothing of it is left.

        Args:
            image: one that has none yet.
            source: where the bytes come from; the caller closes it.

        Raises:
            NotFound: there is no such image, or it was deleted meanwhile.
            StateConflict: it has a file, or one is on its way, or its formats are not said.
            ImageRefused: the content is not what was said, or reaches outside itself.
            StorageFull: no space.
        """
        record = self.kept(image).record
        if record.disk_format is None or record.container_format is None:
            state = "without disk_format or container_format"
            raise StateConflict(f"image {image}", state, "both")
        with self._lock:
            status = self.kept(image).status
            if status != "queued":
                raise StateConflict(f"image {image}", status, "queued")
            self._filling.add(image)
        try:
            summed = _Summed(source)
            self._files.add(record.name or "image", record.disk_format, summed, image=image)
            return self._filled(image, summed)
        finally:
            with self._lock:
                self._filling.discard(image)

    def _filled(self, image: ImageId, summed: "_Summed") -> KeptImage:
        try:
            return self._changed(image, summed.summing)
        except NotFound:
            self._files.delete(image)  # it was deleted while it came
            raise

    def _record(self, image: ImageId) -> ImageRecord | None:
        record = self._records.get(image)
        if record is not None and record.deleted:
            raise NotFound("image", image)
        return record

    def _as_it_stands(self, record: ImageRecord | None, file: Image | None) -> KeptImage:
        if record is None:
            assert file is not None, "an image has a record, a file, or both"
            record = self._of_file(file)
        if file is not None:
            return KeptImage(record, file, "active")
        return KeptImage(record, None, "saving" if record.id in self._filling else "queued")

    def _of_file(self, file: Image) -> ImageRecord:
        """Return what a file alone says: it is nobody's."""
        added_s = self._files.added_s(file.id)
        return ImageRecord(
            id=file.id,
            name=file.name,
            owner=None,
            visibility="private",
            disk_format=file.disk_format,
            container_format=_CONTAINERS.get(file.disk_format, "bare"),
            min_disk_gib=file.min_disk_gib,
            min_memory_mib=file.min_memory_mib,
            protected=False,
            hidden=False,
            tags=(),
            properties=file.properties,
            created_s=added_s,
            updated_s=added_s,
        )

    def _finish_delete(self, image: ImageId) -> None:
        self._files.delete(image)
        self._records.remove(image)


def _described(file: Image, record: ImageRecord | None) -> Image:
    if record is None:
        return file
    return attrs.evolve(
        file,
        name=record.name or file.name,
        min_disk_gib=record.min_disk_gib,
        min_memory_mib=record.min_memory_mib,
        properties=record.properties,
    )


class _Summed:
    """A source whose bytes are summed up while they are read."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha512 = hashlib.sha512()

    def read(self, size: int, /) -> bytes:
        found = self._source.read(size)
        self._md5.update(found)
        self._sha512.update(found)
        return found

    def summing(self, record: ImageRecord) -> ImageRecord:
        """Return a record with the sums."""
        return attrs.evolve(record, md5=self._md5.hexdigest(), sha512=self._sha512.hexdigest())
