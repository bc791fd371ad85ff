"""Fleets, traces and replays: what a policy would have done, deterministic by seed and clock."""

from computekit.sim.churn import (
    CHURN_POLICIES,
    ChurnFigures,
    alike_hosts,
    churn_policy,
    churn_replay,
    guests_at,
)
from computekit.sim.cluster import Cluster, Packed, Packer, cluster_of
from computekit.sim.defragment import Move, MovePlan, plan_moves
from computekit.sim.fleet import (
    FLEET_POLICIES,
    FleetFigures,
    FleetLoad,
    fleet_figures,
    fleet_policy,
)
from computekit.sim.openb import openb_cluster, openb_demands
from computekit.sim.policies import POLICIES, NamedPolicy, Replay, policy_names
from computekit.sim.protocol import (
    OPENB_POLICIES,
    OpenbFigures,
    OpenbRun,
    openb_figures,
    openb_mean,
    openb_policy,
    openb_replay,
    openb_replays,
    openb_run,
    openb_sequence,
)
from computekit.sim.trace import Guest, made_up_trace, read_trace, write_trace
from computekit.sim.views import (
    allocation_lines,
    churn_lines,
    churn_view,
    fleet_view,
    openb_bars,
    openb_view,
    plan_bars,
    plan_view,
)

__all__ = [
    "CHURN_POLICIES",
    "FLEET_POLICIES",
    "OPENB_POLICIES",
    "POLICIES",
    "ChurnFigures",
    "Cluster",
    "FleetFigures",
    "FleetLoad",
    "Guest",
    "Move",
    "MovePlan",
    "NamedPolicy",
    "OpenbFigures",
    "OpenbRun",
    "Packed",
    "Packer",
    "Replay",
    "alike_hosts",
    "allocation_lines",
    "churn_lines",
    "churn_policy",
    "churn_replay",
    "churn_view",
    "cluster_of",
    "fleet_figures",
    "fleet_policy",
    "fleet_view",
    "guests_at",
    "made_up_trace",
    "openb_bars",
    "openb_cluster",
    "openb_demands",
    "openb_figures",
    "openb_mean",
    "openb_policy",
    "openb_replay",
    "openb_replays",
    "openb_run",
    "openb_sequence",
    "openb_view",
    "plan_bars",
    "plan_moves",
    "plan_view",
    "policy_names",
    "read_trace",
    "write_trace",
]
