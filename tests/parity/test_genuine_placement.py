"""The client against genuine OpenStack Placement keeps the laws of the library."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from computekit.placement import PlacementService
from computekit.testing.placement_service_laws import PlacementServiceLaws
from tests.parity import peers, servers


@pytest.mark.skipif(peers.made("placement") is None, reason=peers.missing("placement"))
class TestGenuinePlacement(PlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[PlacementService]:
        with servers.genuine(directory) as server, server.placement() as placement:
            yield placement
