"""One agent a host directory: a lock that dies with its process."""

import os
from pathlib import Path

from computekit.errors import InUse
from computekit.files import lock_holder, storage_errors, take_lock

__all__ = ["HostLock"]

_NAME = "agent.lock"


class HostLock:
    """Holds `directory/agent.lock` until `release` or the end of the process.

    Args:
        directory: made if it is not there.

    Raises:
        InUse: another process holds it.
        PermissionRefused: this user may not write there.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / _NAME
        with storage_errors(path):
            directory.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not take_lock(file):
                os.close(file)
                holder = lock_holder(path)
                raise InUse("directory", str(directory), f"process {holder or '(unknown)'}")
        self._file: int | None = file

    @staticmethod
    def holder(directory: Path) -> int | None:
        """Return the process that holds the lock of `directory`, or None if nobody does."""
        return lock_holder(directory / _NAME)

    def release(self) -> None:
        """Let go; nothing happens the second time."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
