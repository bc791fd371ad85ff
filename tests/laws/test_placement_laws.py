"""Every implementation of placement keeps its laws."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computekit.placement import MemoryPlacement
from computekit.testing.placement_laws import PlacementBench, PlacementLaws
from computekit.work import MemoryStore


class TestMemoryPlacement(PlacementLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[PlacementBench]:
        store = MemoryStore()
        yield PlacementBench(store, MemoryPlacement(store))
