"""The identity service on the wire (OpenStack Identity v3)."""

from computekit.http.identity.document import identity_document
from computekit.http.identity.endpoints import identity_endpoints

__all__ = ["identity_document", "identity_endpoints"]
