"""Every implementation of the rows of aggregates keeps their laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.scheduler import MemoryAggregates
from computekit.store import SqlAggregates, SqlStore
from computekit.testing.aggregate_laws import AggregateBench, AggregateLaws
from computekit.work import MemoryStore


class TestMemoryAggregates(AggregateLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[AggregateBench]:
        store = MemoryStore()
        yield AggregateBench(store, MemoryAggregates(store))


class TestSqliteAggregates(AggregateLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[AggregateBench]:
        url = f"sqlite:///{directory}/store.db"
        with SqlStore(url, SystemClock(), random.Random(1)) as store:
            yield AggregateBench(store, SqlAggregates(store))
