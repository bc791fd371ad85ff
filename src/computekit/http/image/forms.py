"""Images on the wire."""

from urllib.parse import quote, urlencode

import attrs
import msgspec

from computekit.api import Microversion
from computekit.api.image.values import (
    ImageChange,
    ImagePage,
    ImagePath,
    ImageQuery,
    NewImage,
    Place,
    TagPath,
)
from computekit.errors import (
    AccessRefused,
    ComputekitError,
    Fault,
    ImageRefused,
    InvalidInput,
    StorageFull,
)
from computekit.http.image.answers import VersionRow, VersionsAnswer, image_said
from computekit.http.image.bodies import image_patch, new_image
from computekit.http.image.query import image_query
from computekit.http.openapi import Link
from computekit.http.problem import Problem, Refused
from computekit.http.query import parse_query
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ImageId
from computekit.images import KeptImage

__all__ = [
    "GoneForm",
    "ImageForm",
    "ImagesForm",
    "NewImageForm",
    "PatchForm",
    "TagForm",
    "VersionsForm",
    "image_id",
    "image_words",
]

MINORS = (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)


def image_id(request: HttpRequest) -> ImageId:
    """Return the image that a path names."""
    return ImageId(request.values["image_id"])


def image_words(error: ComputekitError, _asked: object) -> Problem | None:
    """Say what callers of the image service know other numbers for."""
    if isinstance(error, AccessRefused):
        return Problem(403, error.reason)
    if isinstance(error, ImageRefused):
        return Problem(400, error.message)
    if isinstance(error, StorageFull):
        return Problem(413, "There is no space left for images.")
    return None


@attrs.frozen
class VersionsForm:
    """Which versions there are.

    Attributes:
        status: 300, or 200 for who asks in the other way.
    """

    status: int

    def parse(self, request: HttpRequest, version: Microversion) -> Place:
        return Place(request.base)

    def render(self, output: Place, version: Microversion) -> Answer:
        links = [Link("self", f"{output.url}/v2/")]
        rows = [
            VersionRow(f"v2.{minor}", "CURRENT" if minor == MINORS[0] else "SUPPORTED", links)
            for minor in MINORS
        ]
        return Answer(self.status, msgspec.json.encode(VersionsAnswer(rows)))


class ImagesForm:
    """A page of images."""

    def parse(self, request: HttpRequest, version: Microversion) -> ImageQuery:
        return image_query(request.query)

    def render(self, output: ImagePage, version: Microversion) -> Answer:
        said: dict[str, object] = {
            "images": [image_said(kept) for kept in output.images],
            "first": _link(output, None),
            "schema": "/v2/schemas/images",
        }
        if output.more and output.images:
            said["next"] = _link(output, output.images[-1].record.id)
        return Answer(200, msgspec.json.encode(said))


def _link(page: ImagePage, marker: ImageId | None) -> str:
    pairs = [
        (name, value)
        for name, values in parse_query(page.query.text).values.items()
        for value in values
        if name != "marker"
    ]
    if marker is not None:
        pairs.append(("marker", marker))
    return f"/v2/images?{urlencode(pairs)}" if pairs else "/v2/images"


class ImageForm:
    """One image."""

    def parse(self, request: HttpRequest, version: Microversion) -> ImagePath:
        return ImagePath(image_id(request))

    def render(self, output: KeptImage, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(image_said(output)))


class NewImageForm:
    """An image to be described."""

    def parse(self, request: HttpRequest, version: Microversion) -> NewImage:
        try:
            return new_image(request.body)
        except AccessRefused as error:
            raise Refused(Problem(403, error.reason)) from error

    def render(self, output: KeptImage, version: Microversion) -> Answer:
        body = msgspec.json.encode(image_said(output))
        return Answer(201, body, location=f"/v2/images/{quote(output.record.id)}")


class PatchForm:
    """Something else to be said of an image."""

    def parse(self, request: HttpRequest, version: Microversion) -> ImageChange:
        try:
            return ImageChange(image_id(request), image_patch(request.body))
        except AccessRefused as error:
            raise Refused(Problem(403, error.reason)) from error

    def render(self, output: KeptImage, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(image_said(output)))


class GoneForm:
    """An image named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> ImagePath:
        return ImagePath(image_id(request))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class TagForm:
    """A tag of an image named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> TagPath:
        tag = request.values["tag"]
        if not (1 <= len(tag) <= 255 and tag.isprintable()):
            message = "a tag has 1 to 255 printable characters"
            raise InvalidInput((Fault("tag", "invalid_value", message),))
        return TagPath(image_id(request), tag)

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)
