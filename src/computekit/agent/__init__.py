"""The host side: typed host calls, who may make them, and what a host offers to placement."""

from computekit.agent.agent import Agent
from computekit.agent.calls import (
    CacheImages,
    Define,
    Destroy,
    DropImages,
    Fence,
    HostCall,
    HostInstances,
    ReadConsole,
    ReadFacts,
    ReadInstances,
    ReadStatus,
    RemoveInstance,
    ShutDown,
    Start,
    Sync,
)
from computekit.agent.client import HostClient
from computekit.agent.fences import Fences
from computekit.agent.inventory import (
    InventoryRules,
    host_provider,
    host_topology,
    host_tree,
)
from computekit.agent.lock import HostLock
from computekit.agent.ports import Hypervisor, Wire

__all__ = [
    "Agent",
    "CacheImages",
    "Define",
    "Destroy",
    "DropImages",
    "Fence",
    "Fences",
    "HostCall",
    "HostClient",
    "HostInstances",
    "HostLock",
    "Hypervisor",
    "InventoryRules",
    "ReadConsole",
    "ReadFacts",
    "ReadInstances",
    "ReadStatus",
    "RemoveInstance",
    "ShutDown",
    "Start",
    "Sync",
    "Wire",
    "host_provider",
    "host_topology",
    "host_tree",
]
