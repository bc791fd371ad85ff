"""What the answers of the image service look like."""

from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from computekit.http.openapi import Link
from computekit.images import KeptImage
from computekit.units import Seconds

__all__ = ["ImageAnswer", "ImagesAnswer", "VersionRow", "VersionsAnswer", "image_said"]


class VersionRow(Struct):
    """One version."""

    id: str
    status: str
    links: list[Link]


class VersionsAnswer(Struct):
    """Which versions there are."""

    versions: list[VersionRow]


class ImageAnswer(Struct):
    """One image; its properties are further members, each a text."""

    id: str
    name: str | None
    status: str
    visibility: str
    owner: str | None
    protected: bool
    os_hidden: bool
    disk_format: str | None
    container_format: str | None
    min_disk: int
    min_ram: int
    size: int | None
    virtual_size: int | None
    checksum: str | None
    os_hash_algo: str | None
    os_hash_value: str | None
    tags: list[str]
    created_at: str
    updated_at: str
    self: str
    file: str
    schema: str


class ImagesAnswer(Struct):
    """Several images."""

    images: list[ImageAnswer]
    first: str
    schema: str
    next: str | UnsetType = UNSET


def image_said(kept: KeptImage) -> dict[str, object]:
    """Return an image as it goes out."""
    record, file = kept.record, kept.file
    algorithm, digest = None, None
    if file is not None:
        # A file that came by another door has the one sum that was taken there.
        algorithm, digest = ("sha512", record.sha512) if record.sha512 else ("sha256", file.sha256)
    path = f"/v2/images/{record.id}"
    answer = ImageAnswer(
        id=record.id,
        name=record.name or None,
        status=kept.status,
        visibility=record.visibility,
        owner=record.owner,
        protected=record.protected,
        os_hidden=record.hidden,
        disk_format=record.disk_format,
        container_format=record.container_format,
        min_disk=record.min_disk_gib,
        min_ram=record.min_memory_mib,
        size=None if file is None else file.size_bytes,
        virtual_size=None if file is None else file.virtual_size_bytes,
        checksum=record.md5 or None if file is not None else None,
        os_hash_algo=algorithm,
        os_hash_value=digest,
        tags=list(record.tags),
        created_at=_time(record.created_s),
        updated_at=_time(record.updated_s),
        self=path,
        file=f"{path}/file",
        schema="/v2/schemas/image",
    )
    said: dict[str, object] = msgspec.to_builtins(answer)
    return {**record.properties, **said}


def _time(at_s: Seconds) -> str:
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
