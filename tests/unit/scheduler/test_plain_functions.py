"""Rules and preferences as plain functions of one host."""

import math

import pytest

from computekit.ids import HostName
from computekit.model import MEMORY_MB, FrozenMap
from computekit.placement import HostView
from computekit.scheduler import (
    HostWeigher,
    Normalised,
    Placed,
    Policy,
    Request,
    RequestFilter,
    Scheduler,
    Unplaced,
)
from tests.unit.scheduler.fleet import flat, index
from tests.unit.scheduler.intents import aggregate, asking


def test_a_filter_may_look_at_the_request() -> None:
    def judge(host: HostView, request: Request) -> bool | str:
        wanted = request.intent.hints.get("rack", ())
        return host.metadata.get("rack") == frozenset(wanted) or f"not in {', '.join(wanted)}"

    fleet = index(flat("a"), flat("b"), flat("c"))
    fleet.put_aggregates([aggregate(1, "a", rack="r1"), aggregate(2, "c", rack="r2")])
    scheduler = Scheduler(fleet, Policy(filters=(RequestFilter("rack", judge),)))
    for rack, host in (("r1", "a"), ("r2", "c"), ("r1", "a")):
        decision = scheduler.place(asking(hints={"rack": (rack,)}))
        assert isinstance(decision, Placed)
        assert decision.host == host
    refused = scheduler.place(asking(hints={"rack": ("r3",)}))
    assert isinstance(refused, Unplaced)
    report = refused.explain().host(HostName("b"))
    assert report is not None
    assert [(v.rule, v.there) for v in report.failing] == [("rack", "not in r3")]


def test_what_a_filter_raises_costs_one_host_only() -> None:
    def judge(host: HostView, request: Request) -> bool:
        if host.name == "a":
            raise KeyError("gone")
        return True

    scheduler = Scheduler(
        index(flat("a"), flat("b", memory=1)), Policy(filters=(RequestFilter("odd", judge),))
    )
    decision = scheduler.place(asking())
    assert isinstance(decision, Placed)
    assert decision.host == "b"


def weigh(host: HostView) -> float:
    match host.name:
        case "a":
            raise ZeroDivisionError
        case "b":
            return math.nan
        case _:
            return -host.free[MEMORY_MB]


@pytest.mark.parametrize("relative", [False, True])
def test_a_weigher_is_asked_again_when_the_host_changes(relative: bool) -> None:
    fleet = index(*(flat(name, memory=at * 1_000) for at, name in enumerate("abcd")))
    weigher = HostWeigher("mine", weigh)
    policy = Policy(Normalised((weigher,)) if relative else (weigher,))
    scheduler = Scheduler(fleet, policy)

    def ranked() -> str:
        return "".join(found.host for found in scheduler.place(asking()).candidates())

    assert ranked() == "abdc"
    decision = scheduler.place(asking())
    assert isinstance(decision, Placed)
    used = {MEMORY_MB: 5_000}
    fleet.apply_claim({fleet.root(2): FrozenMap(used)})
    assert ranked() == "abcd"


def test_an_aggregate_may_set_what_it_counts_for() -> None:
    fleet = index(flat("a"), flat("b"))
    fleet.put_aggregates([aggregate(1, "a", mine_multiplier="-1")])
    weigher = HostWeigher("mine", lambda host: float(host.name == "a"), option="mine_multiplier")
    decision = Scheduler(fleet, Policy(Normalised((weigher,)))).place(asking())
    assert isinstance(decision, Placed)
    assert decision.host == "b"
