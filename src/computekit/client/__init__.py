"""Typed clients of services behind HTTP: computekit's own, and genuine Placement."""

from computekit.client.authentication import Authentication, basic, token
from computekit.client.connection import Connection
from computekit.client.placement import RemotePlacement

__all__ = ["Authentication", "Connection", "RemotePlacement", "basic", "token"]
