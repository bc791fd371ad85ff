"""Images: where they are kept, and whether they may be used."""

from computekit.images.inspection import (
    DISK_FORMATS,
    MAX_VIRTUAL_SIZE_BYTES,
    ImageFacts,
    inspect_image,
)
from computekit.images.kept import KeptImage, KeptImages
from computekit.images.local import LocalImages
from computekit.images.ports import ByteSource, ImageStore
from computekit.images.qcow2 import backing_name
from computekit.images.record import ImageRecord, Visibility

__all__ = [
    "DISK_FORMATS",
    "MAX_VIRTUAL_SIZE_BYTES",
    "ByteSource",
    "ImageFacts",
    "ImageRecord",
    "ImageStore",
    "KeptImage",
    "KeptImages",
    "LocalImages",
    "Visibility",
    "backing_name",
    "inspect_image",
]
