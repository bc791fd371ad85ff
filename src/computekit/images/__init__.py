"""Images: where they are kept, and whether they may be used."""

from computekit.images.inspection import (
    DISK_FORMATS,
    MAX_VIRTUAL_SIZE_BYTES,
    ImageFacts,
    inspect_image,
)
from computekit.images.local import LocalImages
from computekit.images.ports import ImageStore
from computekit.images.qcow2 import backing_name

__all__ = [
    "DISK_FORMATS",
    "MAX_VIRTUAL_SIZE_BYTES",
    "ImageFacts",
    "ImageStore",
    "LocalImages",
    "backing_name",
    "inspect_image",
]
