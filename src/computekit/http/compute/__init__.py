"""The Compute API over HTTP, as Nova's callers know it."""

from computekit.http.compute.dialect import ComputeDialect
from computekit.http.compute.document import compute_document
from computekit.http.compute.endpoints import compute_endpoints

__all__ = ["ComputeDialect", "compute_document", "compute_endpoints"]
