"""Links and versions on the wire."""

import msgspec

from computekit.api import VersionRange
from computekit.http.compute.binding import Reader, answer
from computekit.http.wire import Answer

__all__ = [
    "Link",
    "VersionAnswer",
    "VersionsAnswer",
    "links_of",
    "render_version",
    "render_versions",
]

_UPDATED = "2013-07-23T11:33:21Z"
"""When version 2.1 was made; clients only look whether it is there."""


class Link(msgspec.Struct):
    """Where something is."""

    rel: str
    href: str
    type: str | msgspec.UnsetType = msgspec.UNSET


class MediaType(msgspec.Struct):
    """A form of bodies."""

    base: str
    type: str


class Version(msgspec.Struct, kw_only=True):
    """One version of the API."""

    id: str
    status: str
    version: str
    min_version: str
    updated: str
    links: list[Link]
    media_types: list[MediaType] | msgspec.UnsetType = msgspec.field(
        name="media-types", default=msgspec.UNSET
    )


class VersionsAnswer(msgspec.Struct):
    """All versions of the API."""

    versions: list[Version]


class VersionAnswer(msgspec.Struct):
    """One version of the API, under its name."""

    version: Version


def links_of(path: str, reader: Reader) -> list[Link]:
    """Return the two links of a thing: with the version, and without."""
    return [Link("self", reader.link(path)), Link("bookmark", reader.bookmark(path))]


def _version(versions: VersionRange, reader: Reader) -> Version:
    return Version(
        id="v2.1",
        status="CURRENT",
        version=str(versions.newest),
        min_version=str(versions.oldest),
        updated=_UPDATED,
        links=[Link("self", reader.link(""))],
    )


def render_versions(output: VersionRange, reader: Reader) -> Answer:
    """Return all versions."""
    return answer(200, VersionsAnswer([_version(output, reader)]), reader)


def render_version(output: VersionRange, reader: Reader) -> Answer:
    """Return the one version."""
    version = _version(output, reader)
    version.links.append(
        Link("describedby", "https://docs.openstack.org/api-guide/compute/", "text/html")
    )
    version.media_types = [
        MediaType("application/json", "application/vnd.openstack.compute+json;version=2.1")
    ]
    return answer(200, VersionAnswer(version), reader)
