"""The operations of the image service: what stock clients and hosts need of OpenStack Image v2."""

from computekit.api.image.base import VERSIONS, sees
from computekit.api.image.calls import ImageCalls
from computekit.api.image.usable import UsableImages

__all__ = ["VERSIONS", "ImageCalls", "UsableImages", "sees"]
