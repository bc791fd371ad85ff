"""Virtual GPUs: what the drivers say, classes made of it, and VFs made into what is wanted."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from computekit.errors import InvalidInput
from computekit.model import FrozenMap, ResourceClass
from computekit.pci import (
    CarvableType,
    CarveStep,
    CarvingWish,
    HostDevices,
    Mdev,
    MdevRule,
    MdevType,
    MemoryCarver,
    NoteCode,
    PciAddress,
    PciHost,
    PciPlan,
    VgpuInterface,
    VgpuType,
    carve,
    mdev_pools,
    mig_profile_of,
    parse_creatable_types,
    parse_nodedevs,
    parse_pci_config,
    plan_carving,
    plan_devices,
    read_mdevs,
    read_sysfs,
)
from tests.unit.pci.fixture import unpack
from tests.unit.pci.vgpu import TYPES, add_mdev_type, add_vgpu

VFS = tuple(PciAddress(0, 1, 0, function) for function in range(1, 5))
PF = PciAddress(0, 1, 0, 0)
VGPU = ResourceClass("VGPU")
SPEC = {"address": {"bus": "01", "function": "[1-4]"}, "managed": "no"}


def planned(devices: HostDevices, *specs: Mapping[str, object], **more: object) -> PciPlan:
    config = parse_pci_config(json.dumps({"device_spec": specs, **more}), syntax="json")
    return plan_devices(config, devices, PciHost.named("h1"))


def stock(plan: PciPlan) -> dict[str, dict[str, int]]:
    return {
        it.name: {str(name): inventory.total for name, inventory in it.inventories.items()}
        for it in plan.tree
        if it.inventories
    }


def test_vfs_of_one_card_have_classes_of_their_own(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    for vf, current in zip(VFS, (1, 1, 2, 0), strict=True):
        add_vgpu(root, str(vf), current)
    devices = read_sysfs(root)

    by_type = planned(devices, {**SPEC, "resource_class": "@vgpu_type"})
    assert stock(by_type) == {
        "h1_0000:01:00.0": {
            "CUSTOM_VGPU_NVIDIA_H200X_1_18C": 2,
            "CUSTOM_VGPU_NVIDIA_H200X_3_71C": 1,
        }
    }
    assert [it.code for it in by_type.findings] == ["H21"]
    by_profile = planned(devices, {**SPEC, "resource_class": "@mig_profile"})
    assert stock(by_profile) == {
        "h1_0000:01:00.0": {"CUSTOM_MIG_1G_18GB": 2, "CUSTOM_MIG_3G_71GB": 1}
    }
    by_id = planned(devices, {**SPEC, "resource_class": "@pci_id"})
    assert stock(by_id) == {"h1_0000:01:00.0": {"CUSTOM_PCI_1B36_0010": 4}}


def test_classes_and_groups_go_together(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    for vf, current in zip(VFS, (1, 1, 2, 2), strict=True):
        add_vgpu(root, str(vf), current)
    group = {"group_type": "pair", "group_name": "g"}
    grouped = [{"address": str(vf), "managed": "no", **group} for vf in VFS[:2]]

    plan = planned(read_sysfs(root), *grouped, {**SPEC, "resource_class": "@vgpu_type"})

    assert stock(plan) == {
        "h1_PCI_GROUP_g": {"CUSTOM_PCI_GROUP_PAIR": 1},
        "h1_0000:01:00.0": {"CUSTOM_VGPU_NVIDIA_H200X_3_71C": 2},
    }


def test_what_no_class_can_be_made_of_is_left_out(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    add_vgpu(root, str(VFS[0]), 9)
    add_vgpu(root, str(VFS[1]), 3)
    devices = read_sysfs(root)
    spec = {**SPEC, "resource_class": "@mig_profile"}

    plan = planned(devices, spec)
    assert stock(plan) == {}
    assert {it.code for it in plan.findings} == {"H22"}
    known = planned(devices, spec, vgpu_types={"9": "NVIDIA X-2-35CME"})
    assert stock(known) == {"h1_0000:01:00.0": {"CUSTOM_MIG_2G_35GB_ME": 1}}


def test_what_only_vfs_have_leaves_their_pf_alone(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    for vf in VFS:
        add_vgpu(root, str(vf), 1)
    devices = read_sysfs(root)
    ids = {"vendor_id": "1b36", "product_id": "0010", "managed": "no"}

    assert stock(planned(devices, {**ids, "resource_class": "@vgpu_type"})) == {
        "h1_0000:01:00.0": {"CUSTOM_VGPU_NVIDIA_H200X_1_18C": 4}
    }
    pairs = {**ids, "group_by": "pf", "group_type": "pair", "group_size": 2}
    assert len(stock(planned(devices, pairs))) == 4


def test_a_vf_keeps_its_vendors_driver(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    add_vgpu(root, str(VFS[0]), 1)

    with pytest.raises(InvalidInput) as error:
        planned(read_sysfs(root), {**SPEC, "managed": "yes"})

    assert [fault.code for fault in error.value.faults] == ["H23"]


def test_the_three_generations_are_told_apart(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    add_vgpu(root, str(VFS[0]), 3)
    add_mdev_type(root, str(VFS[1]), "nvidia-63", 1)
    add_mdev_type(root, str(PF), "nvidia-63", 4)
    broken = root / "bus/pci/devices" / str(VFS[2]) / "nvidia"
    broken.mkdir()
    (broken / "current_vgpu_type").write_text("many\n", "utf-8")

    devices = read_sysfs(root)

    found = {at: it.vgpu for at, it in devices.by_address.items() if it.vgpu is not None}
    assert {at: it.interface for at, it in found.items()} == {
        PF: VgpuInterface.MDEV,
        VFS[0]: VgpuInterface.VENDOR,
        VFS[1]: VgpuInterface.MDEV_ON_VF,
    }
    assert found[VFS[0]].gpu_instance is None
    assert found[PF].mdev_types[0].available == 4
    assert [note.code for note in devices.notes] == [NoteCode.BROKEN_VGPU]
    assert VFS[2] in devices.by_address


def test_libvirt_tells_types_of_mediated_devices() -> None:
    text = (
        "<device><name>pci_0000_41_00_0</name><parent>computer</parent><capability type='pci'>"
        "<class>0x030200</class><domain>0</domain><bus>65</bus><slot>0</slot>"
        "<function>0</function><product id='0x1eb8'/><vendor id='0x10de'/>"
        "<capability type='mdev_types'><type id='nvidia-222'><name>GRID T4-1B</name>"
        "<deviceAPI>vfio-pci</deviceAPI><availableInstances>{}</availableInstances></type>"
        "</capability></capability></device>"
    )

    (device,) = parse_nodedevs([("t4", text.format(16))]).devices
    broken = parse_nodedevs([("t4", text.format("many"))])

    assert device.vgpu is not None
    assert device.vgpu.interface is VgpuInterface.MDEV
    assert device.vgpu.mdev_types == (MdevType("nvidia-222", "GRID T4-1B", 16, "vfio-pci"),)
    assert broken.devices[0].vgpu is None
    assert [note.code for note in broken.notes] == [NoteCode.BROKEN_VGPU]


def test_mediated_devices_that_there_are(tmp_path: Path) -> None:
    home = tmp_path / "bus/mdev/devices"
    uuid = "6f1c9d60-0000-4000-8000-000000000001"
    real = tmp_path / "devices/pci0000:00/0000:01:00.0" / uuid
    real.mkdir(parents=True)
    (real / "mdev_type").symlink_to("../mdev_supported_types/nvidia-63")
    home.mkdir(parents=True)
    (home / uuid).symlink_to(f"../../../devices/pci0000:00/0000:01:00.0/{uuid}")
    (home / "not-one").symlink_to("../../../devices/x/not-one")
    orphan = "6f1c9d60-0000-4000-8000-000000000002"
    (home / orphan).symlink_to(f"../../../devices/virtual/mtty/mtty/{orphan}")

    found, notes = read_mdevs(tmp_path)

    assert found == (Mdev(uuid, PF, "nvidia-63"),)
    assert [note.entry for note in notes] == [orphan, "not-one"]
    assert read_mdevs(tmp_path / "nowhere") == ((), ())


def test_names_of_types_and_of_profiles() -> None:
    assert parse_creatable_types("ID : vGPU Name\n1428 : NVIDIA H200X-141C\n\nnone\n 7:x \n") == (
        VgpuType(7, "x"),
        VgpuType(1428, "NVIDIA H200X-141C"),
    )
    assert mig_profile_of("NVIDIA H200X-141C") is None
    assert mig_profile_of("NVIDIA H200X-1-18C") == "1g.18gb"
    assert mig_profile_of("NVIDIA A100-1-5CME") == "1g.5gb+me"
    assert mig_profile_of("GRID T4-1Q") is None


def test_a_parent_gives_one_type_and_what_exists_counts(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    other = PciAddress(0, 0x81, 0, 0)
    for parent, available in ((PF, 3), (other, 0)):
        add_mdev_type(root, str(parent), "nvidia-63", available)
    devices, host = read_sysfs(root), PciHost.named("h1")
    there = [Mdev(f"u{at}", PF, "nvidia-63") for at in range(2)]

    pools, findings = mdev_pools([MdevRule("nvidia-63")], devices, there, host)
    assert [(it.name, it.total) for it in pools] == [("h1_pci_0000_01_00_0", 5)]
    assert findings == ()
    assert pools[0].as_provider(host).inventories[VGPU].max_unit == 5
    capped, _ = mdev_pools([MdevRule("nvidia-63", max_instances=1)], devices, there, host)
    assert [it.total for it in capped] == [2]
    rules = [
        MdevRule("a", frozenset({PF})),
        MdevRule("nvidia-63", frozenset({PF, PciAddress(0, 9, 0, 0)})),
        MdevRule("nvidia-63"),
        MdevRule("b"),
    ]
    pools, findings = mdev_pools(rules, devices, (), host)
    assert pools == ()
    assert sorted(it.code for it in findings) == ["M01", "M02", "M03", "M04"]


def card() -> MemoryCarver:
    types = [
        CarvableType(VgpuType(number, TYPES[number]), parts) for number, parts in ((1, 1), (2, 3))
    ]
    return MemoryCarver(VFS, types, parts=7)


def test_a_card_is_carved_with_the_fewest_changes(tmp_path: Path) -> None:
    bare, carver = read_sysfs(unpack(tmp_path)), card()
    wish = CarvingWish(PF, FrozenMap({TYPES[1]: 1, TYPES[2]: 2}))

    carve(carver, plan_carving([wish], carver.devices(bare), ()))
    made = carver.devices(bare)
    assert sorted(carver.read(vf).current for vf in VFS) == [0, 1, 2, 2]
    assert plan_carving([wish], made, VFS).steps == ()

    fewer = CarvingWish(PF, FrozenMap({TYPES[1]: 2, TYPES[2]: 1}))
    steps = plan_carving([fewer], made, (), dict(TYPES)).steps
    changed = {step.vf for step in steps}
    assert len(changed) == 1
    assert [step.after for step in steps] == [0, 1]
    carve(carver, plan_carving([fewer], made, (), dict(TYPES)))
    assert sorted(carver.read(vf).current for vf in VFS) == [0, 1, 1, 2]


def test_a_card_in_use_is_left_alone(tmp_path: Path) -> None:
    bare, carver = read_sysfs(unpack(tmp_path)), card()
    carver.write(VFS[0], 1)
    devices = carver.devices(bare)

    def codes(pf: PciAddress = PF, **types: int) -> list[str]:
        wish = CarvingWish(pf, FrozenMap({TYPES[int(name[1:])]: n for name, n in types.items()}))
        plan = plan_carving([wish], devices, VFS[:1])
        assert plan.steps == () or not plan.findings
        return [it.code for it in plan.findings]

    assert codes(t1=1) == []
    assert codes(t1=2) == ["K01"]
    assert codes(t1=5) == ["K02"]
    assert codes(t3=1) == ["K03"]
    assert codes(PciAddress(0, 0x81, 0, 0), t1=1) == ["K04"]
    assert CarveStep(VFS[1], 0, 1) not in plan_carving([], devices, ()).steps
