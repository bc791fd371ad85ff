"""Whatever stands in flavors, images, hints and metadata: nobody else's request suffers from it."""

import json

import attrs
from hypothesis import given
from hypothesis import strategies as st

from computekit.ids import AggregateId, FlavorId, HostName, ImageId, InstanceId, ProjectId
from computekit.model import Aggregate, Flavor, FrozenMap, Image
from computekit.placement import FleetIndex
from computekit.scheduler import (
    FILTERS,
    WEIGHERS,
    AggregateImagePropertiesIsolation,
    Explanation,
    HostRule,
    MetricsFilter,
    MetricsWeigher,
    OverlayRule,
    Placed,
    PlacementIntent,
    Request,
    Scheduler,
    SchedulingRun,
    check_rebuild,
    metadata_notes,
    nova_policy,
)
from computekit.units import Bytes, Mib
from tests.unit.scheduler.fleet import flat, index, request

# What people write, and what nobody would.
PIECES = (
    *("<or>", "<in>", "<all-in>", "s==", "s<", ">=", "==", "=", "!=", "<", ",", ":", "/", "$", " "),
    *("1", "-1", "1e999", "nan", "inf", "٣", "0x1f", "10.0.0.1", "::1", "/24", "true", "x86_64"),
    *("{", "}", "[", "]", '"', "null", '["=",', '"$host"', '["and"', '["not"', "\x00", "é", "a.b"),
)
TEXT = st.one_of(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), st.text(max_size=12))
SPEC_KEYS = st.one_of(
    st.sampled_from(
        (
            "ssd",
            "capabilities:",
            "capabilities:host",
            "capabilities:cpu_info:features",
            "capabilities:free_ram_mb",
            "capabilities:stats:",
            "aggregate_instance_extra_specs:",
            "aggregate_instance_extra_specs:ssd",
            "hw:maxphysaddr_bits",
            "pci_passthrough:alias",
            "num_instances",
            ":",
            "",
        )
    ),
    TEXT,
)
PROPERTY_KEYS = st.one_of(
    st.sampled_from(
        (
            "hw_architecture",
            "img_hv_type",
            "hw_vm_mode",
            "img_hv_requested_version",
            "hw_maxphysaddr_bits",
            "ssd",
        )
    ),
    TEXT,
)
HINT_KEYS = st.one_of(
    st.sampled_from(
        ("query", "same_host", "different_host", "build_near_host_ip", "cidr", "group")
    ),
    TEXT,
)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from(("$host", "$free_ram_mb", "$cpu_info.arch", "$", "$stats.x", "a")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(
            st.sampled_from(("=", "<", ">", "<=", ">=", "in", "not", "or", "and", "xor")), inner
        ).map(list),
        st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
    max_leaves=8,
)
METADATA_KEYS = st.one_of(
    st.sampled_from(
        (
            "max_io_ops_per_host",
            "max_instances_per_host",
            "filter_tenant_id",
            "filter_tenant_idx",
            "instance_type",
            "hw_architecture",
            "ssd",
            "cell",
            *(option for w in WEIGHERS.values() if (option := getattr(w, "option", ""))),
        )
    ),
    TEXT,
)
HINT_VALUES = st.one_of(TEXT, JSON.map(json.dumps))
INTENTS = st.builds(
    lambda name, specs, properties, hints, project: PlacementIntent(
        hints=FrozenMap({key: tuple(values) for key, values in hints.items()}),
        project=project,
        flavor=Flavor(FlavorId("f"), name, 1, Mib(1), extra_specs=FrozenMap(specs)),
        image=Image(
            ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=FrozenMap(properties)
        ),
    ),
    TEXT,
    st.dictionaries(SPEC_KEYS, TEXT, max_size=4),
    st.dictionaries(PROPERTY_KEYS, TEXT, max_size=3),
    st.dictionaries(HINT_KEYS, st.lists(HINT_VALUES, max_size=2), max_size=3),
    st.one_of(st.none(), TEXT.map(ProjectId)),
)
METADATA = st.lists(st.dictionaries(METADATA_KEYS, TEXT, max_size=4), max_size=3)
RULES: tuple[HostRule | OverlayRule, ...] = (
    *FILTERS.values(),
    AggregateImagePropertiesIsolation("hw", "_"),
    MetricsFilter(frozenset({"load", "x"})),
)


def fleet_of(metadata: list[dict[str, str]]) -> FleetIndex:
    fleet = index(*(flat(name, memory=at * 1_000) for at, name in enumerate("abcd")))
    fleet.set_figures(HostName("b"), {"instances": 3, "load": 0.5, "free_pci_devices": 2})
    fleet.put_aggregates(
        Aggregate(
            at,
            AggregateId(str(at)),
            str(at),
            FrozenMap(given),
            frozenset(map(HostName, "abc"[at:])),
        )
        for at, given in enumerate(metadata)
    )
    return fleet


def request_of(intent: PlacementIntent) -> Request:
    run = SchedulingRun(
        instance=InstanceId("me"),
        hosts_of=FrozenMap({InstanceId("me"): frozenset(map(HostName, ("a", "gone")))}),
    )
    return attrs.evolve(request(), intent=intent, run=run)


@given(st.sampled_from(RULES), INTENTS, METADATA)
def test_a_rule_refuses_or_passes_and_says_why(
    rule: HostRule | OverlayRule, intent: PlacementIntent, metadata: list[dict[str, str]]
) -> None:
    fleet = fleet_of(metadata)
    policy = nova_policy([rule])
    scheduler = Scheduler(fleet, policy)
    decision = scheduler.place(request_of(intent))
    explanation = decision.explain()
    assert isinstance(explanation, Explanation)
    assert explanation.text()
    passing = {found.host for found in decision.candidates()}
    assert {report.host for report in explanation.hosts if report.fits} == passing
    assert check_rebuild(fleet, request_of(intent), policy, HostName("a")).host == "a"


@given(st.lists(INTENTS, max_size=3), METADATA)
def test_a_plain_request_goes_where_it_would_have_gone(
    intents: list[PlacementIntent], metadata: list[dict[str, str]]
) -> None:
    policy = nova_policy(FILTERS, MetricsWeigher(FrozenMap({"load": 1.0})))
    fleet = fleet_of(metadata)
    scheduler, plain = Scheduler(fleet, policy), request()
    before = scheduler.place(plain)
    for intent in intents:
        scheduler.place(request_of(intent))
    after = scheduler.place(plain)
    assert isinstance(before, Placed) == isinstance(after, Placed)
    if isinstance(before, Placed) and isinstance(after, Placed):
        assert before.candidate == after.candidate


@given(METADATA)
def test_what_cannot_be_read_of_metadata_is_told(metadata: list[dict[str, str]]) -> None:
    for note in metadata_notes(fleet_of(metadata).aggregates.all.values()):
        assert note.startswith("aggregate ")
