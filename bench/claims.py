"""How many claims a second a store grants.

A claim is what a small instance takes: three classes of one provider, one new consumer, one
transaction of its own. On SQLite and PostgreSQL each is on the disk when it returns.
"""

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import attrs
import pytest

from bench.measure import Measure
from computekit.clock import SystemClock
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId, new_uuid
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
)
from computekit.placement import Claim, MemoryPlacement, PlacementWriter
from computekit.store import SqlPlacement, SqlStore
from computekit.work import MemoryStore, Store, Tx
from tests.real.postgresql import running

HOSTS = 1_000
PLENTY = FrozenMap(
    {
        VCPU: Inventory(total=1_000_000),
        MEMORY_MB: Inventory(total=1_000_000_000),
        DISK_GB: Inventory(total=100_000_000),
    }
)
TAKEN = FrozenMap({VCPU: 1, MEMORY_MB: 512, DISK_GB: 10})


@attrs.frozen
class Books:
    """A store with its placement and the providers in it."""

    store: Store
    placement: PlacementWriter
    providers: tuple[ProviderId, ...]

    def claim(self, provider: ProviderId, source: random.Random) -> None:
        """Grant one claim in a transaction of its own."""
        consumer = Consumer(ConsumerId(new_uuid(source)), ProjectId("p"), UserId("u"))
        wanted = Allocation(consumer, FrozenMap({provider: TAKEN}))
        self.store.write(lambda tx: self.placement.claim(tx, (Claim(wanted),)))


def fill(store: Store, placement: PlacementWriter) -> Books:
    """Put hosts with much room into an empty store."""
    source = random.Random(7)
    ids = tuple(ProviderId(new_uuid(source)) for _ in range(HOSTS))

    def put(tx: Tx) -> None:
        for of in ids:
            placement.put_tree(tx, ProviderTree((Provider(of, f"host {of}", inventories=PLENTY),)))

    store.write(put)
    return Books(store, placement, ids)


def rate(
    books: Books, threads: int, seconds: float, source: random.Random, *, one: bool
) -> tuple[float, float]:
    """Return claims a second, and the CPU microseconds of this process for each."""
    end = threading.Event()

    def run(mine: random.Random) -> int:
        count = 0
        while not end.is_set():
            books.claim(books.providers[0] if one else mine.choice(books.providers), mine)
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        started, cpu = time.perf_counter(), time.process_time()
        running = [pool.submit(run, random.Random(source.random())) for _ in range(threads)]
        time.sleep(seconds)
        end.set()
        total = sum(future.result() for future in running)
        elapsed, spent = time.perf_counter() - started, time.process_time() - cpu
    return total / elapsed, spent / total * 1e6


def figures(what: str, books: Books, seconds: float) -> Iterator[Measure]:
    """Measure one store with one and eight threads, over all providers and on one."""
    source = random.Random(11)
    for threads in (1, 8):
        for one in (False, True):
            claims, cpu_us = rate(books, threads, seconds, source, one=one)
            where = "one provider" if one else "random providers"
            yield Measure(
                f"{what}, {threads} thread{'s' * (threads > 1)}, {where}",
                claims,
                "claims/s",
                {"cpu_us_per_claim": cpu_us},
            )


def bare_commits(store: Store, seconds: float, what: str) -> Measure:
    """Measure commits of one row of the change table: what the disk's sync leaves to hope for."""
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        store.write(lambda tx: tx.changed("bench", "row"))
        count += 1
    return Measure(f"{what}, 1 thread, nothing but the commit", count / elapsed, "commits/s")


def measure(seconds: float) -> Iterator[Measure]:
    """Measure memory, SQLite in memory and in a file, and PostgreSQL where it is installed."""
    clock, memory = SystemClock(), MemoryStore()
    yield from figures("memory", fill(memory, MemoryPlacement(memory, clock)), seconds)
    opened: Callable[[str], SqlStore] = partial(SqlStore, clock=clock, source=random.Random(3))
    with opened("sqlite://") as store:
        yield from figures("sqlite in memory", fill(store, SqlPlacement(store, clock)), seconds)
    with (
        tempfile.TemporaryDirectory(prefix="computekit-bench-") as directory,
        opened(f"sqlite:///{directory}/store.db") as store,
    ):
        yield from figures("sqlite file", fill(store, SqlPlacement(store, clock)), seconds)
        yield bare_commits(store, seconds, "sqlite file")
    try:
        with (
            running(durable=True) as server,
            opened(server.url(Path("/bench"))) as store,
        ):
            yield from figures("postgresql", fill(store, SqlPlacement(store, clock)), seconds)
            yield bare_commits(store, seconds, "postgresql")
    except pytest.skip.Exception as missing:
        print(f"claims: no figures of PostgreSQL: {missing}")
