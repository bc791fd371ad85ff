"""What carries out the operations on images."""

import random
from collections.abc import Callable

import attrs

from computekit.access import everywhere
from computekit.api.context import CallContext, Identity
from computekit.api.image.base import changes, sees
from computekit.api.image.query import page_of
from computekit.api.image.values import (
    Described,
    FileWanted,
    ImageChange,
    ImageFilled,
    ImagePage,
    ImagePath,
    ImageQuery,
    NewImage,
    OpenedFile,
    Place,
    TagPath,
)
from computekit.clock import Clock
from computekit.errors import AccessRefused, Fault, InvalidInput, NotFound, StateConflict
from computekit.ids import ImageId, new_uuid
from computekit.images import ImageRecord, KeptImage, KeptImages

__all__ = ["TAGS_MOST", "ImageCalls"]

TAGS_MOST = 128


class ImageCalls:
    """Everybody's and a project's own images; of others' nothing tells that they are there.

    Args:
        images: keeps them.
        clock: says when one was made.
        source: makes new ids.
    """

    def __init__(self, images: KeptImages, clock: Clock, source: random.Random) -> None:
        self._images = images
        self._clock = clock
        self._random = source

    def versions(self, asked: Place, _context: CallContext) -> Place:
        """Carry out `SHOW_VERSIONS`."""
        return asked

    def page(self, asked: ImageQuery, context: CallContext) -> ImagePage:
        """Carry out `LIST_IMAGES`."""
        identity = context.identity
        return page_of(
            tuple(kept for kept in self._images.all_kept() if sees(identity, kept.record)),
            asked,
            identity.project,
        )

    def create(self, asked: NewImage, context: CallContext) -> KeptImage:
        """Carry out `CREATE_IMAGE`."""
        identity, now_s = context.identity, self._clock.wall_s()
        blank = ImageRecord(
            id=asked.id or ImageId(new_uuid(self._random)),
            name="",
            owner=identity.project,
            visibility="shared",
            disk_format=None,
            container_format=None,
            min_disk_gib=asked.said.min_disk_gib,
            min_memory_mib=asked.said.min_memory_mib,
            protected=False,
            hidden=False,
            tags=(),
            properties=asked.said.properties,
            created_s=now_s,
            updated_s=now_s,
        )
        return self._images.describe(_said_by(identity, blank, asked.said))

    def show(self, asked: ImagePath, context: CallContext) -> KeptImage:
        """Carry out `SHOW_IMAGE`."""
        return self._seen(asked.id, context.identity)

    def update(self, asked: ImageChange, context: CallContext) -> KeptImage:
        """Carry out `UPDATE_IMAGE`."""
        identity = context.identity
        filled = self._seen(asked.id, identity).file is not None

        def change(record: ImageRecord) -> ImageRecord:
            said = asked.changed(_described(record))
            changed = _said_by(identity, record, said)
            formats = (changed.disk_format, changed.container_format)
            if filled and formats != (record.disk_format, record.container_format):
                raise AccessRefused("the formats of an image stay once it has its file")
            return changed

        return self._change(asked.id, identity, change)

    def delete(self, asked: ImagePath, context: CallContext) -> None:
        """Carry out `DELETE_IMAGE`."""
        kept = self._seen(asked.id, context.identity)
        _check_change(context.identity, kept.record)
        if kept.record.protected:
            raise AccessRefused(f"image {asked.id} is protected and cannot be deleted")
        self._images.delete(asked.id)

    def upload(self, asked: ImageFilled, context: CallContext) -> None:
        """Carry out `UPLOAD_IMAGE`."""
        _check_change(context.identity, self._seen(asked.id, context.identity).record)
        self._images.fill(asked.id, asked.source)

    def download(self, asked: FileWanted, context: CallContext) -> OpenedFile:
        """Carry out `DOWNLOAD_IMAGE`."""
        kept = self._seen(asked.id, context.identity)
        if kept.file is None:
            raise StateConflict(f"image {asked.id}", kept.status, "active")
        return OpenedFile(kept, self._images.read(asked.id), kept.file.size_bytes, asked)

    def add_tag(self, asked: TagPath, context: CallContext) -> None:
        """Carry out `ADD_TAG`."""

        def change(record: ImageRecord) -> ImageRecord:
            tags = tuple(sorted({*record.tags, asked.tag}))
            if len(tags) > TAGS_MOST:
                fault = Fault("tag", "too_many", f"an image has at most {TAGS_MOST} tags")
                raise InvalidInput((fault,))
            return attrs.evolve(record, tags=tags)

        self._change(asked.id, context.identity, change)

    def delete_tag(self, asked: TagPath, context: CallContext) -> None:
        """Carry out `DELETE_TAG`."""

        def change(record: ImageRecord) -> ImageRecord:
            if asked.tag not in record.tags:
                raise NotFound("tag", ascii(asked.tag))
            return attrs.evolve(record, tags=tuple(t for t in record.tags if t != asked.tag))

        self._change(asked.id, context.identity, change)

    def _seen(self, image: ImageId, identity: Identity) -> KeptImage:
        kept = self._images.kept(image)
        if not sees(identity, kept.record):
            raise NotFound("image", image)
        return kept

    def _change(
        self, image: ImageId, identity: Identity, change: Callable[[ImageRecord], ImageRecord]
    ) -> KeptImage:
        _check_change(identity, self._seen(image, identity).record)

        def checked(record: ImageRecord) -> ImageRecord:
            _check_change(identity, record)
            return change(record)

        return self._images.change(image, checked)


def _check_change(identity: Identity, record: ImageRecord) -> None:
    if not changes(identity, record):
        raise AccessRefused(f"image {record.id} is of another project")


def _described(record: ImageRecord) -> Described:
    return Described(
        name=record.name,
        visibility=record.visibility,
        disk_format=record.disk_format,
        container_format=record.container_format,
        min_disk_gib=record.min_disk_gib,
        min_memory_mib=record.min_memory_mib,
        protected=record.protected,
        hidden=record.hidden,
        tags=record.tags,
        properties=record.properties,
        owner=record.owner,
    )


def _said_by(identity: Identity, record: ImageRecord, said: Described) -> ImageRecord:
    """Return a record of what somebody says; only who acts everywhere says some things."""
    visibility, owner = said.visibility or record.visibility, said.owner or record.owner
    if not everywhere(identity.roles):
        if visibility == "public" and record.visibility != "public":
            raise AccessRefused("only an admin makes an image public")
        if owner != record.owner:
            raise AccessRefused("only an admin gives an image to another project")
    return attrs.evolve(
        record,
        name=said.name,
        owner=owner,
        visibility=visibility,
        disk_format=said.disk_format,
        container_format=said.container_format,
        min_disk_gib=said.min_disk_gib,
        min_memory_mib=said.min_memory_mib,
        protected=said.protected,
        hidden=said.hidden,
        tags=said.tags,
        properties=said.properties,
    )
