"""One agent a host directory: a lock that dies with its process."""

import fcntl
import os
from pathlib import Path

from computekit.errors import InUse
from computekit.files import storage_errors

__all__ = ["HostLock"]


class HostLock:
    """Holds `directory/agent.lock` until `release` or the end of the process.

    Args:
        directory: made if it is not there.

    Raises:
        InUse: another process holds it.
        PermissionRefused: this user may not write there.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "agent.lock"
        with storage_errors(path):
            directory.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._file: int | None = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip()
            os.close(self._file)
            self._file = None
            raise InUse("directory", str(directory), f"process {holder or '(unknown)'}") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    @staticmethod
    def holder(directory: Path) -> int | None:
        """Return the process that holds the lock of `directory`, or None if nobody does."""
        try:
            file = os.open(directory / "agent.lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.pread(file, 32, 0).decode("ascii") or 0) or None
        finally:
            os.close(file)
        return None

    def release(self) -> None:
        """Let go; nothing happens the second time."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
