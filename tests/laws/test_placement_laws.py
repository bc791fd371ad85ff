"""Every implementation of placement keeps its laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.placement import MemoryPlacement
from computekit.store import SqlPlacement, SqlStore
from computekit.testing import ManualClock
from computekit.testing.placement_bench import PlacementBench
from computekit.testing.placement_laws import PlacementLaws
from computekit.work import MemoryStore


class TestMemoryPlacement(PlacementLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[PlacementBench]:
        store = MemoryStore()
        clock = ManualClock()
        yield PlacementBench(store, MemoryPlacement(store, clock), clock)


@contextmanager
def open_sql(url: str) -> Iterator[PlacementBench]:
    with SqlStore(url, SystemClock(), random.Random(1)) as store:
        clock = ManualClock()
        yield PlacementBench(store, SqlPlacement(store, clock), clock)


class TestSqliteFilePlacement(PlacementLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[PlacementBench]:
        with open_sql(f"sqlite:///{directory}/store.db") as bench:
            yield bench


class TestSqliteMemoryPlacement(PlacementLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[PlacementBench]:
        with open_sql("sqlite://") as bench:
            yield bench
