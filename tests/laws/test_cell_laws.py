"""Every implementation of the rows of NUMA nodes keeps their laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.scheduler import MemoryCells
from computekit.store import SqlCells, SqlStore
from computekit.testing.cell_laws import CellBench, CellLaws
from computekit.work import MemoryStore


class TestMemoryCells(CellLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[CellBench]:
        store = MemoryStore()
        yield CellBench(store, MemoryCells(store))


class TestSqliteCells(CellLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[CellBench]:
        url = f"sqlite:///{directory}/store.db"
        with SqlStore(url, SystemClock(), random.Random(1)) as store:
            yield CellBench(store, SqlCells(store))
