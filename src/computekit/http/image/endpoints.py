"""The operations of the image service, bound to where images are and to how they look."""

import random
import re

from computekit.api.image import ImageCalls
from computekit.api.image import operations as image_api
from computekit.clock import Clock
from computekit.http.endpoint import Endpoint, endpoint
from computekit.http.image import files, forms
from computekit.http.image.forms import image_words
from computekit.http.placement.words import worded
from computekit.images import KeptImages
from computekit.units import Bytes, Gib, gib_to_bytes

__all__ = ["image_endpoints", "is_upload"]

LIMIT_BYTES = gib_to_bytes(Gib(256))

_UPLOAD = re.compile(r".*/v2/images/[^/]+/file")


def is_upload(method: str, path: str) -> bool:
    """Return whether a request brings the file of an image: a body longer than memory."""
    return method == "PUT" and _UPLOAD.fullmatch(path) is not None


def image_endpoints(
    images: KeptImages,
    clock: Clock,
    source: random.Random,
    limit_bytes: Bytes = LIMIT_BYTES,
) -> tuple[Endpoint, ...]:
    """Return every operation of the image service.

    Args:
        images: keeps them.
        clock: says when one was made.
        source: makes new ids.
        limit_bytes: longest file that is taken.
    """
    calls = ImageCalls(images, clock, source)
    return (
        endpoint(image_api.SHOW_VERSIONS, calls.versions, forms.VersionsForm(300)),
        endpoint(image_api.SHOW_VERSIONS_AGAIN, calls.versions, forms.VersionsForm(200)),
        endpoint(image_api.LIST_IMAGES, calls.page, forms.ImagesForm()),
        endpoint(image_api.CREATE_IMAGE, worded(calls.create, image_words), forms.NewImageForm()),
        endpoint(image_api.SHOW_IMAGE, worded(calls.show, image_words), forms.ImageForm()),
        endpoint(image_api.UPDATE_IMAGE, worded(calls.update, image_words), forms.PatchForm()),
        endpoint(image_api.DELETE_IMAGE, worded(calls.delete, image_words), forms.GoneForm()),
        endpoint(
            image_api.UPLOAD_IMAGE,
            worded(calls.upload, image_words),
            files.UploadForm(limit_bytes),
        ),
        endpoint(
            image_api.DOWNLOAD_IMAGE, worded(calls.download, image_words), files.DownloadForm()
        ),
        endpoint(image_api.ADD_TAG, worded(calls.add_tag, image_words), forms.TagForm()),
        endpoint(image_api.DELETE_TAG, worded(calls.delete_tag, image_words), forms.TagForm()),
    )
