"""The Placement API on the wire, in each of its microversions."""

from computekit.http.placement.endpoints import placement_endpoints

__all__ = ["placement_endpoints"]
