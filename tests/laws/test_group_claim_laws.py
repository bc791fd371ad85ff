"""The rules of server groups hold wherever groups and claims are kept."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.placement import MemoryPlacement
from computekit.scheduler import MemoryAggregates, MemoryHosts
from computekit.scheduler.groups import MemoryGroups
from computekit.store import SqlAggregates, SqlGroups, SqlHosts, SqlPlacement, SqlStore
from computekit.testing import ManualClock
from computekit.testing.group_claim_laws import GroupClaimBench, GroupClaimLaws
from computekit.work import MemoryStore


class TestMemoryGroupClaims(GroupClaimLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[GroupClaimBench]:
        store = MemoryStore()
        yield GroupClaimBench(
            store,
            MemoryPlacement(store, ManualClock()),
            MemoryHosts(store),
            MemoryAggregates(store),
            MemoryGroups(store),
        )


class TestSqliteGroupClaims(GroupClaimLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[GroupClaimBench]:
        url = f"sqlite:///{directory}/store.db"
        with SqlStore(url, SystemClock(), random.Random(1)) as store:
            yield GroupClaimBench(
                store,
                SqlPlacement(store, ManualClock()),
                SqlHosts(store),
                SqlAggregates(store),
                SqlGroups(store),
            )
