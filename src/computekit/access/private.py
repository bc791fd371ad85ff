"""Files that only their owner may read, and that are read only while that is so."""

import os
import stat
from pathlib import Path

from computekit.errors import PermissionRefused
from computekit.files import storage_errors, sync

__all__ = ["read_private", "write_private"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one that only this user may read: a crash leaves the old or the new.

    One writer at a time: the draft's name is the file's with `.new` behind it.

    Raises:
        StorageFull: no space.
        PermissionRefused: this user may not write there.
        StorageFailed: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    with storage_errors(path):
        draft.unlink(missing_ok=True)  # of a process that died; perhaps another's trap
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync(path.parent)


def read_private(path: Path) -> bytes:
    """Return the content of a file of secrets.

    Raises:
        FileNotFoundError: there is none.
        PermissionRefused: it cannot be read, or others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & _OTHERS:
                shown = f"{stat.S_IMODE(mode):o}"
                raise PermissionRefused(
                    str(path), f"it holds secrets and its mode is {shown}; chmod 600 it"
                )
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PermissionRefused(str(path), error.strerror or str(error)) from error
