"""What only some hosts can give a guest, each known by a trait."""

from collections.abc import Mapping

import attrs
import os_traits
import pytest

from computekit.errors import InvalidInput
from computekit.guest import Firmware, GuestFeature, features_of
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image
from computekit.units import Bytes, Mib

F = GuestFeature
FLAVOR = Flavor(FlavorId("f"), "f", 4, Mib(1024))
IMAGE = Image(ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "")
TPM_2 = frozenset({F.TPM_2_0, F.TPM_TIS, F.TPM_KEY_OF_USER})


def found(
    specs: Mapping[str, str],
    properties: Mapping[str, str] | None = None,
    firmware: Firmware | None = Firmware.UEFI,
) -> frozenset[GuestFeature]:
    flavor = attrs.evolve(FLAVOR, extra_specs=FrozenMap(specs))
    image = attrs.evolve(IMAGE, properties=FrozenMap(properties or {}))
    return features_of(flavor, image, firmware)


def faults(
    specs: Mapping[str, str],
    properties: Mapping[str, str] | None = None,
    firmware: Firmware | None = Firmware.UEFI,
) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        found(specs, properties, firmware)
    return [(fault.path.partition("[")[2].rstrip("]"), fault.code) for fault in caught.value.faults]


def test_each_is_a_trait_that_the_field_knows() -> None:
    known = set(os_traits.get_traits())
    assert all(feature.trait in known for feature in GuestFeature)


@pytest.mark.parametrize(
    ("specs", "properties", "features"),
    [
        ({}, {}, set()),
        ({"os:secure_boot": "required"}, {}, {F.SECURE_BOOT}),
        ({"os:secure_boot": "optional"}, {"os_secure_boot": "required"}, {F.SECURE_BOOT}),
        ({"os:secure_boot": "optional"}, {"os_secure_boot": "disabled"}, set()),
        ({}, {"hw_firmware_stateless": "true"}, {F.STATELESS_FIRMWARE}),
        ({}, {"hw_firmware_stateless": "no"}, set()),
        ({"hw:tpm_version": "2.0"}, {}, TPM_2),
        ({"hw:tpm_version": "2.0"}, {"hw_tpm_version": "2.0"}, TPM_2),
        (
            {"hw:tpm_version": "2.0", "hw:tpm_model": "tpm-crb", "hw:tpm_secret_security": "host"},
            {},
            {F.TPM_2_0, F.TPM_CRB, F.TPM_KEY_OF_HOST},
        ),
        ({}, {"hw_tpm_version": "1.2"}, {F.TPM_1_2, F.TPM_TIS, F.TPM_KEY_OF_USER}),
        ({"hw:maxphysaddr_mode": "passthrough"}, {}, {F.ADDRESS_SPACE_PASSTHROUGH}),
        ({}, {"hw_maxphysaddr_mode": "emulate"}, {F.ADDRESS_SPACE_EMULATED}),
        ({"hw:pci_numa_affinity_policy": "socket"}, {}, {F.SOCKET_DEVICES}),
        ({"hw:pci_numa_affinity_policy": "required"}, {}, set()),
        ({"hw:virtio_packed_ring": "true"}, {}, {F.PACKED_VIRTQUEUE}),
        ({"hw:sound_model": "virtio"}, {}, {F.SOUND_VIRTIO}),
        (
            {"hw:ephemeral_encryption": "true"},
            {},
            {F.EPHEMERAL_ENCRYPTION, F.EPHEMERAL_ENCRYPTION_LUKS},
        ),
    ],
)
def test_what_is_asked(
    specs: dict[str, str], properties: dict[str, str], features: set[GuestFeature]
) -> None:
    assert found(specs, properties) == features


@pytest.mark.parametrize(
    ("specs", "properties", "expected"),
    [
        ({"os:secure_boot": "yes"}, {}, [("os:secure_boot", "invalid_value")]),
        (
            {"os:secure_boot": "required"},
            {"os_secure_boot": "disabled"},
            [("os:secure_boot", "conflict")],
        ),
        ({"hw:tpm_model": "tpm-crb"}, {}, [("hw:tpm_model", "conflict")]),
        (
            {"hw:tpm_model": "tpm-crb", "hw:tpm_version": "1.2"},
            {},
            [("hw:tpm_model", "conflict")],
        ),
        (
            {"hw:tpm_version": "2.0"},
            {"hw_tpm_version": "1.2"},
            [("hw:tpm_version", "conflict")],
        ),
        ({"hw:tpm_version": "3"}, {}, [("hw:tpm_version", "invalid_value")]),
        (
            {"hw:tpm_version": "2.0", "hw:tpm_secret_security": "nobody"},
            {},
            [("hw:tpm_secret_security", "invalid_value")],
        ),
        ({"hw:sound_model": "ac97"}, {}, [("hw:sound_model", "invalid_value")]),
        (
            {"hw:pci_numa_affinity_policy": "socket"},
            {"hw_pci_numa_affinity_policy": "socket"},
            [("hw_pci_numa_affinity_policy", "conflict")],
        ),
        (
            {"hw:ephemeral_encryption_format": "luks"},
            {},
            [("hw:ephemeral_encryption_format", "conflict")],
        ),
        ({"hw:virtio_packed_ring": "maybe"}, {}, [("hw:virtio_packed_ring", "invalid_value")]),
    ],
)
def test_what_is_wrong(
    specs: dict[str, str], properties: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert faults(specs, properties) == expected


def test_what_needs_uefi_is_not_promised_without_it() -> None:
    specs, properties = {"os:secure_boot": "required"}, {"hw_firmware_stateless": "yes"}
    assert faults(specs, properties, Firmware.BIOS) == [
        ("os:secure_boot", "conflict"),
        ("hw_firmware_stateless", "conflict"),
    ]
    assert found(specs, properties, None) == {F.SECURE_BOOT, F.STATELESS_FIRMWARE}
