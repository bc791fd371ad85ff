"""What a Placement server answers at microversion 1.39, as it looks on the wire."""

import json
from collections.abc import Mapping
from typing import TypeVar

import attrs
import cattrs

from computekit.client.connection import Answer
from computekit.errors import RemoteError
from computekit.model import Inventory

__all__ = [
    "WireAggregates",
    "WireCandidates",
    "WireClasses",
    "WireConsumer",
    "WireHolders",
    "WireInventories",
    "WireProvider",
    "WireProviders",
    "WireSummary",
    "WireTraits",
    "WireUsages",
    "WireUse",
    "read",
]

T = TypeVar("T")

_CONVERTER = cattrs.Converter()
_CONVERTER.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)


def read(answer: Answer, kind: type[T]) -> T:
    """Return the body of an answer as a `kind`; members that it does not name are left out.

    Raises:
        RemoteError: it is not such a thing.
    """
    try:
        return _CONVERTER.structure(json.loads(answer.body), kind)
    except (cattrs.BaseValidationError, ValueError, TypeError, AttributeError) as error:
        reason = "; ".join(cattrs.transform_error(error)) if _is_group(error) else str(error)
        raise RemoteError("unreadable", f"the server's answer is no {kind}: {reason}") from error


def _is_group(error: BaseException) -> bool:
    return isinstance(error, cattrs.BaseValidationError)


@attrs.frozen
class WireProvider:
    """A provider without its parts."""

    uuid: str
    name: str
    generation: int
    root_provider_uuid: str
    parent_provider_uuid: str | None = None


@attrs.frozen
class WireProviders:
    """A list of providers."""

    resource_providers: tuple[WireProvider, ...]


@attrs.frozen
class WireInventories:
    """All inventories of a provider; one has the shape of `Inventory`."""

    resource_provider_generation: int
    inventories: Mapping[str, Inventory]


@attrs.frozen
class WireTraits:
    """Traits: of a provider, or of all."""

    traits: tuple[str, ...]
    resource_provider_generation: int = 0


@attrs.frozen
class WireAggregates:
    """Aggregates of a provider."""

    aggregates: tuple[str, ...]
    resource_provider_generation: int


@attrs.frozen
class WireUse:
    """What is used of a provider."""

    usages: Mapping[str, int]
    resource_provider_generation: int


@attrs.frozen
class WireAmounts:
    """Amounts by class."""

    resources: Mapping[str, int]


@attrs.frozen
class WireHolder:
    """What one consumer holds of one provider."""

    resources: Mapping[str, int]
    consumer_generation: int


@attrs.frozen
class WireHolders:
    """Who holds something of a provider, by consumer."""

    allocations: Mapping[str, WireHolder]
    resource_provider_generation: int


@attrs.frozen
class WireConsumer:
    """What a consumer holds; nothing else is there if it holds nothing."""

    allocations: Mapping[str, WireAmounts]
    project_id: str = ""
    user_id: str = ""
    consumer_generation: int = 0
    consumer_type: str | None = None


@attrs.frozen
class WireUsages:
    """What is held by type of consumer; `consumer_count` is among the amounts."""

    usages: Mapping[str, Mapping[str, int]]


@attrs.frozen
class WireName:
    """A thing that has a name."""

    name: str


@attrs.frozen
class WireClasses:
    """A list of resource classes."""

    resource_classes: tuple[WireName, ...]


@attrs.frozen
class WireStock:
    """Capacity and use of one class."""

    capacity: int
    used: int


@attrs.frozen
class WireSummary:
    """A provider in the answer of a search."""

    resources: Mapping[str, WireStock]
    traits: tuple[str, ...]
    root_provider_uuid: str
    parent_provider_uuid: str | None = None


@attrs.frozen
class WireCandidate:
    """One way to serve a request."""

    allocations: Mapping[str, WireAmounts]
    mappings: Mapping[str, tuple[str, ...]]


@attrs.frozen
class WireCandidates:
    """The answer of a search."""

    allocation_requests: tuple[WireCandidate, ...]
    provider_summaries: Mapping[str, WireSummary]
