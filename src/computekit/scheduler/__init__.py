"""Request to decision, and why: predicates, scores, fitters, explanations."""

from computekit.scheduler.amount import Amount
from computekit.scheduler.changes import (
    Adjustment,
    AskAmount,
    AskZone,
    Demand,
    Drop,
    EnableHost,
    FreeUp,
    WakeHost,
)
from computekit.scheduler.condition import Condition, parse_condition
from computekit.scheduler.decision import Decision, Placed, Selection, Unplaced
from computekit.scheduler.explanation import (
    Explanation,
    HostReport,
    Past,
    RankedHost,
    RuleReport,
    Verdict,
)
from computekit.scheduler.following import FleetFollower
from computekit.scheduler.hosts import HOST_CHANGED, Host, HostReader, HostWriter, MemoryHosts
from computekit.scheduler.policy import HostFilter, Policy, RamWeigher, Refusal, Weigher
from computekit.scheduler.predicates import (
    Enabled,
    HasMachineType,
    InZone,
    NotIgnored,
    OnHost,
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
from computekit.scheduler.remedies import Remedy
from computekit.scheduler.request import PlacementIntent, Request, SchedulingRun, translate
from computekit.scheduler.scheduler import Scheduler
from computekit.scheduler.views import (
    explanation_view,
    facts_view,
    host_tree_view,
    report_view,
)

__all__ = [
    "HOST_CHANGED",
    "Adjustment",
    "Amount",
    "AskAmount",
    "AskZone",
    "Condition",
    "Decision",
    "Demand",
    "Drop",
    "EnableHost",
    "Enabled",
    "Explanation",
    "FleetFollower",
    "FreeUp",
    "HasMachineType",
    "HasTrait",
    "Host",
    "HostFilter",
    "HostReader",
    "HostReport",
    "HostWriter",
    "InAggregate",
    "InTree",
    "InZone",
    "LacksTrait",
    "MemoryHosts",
    "NotIgnored",
    "NotInAggregate",
    "OnHost",
    "Past",
    "Placed",
    "PlacementIntent",
    "Policy",
    "Predicate",
    "RamWeigher",
    "RankedHost",
    "Refusal",
    "Remedy",
    "Request",
    "RuleReport",
    "Scheduler",
    "SchedulingRun",
    "Selection",
    "Separate",
    "Unplaced",
    "Up",
    "Verdict",
    "WakeHost",
    "Weigher",
    "explanation_view",
    "facts_view",
    "host_tree_view",
    "parse_condition",
    "report_view",
    "translate",
]
