"""Fleets, traces and replays: what a policy would have done, deterministic by seed and clock."""

from computekit.sim.cluster import Cluster, Packed, Packer
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
from computekit.sim.views import allocation_lines, openb_view

__all__ = [
    "OPENB_POLICIES",
    "Cluster",
    "OpenbFigures",
    "OpenbRun",
    "Packed",
    "Packer",
    "allocation_lines",
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
