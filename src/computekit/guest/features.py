"""What a guest asks that only some hosts can give, each known by the trait of such hosts.

Source of the rules: Nova's extra specs and image properties of the same names. Where flavor and
image speak of the same thing they must agree, and what goes together must be there together.
"""

from enum import Enum

from computekit.guest.config import Firmware, GuestFeature
from computekit.guest.keys import property_path, spec_path
from computekit.guest.reading import SpecReader, one_of, positive, truth
from computekit.model import Flavor, Image

__all__ = ["address_bits", "features_of", "read_features"]

F = GuestFeature


class _SecureBoot(Enum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    DISABLED = "disabled"


class _TpmVersion(Enum):
    V1_2 = "1.2"
    V2_0 = "2.0"


class _TpmModel(Enum):
    TIS = "tpm-tis"
    CRB = "tpm-crb"


class _TpmSecrets(Enum):
    USER = "user"
    HOST = "host"
    DEPLOYMENT = "deployment"


class _AddressMode(Enum):
    PASSTHROUGH = "passthrough"
    EMULATE = "emulate"


class _DeviceNuma(Enum):
    LEGACY = "legacy"
    PREFERRED = "preferred"
    REQUIRED = "required"
    SOCKET = "socket"


class _Encryption(Enum):
    LUKS = "luks"
    PLAIN = "plain"


class _Sound(Enum):
    VIRTIO = "virtio"


_MODELS = {_TpmModel.TIS: F.TPM_TIS, _TpmModel.CRB: F.TPM_CRB}
_VERSIONS = {_TpmVersion.V1_2: F.TPM_1_2, _TpmVersion.V2_0: F.TPM_2_0}
_SECRETS = {
    _TpmSecrets.USER: F.TPM_KEY_OF_USER,
    _TpmSecrets.HOST: F.TPM_KEY_OF_HOST,
    _TpmSecrets.DEPLOYMENT: F.TPM_KEY_OF_DEPLOYMENT,
}
_FORMATS = {
    _Encryption.LUKS: F.EPHEMERAL_ENCRYPTION_LUKS,
    _Encryption.PLAIN: F.EPHEMERAL_ENCRYPTION_PLAIN,
}
_MODES = {
    _AddressMode.PASSTHROUGH: F.ADDRESS_SPACE_PASSTHROUGH,
    _AddressMode.EMULATE: F.ADDRESS_SPACE_EMULATED,
}


def features_of(
    flavor: Flavor, image: Image, firmware: Firmware | None = None
) -> frozenset[GuestFeature]:
    """Return what flavor and image ask that only some hosts can give.

    Args:
        flavor: one source.
        image: the other.
        firmware: that the guest starts with; None does not look whether it goes with the rest.

    Raises:
        InvalidInput: with every fault of both.
    """
    reader = SpecReader(flavor, image)
    found = read_features(reader, firmware)
    reader.raise_faults()
    return found


def read_features(reader: SpecReader, firmware: Firmware | None) -> frozenset[GuestFeature]:
    """Return the same; faults stay with the reader."""
    return (
        _secure_boot(reader, firmware)
        | _stateless(reader, firmware)
        | _tpm(reader)
        | _address_space(reader)
        | _encryption(reader)
        | _devices(reader)
    )


def address_bits(reader: SpecReader) -> int | None:
    """Return how many bits a physical address of the guest has, where that is asked."""
    bits = reader.agreed("maxphysaddr_bits", positive)
    if bits is not None and reader.agreed("maxphysaddr_mode", one_of(_AddressMode)) is not (
        _AddressMode.EMULATE
    ):
        path = spec_path("hw:maxphysaddr_bits")
        reader.fault(path, "conflict", "goes with hw:maxphysaddr_mode=emulate only")
    return bits


def _secure_boot(reader: SpecReader, firmware: Firmware | None) -> frozenset[GuestFeature]:
    """Either side may require it; the other may then not have it disabled."""
    words = one_of(_SecureBoot)
    said = {
        reader.of_flavor("secure_boot", words, "os"),
        reader.of_image("secure_boot", words, "os"),
    }
    if _SecureBoot.REQUIRED not in said:
        return frozenset()
    path = spec_path("os:secure_boot")
    if _SecureBoot.DISABLED in said:
        reader.fault(path, "conflict", "flavor and image: one requires it, one has it disabled")
    if firmware is Firmware.BIOS:
        reader.fault(path, "conflict", "needs UEFI; add hw:firmware_type=uefi")
    return frozenset({F.SECURE_BOOT})


def _stateless(reader: SpecReader, firmware: Firmware | None) -> frozenset[GuestFeature]:
    if not reader.of_image("firmware_stateless", truth):
        return frozenset()
    if firmware is Firmware.BIOS:
        path = property_path("hw_firmware_stateless")
        reader.fault(path, "conflict", "needs UEFI; add hw_firmware_type=uefi")
    return frozenset({F.STATELESS_FIRMWARE})


def _tpm(reader: SpecReader) -> frozenset[GuestFeature]:
    version = reader.agreed("tpm_version", one_of(_TpmVersion))
    model = reader.agreed("tpm_model", one_of(_TpmModel))
    secrets = reader.agreed("tpm_secret_security", one_of(_TpmSecrets))
    if version is None:
        for name, given in (("tpm_model", model), ("tpm_secret_security", secrets)):
            if given is not None and not _said(reader, "tpm_version"):
                message = "goes with a TPM only; add hw:tpm_version"
                reader.fault(spec_path(f"hw:{name}"), "conflict", message)
        return frozenset()
    if model is _TpmModel.CRB and version is _TpmVersion.V1_2:
        reader.fault(spec_path("hw:tpm_model"), "conflict", "tpm-crb is of version 2.0 only")
    return frozenset(
        {
            _VERSIONS[version],
            _MODELS[model or _TpmModel.TIS],
            _SECRETS[secrets or _TpmSecrets.USER],
        }
    )


def _address_space(reader: SpecReader) -> frozenset[GuestFeature]:
    mode = reader.agreed("maxphysaddr_mode", one_of(_AddressMode))
    return frozenset() if mode is None else frozenset({_MODES[mode]})


def _encryption(reader: SpecReader) -> frozenset[GuestFeature]:
    wanted = reader.agreed("ephemeral_encryption", truth)
    form = reader.agreed("ephemeral_encryption_format", one_of(_Encryption))
    if not wanted:
        if form is not None:
            message = "goes with hw:ephemeral_encryption only"
            reader.fault(spec_path("hw:ephemeral_encryption_format"), "conflict", message)
        return frozenset()
    return frozenset({F.EPHEMERAL_ENCRYPTION, _FORMATS[form or _Encryption.LUKS]})


def _devices(reader: SpecReader) -> frozenset[GuestFeature]:
    found: set[GuestFeature] = set()
    if reader.agreed("virtio_packed_ring", truth):
        found.add(F.PACKED_VIRTQUEUE)
    if reader.agreed("sound_model", one_of(_Sound)) is not None:
        found.add(F.SOUND_VIRTIO)
    if reader.flavor_or_image("pci_numa_affinity_policy", one_of(_DeviceNuma)) is (
        _DeviceNuma.SOCKET
    ):
        found.add(F.SOCKET_DEVICES)
    return frozenset(found)


def _said(reader: SpecReader, name: str) -> bool:
    return f"hw:{name}" in reader.flavor.extra_specs or f"hw_{name}" in reader.image.properties
