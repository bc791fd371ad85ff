"""Fleets, traces and replays: what a policy would have done, deterministic by seed and clock."""

from computekit.sim.cluster import Cluster, Packed, Packer
from computekit.sim.fleet import (
    FLEET_POLICIES,
    FleetFigures,
    FleetLoad,
    fleet_figures,
    fleet_policy,
)
from computekit.sim.openb import openb_cluster, openb_demands
from computekit.sim.protocol import (
    OPENB_POLICIES,
    OpenbFigures,
    OpenbRun,
    openb_figures,
    openb_mean,
    openb_policy,
    openb_replay,
    openb_run,
    openb_sequence,
)
from computekit.sim.views import allocation_lines, fleet_view, openb_view

__all__ = [
    "FLEET_POLICIES",
    "OPENB_POLICIES",
    "Cluster",
    "FleetFigures",
    "FleetLoad",
    "OpenbFigures",
    "OpenbRun",
    "Packed",
    "Packer",
    "allocation_lines",
    "fleet_figures",
    "fleet_policy",
    "fleet_view",
    "openb_cluster",
    "openb_demands",
    "openb_figures",
    "openb_mean",
    "openb_policy",
    "openb_replay",
    "openb_run",
    "openb_sequence",
    "openb_view",
]
