"""An image: what an instance boots, and what it says of itself."""

import attrs

from computekit.ids import ImageId
from computekit.model.frozen_map import FrozenMap
from computekit.units import Bytes, Gib, Mib

__all__ = ["Image"]


@attrs.frozen
class Image:
    """A disk image, a kernel or a ramdisk (Image API v2).

    Attributes:
        id: UUID.
        name: for people.
        disk_format: `raw`, `qcow2`, `aki` (kernel) or `ari` (ramdisk).
        size_bytes: length of the file.
        virtual_size_bytes: length of the disk in it.
        sha256: hex digest of the file.
        min_disk_gib: smallest root disk that it fits on.
        min_memory_mib: least memory that it boots with.
        properties: free text by key; `kernel_id` and `ramdisk_id` name the images beside a disk
            that does not boot by itself.
    """

    id: ImageId
    name: str
    disk_format: str
    size_bytes: Bytes
    virtual_size_bytes: Bytes
    sha256: str
    min_disk_gib: Gib = Gib(0)
    min_memory_mib: Mib = Mib(0)
    properties: FrozenMap[str, str] = FrozenMap()

    @property
    def kernel(self) -> ImageId | None:
        """The kernel to boot this disk with, if it does not boot by itself."""
        found = self.properties.get("kernel_id")
        return ImageId(found) if found else None

    @property
    def ramdisk(self) -> ImageId | None:
        """The ramdisk that goes with the kernel."""
        found = self.properties.get("ramdisk_id")
        return ImageId(found) if found else None
