"""What the forms of the operations beside those of Placement have in common."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.http.placement.candidates_query import parse_candidates
from computekit.http.placement.uuids import canonical_uuid
from computekit.model import Allocation, FrozenMap, PlacementRequest

__all__ = ["QueryText", "canonical_id", "consumer_said", "encoded", "octets", "request_of"]

LONGEST_QUERY = 64 * 1024
"""As long as a server takes it in a URL; what is longer would take seconds to understand."""

QueryText = Annotated[str, Meta(max_length=LONGEST_QUERY)]


def octets(query: str) -> str:
    """Return a query string out of a body as WSGI hands over that of a path: octets as Latin-1."""
    return query.encode().decode("latin-1")


def request_of(text: str) -> PlacementRequest:
    """Return what a query string asks for, at the newest microversion.

    Raises:
        Refused: it is malformed.
    """
    return parse_candidates(text, PLACEMENT_VERSIONS.newest).request


def canonical_id(text: str) -> str:
    """Return a UUID as it is stored."""
    return canonical_uuid(text) or text


def consumer_said(held: Allocation) -> Mapping[str, object]:
    """Return what a consumer holds as callers are told it."""
    return {
        "consumer_uuid": held.consumer.id,
        "project_id": held.consumer.project,
        "user_id": held.consumer.user,
        "consumer_type": held.consumer.type,
        "consumer_generation": held.consumer.generation,
        "allocations": {p: {"resources": given} for p, given in held.resources.items()},
    }


def encoded(value: object) -> bytes:
    """Return JSON of plain values, attrs values and `FrozenMap`s."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: object) -> object:
    if isinstance(value, FrozenMap):
        return dict(value.items())
    raise TypeError(f"{type(value).__name__} has no form in JSON")
