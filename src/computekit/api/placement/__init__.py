"""The operations of the Placement API (OpenStack Placement, microversions 1.0 to 1.39).

Each module declares some of them and holds what carries them out; all of it means what the newest
microversion means. What older ones look like is for the edge to know.
"""

from computekit.api.placement.base import PLACEMENT_VERSIONS, Hosted
from computekit.api.placement.known_names import KnownNames

__all__ = ["PLACEMENT_VERSIONS", "Hosted", "KnownNames"]
