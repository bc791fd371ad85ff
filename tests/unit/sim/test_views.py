"""How replays look, and fleets as clusters."""

import random
from pathlib import Path

from computekit.ids import ConsumerId, HostName
from computekit.scheduler.packing import BalancedFit, Demand
from computekit.sim import (
    Packed,
    Packer,
    alike_hosts,
    allocation_lines,
    churn_replay,
    churn_view,
    cluster_of,
    made_up_trace,
    openb_cluster,
    openb_demands,
    openb_policy,
    openb_run,
    openb_sequence,
    plan_moves,
    plan_view,
)
from tests.unit.scheduler.fleet import flat, index
from tests.unit.sim.clusters import write_lists


def test_allocation_is_drawn_up_to_130_per_cent(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path)
    made, asked = openb_cluster(nodes), openb_demands(pods)
    sequence = openb_sequence(asked, made.device_total, random.Random(1))
    run = openb_run(made, openb_policy("best-fit", made, asked, 1), sequence)
    (line,) = allocation_lines(made, {"best fit": run}).lines
    shares = [placed for _asked, placed in line.points]
    assert shares == sorted(shares)
    assert 125 <= line.points[-1][0] <= 130
    assert all(placed <= asked + 1 for asked, placed in line.points)


def test_replays_of_guests_are_a_table_and_lines() -> None:
    trace = made_up_trace(200, 12, random.Random(2))
    found = churn_replay(alike_hosts(30), BalancedFit(), trace)
    text = churn_view([found]).text()
    assert "balanced" in text
    assert f"{found.ratio:.3f}" in text
    assert "<svg" in churn_view([found]).html()


def test_a_plan_says_who_goes_where() -> None:
    guests = {
        ConsumerId(name): Packed(row, Demand((4, 1_024)), ()) for row, name in enumerate("ab")
    }
    text = plan_view(plan_moves(alike_hosts(2), guests)).text()
    assert text.startswith("1 move frees 1 of 2 hosts")
    assert "host0" in text


def test_a_fleet_is_a_cluster_of_what_is_free_on_hosts_that_take_guests() -> None:
    fleet = index(
        flat("a", vcpu=6, memory=65_536),
        flat("b", disabled="repair"),
        flat("c", up=False),
        flat("d"),
    )
    made = cluster_of(fleet)
    assert made.names == (HostName("a"), HostName("d"))
    assert made.capacity.tolist() == [[10, 16], [0, 65_536]]
    packed = Packer(made, BalancedFit()).place(Demand((1, 1)))
    assert packed is not None
    assert packed.row == 1
