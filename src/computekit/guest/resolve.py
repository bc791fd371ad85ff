"""Flavor and image to what a guest is promised, or to all the reasons why it cannot be."""

from collections.abc import Callable
from typing import TypeVar

from computekit.errors import Fault, InvalidInput
from computekit.guest.architectures import ARCHITECTURES, Architecture
from computekit.guest.asks import provider_asks
from computekit.guest.config import (
    DirectBoot,
    DiskRole,
    Firmware,
    GuestConfig,
    GuestDisk,
    HostDefaults,
)
from computekit.guest.features import address_bits, read_features
from computekit.guest.keys import key_faults, property_path, quoted, spec_path
from computekit.guest.reading import SpecReader
from computekit.guest.topology import topology_of
from computekit.ids import ImageId, is_uuid
from computekit.model import MAX_AMOUNT, Flavor, Image, Trait
from computekit.topology import GuestTopology
from computekit.units import bytes_to_gib_ceil, gib_to_bytes, mib_to_bytes

__all__ = ["resolve"]

T = TypeVar("T")

_UEFI = Trait("COMPUTE_FIRMWARE_UEFI")
_DISK_FORMATS = ("qcow2", "raw")
_COMMAND_LINE = "root=/dev/vda console=tty0 console=ttyS0"
_MAX_COMMAND_LINE = 2047  # COMMAND_LINE_SIZE of x86 and arm64 kernels, less the NUL


def resolve(flavor: Flavor, image: Image, defaults: HostDefaults) -> GuestConfig:
    """Return what a guest of `flavor` that boots `image` is promised.

    Where flavor and image speak of the same thing they must agree. The host must have the trait of
    the guest's architecture (`HW_ARCH_X86_64` ...) and, for UEFI, `COMPUTE_FIRMWARE_UEFI`. BIOS
    asks for none: every hypervisor of an architecture that has it brings it along, and hosts do
    not report it.

    Raises:
        InvalidInput: with every fault of both.
    """
    faults = key_faults(flavor, image)
    arch = _architecture(image, defaults, faults)
    native = arch.name == defaults.arch
    firmware = _agreed(flavor, image, "firmware_type", _firmware_of(arch), faults)
    if firmware is None:
        firmware = defaults.firmware if native else arch.firmware
    machine_type = _agreed(flavor, image, "machine_type", _machine_type_of(arch), faults)
    if machine_type is None:
        machine_type = defaults.machine_type if native else arch.machine_type
    if not 1 <= flavor.vcpus <= arch.max_vcpus:
        message = f"{flavor.vcpus} is not within 1 to {arch.max_vcpus}, the most of {arch.name}"
        faults.append(Fault("flavor.vcpus", "out_of_range", message))
    _check_memory(flavor, image, faults)
    disks = _disks(flavor, image, faults)
    direct_boot = _direct_boot(image, faults)
    asks = provider_asks(flavor, image, faults)
    named = frozenset(trait for group in asks.unsuffixed.required for trait in group)
    topology = _topology(flavor, image, faults)
    reader = SpecReader(flavor, image)
    features = read_features(reader, firmware)
    bits = address_bits(reader)
    faults.extend(reader.faults)
    traits = {arch.trait, *named, *(feature.trait for feature in features)}
    if firmware is Firmware.UEFI:
        traits.add(_UEFI)
    if faults:
        raise InvalidInput(tuple(dict.fromkeys(faults)))
    return GuestConfig(
        arch=arch.name,
        machine_type=machine_type,
        firmware=firmware,
        vcpus=flavor.vcpus,
        memory_mib=flavor.memory_mib,
        disks=disks,
        direct_boot=direct_boot,
        required_traits=frozenset(traits),
        features=features,
        address_bits=bits,
        topology=topology,
        asks=asks,
    )


def _topology(flavor: Flavor, image: Image, faults: list[Fault]) -> GuestTopology | None:
    try:
        return topology_of(flavor, image)
    except InvalidInput as error:
        faults.extend(error.faults)
        return None


def _agreed(
    flavor: Flavor, image: Image, name: str, parse: Callable[[str], T], faults: list[Fault]
) -> T | None:
    """Return what flavor, image or both ask for; None if neither does, or one is wrong."""
    asked: list[T] = []
    wrong = False
    flavor_key, image_key = f"hw:{name}", f"hw_{name}"
    for source, key, path in (
        (flavor.extra_specs, flavor_key, spec_path(flavor_key)),
        (image.properties, image_key, property_path(image_key)),
    ):
        if key in source:
            try:
                asked.append(parse(source[key]))
            except ValueError as error:
                faults.append(Fault(path, "invalid_value", str(error)))
                wrong = True
    if wrong or not asked:
        return None
    if asked[0] != asked[-1]:
        flavors, images = flavor.extra_specs[flavor_key], image.properties[image_key]
        message = f"{flavors}, but {image_key} of the image is {images}: let them agree or drop one"
        faults.append(Fault(spec_path(flavor_key), "conflict", message))
    return asked[0]


def _firmware_of(arch: Architecture) -> Callable[[str], Firmware]:
    possible = sorted(firmware.value for firmware in arch.firmwares)

    def parse(text: str) -> Firmware:
        if text not in possible:
            raise ValueError(f"{quoted(text)} is no firmware of {arch.name}: {', '.join(possible)}")
        return Firmware(text)

    return parse


