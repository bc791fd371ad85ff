"""What a qcow2 file may say before it is let near a hypervisor.

Source of the format: QEMU, `docs/interop/qcow2.txt`. Refused is what makes QEMU open another file
(backing file, external data file), what needs a key, what QEMU itself would refuse, and a file
whose tables point outside it.
"""

import struct
from pathlib import Path

import attrs
import numpy as np

from computekit.images.file import ImageFile, shown

__all__ = ["QCOW2_MAGIC", "backing_name", "qcow2_virtual_size"]

QCOW2_MAGIC = b"QFI\xfb"

_V2_LENGTH = 72
_V3_LENGTH = 104

_DIRTY = 1 << 0
_CORRUPT = 1 << 1
_EXTERNAL_DATA = 1 << 2
_COMPRESSION_TYPE = 1 << 3
_EXTENDED_L2 = 1 << 4
_KNOWN = _DIRTY | _CORRUPT | _EXTERNAL_DATA | _COMPRESSION_TYPE | _EXTENDED_L2

_EXTENSION_END = 0
_EXTENSION_DATA_FILE = 0x44415441

_MAX_L1_BYTES = 32 * 1024**2
_MAX_REFCOUNT_TABLE_BYTES = 8 * 1024**2
_OFFSET = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED = 1 << 62


@attrs.frozen
class _Header:
    """The fields in the order in which they stand in the file."""

    version: int
    backing_offset: int
    backing_length: int
    cluster_bits: int
    size_bytes: int
    encryption: int
    l1_entries: int
    l1_offset: int
    refcount_offset: int
    refcount_clusters: int
    snapshots: int
    snapshots_offset: int
    incompatible: int = 0
    compatible: int = 0
    autoclear: int = 0
    refcount_order: int = 4
    length: int = _V2_LENGTH

    @property
    def cluster_bytes(self) -> int:
        return 1 << self.cluster_bits

    @property
    def l2_entry_bytes(self) -> int:
        return 16 if self.incompatible & _EXTENDED_L2 else 8


def qcow2_virtual_size(file: ImageFile) -> int:
    """Return the length in bytes of the disk in a qcow2 file that is safe to open.

    Raises:
        ImageRefused: it is not.
    """
    header = _header(file)
    _check_reach(file, header)
    _check_features(file, header)
    _check_tables(file, header)
    return header.size_bytes


def backing_name(path: Path) -> str:
    """Return the file that a qcow2 file of our own making stands on, or "" if it stands alone."""
    with path.open("rb") as file:
        offset, length = struct.unpack(">8xQI", file.read(20))
        file.seek(offset)
        return file.read(length).decode("utf-8", "surrogateescape") if offset else ""


def _header(file: ImageFile) -> _Header:
    fields = struct.unpack(">4xIQIIQIIQQIIQ", file.all(0, _V2_LENGTH, "header"))
    header = _Header(*fields)
    if header.version not in (2, 3):
        raise file.refused(
            f"qcow version {header.version} is not 2 or 3; "
            "convert it with qemu-img convert -O qcow2"
        )
    if not 9 <= header.cluster_bits <= 21:
        bits = header.cluster_bits
        raise file.refused(f"its clusters of 2^{bits} bytes are not within 2^9 to 2^21")
    if header.version == 3:
        more = file.all(_V2_LENGTH, _V3_LENGTH - _V2_LENGTH, "header")
        header = _Header(*fields, *struct.unpack(">QQQII", more))
        if header.refcount_order > 6:
            bits = header.refcount_order
            raise file.refused(f"its reference counts of 2^{bits} bits are beyond 2^6")
        if not _V3_LENGTH <= header.length <= header.cluster_bytes or header.length % 8:
            raise file.refused(f"a header of {header.length} bytes cannot be")
    return header


