"""Request to decision, and why: predicates, scores, fitters, explanations."""

from computekit.scheduler.aggregates import (
    AGGREGATE_CHANGED,
    AggregateReader,
    AggregateWriter,
    MemoryAggregates,
)
from computekit.scheduler.amount import Amount
from computekit.scheduler.changes import (
    Adjustment,
    AskAmount,
    AskZone,
    Demand,
    Drop,
    EnableHost,
    FreeUp,
    LowerFigure,
    WakeHost,
)
from computekit.scheduler.compare import Choice, Compared, Comparison, Leftover
from computekit.scheduler.condition import Condition, parse_condition
from computekit.scheduler.decision import Decision, Placed, Selection, Unplaced
from computekit.scheduler.explanation import Explanation
from computekit.scheduler.figure_predicates import Below, HasFigures
from computekit.scheduler.following import FleetFollower
from computekit.scheduler.hosts import HOST_CHANGED, Host, HostReader, HostWriter, MemoryHosts
from computekit.scheduler.normalised import Normalised, RangeWeigher
from computekit.scheduler.nova_filters import (
    AllHostsFilter,
    ComputeFilter,
    IoOpsFilter,
    MetricsFilter,
    NumInstancesFilter,
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
from computekit.scheduler.policy import (
    HostFilter,
    HostRule,
    OverlayRule,
    OverlayWeigher,
    Policy,
    RamWeigher,
    Refusal,
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
from computekit.scheduler.provider_predicates import (
    HasTrait,
    InAggregate,
    InTree,
    LacksTrait,
    NotInAggregate,
    Separate,
)
from computekit.scheduler.remedies import Remedies, Remedy
from computekit.scheduler.reports import HostReport, Past, RankedHost, RuleReport, Verdict
from computekit.scheduler.request import (
    PlacementIntent,
    Request,
    SchedulingRun,
    intent_of,
)
from computekit.scheduler.rows import Row
from computekit.scheduler.scheduler import Scheduler
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
    "DEFAULT_ZONE",
    "HOST_CHANGED",
    "NOVA_WEIGHERS",
    "ZONE_KEY",
    "Adjustment",
    "AggregateReader",
    "AggregateWriter",
    "AllHostsFilter",
    "Amount",
    "AskAmount",
    "AskZone",
    "AskedZone",
    "Below",
    "Choice",
    "Compared",
    "Comparison",
    "ComputeFilter",
    "Condition",
    "Decision",
    "Demand",
    "Drop",
    "EnableHost",
    "Enabled",
    "Explanation",
    "FigureWeigher",
    "FleetFollower",
    "FreeUp",
    "FreeWeigher",
    "HasFigures",
    "HasMachineType",
    "HasTrait",
    "Host",
    "HostFilter",
    "HostReader",
    "HostReport",
    "HostRule",
    "HostWriter",
    "InAggregate",
    "InTree",
    "InZone",
    "IoOpsFilter",
    "LacksTrait",
    "Leftover",
    "Limits",
    "LowerFigure",
    "MemoryAggregates",
    "MemoryHosts",
    "MetricsFilter",
    "MetricsWeigher",
    "MoveKind",
    "Normalised",
    "NotIgnored",
    "NotInAggregate",
    "NumInstancesFilter",
    "OnHost",
    "Overlay",
    "OverlayRule",
    "OverlayWeigher",
    "Past",
    "PciWeigher",
    "PinPolicy",
    "PinState",
    "Placed",
    "PlacementIntent",
    "Policy",
    "Predicate",
    "RamWeigher",
    "RangeWeigher",
    "RankedHost",
    "Refusal",
    "Remedies",
    "Remedy",
    "Request",
    "Row",
    "RuleReport",
    "SameSubtree",
    "Scheduler",
    "SchedulingRun",
    "Selection",
    "Separate",
    "ShapeWeigher",
    "Unplaced",
    "Up",
    "Verdict",
    "WakeHost",
    "Weigher",
    "WhyNot",
    "ZoneConstraint",
    "az_constraint",
    "check_zone_name",
    "explanation_view",
    "facts_view",
    "host_tree_view",
    "intent_of",
    "may_pin",
    "nova_weighing",
    "parse_condition",
    "pin_after",
    "report_view",
    "translate",
    "why_not_view",
    "zone_of_host",
]
