"""A scheduler with rules that has a past decides like a new one, whatever has changed since."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.ids import AggregateId, HostName, ImageId
from computekit.model import MEMORY_MB, VCPU, Aggregate, FrozenMap
from computekit.placement import FleetIndex
from computekit.scheduler import (
    FILTERS,
    AggregateIoOpsFilter,
    AggregateNumInstancesFilter,
    ComputeCapabilitiesFilter,
    HostRule,
    ImagePropertiesFilter,
    IoOpsFilter,
    IsolatedHostsFilter,
    JsonFilter,
    MetricsFilter,
    NumInstancesFilter,
    OverlayRule,
    Placed,
    Policy,
    Request,
    Scheduler,
    nova_policy,
)
from tests.property.effort import examples
from tests.unit.scheduler.fleet import flat, index
from tests.unit.scheduler.intents import asking

NAMES = "abcd"  # the last is not there at first
Step = Callable[[FleetIndex], None]

# With bounds that a few claims reach.
TIGHT: tuple[HostRule | OverlayRule, ...] = (
    ComputeCapabilitiesFilter(),
    JsonFilter(),
    NumInstancesFilter(2),
    IoOpsFilter(2),
    AggregateNumInstancesFilter(2),
    AggregateIoOpsFilter(2),
    IsolatedHostsFilter(frozenset({ImageId("image")}), frozenset({HostName("b")})),
    ImagePropertiesFilter("aarch64"),
    MetricsFilter(frozenset({"load"})),
)
RULES: tuple[HostRule | OverlayRule, ...] = (
    *TIGHT,
    *(rule for name, rule in FILTERS.items() if name not in {tight.name for tight in TIGHT}),
)


def choices(**values: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    """Return some of these keys, each with one of its values."""
    return st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(of) for key, of in values.items()}
    )


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "ssd": st.sampled_from(("true", "s!= x")),
        "capabilities:free_ram_mb": st.sampled_from((">= 60000", "<= 62000")),
        "capabilities:num_instances": st.sampled_from(("0", "<= 1")),
        "capabilities:host": st.sampled_from(("<or> a <or> c", "s> b")),
        "capabilities:load": st.just("<= 2"),
        "load": st.just("== 1"),
        "hw:maxphysaddr_bits": st.just("40"),
        "pci_passthrough:alias": st.just("gpu:2"),
    },
)
IMAGES = choices(hw_architecture=("x86_64", "aarch64"), os_type=("linux", "windows"))
HINTS = st.fixed_dictionaries(
    {},
    optional={
        "same_host": st.just(("i1", "i2")),
        "different_host": st.just(("i1",)),
        "query": st.sampled_from(
            (
                ('["<", "$num_instances", 2]',),
                ('["or", [">", "$free_ram_mb", 62000], ["in", "$host", "a", "b"]]',),
                ('["not", ["=", "$load", 1]]',),
            )
        ),
    },
)
REQUESTS = st.builds(
    lambda specs, image, hints, project, flavor: asking(
        specs,
        image,
        hints=hints,
        project=project,
        flavor=flavor,
        hosts_of={"i1": ("a", "b"), "i2": ("c",)},
    ),
    SPECS | st.just({"capabilities:num_instances": "<= 1"}),
    IMAGES,
    HINTS | st.just({"query": ('["<", "$num_instances", 2]',)}),
    st.sampled_from(("p1", "p2")),
    st.sampled_from(("small", "big")),
)
METADATA = choices(
    ssd=("true", "x", "true, x"),
    filter_tenant_id=("p1", "p1,p3"),
    filter_tenant_id_2=("p2",),
    instance_type=("small", "tiny"),
    max_instances_per_host=("1", "2", "many"),
    max_io_ops_per_host=("1", "3"),
    os_type=("linux", "windows,linux"),
    ram_weight_multiplier=("-1", "5"),
    num_instances_weight_multiplier=("2",),
    cell=("1", "2"),
)
NAME = st.sampled_from(NAMES).map(HostName)
FIRST = st.just(HostName("a"))
FIGURES = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from((0.0, 1.0, 2.0, 3.0))
        for name in ("instances", "io_ops", "load", "free_pci_devices", "failed_builds")
    },
)


def grouped(uuid: str, hosts: frozenset[HostName], metadata: dict[str, str]) -> Step:
    made = Aggregate(int(uuid), AggregateId(uuid), uuid, FrozenMap(metadata), hosts)
    return lambda fleet: fleet.put_aggregates([made])


def figured(name: HostName, figures: dict[str, float]) -> Step:
    def step(fleet: FleetIndex) -> None:
        if fleet.row(name) is not None:
            fleet.set_figures(name, figures)

    return step


def claimed(name: HostName, instances: bool) -> Step:
    def step(fleet: FleetIndex) -> None:
        row = fleet.row(name)
        if row is not None:
            taken = {fleet.root(row): FrozenMap({VCPU: 1, MEMORY_MB: 1_500})}
            fleet.apply_claim(taken, {"instances": 1.0} if instances else None)

    return step


def disabled(name: HostName, why: str | None) -> Step:
    def step(fleet: FleetIndex) -> None:
        if fleet.row(name) is not None:
            fleet.set_status(name, disabled=why, up=True)

    return step


STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(grouped, st.sampled_from("12"), st.frozensets(NAME), METADATA),
    st.sampled_from("12").map(
        lambda uuid: lambda fleet: fleet.remove_aggregates([AggregateId(uuid)])
    ),
    st.builds(figured, NAME, FIGURES),
    st.builds(claimed, NAME, st.booleans()),
    st.builds(claimed, FIRST, st.just(True)),
    st.builds(disabled, NAME, st.sampled_from((None, "fan"))),
    NAME.map(lambda name: lambda fleet: fleet.remove([name])),
    NAME.map(lambda name: lambda fleet: fleet.put([flat(name)])),
)


def ranked(scheduler: Scheduler, request: Request) -> list[tuple[str, float]]:
    return [(found.host, found.score) for found in scheduler.place(request).candidates()]


@settings(max_examples=examples(200))
@given(
    st.lists(st.sampled_from(TIGHT) | st.sampled_from(RULES), max_size=4, unique=True),
    st.booleans(),
    st.lists(REQUESTS, min_size=1, max_size=2),
    st.lists(STEPS, max_size=10),
)
def test_what_was_kept_never_shows(
    rules: list[HostRule | OverlayRule], relative: bool, asked: list[Request], steps: list[Step]
) -> None:
    policy = nova_policy(rules) if relative else Policy(rules=tuple(rules))
    fleet = index(*(flat(name, memory=at * 1_000) for at, name in enumerate("abc")))
    old = Scheduler(fleet, policy)
    for step in (None, *steps):
        if step is not None:
            step(fleet)
        for request in asked:
            fresh = ranked(Scheduler(fleet.copy(), policy), request)
            assert ranked(old, request) == fresh


@given(st.lists(st.sampled_from(RULES), max_size=4, unique=True), REQUESTS, st.lists(STEPS))
def test_what_is_chosen_passes_every_rule_and_what_is_not_fails_one(
    rules: list[HostRule | OverlayRule], request: Request, steps: list[Step]
) -> None:
    fleet = index(*(flat(name) for name in "abcde"))
    for step in steps:
        step(fleet)
    decision = Scheduler(fleet, nova_policy(rules)).place(request)
    explanation = decision.explain()
    passing = {found.host for found in decision.candidates()}
    assert isinstance(decision, Placed) == bool(passing)
    for report in getattr(explanation, "hosts", ()):
        assert report.fits == (report.host in passing)
        if not report.fits:
            assert all(verdict.there for verdict in report.failing)


@pytest.mark.parametrize(
    ("rule", "asked"),
    [
        (NumInstancesFilter(2), asking()),
        (IoOpsFilter(2), asking()),
        (AggregateNumInstancesFilter(2), asking()),
        (AggregateIoOpsFilter(2), asking()),
        (ComputeCapabilitiesFilter(), asking({"capabilities:num_instances": "<= 1"})),
        (ComputeCapabilitiesFilter(), asking({"capabilities:free_ram_mb": ">= 62000"})),
        (ComputeCapabilitiesFilter(), asking({"capabilities:stats:io_ops": "<= 1"})),
        (JsonFilter(), asking(hints={"query": ('["<", "$num_instances", 2]',)})),
        (JsonFilter(), asking(hints={"query": ('[">", "$free_ram_mb", 62000]',)})),
    ],
)
@pytest.mark.parametrize("relative", [False, True])
def test_claims_are_seen_by_the_next_decision(
    rule: HostRule | OverlayRule, asked: Request, relative: bool
) -> None:
    policy = nova_policy([rule]) if relative else Policy(rules=(rule,))
    fleet = index(*(flat(name) for name in "abcdefgh"))
    fleet.put_aggregates(
        [Aggregate(1, AggregateId("1"), "1", FrozenMap({"ssd": "x"}), frozenset())]
    )
    for name in "abcdefgh":
        fleet.set_figures(HostName(name), {"instances": 0.0, "io_ops": 0.0})
    old = Scheduler(fleet, policy)
    assert "a" in dict(ranked(old, asked))
    for _claim in range(3):
        taken = {fleet.root(0): FrozenMap({VCPU: 1, MEMORY_MB: 1_500})}
        fleet.apply_claim(taken, {"instances": 1.0, "io_ops": 1.0})
        assert ranked(old, asked) == ranked(Scheduler(fleet.copy(), policy), asked)
    assert "a" not in dict(ranked(old, asked))
