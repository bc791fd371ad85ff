"""What the bodies of Placement's writes look like, in each range of microversions.

Names say since when a form is spoken. Limits are those of the Placement API's own schemas.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from computekit.http.placement.body import UUID_PATTERN
from computekit.model import MAX_AMOUNT

__all__ = [
    "AggregatesBody",
    "AggregatesBody1",
    "AllocationBody1",
    "AllocationBody8",
    "AllocationBody12",
    "AllocationBody28",
    "AllocationBody34",
    "AllocationBody38",
    "AllocationsBody13",
    "AllocationsBody28",
    "AllocationsBody34",
    "AllocationsBody38",
    "ConsumerBody13",
    "InventoriesBody",
    "InventoryBody",
    "NameBody",
    "NewInventoryBody",
    "NewProviderBody1",
    "NewProviderBody14",
    "OneInventoryBody",
    "ProviderBody1",
    "ProviderBody14",
    "ProviderName",
    "ProviderShare",
    "ReshapeBody30",
    "ReshapeBody34",
    "ReshapeBody38",
    "ReshapedBody",
    "Text255",
    "TraitsBody",
    "Uuid",
]

Text255 = Annotated[str, Meta(min_length=1, max_length=255)]
Uuid = Annotated[str, Meta(pattern=UUID_PATTERN)]
UuidKey = Annotated[str, Meta(pattern="^[0-9a-fA-F-]{36}$")]
ClassKey = Annotated[str, Meta(pattern="^[A-Z0-9_]+$")]
ProviderName = Annotated[str, Meta(max_length=200)]
Whole = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Positive = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
Ratio = Annotated[float, Meta(le=3.40282e38)]
Amounts = Annotated[dict[ClassKey, Annotated[int, Meta(ge=1)]], Meta(min_length=1)]
Mappings = Annotated[dict[str, Annotated[list[Uuid], Meta(min_length=1)]], Meta(min_length=1)]
ConsumerType = Annotated[str, Meta(pattern="^[A-Z0-9_]+$", min_length=1, max_length=255)]
Uuids = Annotated[list[Uuid], Meta(extra_json_schema={"uniqueItems": True})]


class NewProviderBody1(Struct, forbid_unknown_fields=True):
    """A provider to be made."""

    name: ProviderName
    uuid: Uuid | UnsetType = UNSET


class NewProviderBody14(Struct, forbid_unknown_fields=True):
    """A provider to be made, perhaps below another."""

    name: ProviderName
    uuid: Uuid | UnsetType = UNSET
    parent_provider_uuid: Uuid | UnsetType | None = UNSET


class ProviderBody1(Struct, forbid_unknown_fields=True):
    """A provider's new name."""

    name: ProviderName


class ProviderBody14(Struct, forbid_unknown_fields=True):
    """A provider's new name, and perhaps its new parent."""

    name: ProviderName
    parent_provider_uuid: Uuid | UnsetType | None = UNSET


class _Inventory(Struct, forbid_unknown_fields=True):
    total: Positive
    reserved: Whole = 0
    min_unit: Positive = 1
    max_unit: Positive = MAX_AMOUNT
    step_size: Positive = 1
    allocation_ratio: Ratio = 1.0


class InventoryBody(_Inventory, forbid_unknown_fields=True):
    """One class of a provider; the generation is let through where it has no meaning."""

    resource_provider_generation: int | UnsetType = UNSET


class NewInventoryBody(InventoryBody, forbid_unknown_fields=True, kw_only=True):
    """A class that a provider is to have."""

    resource_class: ClassKey


class OneInventoryBody(_Inventory, forbid_unknown_fields=True, kw_only=True):
    """What one class of a provider is to be."""

    resource_provider_generation: int


class InventoriesBody(Struct, forbid_unknown_fields=True):
    """All classes of a provider."""

    resource_provider_generation: int
    inventories: dict[str, InventoryBody]


