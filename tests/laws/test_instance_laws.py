"""Every keeper of instances keeps the laws of instances."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.compute import MemoryInstances
from computekit.store import SqlInstances, SqlStore
from computekit.testing.instance_laws import InstanceBench, InstanceLaws
from computekit.work import MemoryStore


class TestMemoryInstances(InstanceLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[InstanceBench]:
        store = MemoryStore()
        yield InstanceBench(store, MemoryInstances(store))


class TestSqliteInstances(InstanceLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[InstanceBench]:
        url = f"sqlite:///{directory}/store.db"
        with SqlStore(url, SystemClock(), random.Random(1)) as store:
            yield InstanceBench(store, SqlInstances(store))
