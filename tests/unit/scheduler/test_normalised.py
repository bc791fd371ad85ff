"""Weighing relative to the hosts in the running, as Nova does."""

import math
import random

import pytest

from computekit.ids import HostName, ProviderId
from computekit.model import DISK_GB, MEMORY_MB, VCPU, FrozenMap, Inventory
from computekit.placement import FleetIndex
from computekit.scheduler import (
    NOVA_WEIGHERS,
    Explanation,
    FigureWeigher,
    FreeWeigher,
    MetricsWeigher,
    Normalised,
    Placed,
    Policy,
    Scheduler,
    nova_weighing,
)
from tests.unit.scheduler.fleet import flat, index, numa, request

RAM = FreeWeigher("RAMWeigher", MEMORY_MB)
VERSION = FigureWeigher("HypervisorVersionWeigher", "hypervisor_version")


def ranked(scheduler: Scheduler, *ignored: str) -> list[tuple[str, float]]:
    candidates = scheduler.place(request(ignored=ignored)).candidates()
    return [(found.host, round(found.score, 6)) for found in candidates]


def test_weights_are_scaled_over_the_hosts_in_the_running() -> None:
    fleet = index(flat("a", memory=65_536 - 3_000), flat("b", memory=65_536 - 4_000), flat("c"))
    for name, version in (("a", 8), ("b", 7), ("c", 6)):
        fleet.set_figures(HostName(name), {"hypervisor_version": version})
    scheduler = Scheduler(fleet, Policy(Normalised((RAM, VERSION))))
    share = 3_000 / 65_536, 4_000 / 65_536
    best = [("a", share[0] + 1.0), ("c", 1.0), ("b", share[1] + 0.5)]
    assert ranked(scheduler) == [(name, round(score, 6)) for name, score in best]
    # Without c the range of memory ends at b, and that of versions begins there.
    assert ranked(scheduler, "c") == [("a", 1.75), ("b", 1.0)]
    fleet.set_status(HostName("c"), disabled="fan", up=True)
    assert ranked(scheduler) == [("a", 1.75), ("b", 1.0)]
    fleet.set_status(HostName("b"), disabled="fan", up=True)
    assert ranked(scheduler) == [("a", 0.0)]


def test_the_range_begins_where_the_weigher_says() -> None:
    fleet = index(flat("a", memory=1_536), flat("b", memory=33_536))
    assert ranked(Scheduler(fleet, Policy(Normalised((RAM,))))) == [("a", 1.0), ("b", 0.5)]


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e308, -1e308])
def test_figures_that_are_no_numbers_stop_nobody(number: float) -> None:
    fleet = index(flat("a"), flat("b"), flat("c"))
    scheduler = Scheduler(fleet, Policy(nova_weighing()))
    assert ranked(scheduler)[0][0] == "a"
    for name in ("b", "a"):
        figures = dict.fromkeys(("io_ops", "hypervisor_version", "failed_builds"), number)
        fleet.set_figures(HostName(name), figures)
        found = ranked(scheduler)
        assert found == ranked(Scheduler(fleet, Policy(nova_weighing())))
        assert {host for host, _score in found} == {"a", "b", "c"}
        assert all(math.isfinite(score) for _host, score in found)


def test_a_host_that_the_groups_do_not_fit_on_is_not_in_the_running() -> None:
    """Its free memory, the sum of its cells, would else be the end of the range."""
    fleet = index(flat("a", memory=35_536), flat("b", memory=45_536), numa("c", 8, 8))
    assert ranked(Scheduler(fleet, Policy(nova_weighing())))[0][0] == "a"
    by_ram = Scheduler(fleet, Policy(Normalised((RAM,))))
    assert ranked(by_ram) == [("a", 1.0), ("b", round(20_000 / 30_000, 6))]


def test_what_is_told_is_what_decided() -> None:
    fleet = index(flat("a", memory=1_000), flat("b", vcpu=4), flat("c", vcpu=2, memory=500))
    decision = Scheduler(fleet, Policy(nova_weighing())).place(request())
    assert isinstance(decision, Placed)
    told = decision.explain()
    assert isinstance(told, Explanation)
    first = told.ranking[0]
    assert first.host == decision.host
    assert first.score == pytest.approx(decision.candidate.score)
    assert {name for name, _score in first.parts} == set(NOVA_WEIGHERS)


def test_a_metric_that_is_missing_counts_as_the_worst() -> None:
    fleet = index(flat("a"), flat("b"), flat("c"))
    for name, load in (("a", 3.0), ("c", 1.0)):
        fleet.set_figures(HostName(name), {"cpu.load": load})
    weigher = MetricsWeigher(FrozenMap({"cpu.load": -1.0, "unused": 0.0}))
    assert weigher.raw(fleet, slice(None)).tolist() == [-3.0, -10_000.0, -1.0]
    assert [name for name, _score in ranked(Scheduler(fleet, Policy(nova_weighing(weigher))))] == [
        *"cab"
    ]


def test_scores_that_were_patched_are_those_made_anew() -> None:
    source = random.Random(5)
    count = 40
    names = [HostName(f"h{at:02d}") for at in range(count)]
    fleet = FleetIndex.from_columns(
        names,
        {VCPU: Inventory(64), MEMORY_MB: Inventory(65_536), DISK_GB: Inventory(900)},
        figures={"io_ops": [source.randrange(3) for _ in names]},
    )
    kept = Scheduler(fleet, Policy(nova_weighing()))
    asked = [request(vcpu, memory) for vcpu, memory in ((1, 512), (8, 9_000), (30, 30_000))]
    for _turn in range(150):
        one = source.choice(asked)
        decision, anew = kept.place(one), Scheduler(fleet, kept.policy).place(one)
        if isinstance(decision, Placed) and isinstance(anew, Placed):
            assert decision.candidate == anew.candidate
            fleet.apply_claim(decision.allocation, {"instances": 1, "io_ops": 1})
        else:
            assert type(decision) is type(anew)
        if source.random() < 0.3:
            name = source.choice(names)
            fleet.set_status(name, disabled=source.choice((None, "fan")), up=True)
    row = fleet.row(names[0])
    assert row is not None
    assert fleet.figures.of("instances", row) is not None
    assert fleet.home(ProviderId(names[0])) == names[0]
