"""From a flavor's words to devices: asked of Placement, granted, chosen, claimed."""

import json
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from computekit.errors import Fault, StateConflict
from computekit.ids import ConsumerId
from computekit.model import FrozenMap, PlacementRequest
from computekit.pci import (
    AliasOption,
    ChoiceRefused,
    ClaimUnits,
    DeviceWant,
    FreeUnits,
    GuestPlace,
    HostDevices,
    NumaPolicy,
    PciAddress,
    PciConfig,
    PciDevice,
    PciHost,
    PciState,
    UnitChoice,
    affinities_of,
    choose_units,
    device_grants,
    device_requests,
    parse_alias_request,
    parse_pci_config,
    pci_transition,
    plan_devices,
    read_sysfs,
)
from computekit.placement import LocalPlacement
from tests.unit.pci.fixture import unpack

ME, OTHER = ConsumerId("i-1"), ConsumerId("i-2")
NODE_1 = GuestPlace(frozenset({1}), FrozenMap({0: 0, 1: 1}))
WORKED = {
    "device_spec": [
        {"address": "0000:01:00.1", "group_name": "g0", "group_type": "nv-pair"},
        {"address": "0000:81:00.1", "group_name": "g0", "group_type": "nv-pair"},
        {
            "address": {"bus": "81", "slot": "00", "function": "[2-4]"},
            "resource_class": "nvme_vf",
        },
    ],
    "alias": [
        {"name": "av", "group_type": "nv-pair"},
        {"name": "vf", "resource_class": "nvme_vf", "device_type": "type-VF"},
    ],
}


def config_of(text: Mapping[str, object]) -> PciConfig:
    return parse_pci_config(json.dumps(text), syntax="json")


def asked(config: PciConfig, text: str, policy: NumaPolicy | None = None) -> tuple[DeviceWant, ...]:
    faults: list[Fault] = []
    counts = parse_alias_request(text, config.aliases, "flavor", faults)
    assert not faults
    ids = [f"r{at}" for at in range(len(counts))]
    requests = device_requests(counts, config.aliases, ids, policy)
    return tuple(want for request in requests for want in request.wants({}))


def board() -> HostDevices:
    """Return two switches with four GPUs each and a NIC of two functions."""
    devices: list[PciDevice] = []
    for node, bus in enumerate((0x10, 0x20)):
        above = (PciAddress(0, bus, 0, 0), PciAddress(0, 0, node, 0))
        for at in range(5):
            down = PciAddress(0, bus + 1, at, 0)
            gpu = at < 4
            for function in (0,) if gpu else (0, 1):
                where = PciAddress(0, bus + 2 + at, 0, function)
                product = 1 if gpu else 2
                devices.append(
                    PciDevice(where, 0x10DE, product, 0x030200, node, ports=(down, *above))
                )
    return HostDevices.of(devices, ())


BOARD = {
    "device_spec": [
        {"vendor_id": "10de", "product_id": "0001", "resource_class": "gpu"},
        {"vendor_id": "10de", "product_id": "0002", "resource_class": "nic"},
    ],
    "alias": [
        {"name": "gpu", "resource_class": "gpu"},
        {"name": "nic", "resource_class": "nic"},
    ],
    "affinity_set": [{"requests": ["gpu:1", "nic:1"], "match": "upstream_port"}],
}


@pytest.fixture
def worked(tmp_path: Path) -> PciState:
    devices = read_sysfs(unpack(tmp_path))
    return plan_devices(config_of(WORKED), devices, PciHost.named("h1")).state


@pytest.mark.parametrize(
    ("policy", "accepted"),
    [
        (NumaPolicy.REQUIRED, False),
        (NumaPolicy.SOCKET, False),
        (NumaPolicy.LEGACY, True),
        (NumaPolicy.PREFERRED, True),
    ],
)
def test_a_group_with_a_member_of_unknown_node(
    worked: PciState, policy: NumaPolicy, accepted: bool
) -> None:
    wants = asked(config_of(WORKED), "av:1", policy)

    assert isinstance(choose_units(worked, wants, (), NODE_1), UnitChoice) == accepted
    assert isinstance(choose_units(worked, wants), UnitChoice)


def test_the_policies_of_single_devices(worked: PciState) -> None:
    wants = asked(config_of(WORKED), "vf:2", NumaPolicy.REQUIRED)
    near = choose_units(worked, wants, (), NODE_1)
    assert isinstance(near, UnitChoice)
    assert near.distance == 0

    for policy in (NumaPolicy.REQUIRED, NumaPolicy.LEGACY, NumaPolicy.SOCKET):
        elsewhere = GuestPlace(frozenset({0}), FrozenMap({0: 0, 1: 1}))
        far = choose_units(worked, asked(config_of(WORKED), "vf:2", policy), (), elsewhere)
        assert isinstance(far, ChoiceRefused)
        assert "NUMA" in far.reason
    one_socket = GuestPlace(frozenset({0}), FrozenMap({0: 0, 1: 0}))
    wants = asked(config_of(WORKED), "vf:2", NumaPolicy.SOCKET)
    assert isinstance(choose_units(worked, wants, (), one_socket), UnitChoice)
    unsaid = GuestPlace(frozenset({0}), FrozenMap({0: 0, 1: 0, 2: None}))
    assert isinstance(choose_units(worked, wants, (), unsaid), ChoiceRefused)
    own_node = GuestPlace(frozenset({1}), FrozenMap({0: None, 1: None}))
    assert isinstance(choose_units(worked, wants, (), own_node), UnitChoice)


