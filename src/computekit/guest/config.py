"""What a guest is promised, resolved from flavor and image."""

from enum import Enum

import attrs

from computekit.ids import ImageId
from computekit.model import Trait
from computekit.units import Bytes, Mib

__all__ = ["DirectBoot", "DiskRole", "Firmware", "GuestConfig", "GuestDisk", "HostDefaults"]


class Firmware(Enum):
    """What the guest's machine starts with."""

    BIOS = "bios"
    UEFI = "uefi"


class DiskRole(Enum):
    """What a disk is for."""

    ROOT = "root"
    EPHEMERAL = "ephemeral"
    SWAP = "swap"


@attrs.frozen
class HostDefaults:
    """What a guest gets where neither flavor nor image says anything.

    Attributes:
        arch: `x86_64` or `aarch64`.
        machine_type: for guests of that architecture.
        firmware: for guests of that architecture.
    """

    arch: str = "x86_64"
    machine_type: str = "q35"
    firmware: Firmware = Firmware.BIOS


@attrs.frozen
class GuestDisk:
    """One disk of a guest.

    Attributes:
        role: unique within a guest; also the name of its file.
        size_bytes: what the guest sees.
        image: the image that it starts as a copy of; None for an empty disk.
    """

    role: DiskRole
    size_bytes: Bytes
    image: ImageId | None = None


@attrs.frozen
class DirectBoot:
    """A kernel that the hypervisor loads itself, for images that do not boot by themselves.

    Attributes:
        kernel: an image of format `aki`.
        ramdisk: an image of format `ari`.
        command_line: for the kernel.
    """

    kernel: ImageId
    ramdisk: ImageId | None
    command_line: str


@attrs.frozen
class GuestConfig:
    """What a guest is promised; the hypervisor's XML and the placement request follow from it.

    Attributes:
        arch: `x86_64`, `aarch64` ...
        machine_type: `q35`, `pc-q35-7.2` ...
        firmware: what the machine starts with.
        vcpus: virtual CPUs.
        memory_mib: memory.
        disks: the root disk first.
        direct_boot: kernel and ramdisk, if the root disk does not boot by itself.
        required_traits: what the host must be able to do for this.
    """

    arch: str
    machine_type: str
    firmware: Firmware
    vcpus: int
    memory_mib: Mib
    disks: tuple[GuestDisk, ...]
    direct_boot: DirectBoot | None = None
    required_traits: frozenset[Trait] = frozenset()
