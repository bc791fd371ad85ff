"""qcow2 files made by hand, right or wrong in one place."""

import struct
from typing import Final

import attrs

CLUSTER: Final = 65536


@attrs.frozen
class Qcow2:
    """A file of five clusters: header, reference counts (2), L1 table, L2 table."""

    magic: bytes = b"QFI\xfb"
    version: int = 3
    backing_offset: int = 0
    backing_length: int = 0
    cluster_bits: int = 16
    size_bytes: int = 10 * 1024**2
    encryption: int = 0
    l1_entries: int = 1
    l1_offset: int = 3 * CLUSTER
    refcount_offset: int = CLUSTER
    refcount_clusters: int = 1
    snapshots: int = 0
    snapshots_offset: int = 0
    incompatible: int = 0
    refcount_order: int = 4
    header_length: int = 104
    after_header: bytes = b""
    l1: bytes = struct.pack(">Q", 1 << 63 | 4 * CLUSTER)
    l2: bytes = b""
    length: int = 5 * CLUSTER

    def content(self) -> bytes:
        """Return the file."""
        head = struct.pack(
            ">4sIQIIQIIQQIIQ",
            self.magic,
            self.version,
            self.backing_offset,
            self.backing_length,
            self.cluster_bits,
            self.size_bytes,
            self.encryption,
            self.l1_entries,
            self.l1_offset,
            self.refcount_offset,
            self.refcount_clusters,
            self.snapshots,
            self.snapshots_offset,
        )
        if self.version == 3:
            head += struct.pack(
                ">QQQII", self.incompatible, 0, 0, self.refcount_order, self.header_length
            )
        file = bytearray(max(self.length, 6 * CLUSTER))
        for offset, part in (
            (0, head + self.after_header),
            (3 * CLUSTER, self.l1),
            (4 * CLUSTER, self.l2),
        ):
            file[offset : offset + len(part)] = part
        return bytes(file[: self.length])


def extension(kind: int, content: bytes) -> bytes:
    """Return one header extension."""
    return struct.pack(">II", kind, len(content)) + content + bytes(-len(content) % 8)
