"""Request to decision, and why: predicates, scores, fitters, explanations."""

from importlib import import_module
from typing import TYPE_CHECKING

from computekit.scheduler.aggregate_filters import (
    AggregateImagePropertiesIsolation,
    AggregateInstanceExtraSpecsFilter,
    AggregateIoOpsFilter,
    AggregateMultiTenancyIsolation,
    AggregateNumInstancesFilter,
    AggregateTypeAffinityFilter,
)
from computekit.scheduler.aggregates import (
    AGGREGATE_CHANGED,
    AggregateReader,
    AggregateWriter,
    MemoryAggregates,
)
from computekit.scheduler.amount import Amount
from computekit.scheduler.capability_filter import ComputeCapabilitiesFilter, HasCapability
from computekit.scheduler.catalogue import (
    DEFAULT_FILTERS,
    FILTERS,
    ONCE_PER_REQUEST,
    WEIGHERS,
    AnyFilter,
    AnyWeigher,
    filter_named,
    intent_faults,
    metadata_notes,
    nova_policy,
    weigher_named,
)
from computekit.scheduler.cell_predicate import HasCells
from computekit.scheduler.cells import (
    CELLS_CHANGED,
    CellHold,
    CellReader,
    CellWriter,
    MemoryCells,
    claim_cells,
    with_holds,
)
from computekit.scheduler.changes import (
    Adjustment,
    AskAmount,
    AskZone,
    Demand,
    Drop,
    EnableHost,
    FreeUp,
    ListInAggregate,
    LowerFigure,
    RaiseFigure,
    ReportFigures,
    WakeHost,
)
from computekit.scheduler.compare import Choice, Compared, Comparison, Leftover
from computekit.scheduler.condition import Condition, parse_condition
from computekit.scheduler.decision import Decision, Placed, Selection, Unplaced
from computekit.scheduler.demands import Malformed
from computekit.scheduler.explanation import Explanation
from computekit.scheduler.figure_predicates import AtLeast, Below, HasFigures
from computekit.scheduler.following import FleetFollower
from computekit.scheduler.group_claims import GroupSlots
from computekit.scheduler.group_overlays import FollowsGroup, Membership
from computekit.scheduler.group_weigher import GroupWeigher
from computekit.scheduler.groups import GROUP_CHANGED, GroupReader, GroupWriter, MemoryGroups
from computekit.scheduler.hint_filters import (
    AwayFrom,
    Beside,
    DifferentHostFilter,
    InNetwork,
    SameHostFilter,
    SimpleCIDRAffinityFilter,
    named_instances,
)
from computekit.scheduler.host_attributes import HOST_ATTRIBUTES
from computekit.scheduler.hosts import HOST_CHANGED, Host, HostReader, HostWriter, MemoryHosts
from computekit.scheduler.image_filters import (
    HostAmong,
    ImagePropertiesFilter,
    IsolatedHostsFilter,
    OffersVersion,
    RunsImage,
)
from computekit.scheduler.json_filter import JsonFilter, MeetsQuery, parse_query
from computekit.scheduler.loads import (
    LOAD_CHANGED,
    LoadReader,
    image_property_figure,
    load_changed,
    load_figures,
)
from computekit.scheduler.metadata_predicates import (
    AdmitsProject,
    BelowBound,
    MetadataAdmits,
    MetadataLists,
    MetadataMeets,
)
from computekit.scheduler.normalised import Normalised, RangeWeigher
from computekit.scheduler.nova_filters import (
    AllHostsFilter,
    ComputeFilter,
    IoOpsFilter,
    MetricsFilter,
    NUMATopologyFilter,
    NumInstancesFilter,
    PciPassthroughFilter,
    ServerGroupAffinityFilter,
    ServerGroupAntiAffinityFilter,
)
from computekit.scheduler.nova_weighers import (
    NOVA_WEIGHERS,
    FigureWeigher,
    FreeWeigher,
    MetricsWeigher,
    PciWeigher,
    nova_weighing,
)
from computekit.scheduler.overlays import Limits, NotIgnored, OnHost, Overlay
from computekit.scheduler.plain_functions import HostFilter, HostWeigher, Refusal, RequestFilter
from computekit.scheduler.policy import (
    HostRule,
    OverlayRule,
    OverlayWeigher,
    Policy,
    RamWeigher,
    ShapeWeigher,
    Weigher,
)
from computekit.scheduler.predicates import (
    Enabled,
    HasMachineType,
    InZone,
    Predicate,
    Up,
)
from computekit.scheduler.prefiltering import prefiltered
from computekit.scheduler.provider_predicates import (
    HasTrait,
    InAggregate,
    InTree,
    LacksTrait,
    NotInAggregate,
    Separate,
)
from computekit.scheduler.rebuild import check_rebuild
from computekit.scheduler.remedies import Remedies, Remedy
from computekit.scheduler.reports import HostReport, Past, RankedHost, RuleReport, Verdict
from computekit.scheduler.request import (
    PlacementIntent,
    Request,
    SchedulingRun,
    intent_of,
)
from computekit.scheduler.request_delta import (
    FilterContext,
    Prefilter,
    RequestDelta,
    SegmentAggregates,
)
from computekit.scheduler.request_weighers import (
    CrossCellWeigher,
    ImagePropertiesWeigher,
    SoftAffinityWeigher,
    SoftAntiAffinityWeigher,
)
from computekit.scheduler.rows import Row
from computekit.scheduler.scheduler import Scheduler
from computekit.scheduler.topology_rules import Eligible
from computekit.scheduler.translate import translate
from computekit.scheduler.tree_changes import SameSubtree
from computekit.scheduler.views import (
    explanation_view,
    facts_view,
    host_tree_view,
    report_view,
    why_not_view,
)
from computekit.scheduler.why_not import WhyNot
from computekit.scheduler.zones import (
    DEFAULT_ZONE,
    ZONE_KEY,
    AskedZone,
    MoveKind,
    PinPolicy,
    PinState,
    ZoneConstraint,
    az_constraint,
    check_zone_name,
    may_pin,
    pin_after,
    zone_of_host,
)

