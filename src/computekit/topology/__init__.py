"""CPU, NUMA and page-size fitting: pure functions over what a host has and a guest asks."""

from computekit.topology.fit import (
    NodeFit,
    TopologyFit,
    fit_guest,
    fit_node,
    misfits,
    preferred,
    topology_fits,
)
from computekit.topology.guest import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    PageSize,
    ThreadPolicy,
)
from computekit.topology.host import HostNode, HostTopology, Overcommit, PageStock
from computekit.topology.misfit import Misfit, Shortage
from computekit.topology.packing import Pins, pack
from computekit.topology.pages import pages_for
from computekit.topology.usage import give_back, take, untaken

__all__ = [
    "EmulatorThreads",
    "GuestNode",
    "GuestTopology",
    "HostNode",
    "HostTopology",
    "Misfit",
    "NodeFit",
    "Overcommit",
    "PageSize",
    "PageStock",
    "Pins",
    "Shortage",
    "ThreadPolicy",
    "TopologyFit",
    "fit_guest",
    "fit_node",
    "give_back",
    "misfits",
    "pack",
    "pages_for",
    "preferred",
    "take",
    "topology_fits",
    "untaken",
]
