"""The library, and a client of the daemon, keep the same laws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.clock import SystemClock
from computekit.placement import LocalPlacement, OwnPlacementService
from computekit.store import SqlPlacement, SqlStore
from computekit.testing.placement_own_service_laws import OwnPlacementServiceLaws
from computekit.testing.placement_service_laws import PlacementServiceLaws
from tests.parity import servers


class TestInMemory(PlacementServiceLaws, OwnPlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[OwnPlacementService]:
        with LocalPlacement.in_memory() as placement:
            yield placement


class TestSqlite(PlacementServiceLaws, OwnPlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[OwnPlacementService]:
        clock = SystemClock()
        with SqlStore(f"sqlite:///{directory}/books.db", clock, random.Random(1)) as store:
            yield LocalPlacement(store, SqlPlacement(store, clock))


class TestClientOfTheDaemon(PlacementServiceLaws, OwnPlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[OwnPlacementService]:
        with servers.ours(directory) as server, server.placement() as placement:
            yield placement
