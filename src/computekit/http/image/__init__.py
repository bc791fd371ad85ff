"""The image service on the wire (OpenStack Image v2)."""

from computekit.http.image.document import image_document
from computekit.http.image.endpoints import image_endpoints, is_upload

__all__ = ["image_document", "image_endpoints", "is_upload"]
