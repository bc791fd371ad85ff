"""The operations of the image service: what stock clients and hosts need of OpenStack Image v2."""

from computekit.api.image.base import IMAGE_VERSIONS, sees
from computekit.api.image.calls import ImageCalls
from computekit.api.image.usable import UsableImages

__all__ = ["IMAGE_VERSIONS", "ImageCalls", "UsableImages", "sees"]
