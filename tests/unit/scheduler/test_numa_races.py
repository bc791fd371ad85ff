"""Several schedulers on one database: no CPU of a host has two owners, and none is left over."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from computekit.clock import SystemClock
from computekit.ids import ConsumerId, HostName, ProjectId, UserId
from computekit.model import Consumer, ProviderTree
from computekit.placement import FleetIndex
from computekit.scheduler import (
    BookClaims,
    Books,
    FleetFollower,
    Grants,
    GroupSlots,
    Request,
    Scheduler,
    place_and_claim,
)
from computekit.store import SqlCells, SqlGroups, SqlHosts, SqlPlacement, SqlStore
from computekit.topology import HostTopology
from computekit.work import Tx
from tests.unit.scheduler.fleet import flat
from tests.unit.scheduler.test_numa import node, pinned

HOSTS = ("a", "b", "c")
SCHEDULERS = 4
EACH = 8


class Claimant:
    """A process: its own connection, index and scheduler."""

    def __init__(self, url: str, number: int) -> None:
        clock = SystemClock()
        self.store = SqlStore(url, clock, random.Random(number))
        self.placement, self.hosts = SqlPlacement(self.store, clock), SqlHosts(self.store)
        self.cells, groups = SqlCells(self.store), SqlGroups(self.store)
        follower = FleetFollower(self.store, self.placement, self.hosts, cells=self.cells)
        self.scheduler = Scheduler(FleetIndex(follower))
        self.books = Books(
            self.placement, GroupSlots(groups, self.placement, self.hosts), self.cells
        )
        self.number = number

    def run(self, asked: Request) -> int:
        """Claim for some guests, one after the other; return how many have their place."""
        granted = 0
        for turn in range(EACH):
            consumer = Consumer(ConsumerId(f"c{self.number}-{turn}"), ProjectId("p"), UserId("u"))
            claims = BookClaims(self.books, (consumer,), (asked,))
            outcome = place_and_claim(self.store, self.scheduler, (asked,), claims, tries=50)
            granted += isinstance(outcome, Grants)
        return granted


@pytest.mark.parametrize("pins", [(2,), (1, 1), (3,)])
def test_schedulers_that_race_share_out_what_there_is(
    tmp_path: Path, pins: tuple[int, ...]
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    claimants = [Claimant(url, number) for number in range(SCHEDULERS)]
    first = claimants[0]

    def write(tx: Tx) -> None:
        for name in HOSTS:
            host, uses = flat(name)
            first.placement.put_tree(tx, ProviderTree(tuple(use.provider for use in uses)))
            nodes = (node(0), node(1))
            first.hosts.put_host(tx, attrs.evolve(host, topology=HostTopology(nodes)))

    first.store.write(write)
    asked = pinned(*pins, memory_mib=64)
    with ThreadPoolExecutor(SCHEDULERS) as pool:
        granted = sum(pool.map(lambda each: each.run(asked), claimants))
    holds = first.cells.cell_holds()
    for claimant in claimants:
        claimant.store.close()
    owners: dict[tuple[HostName, int], ConsumerId] = {}
    for hold in holds:
        for cpu in hold.cpus:
            assert owners.setdefault((hold.host, cpu), hold.consumer) == hold.consumer
    per_host = {(2,): 4, (1, 1): 4, (3,): 2}[pins]
    assert granted == len({hold.consumer for hold in holds}) == per_host * len(HOSTS)
