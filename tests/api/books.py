"""The Placement API over books in memory, ready to be called."""

import random

from computekit.api import AccessPolicy
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.http import Application, NoAuth2, Settings
from computekit.http.placement import placement_endpoints
from computekit.placement import LocalPlacement
from computekit.testing import ManualClock
from tests.api.wsgi import Caller


def administrator() -> Caller:
    """Return an administrator at the newest microversion, with empty books."""
    clock = ManualClock()
    endpoints = placement_endpoints(LocalPlacement.in_memory(clock), random.Random(1), clock)
    settings = Settings(
        PLACEMENT_VERSIONS, NoAuth2(), clock, random.Random(2), policy=AccessPolicy.LEGACY
    )
    headers = {"x_auth_token": "admin", "openstack_api_version": "placement latest"}
    return Caller(Application(endpoints, settings), headers)
