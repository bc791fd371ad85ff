"""What the operating system refuses, and locks that others have taken."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from computekit.errors import ComputekitError, PermissionRefused, StorageFailed, StorageFull
from computekit.files import lock_holder, storage_errors


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EACCES, PermissionRefused),
        (errno.EROFS, PermissionRefused),
        (errno.EIO, StorageFailed),
        (errno.ENOTDIR, StorageFailed),
    ],
)
def test_what_the_operating_system_says(number: int, kind: type[ComputekitError]) -> None:
    with pytest.raises(kind, match="/here"), storage_errors(Path("/here")):
        raise OSError(number, "words")


def test_nobody_has_what_is_not_there(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "lock") is None
    (tmp_path / "lock").touch()
    assert lock_holder(tmp_path / "lock") is None


def test_a_lock_of_a_whole_file_names_its_process(tmp_path: Path) -> None:
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'wb');"
        "fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program, str(tmp_path / "lock")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert lock_holder(tmp_path / "lock") == other.pid
        with (tmp_path / "lock").open("rb+") as file, pytest.raises(OSError, match="Resource"):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.kill()
