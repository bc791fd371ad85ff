"""Flavor and image to what a guest is promised."""

from typing import Any, Final

import attrs
import pytest

from computekit.errors import InvalidInput
from computekit.guest import (
    DirectBoot,
    DiskRole,
    Firmware,
    GuestConfig,
    GuestDisk,
    HostDefaults,
    resolve,
)
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image, Trait
from computekit.units import Bytes, Gib, Mib

GIB: Final = 1024**3
KERNEL = "7b1f5c1e-0b44-4a6c-8f6a-0b6f8d6a4c11"
RAMDISK = "e3a1d9c7-52a8-4f0e-9a5c-6d2f1b7e8a22"
FLAVOR = Flavor(FlavorId("1"), "small", 2, Mib(512), Gib(10))
IMAGE = Image(
    ImageId("2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00"),
    "disk",
    "qcow2",
    Bytes(3 * 1024**2),
    Bytes(2 * GIB),
    "0" * 64,
)


def specs(**changes: str) -> Flavor:
    """A flavor with extra specs; `__` stands for a colon."""
    pairs = {key.replace("__", ":"): value for key, value in changes.items()}
    return attrs.evolve(FLAVOR, extra_specs=FrozenMap(pairs))


def properties(**changes: str) -> Image:
    """An image with properties; `__` stands for a colon."""
    pairs = {key.replace("__", ":"): value for key, value in changes.items()}
    return attrs.evolve(IMAGE, properties=FrozenMap(pairs))


def resolved(flavor: Flavor = FLAVOR, image: Image = IMAGE) -> GuestConfig:
    return resolve(flavor, image, HostDefaults())


def faults(
    flavor: Flavor = FLAVOR, image: Image = IMAGE, defaults: HostDefaults | None = None
) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        resolve(flavor, image, defaults or HostDefaults())
    assert all(fault.message for fault in caught.value.faults)
    return [(fault.path, fault.code) for fault in caught.value.faults]


def test_a_plain_flavor_and_image() -> None:
    assert resolved() == GuestConfig(
        arch="x86_64",
        machine_type="q35",
        firmware=Firmware.BIOS,
        vcpus=2,
        memory_mib=Mib(512),
        disks=(GuestDisk(DiskRole.ROOT, Bytes(10 * GIB), IMAGE.id),),
        direct_boot=None,
        required_traits=frozenset({Trait("HW_ARCH_X86_64")}),
    )


def test_every_fault_is_told_at_once() -> None:
    flavor = attrs.evolve(
        FLAVOR,
        vcpus=0,
        memory_mib=Mib(-1),
        disk_gib=Gib(1),
        swap_mib=Mib(-5),
        extra_specs=FrozenMap({"hw:mem_encryption": "true", "hw:machine_type": "virt"}),
    )
    image = attrs.evolve(
        IMAGE,
        disk_format="vmdk",
        properties=FrozenMap({"ramdisk_id": RAMDISK, "trait:NONE_SUCH": "required"}),
    )
    assert set(faults(flavor, image)) == {
        ("flavor.vcpus", "out_of_range"),
        ("flavor.memory_mib", "out_of_range"),
        ("flavor.disk_gib", "too_small"),
        ("flavor.swap_mib", "out_of_range"),
        ("flavor.extra_specs[hw:mem_encryption]", "unsupported_key"),
        ("flavor.extra_specs[hw:machine_type]", "invalid_value"),
        ("image.disk_format", "invalid_value"),
        ("image.properties[ramdisk_id]", "conflict"),
        ("image.properties[trait:NONE_SUCH]", "unknown_trait"),
    }


