"""The archive that a Linux kernel unpacks as its first file system: cpio, format "newc".

Source: Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`.
"""

import stat
from collections.abc import Iterable, Iterator

import attrs

__all__ = ["Entry", "character_device", "directory", "regular_file", "write_newc"]


@attrs.frozen
class Entry:
    """One file of an archive, owned by root.

    Attributes:
        name: its path, without a slash in front; its directories come before it.
        mode: kind and permissions, as `stat` has them.
        content: of a regular file.
        device: major and minor number of a device.
    """

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(name: str) -> Entry:
    """Return a directory."""
    return Entry(name, stat.S_IFDIR | 0o755)


def regular_file(name: str, content: bytes, *, executable: bool = False) -> Entry:
    """Return a regular file."""
    return Entry(name, stat.S_IFREG | (0o755 if executable else 0o644), content)


def character_device(name: str, major: int, minor: int) -> Entry:
    """Return a character device."""
    return Entry(name, stat.S_IFCHR | 0o600, device=(major, minor))


def write_newc(entries: Iterable[Entry]) -> bytes:
    """Return the archive of `entries`: the same bytes for the same entries."""
    return b"".join(_parts(entries))


def _parts(entries: Iterable[Entry]) -> Iterator[bytes]:
    for number, entry in enumerate((*entries, Entry("TRAILER!!!", 0)), start=1):
        name = entry.name.encode() + b"\0"
        fields = (
            *(number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0),
            *(*entry.device, len(name), 0),
        )
        yield _padded(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
        yield _padded(entry.content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
