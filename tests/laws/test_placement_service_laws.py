"""The library, and a client of the daemon, keep the same laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.placement import LocalPlacement, PlacementService
from computekit.store import SqlPlacement, SqlStore
from computekit.testing.placement_service_laws import PlacementServiceLaws
from tests.parity import servers


class TestInMemory(PlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[PlacementService]:
        with LocalPlacement.in_memory() as placement:
            yield placement


class TestSqlite(PlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[PlacementService]:
        clock = SystemClock()
        with SqlStore(f"sqlite:///{directory}/books.db", clock, random.Random(1)) as store:
            yield LocalPlacement(store, SqlPlacement(store, clock))


class TestClientOfTheDaemon(PlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[PlacementService]:
        with servers.ours(directory) as server, server.placement() as placement:
            yield placement