__all__ = [
    "AGGREGATE_CHANGED",
    "CELLS_CHANGED",
    "DEFAULT_FILTERS",
    "DEFAULT_ZONE",
    "FILTERS",
    "GROUP_CHANGED",
    "HOST_ATTRIBUTES",
    "HOST_CHANGED",
    "LOAD_CHANGED",
    "NOVA_WEIGHERS",
    "ONCE_PER_REQUEST",
    "PREFILTERS",
    "WEIGHERS",
    "ZONE_KEY",
    "AcceleratorPrefilter",
    "Adjustment",
    "AdmitsProject",
    "AggregateImagePropertiesIsolation",
    "AggregateInstanceExtraSpecsFilter",
    "AggregateIoOpsFilter",
    "AggregateMultiTenancyIsolation",
    "AggregateNumInstancesFilter",
    "AggregateReader",
    "AggregateTypeAffinityFilter",
    "AggregateWriter",
    "AllHostsFilter",
    "Amount",
    "AnyFilter",
    "AnyWeigher",
    "AskAmount",
    "AskZone",
    "AskedZone",
    "AtLeast",
    "AwayFrom",
    "BatchMode",
    "BatchOutcome",
    "BatchPlaced",
    "BatchUnplaced",
    "Below",
    "BelowBound",
    "Beside",
    "BookClaims",
    "Books",
    "CellHold",
    "CellReader",
    "CellWriter",
    "Choice",
    "ClaimOne",
    "Compared",
    "Comparison",
    "ComputeCapabilitiesFilter",
    "ComputeFilter",
    "ComputeStatusPrefilter",
    "Condition",
    "CrossCellWeigher",
    "Decision",
    "Demand",
    "DifferentHostFilter",
    "Drop",
    "Eligible",
    "EnableHost",
    "Enabled",
    "Explanation",
    "FeaturePrefilter",
    "FigureWeigher",
    "FilterContext",
    "FleetFollower",
    "FollowsGroup",
    "FreeUp",
    "FreeWeigher",
    "Granted",
    "Grants",
    "GroupReader",
    "GroupSlots",
    "GroupWeigher",
    "GroupWriter",
    "HasCapability",
    "HasCells",
    "HasFigures",
    "HasMachineType",
    "HasTrait",
    "Host",
    "HostAmong",
    "HostFilter",
    "HostReader",
    "HostReport",
    "HostRule",
    "HostWeigher",
    "HostWriter",
    "ImageMetadataPrefilter",
    "ImagePropertiesFilter",
    "ImagePropertiesWeigher",
    "ImageTypePrefilter",
    "InAggregate",
    "InNetwork",
    "InTree",
    "InZone",
    "IoOpsFilter",
    "IsolatedAggregatesPrefilter",
    "IsolatedHostsFilter",
    "JsonFilter",
    "LacksTrait",
    "Leftover",
    "Limits",
    "ListInAggregate",
    "LoadReader",
    "Loss",
    "LostRace",
    "LowerFigure",
    "Malformed",
    "MeetsQuery",
    "Membership",
    "MemoryAggregates",
    "MemoryCells",
    "MemoryGroups",
    "MemoryHosts",
    "MetadataAdmits",
    "MetadataLists",
    "MetadataMeets",
    "MetricsFilter",
    "MetricsWeigher",
    "MoveKind",
    "NUMATopologyFilter",
    "NoneEligible",
    "Normalised",
    "NotIgnored",
    "NotInAggregate",
    "NumInstancesFilter",
    "OffersVersion",
    "OnHost",
    "Overlay",
    "OverlayRule",
    "OverlayWeigher",
    "OwnerPrefilter",
    "Past",
    "PciPassthroughFilter",
    "PciWeigher",
    "PinPolicy",
    "PinState",
    "Placed",
    "PlacementIntent",
    "PlacementUnavailable",
    "Policy",
    "Predicate",
    "Prefilter",
    "RaiseFigure",
    "RamWeigher",
    "RangeWeigher",
    "RankedHost",
    "Refusal",
    "Remedies",
    "Remedy",
    "RemoteManagedPortsPrefilter",
    "ReportFigures",
    "Request",
    "RequestDelta",
    "RequestFilter",
    "RoutedNetworksPrefilter",
    "Row",
    "RuleReport",
    "RunsImage",
    "SameHostFilter",
    "SameSubtree",
    "Scheduler",
    "SchedulingRun",
    "SegmentAggregates",
    "Selection",
    "Separate",
    "ServerGroupAffinityFilter",
    "ServerGroupAntiAffinityFilter",
    "ShapeWeigher",
    "SimpleCIDRAffinityFilter",
    "SoftAffinityWeigher",
    "SoftAntiAffinityWeigher",
    "Taken",
    "TenantAggregatesPrefilter",
    "TriesExhausted",
    "Unplaced",
    "Up",
    "Verdict",
    "WakeHost",
    "Weigher",
    "WhyNot",
    "ZoneConstraint",
    "az_constraint",
    "check_host",
    "check_rebuild",
    "check_zone_name",
    "claim_cells",
    "explanation_view",
    "facts_view",
    "filter_named",
    "host_tree_view",
    "image_property_figure",
    "intent_faults",
    "intent_of",
    "load_changed",
    "load_figures",
    "may_pin",
    "metadata_notes",
    "named_instances",
    "nova_policy",
    "nova_weighing",
    "parse_condition",
    "parse_query",
    "pin_after",
    "place_and_claim",
    "prefiltered",
    "report_view",
    "translate",
    "weigher_named",
    "why_not_view",
    "with_holds",
    "zone_of_host",
]