def _check_reach(file: ImageFile, header: _Header) -> None:
    """Refuse what would make the hypervisor open another file."""
    if header.backing_offset or header.backing_length:
        name = file.some(header.backing_offset, min(header.backing_length, 1023))
        raise file.refused(
            f"it names the backing file {shown(name)}; "
            "make it stand alone with qemu-img convert -O qcow2"
        )
    at = header.length
    while at + 8 <= header.cluster_bytes:
        kind, length = struct.unpack(">II", file.all(at, 8, "header"))
        if at + 8 + length > header.cluster_bytes:
            raise file.refused("an extension of its header does not fit into the first cluster")
        if kind == _EXTENSION_END:
            break
        if kind == _EXTENSION_DATA_FILE:
            name = file.some(at + 8, length)
            raise file.refused(f"it names the data file {shown(name)}; make it stand alone")
        at += 8 + -(-length // 8) * 8
    if header.incompatible & _EXTERNAL_DATA:
        raise file.refused("it keeps its data in another file; make it stand alone")


def _check_features(file: ImageFile, header: _Header) -> None:
    unknown = header.incompatible & ~_KNOWN
    if unknown:
        raise file.refused(f"it needs features that are not known here (bits 0x{unknown:x})")
    if header.incompatible & (_DIRTY | _CORRUPT):
        raise file.refused(
            "it is marked as corrupt or was not closed; mend it with qemu-img check -r all"
        )
    if header.incompatible & _EXTENDED_L2 and header.cluster_bits < 14:
        raise file.refused("its clusters are too small to be divided")
    compression = file.some(_V3_LENGTH, 1)[0] if header.length > _V3_LENGTH else 0
    if compression > 1 or bool(compression) != bool(header.incompatible & _COMPRESSION_TYPE):
        raise file.refused(f"its compression type {compression} is not zlib (0) or zstd (1)")
    if header.encryption:
        raise file.refused("it is encrypted; that cannot be booted yet")
    if header.snapshots or header.snapshots_offset:
        raise file.refused(
            f"it holds {header.snapshots} snapshots; "
            "leave them behind with qemu-img convert -O qcow2"
        )


def _check_tables(file: ImageFile, header: _Header) -> None:
    """Refuse tables that are too large, too small, or that point outside the file."""
    cluster = header.cluster_bytes
    refcount_bytes = header.refcount_clusters * cluster
    if not 0 < refcount_bytes <= _MAX_REFCOUNT_TABLE_BYTES:
        raise file.refused(f"a table of reference counts of {refcount_bytes} bytes cannot be")
    _inside(file, header, header.refcount_offset, refcount_bytes, "table of reference counts")

    l2_covers_bytes = cluster // header.l2_entry_bytes * cluster
    needed = -(-header.size_bytes // l2_covers_bytes)
    if not needed <= header.l1_entries <= _MAX_L1_BYTES // 8:
        raise file.refused(f"an L1 table of {header.l1_entries} entries cannot be")
    if not header.l1_entries:
        return
    _inside(file, header, header.l1_offset, header.l1_entries * 8, "L1 table")
    l1 = file.all(header.l1_offset, header.l1_entries * 8, "L1 table")
    tables = np.unique(np.frombuffer(l1, ">u8") & np.uint64(_OFFSET))
    for offset in tables[tables != 0].tolist():
        _inside(file, header, offset, cluster, "L2 table")
        _check_l2(file, header, file.all(offset, cluster, "L2 table"))


def _inside(file: ImageFile, header: _Header, offset: int, length: int, what: str) -> None:
    if offset % header.cluster_bytes or not offset:
        raise file.refused(f"its {what} starts at {offset}, which is not the start of a cluster")
    if offset + length > file.size_bytes:
        raise file.refused(
            f"its {what} ends at {offset + length}, the file at {file.size_bytes}: "
            "it was cut short or damaged"
        )


def _check_l2(file: ImageFile, header: _Header, table: bytes) -> None:
    entries = np.frombuffer(table, ">u8")[:: header.l2_entry_bytes // 8].astype(np.uint64)
    packed = (entries & np.uint64(_COMPRESSED)) != 0
    packed_offset_mask = np.uint64((1 << (62 - (header.cluster_bits - 8))) - 1)
    plain = entries[~packed] & np.uint64(_OFFSET)
    if np.any(plain & np.uint64(header.cluster_bytes - 1)):
        raise file.refused("data that does not start at a cluster: it is damaged")
    ends = np.concatenate((plain, entries[packed] & packed_offset_mask))
    if ends.size and int(ends.max()) >= file.size_bytes:
        raise file.refused(
            f"it has data at {int(ends.max())}, the file ends at {file.size_bytes}: "
            "it was cut short or damaged"
        )
