"""Files that are whole or not there, and what the operating system refuses as our own errors."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.errors import PermissionRefused, StorageFull

__all__ = ["storage_errors", "sync", "write_whole"]


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Raise what the operating system refuses about `path` as an error of this project.

    Raises:
        StorageFull: no space, or no quota.
        PermissionRefused: this user may not, or the file system cannot be written.
        OSError: anything else, as it came.
    """
    try:
        yield
    except OSError as error:
        where = str(error.filename or path)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(where) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise PermissionRefused(where, os.strerror(error.errno)) from error
        raise


def sync(path: Path) -> None:
    """Return when what was written to a file, or the names in a directory, outlive the power."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> None:
    """Replace a file's content at once, for good: a crash leaves the old or the new.

    One writer at a time: the draft's name is the file's with `.new` behind it.
    """
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)
