"""Operations declared once: what goes in, what comes out, since when, who may; no HTTP library."""

from computekit.api.access import Policy, Rule, allowed
from computekit.api.context import NOBODY, Context, Identity
from computekit.api.operation import Method, Operation
from computekit.api.version import Microversion, VersionRange

__all__ = [
    "NOBODY",
    "Context",
    "Identity",
    "Method",
    "Microversion",
    "Operation",
    "Policy",
    "Rule",
    "VersionRange",
    "allowed",
]
