"""Each code, from the least that brings it up; and that all of several faults are told."""

import json

import attrs
import pytest

from computekit.errors import Fault, InvalidInput
from computekit.pci import (
    PCI_CODES,
    HostDevices,
    NoteCode,
    PciAddress,
    PciDevice,
    explain_devices,
    parse_alias_request,
    parse_aliases,
    parse_pci_config,
)


def at(text: str) -> PciAddress:
    return PciAddress.parse(text)


def gpu(address: str, product_id: int = 0x2335, class_code: int = 0x030200) -> PciDevice:
    return PciDevice(at(address), 0x10DE, product_id, class_code)


PF = attrs.evolve(gpu("0000:41:00.0"), max_vfs=4)
VFS = tuple(
    attrs.evolve(gpu(f"0000:41:00.{n}", 0x2336), physical_function=PF.address, vf_index=n - 1)
    for n in range(1, 5)
)
CARD = attrs.evolve(gpu("0000:51:00.0"), iommu_group=7, driver="vfio-pci", numa_node=0)
AUDIO = attrs.evolve(gpu("0000:51:00.1", 0x22), iommu_group=7, driver="snd", numa_node=1)
HOST = HostDevices.of(
    (
        PF,
        *VFS,
        CARD,
        AUDIO,
        gpu("0000:60:00.0", 0x60, class_code=0x060400),
        gpu("0000:61:00.0", 0x61, class_code=0x068000),
        gpu("10000:61:00.0", 0x62),
    ),
    (),
)


ALIAS = [{"name": "a", "resource_class": "x"}]


def outcome(**config: object) -> list[tuple[str, str]]:
    """Return code and path of each fault; without one, of each finding."""
    try:
        parsed = parse_pci_config(json.dumps(config), syntax="json")
        explained = explain_devices(parsed, HOST, "h1")
    except InvalidInput as error:
        return [(fault.code, fault.path) for fault in error.faults]
    return [(finding.code, finding.path) for finding in explained.findings]


def specs(*listed: object) -> dict[str, object]:
    return {"device_spec": list(listed)}


def alias(**keys: object) -> dict[str, object]:
    return {"alias": [{"name": "a", "vendor_id": "10de", "product_id": "2335"} | keys]}


def named(address: str, **keys: object) -> dict[str, object]:
    return {"address": address, "group_type": "t", "group_name": "g"} | keys


def pair(**keys: object) -> dict[str, object]:
    """Return specs of a group of two VFs; keys are those of the second."""
    return specs(named("0000:41:00.1"), named("0000:41:00.2", **keys))


VF = {"vendor_id": "10de", "product_id": "2336"}
BY_PF = VF | {"group_by": "pf", "group_type": "vfs"}
REGEX = {"bus": "4", "function": "2"}

