"""What each architecture can have: machine types, firmware, most virtual CPUs."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from computekit.guest.config import Firmware
from computekit.model import Trait

__all__ = ["ARCHITECTURES", "Architecture"]


@attrs.frozen
class Architecture:
    """One architecture that guests can have.

    Attributes:
        name: as the kernel calls it.
        trait: what a host of this architecture has.
        machine_type: the one to take when nobody says.
        machine_types: a pattern for all of them, versioned ones included.
        firmware: the one to take when nobody says.
        firmwares: all that it can start with.
        max_vcpus: most virtual CPUs of one guest.
    """

    name: str
    trait: Trait
    machine_type: str
    machine_types: re.Pattern[str]
    firmware: Firmware
    firmwares: frozenset[Firmware]
    max_vcpus: int


def _by_name(*architectures: Architecture) -> Mapping[str, Architecture]:
    return MappingProxyType({each.name: each for each in architectures})


ARCHITECTURES = _by_name(
    Architecture(
        name="x86_64",
        trait=Trait("HW_ARCH_X86_64"),
        machine_type="q35",
        machine_types=re.compile(r"q35|pc|pc-(q35|i440fx)-[a-z0-9][a-z0-9._-]{0,40}"),
        firmware=Firmware.BIOS,
        firmwares=frozenset(Firmware),
        # libvirt refuses more without an IOMMU in extended interrupt mode; `pc` ends here too.
        max_vcpus=255,
    ),
    Architecture(
        name="aarch64",
        trait=Trait("HW_ARCH_AARCH64"),
        machine_type="virt",
        machine_types=re.compile(r"virt(-[a-z0-9][a-z0-9._-]{0,40})?"),
        firmware=Firmware.UEFI,
        firmwares=frozenset({Firmware.UEFI}),
        # QEMU's `virt` machine with GICv3.
        max_vcpus=512,
    ),
)
"""Architectures by name."""
