"""The client keeps its laws when answers are lost: nothing happens twice, or is forgotten."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from computekit.api import AccessPolicy
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.client import Connection, RemotePlacement, token
from computekit.http import Application, NoAuth2, Settings
from computekit.http.placement import placement_endpoints
from computekit.placement import LocalPlacement, OwnPlacementService
from computekit.secret import Secret
from computekit.testing import ManualClock
from computekit.testing.placement_own_service_laws import OwnPlacementServiceLaws
from computekit.testing.placement_service_laws import PlacementServiceLaws


class Lossy(httpx2.BaseTransport):
    """Loses every seventh answer after the request was carried out, every fifth request before.

    Spared is what nobody can tell afterwards: whether a name that was made known was new, and
    whether what is not there was there before it was deleted.
    """

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner
        self._count = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if request.method == "PUT" and path.startswith(("/traits/", "/resource_classes/")):
            return self._inner.handle_request(request)
        self._count += 1
        if self._count % 5 == 0:
            raise httpx2.ConnectError("lost before")
        response = self._inner.handle_request(request)
        absent = request.method == "DELETE" and response.status_code == 404
        if self._count % 7 == 0 and not absent:
            response.read()
            raise httpx2.ReadError("lost after")
        return response


class TestClientThatLosesAnswers(PlacementServiceLaws, OwnPlacementServiceLaws):
    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[OwnPlacementService]:
        clock = ManualClock()
        endpoints = placement_endpoints(LocalPlacement.in_memory(clock), random.Random(1), clock)
        settings = Settings(
            PLACEMENT_VERSIONS, NoAuth2(), clock, random.Random(2), policy=AccessPolicy.LEGACY
        )
        carries = Lossy(httpx2.WSGITransport(app=Application(endpoints, settings)))
        with Connection(
            "http://inside", authentication=token(Secret(b"admin")), transport=carries, clock=clock
        ) as connection:
            yield RemotePlacement(connection)