class TestSize:
    @pytest.mark.parametrize("vcpus", [1, 255])
    def test_vcpus_that_libvirt_takes(self, vcpus: int) -> None:
        assert resolved(attrs.evolve(FLAVOR, vcpus=vcpus)).vcpus == vcpus

    @pytest.mark.parametrize("vcpus", [-1, 0, 256])
    def test_vcpus_that_it_does_not(self, vcpus: int) -> None:
        flavor = attrs.evolve(FLAVOR, vcpus=vcpus)
        assert faults(flavor) == [("flavor.vcpus", "out_of_range")]

    def test_arm_guests_may_have_more_vcpus(self) -> None:
        flavor = attrs.evolve(FLAVOR, vcpus=512)
        assert resolved(flavor, properties(hw_architecture="aarch64")).vcpus == 512

    def test_memory_that_the_image_needs(self) -> None:
        image = attrs.evolve(IMAGE, min_memory_mib=Mib(513))
        assert faults(FLAVOR, image) == [("flavor.memory_mib", "too_small")]
        assert resolved(FLAVOR, attrs.evolve(image, min_memory_mib=Mib(512))).memory_mib == 512

    @pytest.mark.parametrize("memory_mib", [0, 2**31])
    def test_memory_that_cannot_be_accounted_for(self, memory_mib: int) -> None:
        flavor = attrs.evolve(FLAVOR, memory_mib=Mib(memory_mib))
        assert faults(flavor) == [("flavor.memory_mib", "out_of_range")]


class TestDisks:
    @pytest.mark.parametrize(
        ("disk_gib", "virtual_size_bytes", "min_disk_gib", "root_gib"),
        [
            (0, 1, 0, 1),
            (0, 2 * GIB, 0, 2),
            (0, 2 * GIB + 1, 0, 3),
            (0, 2 * GIB, 5, 5),
            (2, 2 * GIB, 2, 2),
            (9, 2 * GIB, 2, 9),
        ],
    )
    def test_the_root_disk_holds_the_image(
        self, disk_gib: int, virtual_size_bytes: int, min_disk_gib: int, root_gib: int
    ) -> None:
        image = attrs.evolve(
            IMAGE, virtual_size_bytes=Bytes(virtual_size_bytes), min_disk_gib=Gib(min_disk_gib)
        )
        guest = resolved(attrs.evolve(FLAVOR, disk_gib=Gib(disk_gib)), image)
        assert guest.disks == (GuestDisk(DiskRole.ROOT, Bytes(root_gib * GIB), image.id),)

    @pytest.mark.parametrize(("virtual_size_bytes", "min_disk_gib"), [(2 * GIB + 1, 0), (1, 3)])
    def test_a_root_disk_that_is_too_small(
        self, virtual_size_bytes: int, min_disk_gib: int
    ) -> None:
        image = attrs.evolve(
            IMAGE, virtual_size_bytes=Bytes(virtual_size_bytes), min_disk_gib=Gib(min_disk_gib)
        )
        flavor = attrs.evolve(FLAVOR, disk_gib=Gib(2))
        assert faults(flavor, image) == [("flavor.disk_gib", "too_small")]

    def test_an_empty_image(self) -> None:
        flavor = attrs.evolve(FLAVOR, disk_gib=Gib(0))
        image = attrs.evolve(IMAGE, virtual_size_bytes=Bytes(0))
        assert faults(flavor, image) == [("image.virtual_size_bytes", "too_small")]

    def test_ephemeral_and_swap_follow_the_root_disk(self) -> None:
        guest = resolved(attrs.evolve(FLAVOR, ephemeral_gib=Gib(3), swap_mib=Mib(64)))
        assert guest.disks[1:] == (
            GuestDisk(DiskRole.EPHEMERAL, Bytes(3 * GIB)),
            GuestDisk(DiskRole.SWAP, Bytes(64 * 1024**2)),
        )

    @pytest.mark.parametrize("field", ["disk_gib", "ephemeral_gib", "swap_mib"])
    @pytest.mark.parametrize("amount", [-1, 2**31])
    def test_sizes_that_cannot_be_accounted_for(self, field: str, amount: int) -> None:
        changes: dict[str, Any] = {field: amount}
        flavor = attrs.evolve(FLAVOR, **changes)
        assert (f"flavor.{field}", "out_of_range") in faults(flavor)

    @pytest.mark.parametrize("disk_format", ["aki", "ari", "iso", "vmdk", ""])
    def test_only_disks_are_booted(self, disk_format: str) -> None:
        image = attrs.evolve(IMAGE, disk_format=disk_format)
        assert faults(FLAVOR, image) == [("image.disk_format", "invalid_value")]


