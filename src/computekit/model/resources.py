"""Resource classes and amounts."""

import re
from typing import NewType

from computekit.model.frozen_map import FrozenMap

__all__ = ["DISK_GB", "MEMORY_MB", "PCPU", "VCPU", "ResourceClass", "Resources", "is_custom_name"]

ResourceClass = NewType("ResourceClass", str)
"""A standard name of os-resource-classes or `CUSTOM_[A-Z0-9_]+`, 255 characters at most."""

Resources = FrozenMap[ResourceClass, int]
"""Amounts by class, each at least 1. The unit is the class's: MEMORY_MB in MiB, DISK_GB in GiB."""

VCPU = ResourceClass("VCPU")
PCPU = ResourceClass("PCPU")
MEMORY_MB = ResourceClass("MEMORY_MB")
DISK_GB = ResourceClass("DISK_GB")

_CUSTOM = re.compile(r"CUSTOM_[A-Z0-9_]+\Z")


def is_custom_name(name: str) -> bool:
    """Return whether `name` may be a custom resource class or trait (Placement API)."""
    return len(name) <= 255 and _CUSTOM.match(name) is not None
