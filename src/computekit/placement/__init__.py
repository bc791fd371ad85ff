"""The books of compute resources: providers, inventories, who holds what; and claims on them."""

from computekit.placement.capacity import Room, TreeRoom
from computekit.placement.claim_best import (
    RANKS,
    Attempt,
    Claimed,
    Counters,
    Rank,
    Summaries,
    Unclaimed,
    claim_best,
    least_free,
    most_free,
)
from computekit.placement.columns import (
    BoolArray,
    Coded,
    IntArray,
    Members,
    ResourceColumn,
    Rows,
    Units,
)
from computekit.placement.explanation import (
    Obstacle,
    PlacementExplanation,
    Reason,
    ReasonCount,
    TreeReport,
)
from computekit.placement.fit import Fit, check_request, fits, no_fit
from computekit.placement.fleet_source import FleetSource
from computekit.placement.found import Found, FoundCandidate, TreeSummary
from computekit.placement.groups import (
    GROUP_SCOPE,
    Groups,
    GroupState,
    LevelState,
    Places,
    group_scope,
    places_of,
    slot_name,
)
from computekit.placement.host_aggregates import HostAggregates, Values
from computekit.placement.host_cells import CellFigure, HostCells
from computekit.placement.host_view import HostRow, HostView
from computekit.placement.index import FleetIndex
from computekit.placement.local import LocalPlacement
from computekit.placement.memory import MemoryPlacement
from computekit.placement.own_service import MOST_CONSUMERS, OwnPlacementService
from computekit.placement.ports import (
    CLASS_CHANGED,
    COUNTERS_CHANGED,
    PROVIDER_CHANGED,
    TRAIT_CHANGED,
    Claim,
    CounterClaim,
    CounterHold,
    PlacementReader,
    PlacementWriter,
    ProviderUse,
    Reshaped,
    Usage,
)
from computekit.placement.provider_index import ProviderIndex
from computekit.placement.service import (
    Candidate,
    CandidatePage,
    PlacementService,
    ProviderNode,
    ProviderSummary,
)
from computekit.placement.views import tree_view

__all__ = [
    "CLASS_CHANGED",
    "COUNTERS_CHANGED",
    "GROUP_SCOPE",
    "MOST_CONSUMERS",
    "PROVIDER_CHANGED",
    "RANKS",
    "TRAIT_CHANGED",
    "Attempt",
    "BoolArray",
    "Candidate",
    "CandidatePage",
    "CellFigure",
    "Claim",
    "Claimed",
    "Coded",
    "CounterClaim",
    "CounterHold",
    "Counters",
    "Fit",
    "FleetIndex",
    "FleetSource",
    "Found",
    "FoundCandidate",
    "GroupState",
    "Groups",
    "HostAggregates",
    "HostCells",
    "HostRow",
    "HostView",
    "IntArray",
    "LevelState",
    "LocalPlacement",
    "Members",
    "MemoryPlacement",
    "Obstacle",
    "OwnPlacementService",
    "PlacementExplanation",
    "PlacementReader",
    "PlacementService",
    "PlacementWriter",
    "Places",
    "ProviderIndex",
    "ProviderNode",
    "ProviderSummary",
    "ProviderUse",
    "Rank",
    "Reason",
    "ReasonCount",
    "Reshaped",
    "ResourceColumn",
    "Room",
    "Rows",
    "Summaries",
    "TreeReport",
    "TreeRoom",
    "TreeSummary",
    "Unclaimed",
    "Units",
    "Usage",
    "Values",
    "check_request",
    "claim_best",
    "fits",
    "group_scope",
    "least_free",
    "most_free",
    "no_fit",
    "places_of",
    "slot_name",
    "tree_view",
]
