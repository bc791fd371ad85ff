"""Which versions of the Compute API there are: told to everybody."""

from types import NoneType

from computekit.api.access import Rule
from computekit.api.compute.base import COMPUTE_VERSIONS, since
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.version import VersionRange

__all__ = ["LIST_VERSIONS", "SHOW_VERSION", "show_versions"]

LIST_VERSIONS = ApiOperation(
    "list_versions", "GET", "/", "The versions of the API.", NoneType, VersionRange, since(1),
    rule=Rule.ANYONE,
)  # fmt: skip
SHOW_VERSION = ApiOperation(
    "show_version", "GET", "/v2.1", "The version of the API.", NoneType, VersionRange, since(1),
    rule=Rule.ANYONE,
)  # fmt: skip


def show_versions(_asked: None, _context: CallContext) -> VersionRange:
    """Carry out `LIST_VERSIONS` and `SHOW_VERSION`."""
    return COMPUTE_VERSIONS
