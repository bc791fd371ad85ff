"""Every store keeps the laws of stores, and of the hosts in it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.scheduler.hosts import MemoryHosts
from computekit.store import SqlHosts, SqlStore
from computekit.testing.host_laws import HostBench, HostLaws
from computekit.testing.store_laws import SharedStoreLaws, StoreLaws
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


@contextmanager
def open_sql(url: str, *, history: int = 10_000) -> Iterator[HostBench]:
    with SqlStore(url, SystemClock(), random.Random(1), history=history) as store:
        yield HostBench(store, SqlHosts(store))


def sqlite_file(directory: Path) -> str:
    directory.mkdir(exist_ok=True)
    return f"sqlite:///{directory}/store.db"


class TestSqliteFileStore(StoreLaws):
    @contextmanager
    def open(self, directory: Path, *, history: int) -> Iterator[HostBench]:
        with open_sql(sqlite_file(directory), history=history) as bench:
            yield bench


class TestSqliteFileStoreShared(SharedStoreLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[HostBench]:
        with open_sql(sqlite_file(directory)) as bench:
            yield bench


class TestSqliteFileHosts(HostLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[HostBench]:
        with open_sql(sqlite_file(directory)) as bench:
            yield bench


class TestSqliteMemoryStore(StoreLaws):
    @contextmanager
    def open(self, directory: Path, *, history: int) -> Iterator[HostBench]:
        with open_sql("sqlite://", history=history) as bench:
            yield bench


class TestSqliteMemoryHosts(HostLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[HostBench]:
        with open_sql("sqlite://") as bench:
            yield bench
