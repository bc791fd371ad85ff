"""Rules and weighers by Nova's names, and the policy that a Nova would have."""

import attrs
import pytest

from computekit.errors import InvalidInput
from computekit.ids import HostName
from computekit.model import MEMORY_MB, FrozenMap
from computekit.scheduler import (
    DEFAULT_FILTERS,
    FILTERS,
    ONCE_PER_REQUEST,
    WEIGHERS,
    CrossCellWeigher,
    FreeWeigher,
    HostFilter,
    HostRule,
    IoOpsFilter,
    MetricsWeigher,
    Normalised,
    OverlayRule,
    Placed,
    Scheduler,
    Unplaced,
    filter_named,
    intent_faults,
    metadata_notes,
    nova_policy,
    weigher_named,
)
from tests.unit.scheduler.fleet import flat, index
from tests.unit.scheduler.intents import aggregate, asking


def test_every_filter_and_weigher_of_nova_is_there() -> None:
    assert len(FILTERS) == 22
    assert len(WEIGHERS) == 13
    assert set(DEFAULT_FILTERS) < set(FILTERS)
    assert set(FILTERS) > ONCE_PER_REQUEST
    on_rebuild = {name for name, rule in FILTERS.items() if getattr(rule, "on_rebuild", False)}
    assert on_rebuild == {
        "AggregateImagePropertiesIsolation",
        "ImagePropertiesFilter",
        "IsolatedHostsFilter",
    }


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_a_value_and_asks_nothing_of_a_plain_request_that_a_host_lacks(
    name: str,
) -> None:
    rule = filter_named(name)
    assert rule.name == name
    assert isinstance(rule, HostRule | OverlayRule)
    assert attrs.has(type(rule))
    assert hash(rule) == hash(filter_named(name))
    assert isinstance(Scheduler(index(flat("a")), nova_policy([name])).place(asking()), Placed)


@pytest.mark.parametrize("name", WEIGHERS)
def test_a_weigher_is_a_value(name: str) -> None:
    weigher = weigher_named(name)
    assert weigher.name == name
    assert hash(weigher) == hash(WEIGHERS[name])


def test_the_default_policy_asks_and_weighs_as_nova_does() -> None:
    policy = nova_policy()
    assert [rule.name for rule in policy.rules] == list(DEFAULT_FILTERS)
    assert isinstance(policy.weighers, Normalised)
    weighing = {weigher.name for weigher in policy.weighers.weighers}
    weighing |= {weigher.name for weigher in policy.overlay_weighers}
    assert weighing == WEIGHERS.keys() - {"MetricsWeigher"}  # nothing is measured by default
    fleet = index(flat("a", memory=9_000), flat("b"), flat("c"))
    fleet.set_figures(HostName("b"), {"failed_builds": 1})
    decision = Scheduler(fleet, policy).place(asking(image={"hw_architecture": "x86_64"}))
    assert isinstance(decision, Placed)
    assert decision.host == "c"
    assert isinstance(
        Scheduler(fleet, policy).place(asking(image={"hw_architecture": "arm"})), Unplaced
    )


def test_settings_take_the_place_of_defaults() -> None:
    mine = HostFilter("mine", lambda host: host.name != "a")
    policy = nova_policy(
        ["ComputeFilter", IoOpsFilter(1), mine],
        FreeWeigher("RAMWeigher", MEMORY_MB, -1.0),
        CrossCellWeigher(0.0),
        MetricsWeigher(FrozenMap({"load": -1.0})),
    )
    fleet = index(flat("a", memory=9_000), flat("b"), flat("c", memory=8_000))
    for name, load in zip("abc", (1, 2, 1), strict=True):
        fleet.set_figures(HostName(name), {"load": load, "io_ops": float(name == "b")})
    decision = Scheduler(fleet, policy).place(asking())
    assert isinstance(decision, Placed)
    assert decision.host == "c"


def test_every_name_that_is_not_known_is_told() -> None:
    with pytest.raises(InvalidInput) as error:
        nova_policy(["ComputFilter", "ComputeFilter", "IoOpFilter"])
    assert [fault.message for fault in error.value.faults] == [
        "there is no filter 'ComputFilter'; did you mean ComputeFilter?",
        "there is no filter 'IoOpFilter'; did you mean IoOpsFilter?",
    ]
    with pytest.raises(InvalidInput, match="there is no filter 'x'"):
        filter_named("x")
    with pytest.raises(InvalidInput, match="did you mean RAMWeigher"):
        weigher_named("RamWeigher")


def test_numbers_of_aggregates_that_cannot_be_read_are_told() -> None:
    notes = metadata_notes(
        [
            aggregate(1, ram_weight_multiplier="1.5", max_io_ops_per_host="4", ssd="x"),
            aggregate(2, ram_weight_multiplier="lots", max_io_ops_per_host="4.5"),
        ]
    )
    assert notes == (
        "aggregate n2: max_io_ops_per_host '4.5' is no whole number; what is configured holds",
        "aggregate n2: ram_weight_multiplier 'lots' is no number; what is configured holds",
    )


def test_what_rules_cannot_read_is_a_fault_of_whoever_wrote_it() -> None:
    asked = asking(
        {"capabilities:vcpus_total": ">= many", "ssd": "<or>", "pci_passthrough:alias": "gpu"},
        {"img_hv_requested_version": "new", "hw_maxphysaddr_bits": "x"},
        hints={"query": ("[",), "build_near_host_ip": ("here",)},
    )
    faults = intent_faults(asked.intent, nova_policy(FILTERS))
    assert {fault.path for fault in faults} == {
        "flavor.extra_specs[capabilities:vcpus_total]",
        "flavor.extra_specs[ssd]",
        "flavor.extra_specs[pci_passthrough:alias]",
        "image.properties[img_hv_requested_version]",
        "image.properties[hw_maxphysaddr_bits]",
        "hints[query]",
        "hints[build_near_host_ip]",
    }
    told = {fault.path: fault.message for fault in faults}
    assert told["flavor.extra_specs[ssd]"] == "'<or>': <or> needs something after it"
    assert told["image.properties[hw_maxphysaddr_bits]"] == "'x': is no whole number"
    assert intent_faults(asked.intent, nova_policy(["ComputeFilter"])) == ()
    assert intent_faults(asking().intent, nova_policy(FILTERS)) == ()
