"""Which keys of flavors and images promise something to a guest, and what becomes of each.

A key that is not known, or that asks for what cannot be given yet, is a fault: a guest without
a property that it was promised must not start. Keys that promise nothing to the guest (those of
aggregates and host capabilities, free text about the image) are left alone.
"""

import difflib
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

import attrs

from computekit.errors import Fault
from computekit.model import Flavor, Image

__all__ = [
    "FLAVOR_KEYS",
    "IMAGE_KEYS",
    "KeyRules",
    "key_faults",
    "property_path",
    "quoted",
    "spec_path",
]

_OFF = frozenset({"", "0", "disabled", "f", "false", "n", "no", "none", "off"})


@attrs.frozen
class KeyRules:
    """The keys of one source that mean something to a guest.

    Attributes:
        supported: keys, or patterns of keys, that `resolve` reads.
        not_yet: keys, or patterns, whose promise cannot be kept yet, each with those values that
            ask for nothing.
    """

    supported: frozenset[str]
    not_yet: Mapping[str, frozenset[str]]


def _not_yet(
    off: tuple[str, ...],
    never: tuple[str, ...],
    values: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Mapping[str, frozenset[str]]:
    none: frozenset[str] = frozenset()
    return MappingProxyType({**dict.fromkeys(off, _OFF), **dict.fromkeys(never, none), **values})


# The names are those of Nova's extra spec validators and of Glance's metadata definitions.
_BOTH_OFF = (
    "boot_menu",
    "locked_memory",
    "mem_encryption",
    "pmu",
    "vif_multiqueue_enabled",
)
_BOTH_NEVER = (
    "cpu_cores",
    "cpu_max_cores",
    "cpu_max_sockets",
    "cpu_max_threads",
    "cpu_sockets",
    "cpu_threads",
    "input_bus",
    "mem_encryption_model",
    "memory_backend",
    "serial_port_count",
    "viommu_model",
    "watchdog_action",
)
# What is the same in flavors and images, but for the scope.
_BOTH_SUPPORTED = (
    "cpu_policy",
    "cpu_realtime",
    "cpu_realtime_mask",
    "cpu_thread_policy",
    "ephemeral_encryption",
    "ephemeral_encryption_format",
    "firmware_type",
    "machine_type",
    "maxphysaddr_bits",
    "maxphysaddr_mode",
    "mem_page_size",
    "numa_cpus.*",
    "numa_mem.*",
    "numa_nodes",
    "pci_numa_affinity_policy",
    "sound_model",
    "tpm_model",
    "tpm_secret_security",
    "tpm_version",
    "virtio_packed_ring",
)

FLAVOR_KEYS = KeyRules(
    supported=frozenset(
        {
            *(f"hw:{name}" for name in _BOTH_SUPPORTED),
            "group_policy",
            "hw:cpu_dedicated_mask",
            "hw:emulator_threads_policy",
            "os:secure_boot",
            "resources*",
            "trait:*",
            "trait[!:]*:*",
        }
    ),
    not_yet=_not_yet(
        off=(*(f"hw:{name}" for name in _BOTH_OFF), "hw:hide_hypervisor_id", "hw_rng:allowed"),
        never=(
            *(f"hw:{name}" for name in _BOTH_NEVER),
            "accel:device_profile",
            "hw:audio_model",
            "hw:pmem",
            "hw:redirected_usb_ports",
            "hw:sgx_epc_mb",
            "hw:usb_model",
            "hw_rng:*",
            "hw_video:*",
            "pci_passthrough:alias",
            "quota:*",
        ),
    ),
)
"""Extra specs of flavors."""

IMAGE_KEYS = KeyRules(
    supported=frozenset(
        {
            *(f"hw_{name}" for name in _BOTH_SUPPORTED),
            "hw_architecture",
            "hw_firmware_stateless",
            "kernel_id",
            "os_command_line",
            "os_secure_boot",
            "ramdisk_id",
            "trait:*",
        }
    ),
    not_yet=_not_yet(
        off=(
            *(f"hw_{name}" for name in _BOTH_OFF),
            "hw_qemu_guest_agent",
            "img_hide_hypervisor_id",
        ),
        never=(
            *(f"hw_{name}" for name in _BOTH_NEVER),
            "hw_audio_model",
            "hw_boot_menu_timeout",
            "hw_cdrom_bus",
            "hw_cpu_dedicated_mask",
            "hw_cpu_model",
            "hw_disk_bus",
            "hw_disk_discard",
            "hw_disk_type",
            "hw_emulation_architecture",
            "hw_emulator_threads_policy",
            "hw_ephemeral_encryption_secret_uuid",
            "hw_floppy_bus",
            "hw_pointer_model",
            "hw_rescue_bus",
            "hw_rescue_device",
            "hw_rng_model",
            "hw_scsi_model",
            "hw_time_hpet",
            "hw_usb_model",
            "hw_video_model",
            "hw_video_ram",
            "hw_vif_model",
            "img_hv_requested_version",
            "img_signature*",
            "os_encrypt_*",
        ),
        values={
            "img_config_drive": frozenset({"optional"}),
            "img_hv_type": frozenset({"kvm", "qemu"}),
        },
    ),
)
"""Properties of images."""

# `os_` begins free text about an image; secure boot must not hide in it behind a slip.
_OURS = re.compile(r"\s*(hw(_[a-z]+)?[:_]|os:|os_?secure)", re.IGNORECASE)


def quoted(text: str) -> str:
    """Return `text` fit for a message: in quotes, on one line, not longer than a line."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def spec_path(key: str) -> str:
    """Return where an extra spec stands."""
    return f"flavor.extra_specs[{_shown(key)}]"


def property_path(key: str) -> str:
    """Return where an image property stands."""
    return f"image.properties[{_shown(key)}]"


def key_faults(flavor: Flavor, image: Image) -> list[Fault]:
    """Return a fault for each key whose promise is not known or cannot be kept."""
    found = [
        _fault(FLAVOR_KEYS, spec_path(key), key, value) for key, value in flavor.extra_specs.items()
    ]
    found += [
        _fault(IMAGE_KEYS, property_path(key), key, value)
        for key, value in image.properties.items()
    ]
    return [fault for fault in found if fault is not None]


def _fault(rules: KeyRules, path: str, key: str, value: str) -> Fault | None:
    if any(fnmatchcase(key, pattern) for pattern in rules.supported):
        return None
    for pattern, asks_nothing in rules.not_yet.items():
        if fnmatchcase(key, pattern):
            if value.strip().lower() in asks_nothing:
                return None
            message = f"{quoted(value)} cannot be promised to a guest yet; take the key out"
            return Fault(path, "unsupported_key", message)
    if _OURS.match(key) is None:
        return None
    near = difflib.get_close_matches(key.strip().lower(), _names(rules), n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else "take it out"
    return Fault(path, "unknown_key", f"no such key is known; {hint}")


def _names(rules: KeyRules) -> list[str]:
    return sorted(name for name in {*rules.supported, *rules.not_yet} if "*" not in name)


def _shown(key: str) -> str:
    return key if key.isprintable() and len(key) <= 80 else quoted(key)
