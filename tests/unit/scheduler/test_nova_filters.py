"""Nova's filters by name: what they refuse, and what is told of it."""

import pytest

from computekit.ids import HostName
from computekit.scheduler import (
    AllHostsFilter,
    ComputeFilter,
    Enabled,
    HostRule,
    IoOpsFilter,
    MetricsFilter,
    NumInstancesFilter,
    Placed,
    Policy,
    Scheduler,
    Unplaced,
)
from tests.unit.scheduler.fleet import flat, index, request


@pytest.mark.parametrize(
    ("rule", "figures", "asked", "there"),
    [
        (NumInstancesFilter(), {"instances": 50}, "below 50", "50"),
        (NumInstancesFilter(3), {"instances": 4}, "below 3", "4"),
        (IoOpsFilter(), {"io_ops": 8}, "below 8", "8"),
        (MetricsFilter(frozenset({"a", "b"})), {"a": 1.0}, "a, b", "lacks b"),
    ],
)
def test_a_refusal_says_what_was_asked_and_what_was_there(
    rule: HostRule, figures: dict[str, float], asked: str, there: str
) -> None:
    fleet = index(flat("a"))
    fleet.set_figures(HostName("a"), figures)
    decision = Scheduler(fleet, Policy(rules=(rule,))).place(request())
    assert isinstance(decision, Unplaced)
    (failing,) = decision.explain().near_misses[0].failing
    assert (failing.asked, failing.there) == (asked, there)
    fleet.set_figures(HostName("a"), {"instances": 2, "io_ops": 7, "b": 0.0})
    assert isinstance(Scheduler(fleet, Policy(rules=(rule,))).place(request()), Placed)


def test_what_every_request_asks_is_asked_once() -> None:
    policy = Policy(rules=(AllHostsFilter(), ComputeFilter()))
    decision = Scheduler(index(flat("a", disabled="fan")), policy).place(request())
    assert isinstance(decision, Unplaced)
    assert [rule.rule for rule in decision.explain().rules].count(Enabled.rule) == 1


def test_what_is_not_known_is_not_too_much() -> None:
    rules = (NumInstancesFilter(), IoOpsFilter(), MetricsFilter(frozenset()))
    assert isinstance(Scheduler(index(flat("a")), Policy(rules=rules)).place(request()), Placed)


def test_claims_are_seen_by_the_next_decision() -> None:
    fleet = index(flat("a"), flat("b"))
    scheduler = Scheduler(fleet, Policy(rules=(NumInstancesFilter(2),)))
    hosts = []
    while isinstance(decision := scheduler.place(request()), Placed):
        fleet.apply_claim(decision.allocation, {"instances": 1})
        hosts.append(decision.host)
    assert hosts == ["a", "b", "a", "b"]
    remedy = decision.explain().remedies[0]
    assert remedy.text == "bring instances on a down to 1: then a fits"


def test_no_bound_that_nothing_is_below_is_offered() -> None:
    decision = Scheduler(index(flat("a")), Policy(rules=(NumInstancesFilter(0),))).place(request())
    assert decision.explain().remedies == ()  # type: ignore[union-attr]  # a new decision, not past
