"""The operations of the identity service: what stock clients need of OpenStack Identity v3."""

from computekit.api.identity.base import IDENTITY_VERSIONS, Service
from computekit.api.identity.people import PeopleCalls
from computekit.api.identity.tokens import TokenCalls

__all__ = ["IDENTITY_VERSIONS", "PeopleCalls", "Service", "TokenCalls"]
