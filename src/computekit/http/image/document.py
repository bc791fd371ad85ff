"""The image service as an OpenAPI document."""

from collections.abc import Iterable, Mapping

import msgspec

from computekit import __version__
from computekit.api.image import IMAGE_VERSIONS
from computekit.http.endpoint import Endpoint
from computekit.http.image import answers, bodies
from computekit.http.image.query import IMAGES_QUERY
from computekit.http.openapi import Shape, plain_openapi

__all__ = ["image_document"]

DONE: Mapping[int, object | None] = {204: None}

SHAPES: Mapping[str, Shape] = {
    "show_versions": Shape({300: answers.VersionsAnswer}),
    "show_versions_again": Shape({200: answers.VersionsAnswer}),
    "list_images": Shape({200: answers.ImagesAnswer}, query=IMAGES_QUERY),
    "create_image": Shape({201: answers.ImageAnswer}, bodies.NewImageBody),
    "show_image": Shape({200: answers.ImageAnswer}),
    "update_image": Shape({200: answers.ImageAnswer}, list[bodies.PatchBody]),
    "delete_image": Shape(DONE),
    "upload_image": Shape(DONE, bytes),
    "download_image": Shape({200: bytes, 206: bytes}),
    "add_image_tag": Shape(DONE),
    "delete_image_tag": Shape(DONE),
}
"""What each operation looks like, by its name."""


def image_document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document of these endpoints as indented JSON."""
    document = plain_openapi("Image", __version__, IMAGE_VERSIONS, endpoints, SHAPES)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
