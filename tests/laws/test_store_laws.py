"""Every store keeps the laws of stores, and of the hosts in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.scheduler.hosts import MemoryHosts
from computekit.testing.host_laws import HostBench, HostLaws
from computekit.testing.store_laws import StoreLaws
from computekit.work import MemoryStore


class TestMemoryStore(StoreLaws):
    @contextmanager
    def open(self, directory: Path, *, history: int) -> Iterator[HostBench]:
        store = MemoryStore(history=history)
        yield HostBench(store, MemoryHosts(store))


class TestMemoryHosts(HostLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[HostBench]:
        store = MemoryStore()
        yield HostBench(store, MemoryHosts(store))
