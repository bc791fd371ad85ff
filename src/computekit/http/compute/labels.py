"""Metadata and tags of servers on the wire."""

from msgspec import Struct

from computekit.api.compute.labels import LabelPath, MetadataChange, TagChange, TagsNow
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer
from computekit.http.compute.server_bodies import Metadata, Tags
from computekit.http.compute.versioned import Body
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import InstanceId
from computekit.model import FrozenMap


class MetadataBody(Struct, forbid_unknown_fields=True):
    """Metadata to write."""

    metadata: Metadata


class ItemBody(Struct, forbid_unknown_fields=True):
    """One item of metadata to write."""

    meta: Metadata


class TagsBody(Struct, forbid_unknown_fields=True):
    """All tags of a server."""

    tags: Tags


class MetadataAnswer(Struct):
    """Metadata."""

    metadata: dict[str, str]


class ItemAnswer(Struct):
    """One item of metadata."""

    meta: dict[str, str]


class TagsAnswer(Struct):
    """Tags."""

    tags: list[str]


_METADATA, _ITEM, _TAGS = Body(MetadataBody), Body(ItemBody), Body(TagsBody)


def _server(request: HttpRequest) -> InstanceId:
    return InstanceId(request.values["server"])


def parse_path(request: HttpRequest, _minor: int) -> LabelPath:
    """Return which server, and which key or tag of it."""
    values = request.values
    return LabelPath(_server(request), values.get("key") or values.get("tag") or "")


def parse_merge(request: HttpRequest, minor: int) -> MetadataChange:
    """Return the metadata that is to be written, beside what there is."""
    asked = _METADATA.parse(request.body, minor)
    return MetadataChange(_server(request), FrozenMap(asked.metadata))


def parse_replace(request: HttpRequest, minor: int) -> MetadataChange:
    """Return all metadata that there is to be."""
    asked = _METADATA.parse(request.body, minor)
    return MetadataChange(_server(request), FrozenMap(asked.metadata), replace=True)


def parse_item(request: HttpRequest, minor: int) -> MetadataChange:
    """Return the one item that is to be written."""
    asked, key = _ITEM.parse(request.body, minor), request.values["key"]
    if set(asked.meta) != {key}:
        raise InvalidInput((Fault("meta", "key", f"has to have {key!a} and nothing else"),))
    return MetadataChange(_server(request), FrozenMap(asked.meta))


def parse_gone_item(request: HttpRequest, _minor: int) -> MetadataChange:
    """Return the one item that is to go."""
    return MetadataChange(_server(request), FrozenMap({request.values["key"]: None}))


def parse_tags(request: HttpRequest, minor: int) -> TagChange:
    """Return all tags that there are to be."""
    asked = _TAGS.parse(request.body, minor)
    return TagChange(_server(request), add=frozenset(asked.tags), replace=True)


def parse_tag(request: HttpRequest, _minor: int) -> TagChange:
    """Return the tag that is to be added."""
    tag = request.values["tag"]
    if not 1 <= len(tag) <= 60 or "," in tag or "/" in tag:
        message = "a tag is 1 to 60 characters without commas and slashes"
        raise InvalidInput((Fault("tag", "malformed", message),))
    return TagChange(_server(request), add=frozenset({tag}))


def parse_gone_tag(request: HttpRequest, _minor: int) -> TagChange:
    """Return the tag that is to go."""
    return TagChange(_server(request), remove=frozenset({request.values["tag"]}))


def parse_no_tags(request: HttpRequest, _minor: int) -> TagChange:
    """Return that no tag is to be left."""
    return TagChange(_server(request), replace=True)


def render_metadata(output: FrozenMap[str, str], reader: Reader) -> Answer:
    """Return metadata."""
    return answer(200, MetadataAnswer(dict(output)), reader)


def render_item(output: FrozenMap[str, str], reader: Reader) -> Answer:
    """Return one item of metadata."""
    return answer(200, ItemAnswer(dict(output)), reader)


def render_tags(output: TagsNow, reader: Reader) -> Answer:
    """Return tags."""
    return answer(200, TagsAnswer(list(output.tags)), reader)


def render_tag(output: TagsNow, _reader: Reader) -> Answer:
    """Return that the tag is there."""
    return Answer(201 if output.new else 204)
