"""The operations on images, declared."""

from types import NoneType

from computekit.api.access import Rule
from computekit.api.image.base import SINCE
from computekit.api.image.values import (
    FileWanted,
    ImageChange,
    ImageFilled,
    ImagePage,
    ImagePath,
    ImageQuery,
    NewImage,
    OpenedFile,
    Place,
    TagPath,
)
from computekit.api.operation import ApiOperation
from computekit.errors import (
    AccessRefused,
    AlreadyExists,
    ImageRefused,
    NotFound,
    StateConflict,
    StorageFull,
)
from computekit.images import KeptImage

__all__ = [
    "ADD_TAG",
    "CREATE_IMAGE",
    "DELETE_IMAGE",
    "DELETE_TAG",
    "DOWNLOAD_IMAGE",
    "LIST_IMAGES",
    "SHOW_IMAGE",
    "SHOW_VERSIONS",
    "SHOW_VERSIONS_AGAIN",
    "UPDATE_IMAGE",
    "UPLOAD_IMAGE",
]

_IMAGE = "/v2/images/{image_id}"
_FILE = f"{_IMAGE}/file"
_TAG = f"{_IMAGE}/tags/{{tag}}"
OCTETS = ("application/octet-stream",)
PATCHES = ("application/openstack-images-v2.1-json-patch",)

SHOW_VERSIONS = ApiOperation(
    name="show_versions",
    method="GET",
    path="/",
    summary="Which versions there are.",
    input=Place,
    output=Place,
    since=SINCE,
    rule=Rule.ANYONE,
)

SHOW_VERSIONS_AGAIN = ApiOperation(
    name="show_versions_again",
    method="GET",
    path="/versions",
    summary="Which versions there are, said as a plain success.",
    input=Place,
    output=Place,
    since=SINCE,
    rule=Rule.ANYONE,
)

LIST_IMAGES = ApiOperation(
    name="list_images",
    method="GET",
    path="/v2/images",
    summary="Images that match.",
    input=ImageQuery,
    output=ImagePage,
    since=SINCE,
    rule=Rule.READER,
)

CREATE_IMAGE = ApiOperation(
    name="create_image",
    method="POST",
    path="/v2/images",
    summary="Describe an image whose file is yet to come.",
    input=NewImage,
    output=KeptImage,
    since=SINCE,
    rule=Rule.MEMBER,
    has_body=True,
    errors=(AccessRefused, AlreadyExists, StorageFull),
)

SHOW_IMAGE = ApiOperation(
    name="show_image",
    method="GET",
    path=_IMAGE,
    summary="One image.",
    input=ImagePath,
    output=KeptImage,
    since=SINCE,
    rule=Rule.READER,
    errors=(NotFound, ImageRefused),
)

UPDATE_IMAGE = ApiOperation(
    name="update_image",
    method="PATCH",
    path=_IMAGE,
    summary="Change what is said of an image (RFC 6902).",
    input=ImageChange,
    output=KeptImage,
    since=SINCE,
    rule=Rule.MEMBER,
    has_body=True,
    body_types=PATCHES,
    errors=(NotFound, AccessRefused, StorageFull),
)

DELETE_IMAGE = ApiOperation(
    name="delete_image",
    method="DELETE",
    path=_IMAGE,
    summary="Remove an image and its file.",
    input=ImagePath,
    output=NoneType,
    since=SINCE,
    rule=Rule.MEMBER,
    errors=(NotFound, AccessRefused),
)

UPLOAD_IMAGE = ApiOperation(
    name="upload_image",
    method="PUT",
    path=_FILE,
    summary="Give an image its file; it is checked before it counts.",
    input=ImageFilled,
    output=NoneType,
    since=SINCE,
    rule=Rule.MEMBER,
    has_body=True,
    body_types=OCTETS,
    streamed=True,
    errors=(NotFound, AccessRefused, StateConflict, ImageRefused, StorageFull),
)

DOWNLOAD_IMAGE = ApiOperation(
    name="download_image",
    method="GET",
    path=_FILE,
    summary="The file of an image, or a part of it.",
    input=FileWanted,
    output=OpenedFile,
    since=SINCE,
    rule=Rule.READER,
    errors=(NotFound, ImageRefused),
    media_types=OCTETS,
)

ADD_TAG = ApiOperation(
    name="add_image_tag",
    method="PUT",
    path=_TAG,
    summary="Tag an image.",
    input=TagPath,
    output=NoneType,
    since=SINCE,
    rule=Rule.MEMBER,
    errors=(NotFound, AccessRefused, StorageFull),
)

DELETE_TAG = ApiOperation(
    name="delete_image_tag",
    method="DELETE",
    path=_TAG,
    summary="Take a tag from an image.",
    input=TagPath,
    output=NoneType,
    since=SINCE,
    rule=Rule.MEMBER,
    errors=(NotFound, AccessRefused, StorageFull),
)
