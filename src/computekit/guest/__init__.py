"""Flavor and image to what a guest is promised, every violation at once."""

from computekit.guest.asks import ProviderAsks
from computekit.guest.config import (
    DirectBoot,
    DiskRole,
    Firmware,
    GuestConfig,
    GuestDisk,
    GuestFeature,
    HostDefaults,
)
from computekit.guest.cpu_set import parse_cpu_set
from computekit.guest.features import features_of
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
    "GuestFeature",
    "HostDefaults",
    "ProviderAsks",
    "check_name",
    "features_of",
    "parse_cpu_set",
    "resolve",
    "topology_of",
]
