"""Operations declared once: what goes in, what comes out, since when, who may; no HTTP library."""

from computekit.api.access import AccessPolicy, Rule, allowed
from computekit.api.context import NOBODY, CallContext, Identity
from computekit.api.operation import ApiOperation, Method
from computekit.api.version import Microversion, VersionRange

__all__ = [
    "NOBODY",
    "AccessPolicy",
    "ApiOperation",
    "CallContext",
    "Identity",
    "Method",
    "Microversion",
    "Rule",
    "VersionRange",
    "allowed",
]
