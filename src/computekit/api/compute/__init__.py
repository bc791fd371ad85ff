"""The Compute API: what can be asked of servers and of what they are made of and run on."""

from computekit.api.compute.base import COMPUTE_VERSIONS, Cloud, is_admin, may_see

__all__ = ["COMPUTE_VERSIONS", "Cloud", "is_admin", "may_see"]
