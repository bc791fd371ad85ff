"""The worked example: four VFs of two cards, two of them a pair."""

import json
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from computekit.cli import main
from computekit.pci import (
    HostDevices,
    PciAddress,
    PciDevice,
    PciExplanation,
    explain_devices,
    parse_pci_config,
    read_sysfs,
)
from tests.unit.pci.fixture import nodedev_xml, unpack

CONFIG = """\
device_spec = [
    '{"address":"0000:01:00.1","group_name":"g0","group_type":"nv-pair","traits":"fast","managed":"no"}',
    '{"address":"0000:81:00.1","group_name":"g0","group_type":"nv-pair","traits":"HW_NIC_SRIOV","managed":"no"}',
    { vendor_id = "1b36", product_id = "0010", resource_class = "nvme_vf", address = { domain = "0000", bus = "81", slot = "00", function = "[2-4]" } },
]
alias = ['{"name":"av","group_type":"nv-pair"}', '{"name":"vf","resource_class":"nvme_vf","device_type":"type-VF"}']
"""  # noqa: E501  # as operators write it


def explained(home: Path) -> PciExplanation:
    config = parse_pci_config(CONFIG, syntax="toml")
    return explain_devices(config, read_sysfs(unpack(home)), "h1")


def test_the_worked_example(tmp_path: Path) -> None:
    found = explained(tmp_path)

    pools: dict[str, int] = {}
    for one in found.devices:
        if one.pool is not None:
            pools[one.pool] = pools.get(one.pool, 0) + 1
    assert pools == {
        "h1_PCI_GROUP_g0/CUSTOM_PCI_GROUP_NV_PAIR": 2,
        "h1_0000:81:00.0/CUSTOM_NVME_VF": 3,
    }
    (group,) = found.groups
    assert [(str(member.device.address), member.role) for member in group.members] == [
        ("0000:01:00.1", "m0"),
        ("0000:81:00.1", "m1"),
    ]
    # sha256 of "m0 1b36 0010 type-VF unmanaged\nm1 1b36 0010 type-VF unmanaged\n"
    assert group.signature[:8] == "cbbc60ed"
    assert sorted(group.traits) == [
        "COMPUTE_MANAGED_PCI_DEVICE",
        "CUSTOM_FAST",
        "CUSTOM_PCI_GROUP",
        "CUSTOM_PCI_GROUP_SIG_CBBC60ED",
        "HW_NIC_SRIOV",
        "OWNER_NOVA",
    ]
    assert group.numa_nodes == {None, 1}
    answers = {str(one.device.address): one.aliases for one in found.devices if one.aliases}
    assert answers == {
        "0000:01:00.1": ("av",),
        "0000:81:00.1": ("av",),
        "0000:81:00.2": ("vf",),
        "0000:81:00.3": ("vf",),
        "0000:81:00.4": ("vf",),
    }
    assert [(finding.code, finding.path) for finding in found.findings] == [
        ("G14", "device_spec[0]")
    ]


