"""Typed clients of services behind HTTP: computekit's own, and genuine Placement."""

from computekit.client.authentication import Authentication, basic, token
from computekit.client.connection import Connection
from computekit.client.copying import Differences, compare, write_differences
from computekit.client.placement import RemotePlacement
from computekit.client.snapshot import CopyProgress, CopySide, Snapshot, read_snapshot, sums

__all__ = [
    "Authentication",
    "Connection",
    "CopyProgress",
    "CopySide",
    "Differences",
    "RemotePlacement",
    "Snapshot",
    "basic",
    "compare",
    "read_snapshot",
    "sums",
    "token",
    "write_differences",
]
