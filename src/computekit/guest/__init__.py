"""Flavor and image to what a guest is promised, every violation at once."""

from computekit.guest.config import (
    DirectBoot,
    DiskRole,
    Firmware,
    GuestConfig,
    GuestDisk,
    HostDefaults,
)
from computekit.guest.names import MAX_NAME_LENGTH, check_name
from computekit.guest.resolve import resolve
from computekit.guest.topology import topology_of

__all__ = [
    "MAX_NAME_LENGTH",
    "DirectBoot",
    "DiskRole",
    "Firmware",
    "GuestConfig",
    "GuestDisk",
    "HostDefaults",
    "check_name",
    "resolve",
    "topology_of",
]
