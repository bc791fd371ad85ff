"""Every ledger of devices for one use keeps its laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.pci import MemoryBurns
from computekit.store import SqlBurns, SqlStore
from computekit.testing.burn_laws import BurnBench, BurnLaws
from computekit.work import MemoryStore


class TestMemoryBurns(BurnLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[BurnBench]:
        store = MemoryStore()
        yield BurnBench(store, MemoryBurns(store))


class TestSqliteBurns(BurnLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[BurnBench]:
        url = f"sqlite:///{directory}/store.db"
        with SqlStore(url, SystemClock(), random.Random(1)) as store:
            yield BurnBench(store, SqlBurns(store))