def test_claiming_the_group_leaves_the_other_vfs(worked: PciState) -> None:
    wants = asked(config_of(WORKED), "av:1")
    choice = choose_units(worked, wants)
    assert isinstance(choice, UnitChoice)

    taken = pci_transition(worked, ClaimUnits(ME, choice.units)).state

    assert {kept.unit.key for kept in taken.free} == {f"0000:81:00.{n}" for n in (2, 3, 4)}
    assert isinstance(choose_units(taken, wants), ChoiceRefused)
    with pytest.raises(StateConflict) as error:
        pci_transition(taken, ClaimUnits(OTHER, choice.units))
    assert ME in error.value.message
    assert pci_transition(taken, FreeUnits(ME)).state == worked


def test_a_claim_takes_everything_or_nothing(worked: PciState) -> None:
    first = pci_transition(worked, ClaimUnits(ME, FrozenMap({"r": worked.units[0].unit.key})))
    both = FrozenMap({f"r-{at}": kept.unit.key for at, kept in enumerate(worked.units[::-1])})

    with pytest.raises(StateConflict):
        pci_transition(first.state, ClaimUnits(OTHER, both))

    assert not first.state.held_by(OTHER)


def test_pairs_lie_behind_one_switch_each() -> None:
    config = config_of(BOARD)
    state = plan_devices(config, board(), PciHost.named("h1")).state
    counts = parse_alias_request("gpu:3,nic:3", config.aliases, "flavor", [])
    requests = device_requests(counts, config.aliases, ("g", "n"))
    wants = [want for request in requests for want in request.wants({})]

    rules = affinities_of(requests, config.affinity_sets)
    choice = choose_units(state, wants, rules)

    assert [rule.wants for rule in rules] == [(f"g-{at}", f"n-{at}") for at in range(3)]
    assert isinstance(choice, UnitChoice)
    by_key = state.by_key
    for gpu, nic in (rule.wants for rule in rules):
        ports = {by_key[choice.units[name]].unit.members[0].device.root_port for name in (gpu, nic)}
        assert len(ports) == 1
    # There are two NICs behind each switch.
    more = [attrs.evolve(it, count=5) for it in requests]
    wants = [want for request in more for want in request.wants({})]
    assert isinstance(
        choose_units(state, wants, affinities_of(more, config.affinity_sets)), ChoiceRefused
    )


def test_what_breaks_the_fewest_large_sets_is_taken() -> None:
    config = config_of(BOARD)
    state = plan_devices(config, board(), PciHost.named("h1")).state
    first = choose_units(state, asked(config, "gpu:1"))
    assert isinstance(first, UnitChoice)
    taken = pci_transition(state, ClaimUnits(ME, first.units)).state

    second = choose_units(taken, asked(config, "gpu:2"))

    # The switch that has lost its set of four gives the other two as well.
    assert isinstance(second, UnitChoice)
    gone = {next(iter(first.units.values())), *second.units.values()}
    roots = {state.by_key[key].unit.members[0].device.root_port for key in gone}
    assert len(roots) == 1
    assert sum(second.broken[:-2]) == 0


def test_a_flavor_is_served_through_placement(tmp_path: Path) -> None:
    config = config_of(WORKED)
    plan = plan_devices(config, read_sysfs(unpack(tmp_path)), PciHost.named("h1"))
    placement = LocalPlacement.in_memory()
    placement.put_tree(plan.tree)
    counts = parse_alias_request("av:1,vf:2", config.aliases, "flavor", [])
    requests = device_requests(counts, config.aliases, ("a", "b"))
    groups = tuple(group for request in requests for group in request.groups())
    request = PlacementRequest(groups, group_policy="none")

    (candidate,) = placement.search(request)
    grants = device_grants(requests, candidate.mappings)
    wants = [want for request in requests for want in request.wants(grants)]
    choice = choose_units(plan.state, wants)

    assert {want: grant.resource_class for want, grant in grants.items()} == {
        "a-0": "CUSTOM_PCI_GROUP_NV_PAIR",
        "b-0": "CUSTOM_NVME_VF",
        "b-1": "CUSTOM_NVME_VF",
    }
    assert isinstance(choice, UnitChoice)
    for want in wants:
        assert plan.state.by_key[choice.units[want.name]].unit.provider == want.provider


def test_what_can_be_moved_live_is_asked_of_placement() -> None:
    aliases = config_of(
        {
            "alias": [
                {"name": name, "resource_class": "x", "live_migratable": word}
                for name, word in (("moves", "yes"), ("stays", "no"))
            ]
        }
    ).aliases
    counts = parse_alias_request("moves:1,stays:1", aliases, "flavor", [])

    moves, stays = (
        group for it in device_requests(counts, aliases, ("a", "b")) for group in it.groups()
    )

    assert frozenset({"HW_PCI_LIVE_MIGRATABLE"}) in moves.required
    assert stays.forbidden == {"HW_PCI_LIVE_MIGRATABLE"}
    assert moves.suffix == "a-0"


def test_a_want_that_nothing_answers_to_says_so(worked: PciState) -> None:
    found = choose_units(worked, [DeviceWant("w", AliasOption("alias[0]"))])

    assert found == ChoiceRefused("w", "no free unit answers to w")
