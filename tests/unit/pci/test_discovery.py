"""What is read from sysfs and from libvirt."""

import shutil
from pathlib import Path

import attrs
import pytest

from computekit.pci import (
    DeviceType,
    NoteCode,
    PciAddress,
    PciDevice,
    parse_nodedevs,
    read_nodedevs,
    read_sysfs,
)
from computekit.pci.vpd import card_serial
from tests.unit.pci.fixture import name_of, nodedev_xml, unpack

# address, vendor, product, class, type, NUMA node, IOMMU group, driver, PF, root port
GOLDEN = """\
0000:00:00.0 8086 29c0 060000 type-PCI - 0 - - -
0000:00:01.0 1234 1111 030000 type-PCI - 1 - - -
0000:00:02.0 8086 10d3 020000 type-PCI - 2 - - -
0000:00:03.0 1b36 000c 060400 type-PCI - 3 pcieport - -
0000:00:04.0 1b36 000b 060000 type-PCI - 4 - - -
0000:00:1f.0 8086 2918 060100 type-PCI - 5 - - -
0000:00:1f.2 8086 2922 010601 type-PCI - 5 - - -
0000:00:1f.3 8086 2930 0c0500 type-PCI - 5 - - -
0000:01:00.0 1b36 0010 010802 type-PF - 6 nvme - 0000:00:03.0
0000:01:00.1 1b36 0010 010802 type-VF - 9 vfio-pci 0000:01:00.0 0000:00:03.0
0000:01:00.2 1b36 0010 010802 type-VF - 10 - 0000:01:00.0 0000:00:03.0
0000:01:00.3 1b36 0010 010802 type-VF - 11 - 0000:01:00.0 0000:00:03.0
0000:01:00.4 1b36 0010 010802 type-VF - 12 - 0000:01:00.0 0000:00:03.0
0000:80:00.0 1b36 000c 060400 type-PCI 1 7 pcieport - -
0000:81:00.0 1b36 0010 010802 type-PF 1 8 nvme - 0000:80:00.0
0000:81:00.1 1b36 0010 010802 type-VF 1 13 - 0000:81:00.0 0000:80:00.0
0000:81:00.2 1b36 0010 010802 type-VF 1 14 - 0000:81:00.0 0000:80:00.0
0000:81:00.3 1b36 0010 010802 type-VF 1 15 - 0000:81:00.0 0000:80:00.0
0000:81:00.4 1b36 0010 010802 type-VF 1 16 - 0000:81:00.0 0000:80:00.0
"""


def line(device: PciDevice) -> str:
    def shown(value: object) -> str:
        return "-" if value is None else str(value)

    identity = f"{device.vendor_id:04x} {device.product_id:04x} {device.class_code:06x}"
    where = f"{shown(device.numa_node)} {shown(device.iommu_group)} {shown(device.driver)}"
    above = f"{shown(device.physical_function)} {shown(device.root_port)}"
    return f"{device.address} {identity} {device.type.value} {where} {above}\n"


def test_the_recorded_host_is_read_to_the_last_device(tmp_path: Path) -> None:
    host = read_sysfs(unpack(tmp_path))

    assert "".join(map(line, host.devices)) == GOLDEN
    assert host.notes == ()
    vfs = host.vfs_of[PciAddress.parse("0000:01:00.0")]
    assert [(str(vf.address), vf.vf_index) for vf in vfs] == [
        ("0000:01:00.1", 0),
        ("0000:01:00.2", 1),
        ("0000:01:00.3", 2),
        ("0000:01:00.4", 3),
    ]
    assert [str(device.address) for device in host.iommu_groups[5]] == [
        "0000:00:1f.0",
        "0000:00:1f.2",
        "0000:00:1f.3",
    ]


