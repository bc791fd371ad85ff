"""Whose images somebody may make servers from: exactly those that it sees."""

from computekit.api.context import Identity
from computekit.api.image.base import sees
from computekit.errors import NotFound
from computekit.ids import ImageId
from computekit.images import ImageRecord, KeptImages

__all__ = ["UsableImages"]


class UsableImages:
    """Images, as somebody sees them who makes a server.

    Args:
        images: keeps them.
    """

    def __init__(self, images: KeptImages) -> None:
        self._images = images

    def check(self, image: ImageId, identity: Identity) -> None:
        """Return if somebody may boot an image, with the kernel and ramdisk that it names.

        Raises:
            NotFound: there is none, or it is another project's, which looks the same.
            ImageRefused: what is kept of it is damaged.
        """
        record = self._seen(image, identity)
        for beside in ("kernel_id", "ramdisk_id"):
            named = record.properties.get(beside)
            if named:
                self._seen(ImageId(named), identity)

    def _seen(self, image: ImageId, identity: Identity) -> ImageRecord:
        record = self._images.kept(image).record
        if not sees(identity, record):
            raise NotFound("image", image)
        return record