def test_the_command_prints_json(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    config = tmp_path / "pci.toml"
    config.write_text(CONFIG, "utf-8")
    command = ["pci", "explain", "--sysfs", str(root), "--config", str(config), "--host", "h1"]

    done = CliRunner().invoke(main, [*command, "--json"])

    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    by_address = {one["address"]: one for one in printed["devices"]}
    assert len(by_address) == 19
    warnings = by_address["0000:81:00.1"].pop("warnings")
    assert [warning["code"] for warning in warnings] == ["G14"]
    assert by_address["0000:81:00.1"] == {
        "address": "0000:81:00.1",
        "type": "type-VF",
        "vendor_id": "1b36",
        "product_id": "0010",
        "class_code": "010802",
        "numa_node": 1,
        "iommu_group": 13,
        "driver": None,
        "parent": "0000:81:00.0",
        "vf_index": 0,
        "upstream_port": "0000:80:00.0",
        "root_port": "0000:80:00.0",
        "card_serial": None,
        "spec": "device_spec[1]",
        "specs": ["device_spec[1]"],
        "resource_class": "CUSTOM_PCI_GROUP_NV_PAIR",
        "traits": printed["groups"][0]["traits"],
        "group": "g0",
        "role": "m1",
        "provider": "h1_PCI_GROUP_g0",
        "pool": "h1_PCI_GROUP_g0/CUSTOM_PCI_GROUP_NV_PAIR",
        "aliases": ["av"],
    }
    for device in read_sysfs(root).devices:
        nodedev = config.with_name(f"{device.address}.xml")
        nodedev.write_text(nodedev_xml(device, read_sysfs(root)), "utf-8")
    command[2:4] = ["--nodedev", str(tmp_path)]
    same = CliRunner().invoke(main, [*command, "--json"])
    assert same.stdout == done.stdout
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 0
    assert "info G14 device_spec[0]: group 'g0'" in shown.stdout


def test_the_command_prints_every_fault_and_ends_with_two(tmp_path: Path) -> None:
    config = tmp_path / "pci.json"
    config.write_text('{"device_spec": [{"vendor_id": "zz"}], "alias": [{"name": "a"}]}', "utf-8")
    command = ["pci", "explain", "--sysfs", str(unpack(tmp_path)), "--config", str(config)]

    done = CliRunner().invoke(main, [*command, "--json"])

    assert done.exit_code == 2
    faults = json.loads(done.stdout)
    assert [(fault["code"], fault["path"]) for fault in faults] == [
        ("S05", "device_spec[0].vendor_id"),
        ("A14", "alias[0]"),
    ]
    assert set(faults[0]) == {"code", "path", "message"}
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 2
    assert told.stderr.splitlines()[0].startswith("S05 device_spec[0].vendor_id: ")


def names(host: HostDevices, *specs: Mapping[str, object]) -> dict[str, list[str]]:
    config = parse_pci_config(json.dumps({"device_spec": specs}), syntax="json")
    found = explain_devices(config, host, "h1")
    return {
        group.name: [str(member.device.address) for member in group.members]
        for group in found.groups
    }


def test_groups_by_pf_are_slices_in_the_order_of_the_vfs(tmp_path: Path) -> None:
    host = read_sysfs(unpack(tmp_path))
    functions = {"bus": "01", "function": "[1-4]"}
    spec = {"address": functions, "group_by": "pf", "group_type": "vfs", "group_size": 2}

    assert names(host, spec) == {
        "vfs.0000:01:00.0.0": ["0000:01:00.1", "0000:01:00.2"],
        "vfs.0000:01:00.0.1": ["0000:01:00.3", "0000:01:00.4"],
    }
    rest = spec | {"group_size": 3, "group_remainder": "ungrouped"}
    assert names(host, rest) == {
        "vfs.0000:01:00.0.0": ["0000:01:00.1", "0000:01:00.2", "0000:01:00.3"]
    }


def test_groups_by_where_the_devices_are() -> None:
    """Two switches, each with a GPU that has an audio function, and a NIC."""
    devices: list[PciDevice] = []
    for node, bus in enumerate((0x10, 0x20)):
        root, up = PciAddress(0, 0, node + 1, 0), PciAddress(0, bus, 0, 0)
        for product, slot, function in ((1, 0, 0), (2, 0, 1), (3, 1, 0)):
            down = PciAddress(0, bus + 1, slot, 0)
            devices.append(
                PciDevice(
                    PciAddress(0, bus + 2, slot, function),
                    0x10DE,
                    product,
                    0x030000,
                    numa_node=node,
                    iommu_group=bus + slot,
                    driver="vfio-pci",
                    ports=(down, up, root),
                    card_serial=f"S{bus:x}",
                )
            )
    host = HostDevices.of(devices, ())
    spec = {"vendor_id": "10de", "group_type": "t"}
    first = ["0000:12:00.0", "0000:12:00.1"]
    second = ["0000:22:00.0", "0000:22:00.1"]
    keys = {
        "upstream_port": ("0000:10:00.0", "0000:20:00.0"),
        "root_port": ("0000:00:01.0", "0000:00:02.0"),
        "numa_node": ("0", "1"),
        "card_serial": ("S10", "S20"),
    }
    for by, (one, other) in keys.items():
        assert names(host, spec | {"group_by": by}) == {
            f"t.{one}": [*first, "0000:12:01.0"],
            f"t.{other}": [*second, "0000:22:01.0"],
        }
    by_slot = [spec | {"group_by": "slot", "product_id": f"000{n}"} for n in (1, 2)]
    assert names(host, *by_slot) == {"t.0000:12:00": first, "t.0000:22:00": second}
    by_iommu = [spec | {"group_by": "iommu_group", "product_id": f"000{n}"} for n in (1, 2)]
    assert names(host, *by_iommu) == {"t.16": first, "t.32": second}


def test_the_views_name_the_devices(tmp_path: Path) -> None:
    found = explained(tmp_path)

    assert "h1_0000:81:00.0/CUSTOM_NVME_VF" in found.tree().text()
    assert found.table().text().count("CUSTOM_NVME_VF") == 3
