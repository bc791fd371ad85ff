"""What the answers of the Placement API look like at its newest microversion."""

from msgspec import UNSET, Struct, UnsetType

from computekit.http.openapi import Link

__all__ = [
    "AggregatesAnswer",
    "AllocationAnswer",
    "CandidatesAnswer",
    "ClassAnswer",
    "ClassesAnswer",
    "InventoriesAnswer",
    "InventoryAnswer",
    "ProviderAllocationsAnswer",
    "ProviderAnswer",
    "ProviderTraitsAnswer",
    "ProviderUsagesAnswer",
    "ProvidersAnswer",
    "TraitsAnswer",
    "UsagesAnswer",
    "VersionsAnswer",
]


class Version(Struct, forbid_unknown_fields=True):
    """A range of microversions."""

    id: str
    max_version: str
    min_version: str
    status: str
    links: list[Link]


class VersionsAnswer(Struct, forbid_unknown_fields=True):
    """Which microversions there are."""

    versions: list[Version]


class ProviderAnswer(Struct, forbid_unknown_fields=True):
    """One provider."""

    uuid: str
    name: str
    generation: int
    links: list[Link]
    parent_provider_uuid: str | None
    root_provider_uuid: str


class ProvidersAnswer(Struct, forbid_unknown_fields=True):
    """Several providers."""

    resource_providers: list[ProviderAnswer]


class Amounts(Struct, forbid_unknown_fields=True):
    """How much a provider has of a class, and how it may be taken."""

    total: int
    reserved: int
    min_unit: int
    max_unit: int
    step_size: int
    allocation_ratio: float


class InventoryAnswer(Amounts, forbid_unknown_fields=True):
    """One class of a provider."""

    resource_provider_generation: int


class InventoriesAnswer(Struct, forbid_unknown_fields=True):
    """All classes of a provider."""

    resource_provider_generation: int
    inventories: dict[str, Amounts]


class ProviderUsagesAnswer(Struct, forbid_unknown_fields=True):
    """What is held of a provider."""

    resource_provider_generation: int
    usages: dict[str, int]


class AggregatesAnswer(Struct, forbid_unknown_fields=True):
    """The aggregates of a provider."""

    resource_provider_generation: int
    aggregates: list[str]


class ProviderTraitsAnswer(Struct, forbid_unknown_fields=True):
    """The traits of a provider."""

    resource_provider_generation: int
    traits: list[str]


class ClassAnswer(Struct, forbid_unknown_fields=True):
    """One resource class."""

    name: str
    links: list[Link]


class ClassesAnswer(Struct, forbid_unknown_fields=True):
    """All resource classes."""

    resource_classes: list[ClassAnswer]


class TraitsAnswer(Struct, forbid_unknown_fields=True):
    """Names of traits."""

    traits: list[str]


class Held(Struct, forbid_unknown_fields=True):
    """What a consumer holds of one provider."""

    resources: dict[str, int]
    generation: int


class AllocationAnswer(Struct, forbid_unknown_fields=True):
    """What a consumer holds; an unknown one holds nothing and is nobody's."""

    allocations: dict[str, Held]
    project_id: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    consumer_generation: int | UnsetType | None = UNSET
    consumer_type: str | UnsetType = UNSET


class HeldByConsumer(Struct, forbid_unknown_fields=True):
    """What one consumer holds of a provider."""

    resources: dict[str, int]
    consumer_generation: int


class ProviderAllocationsAnswer(Struct, forbid_unknown_fields=True):
    """Who holds what of a provider, by consumer."""

    allocations: dict[str, HeldByConsumer]
    resource_provider_generation: int


class Taken(Struct, forbid_unknown_fields=True):
    """What a candidate takes of one provider."""

    resources: dict[str, int]


class CandidateAnswer(Struct, forbid_unknown_fields=True):
    """One way to serve a request; what a claim wants, but for whose it is."""

    allocations: dict[str, Taken]
    mappings: dict[str, list[str]]


class Room(Struct, forbid_unknown_fields=True):
    """How much of a class there is, and how much of it is held."""

    capacity: int
    used: int


class Summary(Struct, forbid_unknown_fields=True):
    """A provider of a tree that a candidate is on."""

    resources: dict[str, Room]
    traits: list[str]
    parent_provider_uuid: str | None
    root_provider_uuid: str


class CandidatesAnswer(Struct, forbid_unknown_fields=True):
    """Where a request fits."""

    allocation_requests: list[CandidateAnswer]
    provider_summaries: dict[str, Summary]


class UsagesAnswer(Struct, forbid_unknown_fields=True):
    """What a project holds, by type of consumer: each class, and `consumer_count`."""

    usages: dict[str, dict[str, int]]
