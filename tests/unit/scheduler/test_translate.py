"""What a guest takes of a host."""

import pytest

from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk, HostDefaults, resolve
from computekit.ids import FlavorId, ImageId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    PCPU,
    VCPU,
    Flavor,
    FrozenMap,
    Image,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.scheduler import PlacementIntent, translate
from computekit.units import Bytes, Gib, Mib, gib_to_bytes

ROOT_IMAGE = "2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00"


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


def small(specs: dict[str, str], *, vcpus: int = 4) -> GuestConfig:
    """Return the guest of a flavor with 10 GiB root, 1 GiB ephemeral and 100 MiB swap."""
    flavor = Flavor(
        FlavorId("f"),
        "f",
        vcpus,
        Mib(1024),
        Gib(10),
        Gib(1),
        Mib(100),
        extra_specs=FrozenMap(specs),
    )
    image = Image(ImageId(ROOT_IMAGE), "i", "raw", Bytes(1), Bytes(1), "")
    return resolve(flavor, image, HostDefaults())


SIZE = {VCPU: 4, MEMORY_MB: 1024, DISK_GB: 12}
GPU = ResourceClass("VGPU")
HYPERTHREADING = Trait("HW_CPU_HYPERTHREADING")


@pytest.mark.parametrize(
    ("specs", "amounts"),
    [
        ({}, SIZE),
        ({"resources:VCPU": "0"}, {MEMORY_MB: 1024, DISK_GB: 12}),
        ({"resources:MEMORY_MB": "2048"}, {**SIZE, MEMORY_MB: 2048}),
        ({"resources:VGPU": "1"}, {**SIZE, GPU: 1}),
        ({"hw:cpu_policy": "shared"}, SIZE),
        ({"hw:numa_nodes": "2"}, SIZE),
        ({"hw:cpu_policy": "dedicated"}, {PCPU: 4, MEMORY_MB: 1024, DISK_GB: 12}),
        ({"resources:PCPU": "4"}, {PCPU: 4, MEMORY_MB: 1024, DISK_GB: 12}),
        ({"resources:PCPU": "0"}, {MEMORY_MB: 1024, DISK_GB: 12}),
        (
            {"resources:VCPU": "0", "hw:cpu_policy": "dedicated"},
            {PCPU: 4, MEMORY_MB: 1024, DISK_GB: 12},
        ),
        (
            {"resources:VCPU": "0", "resources:PCPU": "4"},
            {PCPU: 4, MEMORY_MB: 1024, DISK_GB: 12},
        ),
        (
            {
                "hw:cpu_policy": "mixed",
                "hw:cpu_dedicated_mask": "0-1",
                "hw:emulator_threads_policy": "isolate",
            },
            {VCPU: 2, PCPU: 3, MEMORY_MB: 1024, DISK_GB: 12},
        ),
    ],
)
def test_amounts(specs: dict[str, str], amounts: dict[ResourceClass, int]) -> None:
    (group,) = translate(small(specs)).groups
    assert group.resources == amounts


@pytest.mark.parametrize(
    ("policy", "required", "forbidden"),
    [
        ("prefer", frozenset(), frozenset()),
        ("require", frozenset({frozenset({HYPERTHREADING})}), frozenset()),
        ("isolate", frozenset(), frozenset({HYPERTHREADING})),
    ],
)
def test_a_thread_policy_is_a_trait(
    policy: str, required: frozenset[frozenset[Trait]], forbidden: frozenset[Trait]
) -> None:
    specs = {"hw:cpu_policy": "dedicated", "hw:cpu_thread_policy": policy}
    (group,) = translate(small(specs)).groups
    assert (group.required, group.forbidden) == (required, forbidden)


def test_the_flavor_moves_what_it_states_into_groups_of_their_own() -> None:
    specs = {"resources1:VCPU": "4", "resources2:MEMORY_MB": "1024", "group_policy": "isolate"}
    found = translate(small(specs))
    assert {group.suffix: dict(group.resources) for group in found.groups} == {
        "": {DISK_GB: 12},
        "1": {VCPU: 4},
        "2": {MEMORY_MB: 1024},
    }
    assert found.group_policy == "isolate"


def test_when_nothing_is_left_without_a_suffix_its_traits_are_asked_of_the_root() -> None:
    specs = {
        "resources1:VCPU": "4",
        "resources1:MEMORY_MB": "1024",
        "resources1:DISK_GB": "5",
        "trait:CUSTOM_GOLD": "required",
        "trait:CUSTOM_OLD": "forbidden",
    }
    found = translate(small(specs))
    assert [group.suffix for group in found.groups] == ["1"]
    assert found.root_required == {"HW_ARCH_X86_64", "CUSTOM_GOLD"}
    assert found.root_forbidden == {"CUSTOM_OLD"}


def test_a_root_disk_on_a_volume_is_no_matter_of_the_host() -> None:
    (group,) = translate(small({}), root_on_volume=True).groups
    assert group.resources == {**SIZE, DISK_GB: 2}


def test_groups_of_ports_and_devices_share_unless_the_flavor_has_several() -> None:
    ports = tuple(RequestGroup(f"port-{n}", {GPU: 1}) for n in range(2))
    assert translate(small({}), groups=ports).group_policy == "none"
    assert translate(small({"resources1:VGPU": "1"}), groups=ports).group_policy == "none"
    several = {"resources1:VGPU": "1", "resources2:VGPU": "1", "group_policy": "isolate"}
    assert translate(small(several), groups=ports).group_policy == "isolate"


@pytest.mark.parametrize("suffixes", [("",), ("a", "a"), ("1",)])
def test_a_group_without_a_suffix_of_its_own_is_a_defect_of_the_caller(
    suffixes: tuple[str, ...],
) -> None:
    groups = tuple(RequestGroup(suffix, {GPU: 1}) for suffix in suffixes)
    with pytest.raises(ValueError, match="suffix of its own"):
        translate(small({"resources1:VGPU": "1"}), groups=groups)


def test_what_only_some_hosts_can_give_is_asked_of_the_root() -> None:
    found = translate(small({"hw:firmware_type": "uefi", "os:secure_boot": "required"}))
    assert "COMPUTE_SECURITY_UEFI_SECURE_BOOT" in found.root_required
