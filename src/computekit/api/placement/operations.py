"""The operations of the Placement API (OpenStack Placement, microversions 1.0 to 1.39)."""

from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.operation import Operation
from computekit.api.version import Microversion, VersionRange
from computekit.errors import AlreadyExists, NotFound
from computekit.ids import ProviderId
from computekit.placement.service import ProviderNode

__all__ = [
    "CREATE_PROVIDER",
    "LIST_PROVIDERS",
    "SHOW_VERSIONS",
    "VERSIONS",
    "NewProvider",
    "ProviderQuery",
]

VERSIONS = VersionRange("placement", Microversion(1, 0), Microversion(1, 39))

FIRST = VERSIONS.oldest


@attrs.frozen
class ProviderQuery:
    """Which providers are asked for.

    Attributes:
        name: only the one of this name.
        uuid: only the one of this id.
    """

    name: str | None = None
    uuid: ProviderId | None = None


@attrs.frozen
class NewProvider:
    """A provider that is to be.

    Attributes:
        name: unique among all.
        uuid: chosen by the caller; None lets the service choose.
        parent_provider_uuid: None makes it the root of a tree.
    """

    name: str
    uuid: ProviderId | None = None
    parent_provider_uuid: ProviderId | None = None


SHOW_VERSIONS = Operation(
    name="show_versions",
    method="GET",
    path="/",
    summary="Which microversions there are.",
    input=NoneType,
    output=VersionRange,
    since=FIRST,
    rule=Rule.ANYONE,
)

LIST_PROVIDERS = Operation(
    name="list_resource_providers",
    method="GET",
    path="/resource_providers",
    summary="Resource providers that match.",
    input=ProviderQuery,
    output=tuple[ProviderNode, ...],
    since=FIRST,
)

CREATE_PROVIDER = Operation(
    name="create_resource_provider",
    method="POST",
    path="/resource_providers",
    summary="Make an empty resource provider.",
    input=NewProvider,
    output=ProviderNode,
    since=FIRST,
    has_body=True,
    errors=(AlreadyExists, NotFound),
)