class TestMachine:
    @pytest.mark.parametrize("asked", ["q35", "pc", "pc-q35-7.2", "pc-i440fx-noble-hpb"])
    def test_flavor_or_image_or_both_choose(self, asked: str) -> None:
        by_flavor = resolved(specs(hw__machine_type=asked))
        by_image = resolved(FLAVOR, properties(hw_machine_type=asked))
        by_both = resolved(specs(hw__machine_type=asked), properties(hw_machine_type=asked))
        assert by_flavor == by_image == by_both
        assert by_flavor.machine_type == asked

    @pytest.mark.parametrize("asked", ["", "Q35", "virt", "pc-", "q35,accel=kvm", "pc-q35-\n"])
    def test_what_is_no_machine_type_of_the_architecture(self, asked: str) -> None:
        path = "flavor.extra_specs[hw:machine_type]"
        assert faults(specs(hw__machine_type=asked)) == [(path, "invalid_value")]
        path = "image.properties[hw_machine_type]"
        assert faults(FLAVOR, properties(hw_machine_type=asked)) == [(path, "invalid_value")]

    def test_flavor_and_image_must_agree(self) -> None:
        flavor = specs(hw__machine_type="q35", hw__firmware_type="bios")
        image = properties(hw_machine_type="pc", hw_firmware_type="uefi")
        assert set(faults(flavor, image)) == {
            ("flavor.extra_specs[hw:machine_type]", "conflict"),
            ("flavor.extra_specs[hw:firmware_type]", "conflict"),
        }

    def test_another_architecture_brings_its_own_defaults(self) -> None:
        guest = resolved(FLAVOR, properties(hw_architecture="aarch64"))
        assert (guest.arch, guest.machine_type, guest.firmware) == (
            "aarch64",
            "virt",
            Firmware.UEFI,
        )
        assert guest.required_traits == {"COMPUTE_FIRMWARE_UEFI", "HW_ARCH_AARCH64"}

    def test_an_architecture_may_be_named(self) -> None:
        assert resolved(FLAVOR, properties(hw_architecture="x86_64")) == resolved()

    def test_an_unknown_architecture(self) -> None:
        image = properties(hw_architecture="amd64")
        assert faults(FLAVOR, image) == [("image.properties[hw_architecture]", "invalid_value")]

    def test_bios_on_arm(self) -> None:
        image = properties(hw_architecture="aarch64", hw_firmware_type="bios")
        assert faults(FLAVOR, image) == [("image.properties[hw_firmware_type]", "invalid_value")]

    def test_uefi_is_asked_of_the_host_and_bios_is_not(self) -> None:
        uefi = resolved(specs(hw__firmware_type="uefi"))
        assert uefi.firmware is Firmware.UEFI
        assert uefi.required_traits == {"COMPUTE_FIRMWARE_UEFI", "HW_ARCH_X86_64"}
        bios = resolved(FLAVOR, properties(hw_firmware_type="bios"))
        assert bios.firmware is Firmware.BIOS
        assert bios.required_traits == {"HW_ARCH_X86_64"}

    def test_defaults_are_used(self) -> None:
        defaults = HostDefaults(machine_type="pc", firmware=Firmware.UEFI)
        guest = resolve(FLAVOR, IMAGE, defaults)
        assert (guest.machine_type, guest.firmware) == ("pc", Firmware.UEFI)
        assert guest.required_traits == {"COMPUTE_FIRMWARE_UEFI", "HW_ARCH_X86_64"}

    def test_defaults_that_cannot_be(self) -> None:
        wrong = HostDefaults(arch="aarch64", machine_type="q35", firmware=Firmware.BIOS)
        assert set(faults(defaults=wrong)) == {
            ("defaults.machine_type", "invalid_value"),
            ("defaults.firmware", "conflict"),
        }
        unknown = HostDefaults(arch="vax")
        assert faults(defaults=unknown) == [("defaults.arch", "invalid_value")]


