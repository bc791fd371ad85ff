"""What all operations of the identity service share."""

import attrs

from computekit.api.access import Rule
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.version import Microversion, VersionRange

__all__ = [
    "IDENTITY_VERSIONS",
    "SHOW_V3",
    "SHOW_VERSIONS",
    "SINCE",
    "Place",
    "Service",
    "show_place",
]

SINCE = Microversion(3, 14)
IDENTITY_VERSIONS = VersionRange("identity", SINCE, SINCE)
"""Identity has no microversions: there is one form of everything."""


@attrs.frozen
class Place:
    """Where callers find the service.

    Attributes:
        url: without a slash at its end.
    """

    url: str


@attrs.frozen
class Service:
    """One entry of the catalog.

    Attributes:
        type: `compute`, `identity`, `image`, `network`.
        name: for people.
        path: below the server's root.
    """

    type: str
    name: str
    path: str


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

SHOW_V3 = ApiOperation(
    name="show_v3",
    method="GET",
    path="/v3",
    summary="What this version is.",
    input=Place,
    output=Place,
    since=SINCE,
    rule=Rule.ANYONE,
)


def show_place(asked: Place, _context: CallContext) -> Place:
    """Carry out `SHOW_VERSIONS` and `SHOW_V3`."""
    return asked