# What claims for many at once, and what decides about many, is loaded when it is first used.
_HOMES = {
    **dict.fromkeys(
        (
            "BatchOutcome",
            "ClaimOne",
            "Granted",
            "Grants",
            "Loss",
            "LostRace",
            "NoneEligible",
            "PlacementUnavailable",
            "TriesExhausted",
            "place_and_claim",
        ),
        "computekit.scheduler.claiming",
    ),
    **dict.fromkeys(("BookClaims", "Books", "Taken", "check_host"), "computekit.scheduler.books"),
    **dict.fromkeys(("BatchMode", "BatchPlaced", "BatchUnplaced"), "computekit.scheduler.batch"),
    **dict.fromkeys(
        (
            "PREFILTERS",
            "AcceleratorPrefilter",
            "ComputeStatusPrefilter",
            "FeaturePrefilter",
            "ImageMetadataPrefilter",
            "ImageTypePrefilter",
            "IsolatedAggregatesPrefilter",
            "OwnerPrefilter",
            "RemoteManagedPortsPrefilter",
            "RoutedNetworksPrefilter",
            "TenantAggregatesPrefilter",
        ),
        "computekit.scheduler.prefilters",
    ),
}

if TYPE_CHECKING:
    from computekit.scheduler.batch import BatchMode, BatchPlaced, BatchUnplaced
    from computekit.scheduler.books import BookClaims, Books, Taken, check_host
    from computekit.scheduler.claiming import (
        BatchOutcome,
        ClaimOne,
        Granted,
        Grants,
        Loss,
        LostRace,
        NoneEligible,
        PlacementUnavailable,
        TriesExhausted,
        place_and_claim,
    )
    from computekit.scheduler.prefilters import (
        PREFILTERS,
        AcceleratorPrefilter,
        ComputeStatusPrefilter,
        FeaturePrefilter,
        ImageMetadataPrefilter,
        ImageTypePrefilter,
        IsolatedAggregatesPrefilter,
        OwnerPrefilter,
        RemoteManagedPortsPrefilter,
        RoutedNetworksPrefilter,
        TenantAggregatesPrefilter,
    )
else:  # a type checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