class TestDirectBoot:
    def test_kernel_ramdisk_and_command_line(self) -> None:
        image = properties(kernel_id=KERNEL, ramdisk_id=RAMDISK, os_command_line="quiet")
        expected = DirectBoot(ImageId(KERNEL), ImageId(RAMDISK), "quiet")
        assert resolved(FLAVOR, image).direct_boot == expected

    def test_a_kernel_alone_is_told_where_its_root_and_console_are(self) -> None:
        found = resolved(FLAVOR, properties(kernel_id=KERNEL)).direct_boot
        assert found is not None
        assert found.ramdisk is None
        assert "root=/dev/vda" in found.command_line
        assert "console=ttyS0" in found.command_line

    def test_a_kernel_under_uefi(self) -> None:
        guest = resolved(FLAVOR, properties(kernel_id=KERNEL, hw_firmware_type="uefi"))
        assert guest.firmware is Firmware.UEFI
        assert guest.direct_boot is not None

    @pytest.mark.parametrize("key", ["ramdisk_id", "os_command_line"])
    def test_what_goes_with_a_kernel_only(self, key: str) -> None:
        image = properties(**{key: RAMDISK})
        assert faults(FLAVOR, image) == [(f"image.properties[{key}]", "conflict")]

    @pytest.mark.parametrize("text", ["", "../../etc/passwd", KERNEL.upper(), f"{{{KERNEL}}}"])
    def test_ids_that_are_none(self, text: str) -> None:
        image = properties(kernel_id=text)
        assert faults(FLAVOR, image) == [("image.properties[kernel_id]", "invalid_value")]

    @pytest.mark.parametrize("text", ["a\nb", "a\0b", "a" * 2048])
    def test_command_lines_that_no_kernel_takes(self, text: str) -> None:
        image = properties(kernel_id=KERNEL, os_command_line=text)
        assert faults(FLAVOR, image) == [("image.properties[os_command_line]", "invalid_value")]


class TestTraits:
    def test_those_of_flavor_and_image(self) -> None:
        flavor = specs(trait__HW_CPU_X86_AVX2="required")
        image = properties(trait__CUSTOM_FAST="required", trait__HW_CPU_X86_AVX2="required")
        expected = {"HW_ARCH_X86_64", "HW_CPU_X86_AVX2", "CUSTOM_FAST"}
        assert resolved(flavor, image).required_traits == expected

    @pytest.mark.parametrize("name", ["", "HW_CPU_X86_AVX9", "custom_fast", "CUSTOM_a"])
    def test_unknown_names(self, name: str) -> None:
        flavor = specs(**{f"trait__{name}": "required"})
        assert faults(flavor) == [(f"flavor.extra_specs[trait:{name}]", "unknown_trait")]

    def test_a_name_with_a_slip_gets_a_hint(self) -> None:
        with pytest.raises(InvalidInput, match="did you mean HW_CPU_X86_AVX2"):
            resolved(specs(trait__HW_CPU_X86_AVX_2="required"))

    @pytest.mark.parametrize(
        ("value", "code"),
        [("Required", "invalid_value"), ("", "invalid_value"), ("yes", "invalid_value")],
    )
    def test_values(self, value: str, code: str) -> None:
        path = "flavor.extra_specs[trait:HW_CPU_X86_AVX2]"
        assert faults(specs(trait__HW_CPU_X86_AVX2=value)) == [(path, code)]
