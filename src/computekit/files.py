"""Files that are whole or not there, locks that die with their process, and typed refusals."""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.errors import PermissionRefused, StorageFailed, StorageFull

__all__ = ["lock_holder", "storage_errors", "sync", "take_lock", "write_whole"]

_FLOCK = "hhqqi"
_CLAIM, _NAMED = 0, 1
"""Who holds the first byte has the lock; who holds the second has written down who it is."""


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Raise what the operating system refuses about `path` as an error of this project.

    Raises:
        StorageFull: no space, or no quota.
        PermissionRefused: this user may not, or the file system cannot be written.
        StorageFailed: anything else, with the system's own number.
    """
    try:
        yield
    except ConnectionError:  # of a source that is read meanwhile: no file system says this
        raise
    except OSError as error:
        where = str(error.filename or path)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(where) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise PermissionRefused(where, os.strerror(error.errno)) from error
        reason = error.strerror or str(error)
        raise StorageFailed(where, error.errno or 0, reason) from error


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


def take_lock(file: int) -> bool:
    """Lock an open file for this process, if nobody else has, and write down who it is.

    It lasts until the file is closed or the process ends; it is no child's, and no other opening's
    of the same process either (an open file description lock, fcntl(2)).

    Args:
        file: descriptor of a file of its own for the lock, open for writing.

    Returns:
        Whether it is locked now; False: another has it.
    """
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _range(_CLAIM))
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as the system likes
        return False
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, _range(_NAMED))
    return True


def lock_holder(path: Path) -> int | None:
    """Return the process that has a file locked, or None if nobody has (or is just taking it).

    It only asks: who takes the lock at the same time is not disturbed. Locks of whole files that
    others have taken as their process (lockf(3)) are seen, too.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, _range(_NAMED)))
        if kind == fcntl.F_UNLCK:
            return None
        # Empty: who had it has let go meanwhile, and the next one is just taking it.
        return pid if pid > 0 else int(os.pread(file, 32, 0) or b"0") or None
    finally:
        os.close(file)


def _range(start: int, length: int = 1) -> bytes:
    return struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
