"""What goes in and out of the operations on images."""

from collections.abc import Callable
from typing import BinaryIO

import attrs

from computekit.ids import ImageId, ProjectId
from computekit.images import ByteSource, KeptImage, Visibility
from computekit.model import FrozenMap
from computekit.units import Bytes, Gib, Mib

__all__ = [
    "Described",
    "FileWanted",
    "ImageChange",
    "ImageFilled",
    "ImagePage",
    "ImagePath",
    "ImageQuery",
    "NewImage",
    "OpenedFile",
    "Place",
    "TagPath",
]


@attrs.frozen
class Place:
    """Where callers find the service.

    Attributes:
        url: without a slash at its end.
    """

    url: str


@attrs.frozen
class Described:
    """What somebody says of an image.

    Attributes:
        name: may be empty.
        visibility: None: of the project alone.
        disk_format: None: said later.
        container_format: None: said later.
        min_disk_gib: smallest root disk that it fits on.
        min_memory_mib: least memory that it boots with.
        protected: whether it cannot be deleted.
        hidden: whether lists leave it out.
        tags: sorted, each once.
        properties: free text by key.
        owner: None: the caller's project.
    """

    name: str = ""
    visibility: Visibility | None = None
    disk_format: str | None = None
    container_format: str | None = None
    min_disk_gib: Gib = Gib(0)
    min_memory_mib: Mib = Mib(0)
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: FrozenMap[str, str] = FrozenMap()
    owner: ProjectId | None = None


@attrs.frozen
class NewImage:
    """An image to be described.

    Attributes:
        id: None: a new one.
        said: what is said of it.
    """

    id: ImageId | None
    said: Described


@attrs.frozen
class ImagePath:
    """Which image.

    Attributes:
        id: of it; whatever stood in the path.
    """

    id: ImageId


@attrs.frozen
class TagPath:
    """Which tag of which image.

    Attributes:
        id: of the image.
        tag: the tag.
    """

    id: ImageId
    tag: str


@attrs.frozen
class ImageChange:
    """What is to be said of an image from now on.

    Attributes:
        id: of it.
        changed: makes what is to be said of what is said; raises `InvalidInput` if that cannot be.
    """

    id: ImageId
    changed: Callable[[Described], Described]


@attrs.frozen
class ImageFilled:
    """The file of an image.

    Attributes:
        id: of it.
        source: where the bytes come from.
    """

    id: ImageId
    source: ByteSource


@attrs.frozen
class FileWanted:
    """The file of an image, or a part of it.

    Attributes:
        id: of it.
        first: offset of the first byte; below zero: so many from the end.
        last: offset of the last byte; None: to the end.
        part: whether a part was asked for.
    """

    id: ImageId
    first: int = 0
    last: int | None = None
    part: bool = False


@attrs.frozen
class OpenedFile:
    """An image's file, open.

    Attributes:
        kept: the image.
        file: who shows it closes it.
        size_bytes: of all of it.
        wanted: which part.
    """

    kept: KeptImage
    file: BinaryIO
    size_bytes: Bytes
    wanted: FileWanted


@attrs.frozen
class ImageQuery:
    """Which images are asked for, in which order, and how many.

    Attributes:
        names: of one of these names; None for all.
        ids: one of these; None for all.
        statuses: in one of these; None for all.
        visibility: None or `all`: all that the caller sees, but for others' `community` ones.
        owner: None for all.
        tags: that it has, all of them.
        protected: None for both.
        hidden: those that lists leave out, in place of the others.
        disk_formats: one of these; None for all.
        container_formats: one of these; None for all.
        size_min_bytes: None: any.
        size_max_bytes: None: any.
        properties: that it has, with these values.
        sort: keys, each with whether the greatest comes first.
        marker: the image before the first of this page.
        limit: how many at most.
        text: the query as it came, for the link to the next page.
    """

    names: frozenset[str] | None = None
    ids: frozenset[str] | None = None
    statuses: frozenset[str] | None = None
    visibility: str | None = None
    owner: str | None = None
    tags: frozenset[str] = frozenset()
    protected: bool | None = None
    hidden: bool = False
    disk_formats: frozenset[str] | None = None
    container_formats: frozenset[str] | None = None
    size_min_bytes: int | None = None
    size_max_bytes: int | None = None
    properties: FrozenMap[str, str] = FrozenMap()
    sort: tuple[tuple[str, bool], ...] = (("created_at", True), ("id", True))
    marker: ImageId | None = None
    limit: int = 25
    text: str = ""


@attrs.frozen
class ImagePage:
    """Some images, and whether there are more.

    Attributes:
        images: in order.
        query: that they answer.
        more: whether further ones follow.
    """

    images: tuple[KeptImage, ...]
    query: ImageQuery
    more: bool
