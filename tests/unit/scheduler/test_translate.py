"""What a guest takes of a host."""

from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.model import DISK_GB, MEMORY_MB, VCPU, Trait
from computekit.scheduler import PlacementIntent, translate
from computekit.units import Bytes, Gib, Mib, gib_to_bytes


def guest(*disks: Bytes, traits: tuple[str, ...] = ()) -> GuestConfig:
    roles = (DiskRole.ROOT, DiskRole.EPHEMERAL, DiskRole.SWAP)
    return GuestConfig(
        arch="x86_64",
        machine_type="q35",
        firmware=Firmware.BIOS,
        vcpus=2,
        memory_mib=Mib(512),
        disks=tuple(GuestDisk(role, size) for role, size in zip(roles, disks, strict=False)),
        required_traits=frozenset(map(Trait, traits)),
    )


def test_cpus_memory_and_disk_are_asked_of_the_unsuffixed_group() -> None:
    (group,) = translate(guest(gib_to_bytes(Gib(5)))).groups
    assert group.suffix == ""
    assert group.resources == {VCPU: 2, MEMORY_MB: 512, DISK_GB: 5}


def test_the_disks_are_added_before_they_are_rounded_up() -> None:
    half = Bytes(gib_to_bytes(Gib(1)) // 2)
    (group,) = translate(guest(half, half, Bytes(1))).groups
    assert group.resources[DISK_GB] == 2


def test_without_disks_no_disk_is_asked_for() -> None:
    (group,) = translate(guest()).groups
    assert DISK_GB not in group.resources


def test_traits_of_a_host_are_asked_of_the_root_and_others_of_who_serves() -> None:
    found = translate(
        guest(traits=("HW_ARCH_X86_64", "COMPUTE_FIRMWARE_UEFI", "CUSTOM_GOLD")),
        PlacementIntent(
            required_traits=frozenset({Trait("CUSTOM_ATTESTED")}),
            forbidden_traits=frozenset({Trait("CUSTOM_OLD")}),
        ),
    )
    (group,) = found.groups
    assert group.required == {frozenset({Trait("CUSTOM_GOLD")})}
    assert found.root_required == {"HW_ARCH_X86_64", "COMPUTE_FIRMWARE_UEFI", "CUSTOM_ATTESTED"}
    assert found.root_forbidden == {"CUSTOM_OLD"}
