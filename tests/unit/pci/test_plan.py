"""A host that starts again: with other specs, other devices, and things in use."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from computekit.cli import main
from computekit.errors import InvalidInput
from computekit.ids import ConsumerId, ProviderId
from computekit.model import Provider, ProviderTree
from computekit.pci import (
    HostDevices,
    PciAddress,
    PciAllocation,
    PciConfig,
    PciHost,
    PciMemory,
    PciPlan,
    PciState,
    UnitHolding,
    UnitKey,
    UnitStanding,
    WriteKind,
    parse_pci_config,
    parse_pci_memory,
    plan_devices,
    provider_writes,
    read_sysfs,
    render_pci_memory,
)
from tests.unit.pci.fixture import unpack

HOST = PciHost.named("h1")
ME = ConsumerId("i-1")
Spec = Mapping[str, object]


def member(address: str, group: str = "g0", **more: object) -> Spec:
    return {"address": f"0000:{address}", "group_name": group, "group_type": "pair", **more}


def single(address: str, **more: object) -> Spec:
    return {"address": f"0000:{address}", "resource_class": "vf", **more}


PAIR = (member("01:00.1"), member("81:00.1"))


@pytest.fixture
def devices(tmp_path: Path) -> HostDevices:
    return read_sysfs(unpack(tmp_path))


def config(*specs: Spec) -> PciConfig:
    return parse_pci_config(json.dumps({"device_spec": specs}), syntax="json")


def start(
    devices: HostDevices, *specs: Spec, state: PciState | None = None, forget: Iterable[str] = ()
) -> PciPlan:
    gone = [PciAddress.parse(f"0000:{text}") for text in forget]
    return plan_devices(config(*specs), devices, HOST, state or PciState(), forget=gone)


def taken(state: PciState, *keys: str) -> PciState:
    """Return a state in which somebody holds these units."""
    return state.replacing(
        {
            UnitKey(key): attrs.evolve(state.by_key[UnitKey(key)], holding=UnitHolding(ME))
            for key in keys
        }
    )


def freed(state: PciState) -> PciState:
    return attrs.evolve(state, units=[attrs.evolve(it, holding=None) for it in state.units])


def without(devices: HostDevices, *addresses: str) -> HostDevices:
    gone = {PciAddress.parse(f"0000:{text}") for text in addresses}
    return HostDevices.of((it for it in devices.devices if it.address not in gone), ())


def codes(plan: PciPlan) -> set[str]:
    return {finding.code for finding in plan.findings}


def refused(devices: HostDevices, *specs: Spec, state: PciState) -> dict[str, str]:
    with pytest.raises(InvalidInput) as error:
        start(devices, *specs, state=state)
    return {fault.code: fault.message for fault in error.value.faults}


def totals(tree: ProviderTree) -> dict[str, dict[str, int]]:
    return {
        it.name: {str(name): stock.total for name, stock in it.inventories.items()}
        for it in tree
        if it.parent is not None
    }


def test_the_worked_example(devices: HostDevices) -> None:
    address = {"domain": "0000", "bus": "81", "slot": "00", "function": "[2-4]"}
    plan = start(
        devices,
        member("01:00.1", group_type="nv-pair", traits="fast", managed="no"),
        member("81:00.1", group_type="nv-pair", traits="HW_NIC_SRIOV", managed="no"),
        {"vendor_id": "1b36", "product_id": "0010", "address": address, "resource_class": "vf"},
    )

    assert totals(plan.tree) == {
        "h1_PCI_GROUP_g0": {"CUSTOM_PCI_GROUP_NV_PAIR": 1},
        "h1_0000:81:00.0": {"CUSTOM_VF": 3},
    }
    (group,) = (it for it in plan.tree if "GROUP" in it.name)
    assert "CUSTOM_PCI_GROUP_SIG_CBBC60ED" in group.traits
    assert {it.unit.key for it in plan.state.free} == {
        "group/g0",
        *(f"0000:81:00.{function}" for function in (2, 3, 4)),
    }


def test_uuids_come_from_the_root_and_not_from_names(devices: HostDevices) -> None:
    first = start(devices, *PAIR)
    renamed = plan_devices(config(*PAIR), devices, PciHost("new-name", HOST.root))

    assert {it.id for it in first.tree} == {it.id for it in renamed.tree}
    assert {it.name for it in first.tree}.isdisjoint(it.name for it in renamed.tree)
    elsewhere = plan_devices(config(*PAIR), devices, PciHost.named("h2"))
    assert {it.id for it in first.tree}.isdisjoint(it.id for it in elsewhere.tree)


def test_starting_again_changes_nothing(devices: HostDevices) -> None:
    specs = (*PAIR, single("81:00.2"))
    state = taken(start(devices, *specs).state, "group/g0", "0000:81:00.2")

    again = start(devices, *specs, state=state)

    assert again.state == state
    assert codes(again) == {"G14"}


def test_a_member_added_to_a_group_in_use_is_refused(devices: HostDevices) -> None:
    state = taken(start(devices, *PAIR).state, "group/g0")

    faults = refused(devices, *PAIR, member("01:00.2"), state=state)

    assert set(faults) == {"G08"}
    assert "0000:01:00.2 would be added" in faults["G08"]
    assert ME in faults["G08"]
    grown = start(devices, *PAIR, member("01:00.2"), state=freed(state))
    (kept,) = grown.state.units
    assert len(kept.unit.members) == 3


def test_a_group_in_use_is_not_renamed_retyped_or_given_another_class(devices: HostDevices) -> None:
    state = taken(start(devices, *PAIR).state, "group/g0")
    addresses = ("01:00.1", "81:00.1")

    for more in ({"group_name": "g1"}, {"group_type": "x"}, {"resource_class": "y"}):
        assert set(refused(devices, *(member(at, **more) for at in addresses), state=state)) == {
            "G08"
        }


def test_members_are_not_traded_with_a_group_in_use(devices: HostDevices) -> None:
    others = (member("01:00.2", "g1"), member("81:00.2", "g1"))
    state = taken(start(devices, *PAIR, *others).state, "group/g0")
    traded = (member("01:00.1"), member("81:00.2"), member("01:00.2", "g1"))

    faults = refused(devices, *traded, member("81:00.1", "g1"), state=state)

    assert "0000:81:00.1 would belong to the group 'g1'" in faults["G08"]


def test_a_device_in_use_by_itself_does_not_become_a_member(devices: HostDevices) -> None:
    state = taken(start(devices, single("01:00.1")).state, "0000:01:00.1")

    assert set(refused(devices, *PAIR, state=state)) == {"G09"}
    assert start(devices, *PAIR, state=freed(state)).state.units[0].unit.group == "g0"


def test_a_group_in_use_that_is_configured_no_more_is_kept_until_it_is_free(
    devices: HostDevices,
) -> None:
    state = taken(start(devices, *PAIR).state, "group/g0")
    singles = (single("81:00.1"), single("81:00.2"))

    plan = start(devices, *singles, state=state)

    assert codes(plan) >= {"G10", "H18"}
    assert totals(plan.tree) == {
        "h1_PCI_GROUP_g0": {"CUSTOM_PCI_GROUP_PAIR": 1},
        "h1_0000:81:00.0": {"CUSTOM_VF": 1},
    }
    standing = {str(it.unit.key): it.standing for it in plan.state.units}
    assert standing["0000:81:00.1"] is UnitStanding.WITHHELD
    assert standing["group/g0"] is UnitStanding.RETIRING
    after = start(devices, *singles, state=freed(plan.state))
    assert totals(after.tree) == {"h1_0000:81:00.0": {"CUSTOM_VF": 2}}


def test_a_vanished_member_degrades_a_free_group_and_waits_for_one_in_use(
    devices: HostDevices,
) -> None:
    state = start(devices, *PAIR).state
    fewer = without(devices, "81:00.1")

    plan = start(fewer, *PAIR, state=state)
    assert "G11" in codes(plan)
    assert totals(plan.tree) == {}
    assert not plan.state.free
    assert start(devices, *PAIR, state=plan.state).state == state

    used = start(fewer, *PAIR, state=taken(state, "group/g0"))
    assert totals(used.tree) == {"h1_PCI_GROUP_g0": {"CUSTOM_PCI_GROUP_PAIR": 1}}
    assert not freed(used.state).free
    assert start(fewer, *PAIR, state=freed(used.state)).state == plan.state


def test_automatic_groups_keep_their_place_when_something_vanishes(devices: HostDevices) -> None:
    functions = {"bus": "01", "function": "[1-4]"}
    spec = {"address": functions, "group_by": "pf", "group_type": "vfs", "group_size": 2}
    state = start(devices, spec).state

    plan = start(without(devices, "01:00.1"), spec, state=state)

    assert [(str(it.unit.group), it.standing) for it in plan.state.units] == [
        ("vfs.0000:01:00.0.0", UnitStanding.DEGRADED),
        ("vfs.0000:01:00.0.1", UnitStanding.OFFERED),
    ]
    gone = without(devices, "01:00.1", "01:00.2")
    assert len(start(gone, spec, state=plan.state).state.units) == 1
    whole = spec | {"group_size": 3, "group_remainder": "ignore"}
    forgotten = start(
        without(devices, "01:00.1"), whole, state=plan.state, forget=["01:00.1"]
    ).state
    assert [it.standing for it in forgotten.units] == [UnitStanding.OFFERED]


def test_a_card_that_moved_is_found_by_its_serial_number(devices: HostDevices) -> None:
    vfs = [f"81:00.{function}" for function in range(1, 5)]
    bare = without(devices, *vfs)

    def at(bus: int) -> HostDevices:
        return HostDevices.of(
            (
                attrs.evolve(it, address=PciAddress(0, bus, 0, 0), card_serial="S1")
                if str(it.address) == "0000:81:00.0"
                else it
                for it in bare.devices
            ),
            (),
        )

    pair = (member("01:00.1"), member("81:00.0"))
    plan = start(at(0x82), *pair, state=start(at(0x81), *pair).state)

    hints = [it.message for it in plan.findings if it.severity.value == "info" and it.code == "G11"]
    assert any("0000:82:00.0" in hint for hint in hints)


def test_traits_may_change_in_use_and_classes_may_not(devices: HostDevices) -> None:
    state = taken(start(devices, single("81:00.2")).state, "0000:81:00.2")

    plan = start(devices, single("81:00.2", traits="fast"), state=state)
    assert "H13" in codes(plan)
    assert any("CUSTOM_FAST" in it.traits for it in plan.tree)

    assert set(refused(devices, single("81:00.2", resource_class="x"), state=state)) == {"H14"}
    apart = (single("81:00.2", traits="a"), single("81:00.3", resource_class="y", traits="b"))
    assert set(refused(devices, *apart, state=state)) == {"H15"}


def test_a_device_in_use_that_is_gone_or_unlisted_is_kept(devices: HostDevices) -> None:
    specs = (single("81:00.2"), single("81:00.3"))
    state = taken(start(devices, *specs).state, "0000:81:00.2")

    unlisted = start(devices, specs[1], state=state)
    assert "H16" in codes(unlisted)
    assert totals(unlisted.tree) == {"h1_0000:81:00.0": {"CUSTOM_VF": 2}}
    gone = start(without(devices, "81:00.2"), *specs, state=state)
    assert "H17" in codes(gone)
    assert totals(gone.tree) == {"h1_0000:81:00.0": {"CUSTOM_VF": 2}}
    freed_plan = start(without(devices, "81:00.2"), *specs, state=freed(gone.state))
    assert totals(freed_plan.tree) == {"h1_0000:81:00.0": {"CUSTOM_VF": 1}}


def test_another_device_in_the_place_of_one_in_use_waits(devices: HostDevices) -> None:
    spec: Spec = {"address": "0000:81:00.2"}
    state = taken(start(devices, spec, *PAIR).state, "0000:81:00.2", "group/g0")
    swapped = HostDevices.of(
        (
            attrs.evolve(it, product_id=0x99)
            if str(it.address) in {"0000:81:00.2", "0000:01:00.1"}
            else it
            for it in devices.devices
        ),
        (),
    )

    plan = start(swapped, spec, *PAIR, state=state)

    assert {"H17", "G11"} <= codes(plan)
    assert not plan.state.free
    assert "CUSTOM_PCI_1B36_0010" in totals(plan.tree)["h1_0000:81:00.0"]
    after = start(swapped, spec, state=freed(plan.state))
    assert totals(after.tree) == {"h1_0000:81:00.0": {"CUSTOM_PCI_1B36_0099": 1}}


def test_vfs_of_a_pf_in_use_are_withheld(devices: HostDevices) -> None:
    bare = without(devices, *(f"81:00.{function}" for function in range(1, 5)))
    state = taken(start(bare, single("81:00.0")).state, "0000:81:00.0")

    plan = start(devices, single("81:00.1"), single("81:00.2"), state=state)

    assert {"H16", "H18"} <= codes(plan)
    assert not plan.state.free
    assert len(start(devices, single("81:00.1"), state=freed(plan.state)).state.free) == 1


def test_a_disagreement_with_placement_is_told_and_nothing_is_taken_away(
    devices: HostDevices,
) -> None:
    specs = (single("81:00.2"), single("81:00.3"))
    state = taken(start(devices, *specs).state, "0000:81:00.2")
    unit = state.held[0].unit
    said = PciAllocation(ConsumerId("i-2"), unit.provider, unit.resource_class, 3)

    plan = plan_devices(config(*specs), devices, HOST, state, [said])

    assert [it.message[:12] for it in plan.findings if it.code == "H20"] == [
        "i-1 holds 1 ",
        "i-2 holds 0 ",
    ]
    assert totals(plan.tree) == {"h1_0000:81:00.0": {"CUSTOM_VF": 3}}


def test_reporting_cannot_be_ended(devices: HostDevices) -> None:
    tree = start(devices, single("81:00.2")).tree
    off = parse_pci_config('{"report_in_placement": false}', syntax="json")

    with pytest.raises(InvalidInput) as error:
        plan_devices(off, devices, HOST, view=tree)

    assert [fault.code for fault in error.value.faults] == ["H19"]
    assert len(plan_devices(off, devices, HOST).tree.providers) == 1


def test_what_is_remembered_survives_a_file(devices: HostDevices) -> None:
    state = taken(start(devices, *PAIR, single("81:00.2")).state, "group/g0")

    text = json.dumps(render_pci_memory(PciMemory(state)))

    assert parse_pci_memory(text).state == state
    assert parse_pci_memory(json.dumps({"memory": json.loads(text)})).state == state


def test_a_broken_memory_is_refused_with_every_fault() -> None:
    text = '{"state": {"units": [{"unit": {"members": [{"device": 1}]}}], "dirty": 3}, "more": 1}'

    with pytest.raises(InvalidInput) as error:
        parse_pci_memory(text)

    assert {fault.code for fault in error.value.faults} == {"P02"}
    paths = {fault.path for fault in error.value.faults}
    assert {"state.dirty", "state.units[0].unit.members[0].device"} <= paths
    for bad in ("{", "[]", '{"version": 9}'):
        with pytest.raises(InvalidInput):
            parse_pci_memory(bad)


def test_what_is_taken_away_is_written_before_what_is_offered(devices: HostDevices) -> None:
    singles = start(devices, single("01:00.1"), single("81:00.1"), single("81:00.2")).tree
    grouped = start(devices, *PAIR, single("81:00.2")).tree

    writes = provider_writes(singles, grouped)

    assert [(it.kind, it.provider.name, it.withdraws) for it in writes] == [
        (WriteKind.DELETE, "h1_0000:01:00.0", True),
        (WriteKind.INVENTORIES, "h1_0000:81:00.0", True),
        (WriteKind.CREATE, "h1_PCI_GROUP_g0", False),
        (WriteKind.TRAITS, "h1_PCI_GROUP_g0", False),
        (WriteKind.INVENTORIES, "h1_PCI_GROUP_g0", False),
    ]
    assert provider_writes(grouped, grouped) == ()


def test_providers_of_others_are_left_alone(devices: HostDevices) -> None:
    tree = start(devices, *PAIR).tree
    theirs = Provider(ProviderId("6f1c9d60-0000-4000-8000-000000000001"), "cell0", HOST.root)

    writes = provider_writes(ProviderTree((*tree.providers, theirs)), start(devices).tree)

    assert [(it.kind, it.provider.name) for it in writes] == [(WriteKind.DELETE, "h1_PCI_GROUP_g0")]


def test_the_command_goes_on_from_what_it_printed(tmp_path: Path) -> None:
    root, file = unpack(tmp_path), tmp_path / "pci.json"
    command = ["pci", "plan", "--sysfs", str(root), "--config", str(file), "--host", "h1"]

    def run(*specs: Spec, more: tuple[str, ...] = ("--json",)) -> Result:
        file.write_text(json.dumps({"device_spec": specs}), "utf-8")
        return CliRunner().invoke(main, [*command, *more])

    first = run(*PAIR)
    assert first.exit_code == 0
    printed = json.loads(first.stdout)
    assert [it["name"] for it in printed["providers"]] == ["h1", "h1_PCI_GROUP_g0"]
    printed["memory"]["state"]["units"][0]["holding"] = {"consumer": ME}
    remembered = tmp_path / "state.json"
    remembered.write_text(json.dumps(printed), "utf-8")
    again = ("--json", "--state", str(remembered))

    refused_ = run(*PAIR, member("01:00.2"), more=again)
    assert refused_.exit_code == 2
    (fault,) = json.loads(refused_.stdout)
    assert (fault["code"], set(fault)) == ("G08", {"code", "path", "message"})
    went_on = run(*PAIR, more=again)
    assert json.loads(went_on.stdout)["units"][0]["held_by"] == ME
    drawn = run(*PAIR, more=("--html",))
    assert "h1_PCI_GROUP_g0" in drawn.stdout
    assert "<table" in drawn.stdout
    shown = run(*PAIR, more=())
    assert "group/g0  offered" in shown.stdout
    wrong = run(*PAIR, more=("--provider", "x"))
    assert "is no UUID" in wrong.stderr