class AggregatesBody(Struct, forbid_unknown_fields=True):
    """All aggregates of a provider, since 1.19; before, a list stands for itself."""

    aggregates: Uuids
    resource_provider_generation: int


AggregatesBody1 = Uuids


class TraitsBody(Struct, forbid_unknown_fields=True):
    """All traits of a provider."""

    traits: list[Text255]
    resource_provider_generation: int


class NameBody(Struct, forbid_unknown_fields=True):
    """The name of a resource class."""

    name: Annotated[str, Meta(pattern="^CUSTOM_[A-Z0-9_]+$", max_length=255)]


class ProviderRef(Struct, forbid_unknown_fields=True):
    """Which provider."""

    uuid: Uuid


class ListedShare(Struct, forbid_unknown_fields=True):
    """What is taken of one provider, in a list."""

    resource_provider: ProviderRef
    resources: Amounts


class ProviderShare(Struct, forbid_unknown_fields=True):
    """What is taken of one provider, in a mapping; the generation means nothing."""

    resources: Amounts
    generation: int | UnsetType = UNSET


Shares = dict[UuidKey, ProviderShare]
SomeShares = Annotated[Shares, Meta(min_length=1)]


class AllocationBody1(Struct, forbid_unknown_fields=True):
    """What a consumer is to hold."""

    allocations: Annotated[list[ListedShare], Meta(min_length=1)]


class AllocationBody8(AllocationBody1, forbid_unknown_fields=True):
    """What a consumer is to hold, and whose it is."""

    project_id: Text255
    user_id: Text255


class AllocationBody12(Struct, forbid_unknown_fields=True):
    """What a consumer is to hold, as a mapping."""

    allocations: SomeShares
    project_id: Text255
    user_id: Text255


class ConsumerBody13(Struct, forbid_unknown_fields=True):
    """What one of several consumers is to hold; nothing, if it is empty."""

    allocations: Shares
    project_id: Text255
    user_id: Text255


class AllocationBody28(Struct, forbid_unknown_fields=True):
    """What a consumer of a generation is to hold; null is that of a new one."""

    allocations: Shares
    project_id: Text255
    user_id: Text255
    consumer_generation: int | None


class AllocationBody34(AllocationBody28, forbid_unknown_fields=True):
    """As before; the mappings of a candidate are let through."""

    mappings: Mappings | UnsetType = UNSET


class AllocationBody38(AllocationBody34, forbid_unknown_fields=True, kw_only=True):
    """What a consumer of a type is to hold."""

    consumer_type: ConsumerType


AllocationsBody13 = Annotated[dict[UuidKey, ConsumerBody13], Meta(min_length=1)]
AllocationsBody28 = Annotated[dict[UuidKey, AllocationBody28], Meta(min_length=1)]
AllocationsBody34 = Annotated[dict[UuidKey, AllocationBody34], Meta(min_length=1)]
AllocationsBody38 = Annotated[dict[UuidKey, AllocationBody38], Meta(min_length=1)]


class ReshapedBody(Struct, forbid_unknown_fields=True):
    """All classes that a provider is to have after a reshape."""

    resource_provider_generation: int
    inventories: dict[ClassKey, InventoryBody]


Reshaped = Annotated[dict[UuidKey, ReshapedBody], Meta(min_length=1)]


class ReshapeBody30(Struct, forbid_unknown_fields=True):
    """Inventories and what is held of them, together."""

    inventories: Reshaped
    allocations: dict[UuidKey, AllocationBody28]


class ReshapeBody34(Struct, forbid_unknown_fields=True):
    """As before; the mappings of candidates are let through."""

    inventories: Reshaped
    allocations: dict[UuidKey, AllocationBody34]


class ReshapeBody38(Struct, forbid_unknown_fields=True):
    """As before, with types of consumers."""

    inventories: Reshaped
    allocations: dict[UuidKey, AllocationBody38]