def test_a_broken_entry_keeps_no_other_device_from_being_reported(tmp_path: Path) -> None:
    root = unpack(tmp_path)
    port = root / "devices/pci0000:00/0000:00:03.0"
    links = root / "bus/pci/devices"
    (port / "0000:01:00.1/numa_node").unlink()
    shutil.rmtree(port / "0000:01:00.2")  # the link stays
    config = port / "0000:01:00.3/config"
    config.unlink()
    config.mkdir()  # what nobody can read, root included
    (port / "0000:01:00.4/config").write_bytes(b"\xff" * 4096)
    (port / "0000:01:00.0/vpd").write_bytes(b"\x90\xff\xff")
    (links / "lost+found").mkdir()
    high = root / "devices/pci0000:00/0000:00:02.0/pci10000:e0/10000:e0:06.0"
    shutil.copytree(root / "devices/pci0000:00/0000:00:02.0", high, symlinks=True)
    (links / high.name).symlink_to(f"../../../devices/{high.relative_to(root / 'devices')}")

    host = read_sysfs(root)

    gone = PciAddress.parse("0000:01:00.2")
    expected = [text.split()[0] for text in GOLDEN.splitlines()]
    expected.remove(str(gone))
    assert [str(device.address) for device in host.devices] == [*expected, "10000:e0:06.0"]
    assert [(note.entry, note.code) for note in host.notes] == [
        ("0000:01:00.0", NoteCode.BROKEN_VPD),
        ("0000:01:00.1", NoteCode.NO_NUMA_NODE),
        ("0000:01:00.2", NoteCode.NO_IDENTITY),
        ("0000:01:00.3", NoteCode.NO_CONFIG),
        ("0000:01:00.4", NoteCode.NO_ANSWER),
        ("10000:e0:06.0", NoteCode.HIGH_DOMAIN),
        ("lost+found", NoteCode.NOT_AN_ADDRESS),
    ]
    assert host.by_address[PciAddress.parse("10000:e0:06.0")].ports == ()


def test_both_front_ends_say_the_same(tmp_path: Path) -> None:
    host = read_sysfs(unpack(tmp_path))
    for device in host.devices:
        (tmp_path / f"{name_of(device.address)}.xml").write_text(nodedev_xml(device, host), "utf-8")

    assert read_nodedevs(tmp_path) == host


def test_a_broken_document_keeps_no_other_device_from_being_reported(tmp_path: Path) -> None:
    host = read_sysfs(unpack(tmp_path))
    whole = nodedev_xml(host.devices[2], host)
    net = "<capability type='net'><interface>ens2</interface></capability>"
    interface = f"<device><parent>pci_0000_00_02_0</parent>{net}</device>"

    found = parse_nodedevs(
        (
            ("a", "<device><name>"),
            ("b", whole.replace("<bus>0</bus>", "<bus>256</bus>")),
            ("c", whole.replace("0x8086", "intel")),
            ("d", whole),
            ("e", whole),
            ("f", "<device><name>computer</name><capability type='system'/></device>"),
            ("g", interface),
        )
    )

    assert found.devices == (attrs.evolve(host.devices[2], interfaces=("ens2",)),)
    assert [(note.entry, note.code) for note in found.notes] == [
        ("a", NoteCode.BROKEN_ENTRY),
        ("b", NoteCode.NOT_AN_ADDRESS),
        ("c", NoteCode.NO_IDENTITY),
        ("e", NoteCode.TWICE),
    ]


def test_who_belongs_to_another_is_a_vf_whatever_else_it_says() -> None:
    both = PciDevice(PciAddress(0, 1, 0, 1), 1, 2, 3, physical_function=PciAddress(0, 1, 0, 0))

    assert attrs.evolve(both, max_vfs=8).type is DeviceType.VF


@pytest.mark.parametrize(
    ("ports", "upstream"),
    [
        ((), None),
        (("0000:00:01.0",), "0000:00:01.0"),
        (("0000:03:02.0", "0000:02:00.0", "0000:00:01.0"), "0000:02:00.0"),
        (
            ("0000:06:01.0", "0000:05:00.0", "0000:03:02.0", "0000:02:00.0", "0000:00:01.0"),
            "0000:05:00.0",
        ),
    ],
)
def test_neighbours_behind_a_switch_share_its_upstream_port(
    ports: tuple[str, ...], upstream: str | None
) -> None:
    above = tuple(map(PciAddress.parse, ports))
    device = PciDevice(PciAddress(0, 7, 0, 0), 1, 2, 3, ports=above)

    assert device.upstream_port == (None if upstream is None else PciAddress.parse(upstream))


def test_the_serial_number_of_a_card() -> None:
    fields = b"PN\x04ABCD" + b"SN\x06 12345"
    data = b"\x82\x04\x00Card" + b"\x90" + len(fields).to_bytes(2, "little") + fields + b"\x78"

    assert card_serial(data) == "12345"
    assert card_serial(b"\x82\x04\x00Card\x78") is None
    with pytest.raises(ValueError, match="cut off"):
        card_serial(data[:20])


@pytest.mark.parametrize("text", ["", "0000:00:00", "0000:00:20.0", "0000:00:1f.8", "0:0:0.0"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        PciAddress.parse(text)
