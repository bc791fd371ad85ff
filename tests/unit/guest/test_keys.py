"""Keys that promise something are never ignored."""

import pytest

from computekit.errors import InvalidInput
from computekit.guest import HostDefaults, resolve
from computekit.guest.keys import FLAVOR_KEYS, IMAGE_KEYS
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image
from computekit.units import Bytes, Gib, Mib


def outcome(
    extra_specs: dict[str, str] | None = None, properties: dict[str, str] | None = None
) -> str:
    """Return the one fault's code, or "fine"."""
    flavor = Flavor(
        FlavorId("1"), "f", 1, Mib(64), Gib(1), extra_specs=FrozenMap(extra_specs or {})
    )
    image = Image(
        ImageId("2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00"),
        "disk",
        "raw",
        Bytes(512),
        Bytes(512),
        "0" * 64,
        properties=FrozenMap(properties or {}),
    )
    try:
        resolve(flavor, image, HostDefaults())
    except InvalidInput as error:
        (fault,) = error.faults
        return fault.code
    return "fine"


@pytest.mark.parametrize(
    "key",
    [
        "hw:mem_encryption",
        "hw:locked_memory",
        "hw:cpu_sockets",
        "hw:pmem",
        "hw_video:ram_max_mb",
        "hw_rng:rate_bytes",
        "quota:cpu_shares",
        "pci_passthrough:alias",
        "accel:device_profile",
    ],
)
def test_a_flavor_promises_what_cannot_be_given_yet(key: str) -> None:
    assert outcome({key: "dedicated"}) == "unsupported_key"


@pytest.mark.parametrize(
    "key",
    [
        "hw_mem_encryption",
        "hw_disk_bus",
        "hw_emulator_threads_policy",
        "hw_qemu_guest_agent",
        "img_signature",
        "img_signature_hash_method",
        "img_config_drive",
        "img_hv_type",
        "os_encrypt_format",
    ],
)
def test_an_image_promises_what_cannot_be_given_yet(key: str) -> None:
    assert outcome(None, {key: "yes"}) == "unsupported_key"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hw:mem_encryption", "False"),
        ("hw:locked_memory", "0"),
        ("hw:cpu_policy", "shared"),
        ("os:secure_boot", "disabled"),
    ],
)
def test_a_flavor_that_asks_for_nothing(key: str, value: str) -> None:
    assert outcome({key: value}) == "fine"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hw_mem_encryption", "no"),
        ("hw_firmware_stateless", "false"),
        ("img_hv_type", "qemu"),
        ("img_config_drive", "optional"),
    ],
)
def test_an_image_that_asks_for_nothing(key: str, value: str) -> None:
    assert outcome(None, {key: value}) == "fine"


@pytest.mark.parametrize("value", ["", "maybe", "truee", "2"])
def test_a_policy_with_another_value_is_not_taken_for_none(value: str) -> None:
    assert outcome({"hw:cpu_policy": value}) == "invalid_value"


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("hw:mem_encription", "hw:mem_encryption"),
        ("HW:mem_encryption", "hw:mem_encryption"),
        (" hw:mem_encryption", "hw:mem_encryption"),
        ("hw_mem_encryption", "hw:mem_encryption"),
        ("hw:cpu_polcy", "hw:cpu_policy"),
        ("os:secureboot", "os:secure_boot"),
        ("os:secure_boot ", "os:secure_boot"),
        ("os_secure_boot", "os:secure_boot"),
    ],
)
def test_a_slip_in_a_flavor_key(key: str, near: str) -> None:
    assert outcome({key: "true"}) == "unknown_key"
    flavor = Flavor(FlavorId("1"), "f", 1, Mib(64), Gib(1), extra_specs=FrozenMap({key: "true"}))
    image = Image(ImageId("i"), "disk", "raw", Bytes(512), Bytes(512), "0" * 64)
    with pytest.raises(InvalidInput, match=f"did you mean {near}"):
        resolve(flavor, image, HostDefaults())


def test_a_slip_in_an_image_key() -> None:
    assert outcome(None, {"hw:firmware_type": "uefi"}) == "unknown_key"
    assert outcome(None, {"hw_firmware_typ": "uefi"}) == "unknown_key"
    assert outcome(None, {"os:secure_boot": "required"}) == "unknown_key"
    assert outcome(None, {"os_secureboot": "required"}) == "unknown_key"


@pytest.mark.parametrize("key", ["os:", "os:anything", "OS:distro"])
def test_the_scope_os_of_flavors_holds_secure_boot_and_nothing_else(key: str) -> None:
    assert outcome({key: "x"}) == "unknown_key"


@pytest.mark.parametrize(
    "key",
    [
        "ssd",
        "capabilities:cpu_info",
        "aggregate_instance_extra_specs:ssd",
        "vmware:hw_version",
        "hwx:free",
    ],
)
def test_other_scopes_of_flavors_are_left_alone(key: str) -> None:
    assert outcome({key: "true"}) == "fine"


@pytest.mark.parametrize("key", ["os_distro", "os_version", "architecture", "vmware_ostype"])
def test_other_scopes_of_images_are_left_alone(key: str) -> None:
    assert outcome(None, {key: "debian"}) == "fine"


def test_no_key_is_both_supported_and_not() -> None:
    for rules in (FLAVOR_KEYS, IMAGE_KEYS):
        assert not rules.supported & rules.not_yet.keys()


def test_a_hostile_key_cannot_break_a_line_of_a_log() -> None:
    flavor = Flavor(
        FlavorId("1"), "f", 1, Mib(64), Gib(1), extra_specs=FrozenMap({"hw:a\nb\x1b[2J": "x\ny"})
    )
    image = Image(ImageId("i"), "disk", "raw", Bytes(512), Bytes(512), "0" * 64)
    with pytest.raises(InvalidInput) as caught:
        resolve(flavor, image, HostDefaults())
    assert str(caught.value).isprintable()