CASES: list[tuple[dict[str, object], list[tuple[str, str]]]] = [
    ({"alais": []}, [("C03", "alais")]),
    ({"report_in_placement": "maybe"}, [("C04", "report_in_placement")]),
    ({"num_pcie_ports": -1}, [("C06", "num_pcie_ports")]),
    (specs("{"), [("S01", "device_spec[0]")]),
    (specs(7), [("S01", "device_spec[0]")]),
    (specs([VF, 7]), [("S01", "device_spec[0][1]")]),
    (specs('{"address": "41:00.1", "address": "41:00.1"}'), [("S02", "device_spec[0].address")]),
    (specs({"vendor_id": 10}), [("S03", "device_spec[0].vendor_id")]),
    (specs({"address": {"bus": 1}}), [("S03", "device_spec[0].address.bus")]),
    (specs(VF | {"managed": "maybe"}), [("S04", "device_spec[0].managed")]),
    (specs({"vendor_id": "nvidia"}), [("S05", "device_spec[0].vendor_id")]),
    (specs({"product_id": "12345"}), [("S05", "device_spec[0].product_id")]),
    (specs(BY_PF | {"group_size": 65}), [("S06", "device_spec[0].group_size")]),
    (specs({"address": "1:2:3:4.5"}), [("S07", "device_spec[0].address")]),
    (specs({"address": "41:20.0"}), [("S07", "device_spec[0].address")]),
    (specs({"address": "10000:41:00.0"}), [("S07", "device_spec[0].address")]),
    (specs({"address": {"bus": "["}}), [("S08", "device_spec[0].address")]),
    (specs({"address": {"port": "1"}}), [("S08", "device_spec[0].address")]),
    (specs(VF | {"resource_class": "!"}), [("S09", "device_spec[0].resource_class")]),
    (specs(VF | {"resource_class": "@pci_ids"}), [("S09", "device_spec[0].resource_class")]),
    (specs(BY_PF | {"group_by": "plot"}), [("S09", "device_spec[0].group_by")]),
    (specs(VF | {"traits": "fast,,"}), [("S10", "device_spec[0].traits")]),
    (specs(VF | {"vender_id": "10de"}), [("S11", "device_spec[0].vender_id")]),
    (
        {"report_in_placement": False} | specs({"address": "41:00.1", "devname": "eth0"}),
        [("S12", "device_spec[0].devname")],
    ),
    (specs({"devname": "eth0"}), [("S13", "device_spec[0].devname")]),
    (
        {"report_in_placement": False} | specs(VF | {"one_time_use": "yes"}),
        [("S14", "device_spec[0].one_time_use")],
    ),
    (specs(BY_PF | {"trusted": "true"}), [("S15", "device_spec[0].trusted")]),
    (specs(BY_PF | {"group_remainder": "ignore"}), [("S15", "device_spec[0].group_remainder")]),
    ({"alias": ["["]}, [("A01", "alias[0]")]),
    ({"alias": [[]]}, [("A01", "alias[0]")]),
    (
        {"alias": ['{"name":"a","name":"a","resource_class":"x"}']},
        [("A02", "alias[0].name")],
    ),
    (alias(traits=["x"]), [("A03", "alias[0].traits")]),
    (alias(live_migratable="true"), [("A04", "alias[0].live_migratable")]),
    (alias(vendor_id="10d"), [("A05", "alias[0].vendor_id")]),
    (alias(vendor_id="10dx"), [("A05", "alias[0].vendor_id")]),
    (alias(numa="x"), [("A07", "alias[0].numa")]),
    (alias(name=""), [("A08", "alias[0].name")]),
    (alias(device_type="vdpa"), [("A09", "alias[0].device_type")]),
    (
        {"report_in_placement": False}
        | {"alias": [
            {"name": "a", "vendor_id": "10de", "product_id": "2335", "numa_policy": "legacy"},
            {"name": "a", "vendor_id": "10de", "product_id": "2336", "numa_policy": "required"},
        ]},
        [("A10", "alias[1].numa_policy")],
    ),
    (
        {"alias": [{"name": "a", "resource_class": "x"}, {"name": "a", "resource_class": "y"}]},
        [("A11", "alias[1].name")],
    ),
    (alias(resource_class="-"), [("A12", "alias[0].resource_class")]),
    ({"alias": [{"name": "a", "group_type": "t", "vendor_id": "10de"}]},
     [("A13", "alias[0].vendor_id")]),
    ({"alias": [{"name": "a", "vendor_id": "10de"}]}, [("A14", "alias[0]")]),
    ({"vgpu_types": {"x": "a", "1": 2}}, [("C07", "vgpu_types.x"), ("C07", "vgpu_types.1")]),
    ({"affinity_set": ["x"]}, [("F01", "affinity_set[0]")]),
    ({"affinity_set": ['{"match": "pf", "match": "pf", "requests": ["a:2"]}'], "alias": ALIAS},
     [("F02", "affinity_set[0].match")]),
    ({"affinity_set": [{"match": "pf", "requests": ["a", "b:1", "a:1", "a:2"]}], "alias": ALIAS},
     [("F03", f"affinity_set[0].requests[{at}]") for at in (0, 1, 3)]
     + [("F03", "affinity_set[0].requests")]),
    ({"affinity_set": [{"match": "pf", "request": ["a:2"]}], "alias": ALIAS},
     [("F04", "affinity_set[0].request"), ("F03", "affinity_set[0].requests")]),
    ({"affinity_set": [{"match": "switch", "requests": ["a:2"]}], "alias": ALIAS},
     [("F05", "affinity_set[0].match")]),
    ({"affinity_set": [{"requests": ["a:2"]}], "alias": ALIAS}, [("F05", "affinity_set[0]")]),
    (
        {"report_in_placement": False} | {"alias": [{"name": "a", "resource_class": "x"}]},
        [("A14", "alias[0]")],
    ),
    (
        {"report_in_placement": False} | specs(BY_PF),
        [("G01", "device_spec[0].group_type")],
    ),
    (specs(VF | {"group_name": "g"}), [("G02", "device_spec[0]")]),
    (specs(VF | {"group_type": "g"}), [("G02", "device_spec[0]")]),
    (specs(BY_PF | {"group_name": "g"}), [("G02", "device_spec[0]")]),
    (specs(BY_PF, named("0000:41:00.1")), [("G03", "device_spec[1]"), ("G04", "device_spec[1]")]),
    (
        specs(named("0000:41:00.1"), named("0000:41:00.2"), {"address": "0000:41:00.1"}),
        [("G03", "device_spec[0]")],
    ),
    (specs(named("0000:51:00.0")), [("G04", "device_spec[0]"), ("G12", "device_spec[0]")]),
    (specs(BY_PF | {"group_size": 3}), [("G04", "device_spec[0]")]),
    (pair(group_size=3), [("G04", "device_spec[0]")]),
    (
        specs(*(named(it, product_id="2335") for it in ("0000:41:00.0", "0000:51:00.0")), VF)
        | {"allow_iommu_split": True},
        [("G05", "device_spec[0]")],
    ),
    (
        specs(named("0000:41:00.1"), named("0000:41:00.2"), {"product_id": "2335"}),
        [("G05", "device_spec[0]")],
    ),
    (
        specs(
            *(named(f"0000:41:00.{n}") for n in (1, 2)),
            *(named(f"0000:41:00.{n}", group_type="T", group_name="h") for n in (3, 4)),
        ),
        [("G06", "device_spec[2]")],
    ),
    (
        specs(
            *(named(f"0000:41:00.{n}") for n in (1, 2)),
            *(named(f"0000:41:00.{n}", group_type="u") for n in (3, 4)),
        ),
        [("G06", "device_spec[2]")],
    ),
    (
        specs(
            *(named(f"0000:41:00.{n}", resource_class="x") for n in (1, 2)),
            VF | {"resource_class": "x"},
        ),
        [("G06", "device_spec[0]")],
    ),
    (
        specs(
            *(named(f"0000:41:00.{n}") for n in (1, 2)),
            *(named(f"0000:41:00.{n}", group_name="h", managed="no") for n in (3, 4)),
        ),
        [("G07", "device_spec[2]")],
    ),
    (
        specs(named("0000:41:00.1"), named("0000:42:00.1")),
        [("H02", "device_spec[1]"), ("G11", "device_spec[0]")],
    ),
    (
        specs(named("0000:43:00.1"), named("0000:42:00.1")),
        [("H02", "device_spec[0]"), ("H02", "device_spec[1]"), ("G11", "device_spec")],
    ),
    (specs(named("0000:51:00.0"), named("0000:61:00.0")), [("G12", "device_spec[0]")]),
    (specs(named("0000:60:00.0"), named("0000:61:00.0")),
     [("G13", "device_spec[0]"), ("G04", "device_spec[1]")]),
    (specs(named("0000:51:00.0"), named("0000:51:00.1")), [("G14", "device_spec[0]")]),
    (pair() | {"num_pcie_ports": 1}, [("G15", "device_spec[0]")]),
    (specs({"product_id": "2335"}, VF), [("H01", "device_spec[0]")]),
    (specs({"vendor_id": "1234"}), [("H02", "device_spec[0]")]),
    (specs(VF | {"one_time_use": "no"}), [("H03", "device_spec[0]")] * 4),
    (specs(VF | {"remote_managed": "yes"}), [("H04", "device_spec[0]")] * 4),
    (
        specs({"address": "0000:51:00.0", "remote_managed": "yes"}),
        [("H05", "device_spec[0]")],
    ),
    (specs({"product_id": "60"}), [("H06", "device_spec[0]")]),
    (specs({"product_id": "62"}), [("H06", "device_spec[0]")]),
    (specs({"address": REGEX}), [("H07", "device_spec[0]")]),
    (specs(VF, VF | {"managed": "no"}), [("H08", "device_spec[1]")] * 4),
    (specs({"address": "0000:41:00.1"}, {"address": "41:00.1"}), [("H09", "device_spec[1]")]),
    (
        specs({"address": "0000:51:00.0", "group_by": "card_serial", "group_type": "t"}),
        [("H10", "device_spec[0]")],
    ),
    (
        specs(VF, {"address": "0000:41:00.1", "traits": "fast"}),
        [("H11", "device_spec[0]")] * 3,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("config", "expected"), CASES)
def test_a_code_and_its_place(config: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert outcome(**config) == expected


def test_a_provider_needs_a_name_that_placement_takes() -> None:
    config = parse_pci_config(json.dumps(specs({"address": "0000:51:00.0"})), syntax="json")

    with pytest.raises(InvalidInput) as refused:
        explain_devices(config, HOST, "h" * 190)
    assert [fault.code for fault in refused.value.faults] == ["H12"]


@pytest.mark.parametrize(
    ("text", "syntax", "code"),
    [
        ("{", "json", "C01"),
        ("[]", "json", "C01"),
        ("[" * 100_000, "json", "C01"),
        ("=", "toml", "C01"),
        ("a=" + "[" * 9_000, "toml", "C01"),
        ('{"alias": [], "alias": []}', "json", "C02"),
    ],
    ids=range(6),
)
def test_a_file_that_is_wrong_as_a_whole(text: str, syntax: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_pci_config(text, syntax=syntax)
    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("gpu", "A20", "at character 1: 'gpu' is not name:count"),
        ("gpu:1,nic:", "A20", "at character 7: 'nic:' is not name:count"),
        ("gpu:0", "A21", "at character 1: the count must be 1 to 64"),
        ("gpu:65", "A21", "at character 1: the count must be 1 to 64"),
        ("gpu:1,gpo:2", "A22", "at character 7: no alias is called 'gpo'"),
    ],
)
def test_what_a_flavor_cannot_ask_for(text: str, code: str, words: str) -> None:
    faults: list[Fault] = []
    aliases = parse_aliases([{"name": "gpu", "resource_class": "x"}], faults)
    parse_alias_request(text, aliases, "flavor.extra_specs[pci_passthrough:alias]", faults)

    (fault,) = faults
    assert fault.code == code
    assert fault.message.startswith(words)


def test_every_code_has_a_case() -> None:
    told = {code for _config, expected in CASES for code, _path in expected}
    told |= {"C01", "C02", "H12", "A20", "A21", "A22"}
    # These need something that is in use, or a file: see test_plan.py.
    told |= {"G08", "G09", "G10", *(f"H{number}" for number in range(13, 21)), "H24", "P01", "P02"}
    # And these virtual GPUs: see test_vgpu.py.
    told |= {"H21", "H22", "H23", *(f"{it}0{n}" for it in "KM" for n in range(1, 5))}
    # And these moves: see test_guest_devices.py.
    told |= {"L01", "L02", "L03"}
    # And these accelerators: see test_accelerators.py.
    told |= {f"V0{number}" for number in range(1, 7)}

    assert told | {code.value for code in NoteCode} == set(PCI_CODES)


def test_all_faults_are_told_at_once() -> None:
    wrong = {"vendor_id": "x", "product_id": "12345", "manged": "yes", "traits": 3}

    assert outcome(device_spec=[wrong, "{"], alias=[{"name": "a"}], alais=1) == [
        ("C03", "alais"),
        ("S05", "device_spec[0].vendor_id"),
        ("S05", "device_spec[0].product_id"),
        ("S03", "device_spec[0].traits"),
        ("S11", "device_spec[0].manged"),
        ("S01", "device_spec[1]"),
        ("A14", "alias[0]"),
    ]


def test_a_policy_that_is_not_said_is_legacy() -> None:
    ids = {"name": "a", "vendor_id": "10de", "product_id": "2335"}
    aliases = [ids | {"numa_policy": "legacy"}, ids | {"product_id": "2336"}]

    assert outcome(report_in_placement=False, alias=aliases) == []


def test_a_slip_is_told_with_what_was_meant() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_pci_config(json.dumps(specs(VF | {"prodct_id": "1"})), syntax="json")

    assert "did you mean 'product_id'?" in refused.value.message
