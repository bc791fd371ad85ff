"""The seam to where images are kept."""

from collections.abc import Mapping
from typing import BinaryIO, Protocol

from computekit.ids import ImageId
from computekit.model import FrozenMap, Image
from computekit.units import Gib, Mib

__all__ = ["ByteSource", "ImageStore"]

_NONE: FrozenMap[str, str] = FrozenMap()


class ByteSource(Protocol):
    """Where the bytes of an image come from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


class ImageStore(Protocol):
    """Images by id. What has been added never changes; every call may be made again."""

    def image(self, image: ImageId) -> Image:
        """Return what is known of an image.

        Raises:
            NotFound: there is none.
            ImageRefused: what is kept of it is damaged.
        """
        ...

    def read(self, image: ImageId) -> BinaryIO:
        """Open the image's file; the caller closes it. It stays readable if it is deleted.

        Raises:
            NotFound: there is none.
            ImageRefused: what is kept of it is damaged.
        """
        ...

    def list(self) -> tuple[Image, ...]:
        """Return all images, in the order in which they were added."""
        ...

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
        """Copy `source` to its end, check it and keep it; on failure nothing of it is left.

        Args:
            name: for people; need not be unique.
            disk_format: `raw`, `qcow2`, `aki` (kernel) or `ari` (ramdisk).
            source: where the bytes come from; the caller closes it.
            image: the id to have, a UUID; a new one by default.
            min_disk_gib: smallest root disk that it fits on.
            min_memory_mib: least memory that it boots with.
            properties: printable text by key.

        Raises:
            InvalidInput: with every fault of the name, the id, the numbers and the properties.
            ImageRefused: the content is not what it says, or reaches outside itself.
            AlreadyExists: there is an image of this id.
            StorageFull: no space.
            PermissionRefused: the store may not be written.
        """
        ...

    def delete(self, image: ImageId) -> None:
        """Remove an image; nothing happens if there is none."""
        ...
