"""What guests write on their serial line: read from its end, and kept from filling the disk."""

import ctypes
import os
from pathlib import Path

__all__ = ["read_tail", "trim"]

_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02
_BLOCK = 4096


def read_tail(path: Path, tail_bytes: int) -> bytes:
    """Return the last `tail_bytes` bytes of a log, as far as `trim` has kept them; b"" for none."""
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            kept_from = file.seek(0, os.SEEK_DATA) if size else 0
            start = file.seek(max(kept_from, size - max(0, tail_bytes)))
            return file.read(size - start)
    except FileNotFoundError:
        return b""


def trim(path: Path, keep_bytes: int) -> None:
    """Give back the space of everything but the last `keep_bytes` bytes or a little more.

    The file keeps its length, so that whoever writes to it need not know: its beginning becomes a
    hole, which reads as zeros (fallocate(2)).

    Raises:
        OSError: the file system cannot do that.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        size = os.fstat(descriptor).st_size
        hole = (size - keep_bytes) // _BLOCK * _BLOCK
        if hole <= 0:
            return
        libc = ctypes.CDLL(None, use_errno=True)
        arguments = (ctypes.c_int64(0), ctypes.c_int64(hole))
        if libc.fallocate(descriptor, _KEEP_SIZE | _PUNCH_HOLE, *arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)
