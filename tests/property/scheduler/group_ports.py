"""One implementation of each port that claims are written with, over one store."""

import random
from collections.abc import Callable

import attrs

from computekit.model import TopologyLevel, TopologyLevels
from computekit.placement import FleetIndex, MemoryPlacement, PlacementWriter
from computekit.scheduler import (
    AggregateWriter,
    CellWriter,
    FleetFollower,
    GroupSlots,
    GroupWriter,
    HostWriter,
    MemoryAggregates,
    MemoryCells,
    MemoryGroups,
    MemoryHosts,
    Scheduler,
)
from computekit.store import (
    SqlAggregates,
    SqlCells,
    SqlGroups,
    SqlHosts,
    SqlPlacement,
    SqlStore,
)
from computekit.testing import ManualClock
from computekit.work import MemoryStore, Store

LEVELS = TopologyLevels(
    (TopologyLevel("az", "availability_zone"), TopologyLevel("rack", "topology:rack"))
)


@attrs.frozen
class Ports:
    """One implementation of each port, over one store."""

    store: Store
    placement: PlacementWriter
    hosts: HostWriter
    aggregates: AggregateWriter
    groups: GroupWriter
    cells: CellWriter
    close: Callable[[], None]


def in_memory() -> Ports:
    """Return ports that keep everything in memory."""
    store = MemoryStore()
    return Ports(
        store,
        MemoryPlacement(store, ManualClock()),
        MemoryHosts(store),
        MemoryAggregates(store),
        MemoryGroups(store),
        MemoryCells(store),
        lambda: None,
    )


def in_sql(url: str) -> Ports:
    """Return ports over a database."""
    clock = ManualClock()
    store = SqlStore(url, clock, random.Random(1))
    return Ports(
        store,
        SqlPlacement(store, clock),
        SqlHosts(store),
        SqlAggregates(store),
        SqlGroups(store),
        SqlCells(store),
        store.close,
    )


def slots_over(ports: Ports) -> GroupSlots:
    """Return the slots of groups, with zones and racks."""
    return GroupSlots(ports.groups, ports.placement, ports.hosts, ports.aggregates, LEVELS)


def scheduler_over(ports: Ports) -> Scheduler:
    """Return a scheduler with an index of its own."""
    follower = FleetFollower(
        ports.store, ports.placement, ports.hosts, ports.aggregates, groups=ports.groups
    )
    return Scheduler(FleetIndex(follower, levels=LEVELS))
