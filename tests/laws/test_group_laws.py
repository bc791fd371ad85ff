"""Every implementation of the rows of server groups keeps their laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.scheduler.groups import MemoryGroups
from computekit.store import SqlGroups, SqlStore
from computekit.testing.group_laws import GroupBench, GroupLaws
from computekit.work import MemoryStore


class TestMemoryGroups(GroupLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[GroupBench]:
        store = MemoryStore()
        yield GroupBench(store, MemoryGroups(store))


class TestSqliteGroups(GroupLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[GroupBench]:
        url = f"sqlite:///{directory}/store.db"
        with SqlStore(url, SystemClock(), random.Random(1)) as store:
            yield GroupBench(store, SqlGroups(store))
