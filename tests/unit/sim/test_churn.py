"""Guests that come and go: host-hours, the least possible, and what lifetimes are worth."""

import random
from pathlib import Path

import numpy as np
import pytest

from computekit.errors import InvalidInput
from computekit.ids import ConsumerId
from computekit.scheduler.packing import BalancedFit, Demand, KnownLifetimes, LifetimeFit
from computekit.sim import (
    CHURN_POLICIES,
    Guest,
    alike_hosts,
    churn_policy,
    churn_replay,
    made_up_trace,
    read_trace,
    write_trace,
)


def guest(name: str, arrives_h: float, leaves_h: float, cpu: int) -> Guest:
    return Guest(ConsumerId(name), arrives_h * 3_600, leaves_h * 3_600, Demand((cpu, 1_024)))


def test_host_hours_and_the_least_are_counted_to_the_end() -> None:
    trace = (guest("a", 0, 2, 48), guest("b", 1, 3, 48), guest("c", 1.5, 2.5, 16))
    found = churn_replay(alike_hosts(4), BalancedFit(), trace, until_s=4 * 3_600)
    # One host from 0 to 1, two from 1 to 2 (c goes beside a or b), one or two until 3.
    assert found.peak_hosts == 2
    assert found.least_host_hours == pytest.approx((48 * 2 + 48 * 2 + 16 * 1) / 64)
    assert 4.0 <= found.host_hours <= 4.5
    assert found.ratio == pytest.approx(found.host_hours / found.least_host_hours)
    assert found.refused == 0


def test_what_fits_nowhere_is_counted() -> None:
    found = churn_replay(alike_hosts(1), BalancedFit(), (guest("a", 0, 2, 64), guest("b", 1, 2, 1)))
    assert found.refused == 1


@pytest.mark.parametrize("name", CHURN_POLICIES)
def test_every_policy_keeps_at_least_the_least_busy(name: str) -> None:
    trace = made_up_trace(400, 24, random.Random(3))
    made = alike_hosts(40)
    packing, predictor = churn_policy(name, made, trace, 1)
    found = churn_replay(made, packing, trace, predictor=predictor, policy=name)
    assert found.policy == name
    assert found.refused == 0
    assert found.ratio >= 1
    packing, predictor = churn_policy(name, made, trace, 1)
    again = churn_replay(made, packing, trace, predictor=predictor, policy=name)
    assert again.host_hours == found.host_hours


def test_known_lifetimes_save_hosts_and_spreading_costs_some() -> None:
    trace = made_up_trace(4_000, 72, random.Random(5))
    made = alike_hosts(150)

    def ratio(name: str) -> float:
        packing, predictor = churn_policy(name, made, trace, 1)
        return churn_replay(made, packing, trace, predictor=predictor).ratio

    assert ratio("lifetime-known") < ratio("balanced") < ratio("random") < ratio("worst-fit")


def test_a_guest_goes_to_the_host_that_stays_up_anyway() -> None:
    trace = (
        guest("short", 0, 1, 40),
        guest("long", 0.1, 9, 40),
        guest("also long", 0.2, 8, 8),
        guest("unknown", 0.3, 1, 8),
    )
    known = KnownLifetimes({g.id: g.lives_s for g in trace[:3]})
    policy = LifetimeFit(BalancedFit())
    found = churn_replay(alike_hosts(3), policy, trace, predictor=known, until_s=10 * 3_600)
    # "also long" beside "long": one host until 1, one until 9, and no more.
    assert found.host_hours == pytest.approx(1.0 + 8.9)


def test_the_score_of_a_lifetime_depends_on_one_host_alone() -> None:
    made = alike_hosts(5)
    hosts = made.columns()
    bound = LifetimeFit(BalancedFit()).bind(Demand((4, 1_024), ends_s=5_000.0))
    scores = bound.scores(hosts)
    assert np.ptp(scores) == 0
    assert len(scores) == 5


def test_a_trace_comes_back_as_it_was_written(tmp_path: Path) -> None:
    trace = made_up_trace(50, 5, random.Random(1))
    write_trace(tmp_path / "trace.csv", trace)
    back = read_trace(tmp_path / "trace.csv")
    assert [g.id for g in back] == [g.id for g in trace]
    assert all(abs(a.leaves_s - b.leaves_s) < 0.01 for a, b in zip(back, trace, strict=True))
    assert [g.demand for g in back] == [g.demand for g in trace]


def test_every_fault_of_a_trace_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("guest,arrives_s,leaves_s,cpu,memory_mib\na,5,4,1,1\na,0,1,x,nan\n")
    with pytest.raises(InvalidInput) as bad:
        read_trace(path)
    assert {fault.code for fault in bad.value.faults} == {"order", "number", "duplicate"}
    assert len(bad.value.faults) == 4
    path.write_text("guest,cpu\n")
    with pytest.raises(InvalidInput) as bad:
        read_trace(path)
    assert len(bad.value.faults) == 3
