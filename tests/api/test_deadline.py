"""A search of which nobody can wait for the end has one."""

import json
import random

from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.http import Application, NoAuth2, Settings
from computekit.http.placement import placement_endpoints
from computekit.placement import LocalPlacement
from computekit.testing import ManualClock
from computekit.units import Seconds
from tests.api.wsgi import Caller

JSON = {"content_type": "application/json"}


class Ticking(ManualClock):
    """A clock on which some time passes with each look."""

    def monotonic_s(self) -> Seconds:
        self.advance(Seconds(0.1))
        return super().monotonic_s()


def test_more_ways_than_can_be_listed_are_a_503() -> None:
    clock = ManualClock()
    endpoints = placement_endpoints(LocalPlacement.in_memory(clock), random.Random(1), clock)
    settings = Settings(
        PLACEMENT_VERSIONS, NoAuth2(), Ticking(), random.Random(2), deadline_s=Seconds(5.0)
    )
    headers = {"x_auth_token": "admin", "openstack_api_version": "placement latest"}
    call = Caller(Application(endpoints, settings), headers)
    root, *devices = (f"{n:08x}-0000-4000-8000-000000000000" for n in range(17))
    for uuid in (root, *devices):
        new = {"name": uuid, "uuid": uuid, "parent_provider_uuid": None if uuid == root else root}
        assert call("POST", "/resource_providers", json.dumps(new).encode(), **JSON).status == 200
        has = {"resource_provider_generation": 0, "inventories": {"VGPU": {"total": 1}}}
        path = f"/resource_providers/{uuid}/inventories"
        assert call("PUT", path, json.dumps(has).encode(), **JSON).status == 200

    groups = "&".join(f"resources{n}=VGPU:1" for n in range(1, 9))
    query = f"/allocation_candidates?{groups}&group_policy=isolate"
    reply = call("GET", query)  # 17! / 9! ways
    assert reply.status == 503
    assert "took longer than 5 s" in reply.detail
    assert len(call("GET", f"{query}&limit=10").json["allocation_requests"]) == 10