def _machine_type_of(arch: Architecture) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if arch.machine_types.fullmatch(text) is None:
            example = arch.machine_type
            raise ValueError(f"{quoted(text)} is no machine type of {arch.name}; try {example}")
        return text

    return parse


def _architecture(image: Image, defaults: HostDefaults, faults: list[Fault]) -> Architecture:
    """Return the guest's architecture; that of the host where the image's is not known."""
    host = ARCHITECTURES.get(defaults.arch)
    if host is None:
        message = f"{quoted(defaults.arch)} is not one of {', '.join(ARCHITECTURES)}"
        raise InvalidInput((*faults, Fault("defaults.arch", "invalid_value", message)))
    if defaults.firmware not in host.firmwares:
        message = f"{host.name} guests cannot start with {defaults.firmware.value}"
        faults.append(Fault("defaults.firmware", "conflict", message))
    if host.machine_types.fullmatch(defaults.machine_type) is None:
        message = f"{quoted(defaults.machine_type)} is no machine type of {host.name}"
        faults.append(Fault("defaults.machine_type", "invalid_value", message))
    asked = image.properties.get("hw_architecture", defaults.arch)
    found = ARCHITECTURES.get(asked)
    if found is None:
        message = f"{quoted(asked)} is not one of {', '.join(ARCHITECTURES)}"
        faults.append(Fault(property_path("hw_architecture"), "invalid_value", message))
    return found or host


def _check_memory(flavor: Flavor, image: Image, faults: list[Fault]) -> None:
    if not 1 <= flavor.memory_mib <= MAX_AMOUNT:
        message = f"{flavor.memory_mib} MiB is not within 1 to {MAX_AMOUNT}"
        faults.append(Fault("flavor.memory_mib", "out_of_range", message))
    elif flavor.memory_mib < image.min_memory_mib:
        message = f"{flavor.memory_mib} MiB, the image needs {image.min_memory_mib} MiB"
        faults.append(Fault("flavor.memory_mib", "too_small", message))


def _disks(flavor: Flavor, image: Image, faults: list[Fault]) -> tuple[GuestDisk, ...]:
    if image.disk_format not in _DISK_FORMATS:
        possible = " and ".join(_DISK_FORMATS)
        message = f"{quoted(image.disk_format)} cannot be booted, {possible} can"
        faults.append(Fault("image.disk_format", "invalid_value", message))
    for field, amount in (
        ("disk_gib", flavor.disk_gib),
        ("ephemeral_gib", flavor.ephemeral_gib),
        ("swap_mib", flavor.swap_mib),
    ):
        if not 0 <= amount <= MAX_AMOUNT:
            message = f"{amount} is not within 0 to {MAX_AMOUNT}"
            faults.append(Fault(f"flavor.{field}", "out_of_range", message))
    least_gib = max(bytes_to_gib_ceil(image.virtual_size_bytes), image.min_disk_gib)
    root_gib = flavor.disk_gib or least_gib
    if 0 < root_gib < least_gib:
        message = f"{root_gib} GiB, the image needs {least_gib} GiB (0 takes what it needs)"
        faults.append(Fault("flavor.disk_gib", "too_small", message))
    if root_gib == 0:
        message = "the image is empty, and so would the root disk be"
        faults.append(Fault("image.virtual_size_bytes", "too_small", message))
    disks = [GuestDisk(DiskRole.ROOT, gib_to_bytes(root_gib), image.id)]
    if flavor.ephemeral_gib:
        disks.append(GuestDisk(DiskRole.EPHEMERAL, gib_to_bytes(flavor.ephemeral_gib)))
    if flavor.swap_mib:
        disks.append(GuestDisk(DiskRole.SWAP, mib_to_bytes(flavor.swap_mib)))
    return tuple(disks)


def _direct_boot(image: Image, faults: list[Fault]) -> DirectBoot | None:
    """Return the kernel to load (Image API: `kernel_id`, `ramdisk_id`; Nova: `os_command_line`)."""
    properties = image.properties
    for key in ("kernel_id", "ramdisk_id"):
        if key in properties and not is_uuid(properties[key]):
            message = f"{quoted(properties[key])} is not the id of an image"
            faults.append(Fault(property_path(key), "invalid_value", message))
    if "kernel_id" not in properties:
        for key in ("ramdisk_id", "os_command_line"):
            if key in properties:
                message = "goes with a kernel only; add kernel_id or take it out"
                faults.append(Fault(property_path(key), "conflict", message))
        return None
    command_line = properties.get("os_command_line", _COMMAND_LINE)
    if not command_line.isprintable() or len(command_line.encode()) > _MAX_COMMAND_LINE:
        message = f"needs printable text of at most {_MAX_COMMAND_LINE} bytes"
        faults.append(Fault(property_path("os_command_line"), "invalid_value", message))
    ramdisk = properties.get("ramdisk_id")
    return DirectBoot(
        kernel=ImageId(properties["kernel_id"]),
        ramdisk=None if ramdisk is None else ImageId(ramdisk),
        command_line=command_line,
    )
