"""Providers of a server, page by page."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from computekit.api import AccessPolicy
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.client import Connection, RemotePlacement, token
from computekit.errors import InvalidInput, Unsupported
from computekit.http import Application, NoAuth2, Settings
from computekit.http.placement import placement_endpoints
from computekit.ids import ProviderId, new_uuid
from computekit.placement import LocalPlacement
from computekit.secret import Secret
from computekit.testing import ManualClock

SOURCE = random.Random(6)


@contextmanager
def remote(placement: LocalPlacement, *, own: bool = True) -> Iterator[RemotePlacement]:
    clock = ManualClock()
    endpoints = placement_endpoints(placement, SOURCE, clock)
    known = [one for one in endpoints if own or not one.path.startswith("/computekit/")]
    settings = Settings(PLACEMENT_VERSIONS, NoAuth2(), clock, SOURCE, policy=AccessPolicy.LEGACY)
    with Connection(
        "http://inside",
        authentication=token(Secret(b"admin")),
        transport=httpx2.WSGITransport(app=Application(known, settings)),
        clock=clock,
    ) as connection:
        yield RemotePlacement(connection)


def test_pages_follow_each_other() -> None:
    local = LocalPlacement.in_memory(ManualClock())
    for number in range(5):
        local.create_provider(ProviderId(new_uuid(SOURCE)), f"host {number}")
    with remote(local) as placement:
        first = placement.provider_page(limit=2)
        second = placement.provider_page(first[-1].id, limit=2)
        third = placement.provider_page(second[-1].id, limit=2)
        assert [len(page) for page in (first, second, third)] == [2, 2, 1]
        assert (*first, *second, *third) == local.providers() == placement.provider_page()


def test_a_page_that_cannot_be_had_is_refused() -> None:
    local = LocalPlacement.in_memory(ManualClock())
    with remote(local) as placement, pytest.raises(InvalidInput):
        placement.provider_page(limit=0)
    with remote(local, own=False) as placement, pytest.raises(Unsupported):
        placement.provider_page()
