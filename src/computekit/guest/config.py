"""What a guest is promised, resolved from flavor and image."""

from enum import Enum

import attrs

from computekit.guest.asks import ProviderAsks
from computekit.ids import ImageId
from computekit.model import Trait
from computekit.topology import GuestTopology, TopologyFit
from computekit.units import Bytes, Mib

__all__ = [
    "DirectBoot",
    "DiskRole",
    "Firmware",
    "GuestConfig",
    "GuestDisk",
    "GuestFeature",
    "HostDefaults",
]


class Firmware(Enum):
    """What the guest's machine starts with."""

    BIOS = "bios"
    UEFI = "uefi"


class GuestFeature(Enum):
    """Something that only some hosts can give a guest; the value is the trait of such hosts.

    A driver refuses a guest with one that it does not know how to give.
    """

    SECURE_BOOT = "COMPUTE_SECURITY_UEFI_SECURE_BOOT"
    STATELESS_FIRMWARE = "COMPUTE_SECURITY_STATELESS_FIRMWARE"
    TPM_1_2 = "COMPUTE_SECURITY_TPM_1_2"
    TPM_2_0 = "COMPUTE_SECURITY_TPM_2_0"
    TPM_TIS = "COMPUTE_SECURITY_TPM_TIS"
    TPM_CRB = "COMPUTE_SECURITY_TPM_CRB"
    TPM_KEY_OF_USER = "COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER"
    TPM_KEY_OF_HOST = "COMPUTE_SECURITY_TPM_SECRET_SECURITY_HOST"
    TPM_KEY_OF_DEPLOYMENT = "COMPUTE_SECURITY_TPM_SECRET_SECURITY_DEPLOYMENT"
    ADDRESS_SPACE_PASSTHROUGH = "COMPUTE_ADDRESS_SPACE_PASSTHROUGH"
    ADDRESS_SPACE_EMULATED = "COMPUTE_ADDRESS_SPACE_EMULATED"
    EPHEMERAL_ENCRYPTION = "COMPUTE_EPHEMERAL_ENCRYPTION"
    EPHEMERAL_ENCRYPTION_LUKS = "COMPUTE_EPHEMERAL_ENCRYPTION_LUKS"
    EPHEMERAL_ENCRYPTION_PLAIN = "COMPUTE_EPHEMERAL_ENCRYPTION_PLAIN"
    PACKED_VIRTQUEUE = "COMPUTE_NET_VIRTIO_PACKED"
    SOUND_VIRTIO = "COMPUTE_SOUND_MODEL_VIRTIO"
    SOCKET_DEVICES = "COMPUTE_SOCKET_PCI_NUMA_AFFINITY"

    @property
    def trait(self) -> Trait:
        """What a host has that can give it."""
        return Trait(self.value)


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
        features: what only some hosts can give; their traits are required too.
        address_bits: of a physical address; None takes what the machine has.
        topology: NUMA nodes, pinning and pages; None where nothing of that is asked.
        asks: what is asked of resource providers by name.
        cells: where the NUMA nodes go; None until the guest has its place, or without any.
    """

    arch: str
    machine_type: str
    firmware: Firmware
    vcpus: int
    memory_mib: Mib
    disks: tuple[GuestDisk, ...]
    direct_boot: DirectBoot | None = None
    required_traits: frozenset[Trait] = frozenset()
    features: frozenset[GuestFeature] = frozenset()
    address_bits: int | None = None
    topology: GuestTopology | None = None
    asks: ProviderAsks = attrs.field(factory=ProviderAsks)
    cells: TopologyFit | None = None
