"""Is a file what it says, and does it keep to itself? Read from its bytes alone."""

from pathlib import Path

import attrs

from computekit.images.file import ImageFile, open_image_file
from computekit.images.formats import foreign_format, is_kernel, is_ramdisk
from computekit.images.qcow2 import QCOW2_MAGIC, qcow2_virtual_size
from computekit.units import Bytes

__all__ = ["DISK_FORMATS", "MAX_VIRTUAL_SIZE_BYTES", "ImageFacts", "inspect_image"]

DISK_FORMATS = ("raw", "qcow2", "aki", "ari")
"""Those that can be used: two of disks, a kernel and a ramdisk (Image API names)."""

MAX_VIRTUAL_SIZE_BYTES = Bytes(64 * 1024**4)
"""64 TiB: the largest disk that is taken."""

_MAX_BOOT_BYTES = 1024**3
_SECTOR = 512


@attrs.frozen
class ImageFacts:
    """What a file was found to be.

    Attributes:
        disk_format: one of `DISK_FORMATS`.
        size_bytes: length of the file.
        virtual_size_bytes: length of the disk in it, in whole sectors of 512 bytes; the length of
            the file for a kernel or a ramdisk.
    """

    disk_format: str
    size_bytes: Bytes
    virtual_size_bytes: Bytes


def inspect_image(path: Path, disk_format: str, image: str) -> ImageFacts:
    """Return what the file at `path` is, provided that it is what `disk_format` says.

    A hypervisor that opens a file may read others that its content names, so content decides.
    Refused are other formats than `DISK_FORMATS`, declared or disguised as `raw`; files that name
    a backing or data file; encrypted, damaged, unclosed and cut off ones; and those with internal
    snapshots. Plain data is raw, a hybrid ISO too. No program is run, and what is read is bounded
    by headers and tables.

    Args:
        path: the file; a link is not followed.
        disk_format: what its owner says that it is.
        image: what to call it in an error.

    Raises:
        ImageRefused: with the reason and the way out.
        NotFound: there is no such file.
        PermissionRefused: it may not be read.
    """
    with open_image_file(path, image) as file:
        if disk_format not in DISK_FORMATS:
            raise file.refused(
                f"format {disk_format[:40]!a} is not one of {', '.join(DISK_FORMATS)}; "
                "convert a disk with qemu-img convert -O qcow2"
            )
        if not file.size_bytes:
            raise file.refused("it is empty")
        if disk_format == "raw":
            virtual_size = _raw(file)
        elif disk_format == "qcow2":
            virtual_size = _qcow2(file)
        else:
            return _boot_file(file, disk_format)
        virtual_size = -(-virtual_size // _SECTOR) * _SECTOR
        if not 0 < virtual_size <= MAX_VIRTUAL_SIZE_BYTES:
            raise file.refused(
                f"a disk of {virtual_size} bytes is not within 1 to {MAX_VIRTUAL_SIZE_BYTES}"
            )
        return ImageFacts(disk_format, Bytes(file.size_bytes), Bytes(virtual_size))


def _raw(file: ImageFile) -> int:
    found = foreign_format(file)
    if found is not None:
        raise file.refused(f"it is declared as raw, but its content is {found}")
    return file.size_bytes


def _qcow2(file: ImageFile) -> int:
    if file.some(0, 4) != QCOW2_MAGIC:
        found = foreign_format(file) or "not"
        raise file.refused(f"it is declared as qcow2, but its content is {found}")
    return qcow2_virtual_size(file)


def _boot_file(file: ImageFile, disk_format: str) -> ImageFacts:
    if file.size_bytes > _MAX_BOOT_BYTES:
        raise file.refused(f"{file.size_bytes} bytes are too many for a kernel or a ramdisk")
    if disk_format == "aki" and not is_kernel(file):
        raise file.refused("it is declared as a kernel (aki), but is no bzImage, ELF or arm64 one")
    if disk_format == "ari" and not is_ramdisk(file):
        raise file.refused("it is declared as a ramdisk (ari), but is no cpio archive")
    return ImageFacts(disk_format, Bytes(file.size_bytes), Bytes(file.size_bytes))
