"""The Placement API on the wire, in each of its microversions."""

from computekit.http.placement.document import placement_document
from computekit.http.placement.endpoints import placement_endpoints

__all__ = ["placement_document", "placement_endpoints"]
