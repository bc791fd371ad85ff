"""An image file that is being looked into."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from computekit.errors import ImageRefused, NotFound, PermissionRefused

__all__ = ["ImageFile", "open_image_file", "shown"]


@attrs.frozen
class ImageFile:
    """An open image file.

    Attributes:
        file: unbuffered; its position means nothing.
        size_bytes: its length when it was opened.
        image: what to call it in a refusal.
    """

    file: BinaryIO
    size_bytes: int
    image: str

    def some(self, offset: int, length: int) -> bytes:
        """Return the bytes at `offset`: fewer than `length` where the file ends."""
        if offset >= self.size_bytes:
            return b""
        self.file.seek(offset)
        return self.file.read(length)

    def all(self, offset: int, length: int, what: str) -> bytes:
        """Return exactly `length` bytes at `offset`.

        Raises:
            ImageRefused: the file ends before.
        """
        found = self.some(offset, length) if offset + length <= self.size_bytes else b""
        if len(found) < length:
            raise self.refused(f"it ends before its {what} does: it was cut short")
        return found

    def refused(self, reason: str) -> ImageRefused:
        """Return the error to raise."""
        return ImageRefused(self.image, reason)


@contextmanager
def open_image_file(path: Path, image: str) -> Iterator[ImageFile]:
    """Open an image file for looking into it; never follow a link, never wait for a pipe.

    Raises:
        NotFound: there is no such file.
        PermissionRefused: it may not be read.
        ImageRefused: it is not a regular file.
    """
    not_regular = ImageRefused(image, "it is not a regular file")
    if path.is_symlink():
        raise not_regular
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound("image file", str(path)) from None
    except PermissionError as error:
        raise PermissionRefused(str(path), error.strerror or "not readable") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise not_regular
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        yield ImageFile(file, status.st_size, image)


def shown(text: bytes, limit: int = 120) -> str:
    """Return what stands in an image as quoted ASCII on one line, whatever it is."""
    start = text[:limit].decode("ascii", "backslashreplace")
    return ascii(start) + ("..." if len(text) > limit else "")
