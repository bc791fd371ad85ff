"""Formats told by their content."""

import re

from computekit.images.file import ImageFile, shown

__all__ = ["foreign_format", "is_kernel", "is_ramdisk"]

# (offset, bytes, format); an offset below zero counts from the end. Compressed files are here
# because a disk image is often handed on that way, and would be taken for a disk of noise.
_MAGIC = (
    (0, b"QFI\xfb", "qcow2"),
    (0, b"QED\0", "qed"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk"),
    (64, b"\x7f\x10\xda\xbe", "vdi"),
    (0, b"conectix", "vhd"),
    (-512, b"conectix", "vhd"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"WithoutFreeSpace", "parallels"),
    (0, b"WithouFreSpacExt", "ploop"),
    (0, b"LUKS\xba\xbe", "luks"),
    (0, b"Bochs Virtual HD Image", "bochs"),
    (0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop", "cloop"),
    (-512, b"koly", "dmg"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"BZh", "bzip2"),
)
_COMPRESSED = frozenset({"bzip2", "gzip", "xz", "zstd"})

# As QEMU tells a VMDK descriptor: comment lines and blank ones, then its version.
_VMDK_TEXT = re.compile(rb"\s*#\s*Disk DescriptorFile|(?:#[^\n]*\n|[ \t\r]*\n)*version=\d")
_VMDK_EXTENT = re.compile(rb'^\s*(?:RW|RDONLY|NOACCESS)\s+\d+\s+\S+\s+"([^"\n]+)"', re.MULTILINE)
_VMDK_LOOK = 64 * 1024

_RAMDISK_MAGIC = (
    b"070701",  # cpio, "newc"
    b"070702",
    b"\x1f\x8b",  # gzip
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x02\x21\x4c\x18",  # lz4, the old frame that the kernel reads
    b"BZh",
    b"\x5d\0\0",  # lzma
    b"\x89LZO",
)


def foreign_format(file: ImageFile) -> str | None:
    """Return what a file really is if it is not plain data, in words for a message."""
    for offset, magic, name in _MAGIC:
        at = offset if offset >= 0 else file.size_bytes + offset
        if at >= 0 and file.some(at, len(magic)) == magic:
            if name in _COMPRESSED:
                return f"{name} (decompress it first)"
            return name + _vmdk_extents(file) if name == "vmdk" else name
    if _VMDK_TEXT.match(file.some(0, _VMDK_LOOK)) is not None:
        return "vmdk" + _vmdk_extents(file)
    return None


def is_kernel(file: ImageFile) -> bool:
    """Whether the file looks like a Linux kernel: x86 bzImage, ELF, or arm64 Image."""
    head = file.some(0, 0x206)
    bzimage = head[0x1FE:0x200] == b"\x55\xaa" and head[0x202:0x206] == b"HdrS"
    return bzimage or head[:4] == b"\x7fELF" or head[0x38:0x3C] == b"ARM\x64"


def is_ramdisk(file: ImageFile) -> bool:
    """Whether the file looks like what a Linux kernel unpacks: cpio, maybe compressed."""
    return file.some(0, 8).startswith(_RAMDISK_MAGIC)


def _vmdk_extents(file: ImageFile) -> str:
    """Return, for a message, the files that a VMDK would read."""
    head = file.some(0, _VMDK_LOOK)
    if head[:4] == b"KDMV":  # the descriptor is inside, at a sector that the header names
        descriptor = int.from_bytes(head[28:36], "little") * 512
        head = file.some(descriptor, _VMDK_LOOK) if descriptor < file.size_bytes else b""
    names = [shown(name) for name in _VMDK_EXTENT.findall(head)[:4]]
    return f" that names the files {', '.join(names)}" if names else ""
