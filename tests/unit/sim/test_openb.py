"""The OpenB lists, the protocol, and the commands that replay them."""

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from computekit.cli import main
from computekit.errors import InvalidInput
from computekit.scheduler.packing import Demand, Fragmentation, Fragments, remainder_prices
from computekit.sim import (
    OPENB_POLICIES,
    openb_cluster,
    openb_demands,
    openb_figures,
    openb_policy,
    openb_replay,
    openb_run,
    openb_sequence,
)
from tests.unit.sim.clusters import write_lists


def test_lists_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path, hosts=3, pods=5)
    lines = nodes.read_text("utf-8").splitlines()
    nodes.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="utf-8")
    made = openb_cluster(nodes)
    assert made.names == ("host000", "host001", "host002")
    assert made.devices.tolist() == [[1_000] * 4, [1_000, 1_000, 0, 0], [1_000] * 4]
    assert [made.models[at] for at in made.model_of] == ["G2", "T4", "G2"]
    assert made.capacity[0].tolist() == [48_000, 64_000, 48_000]
    asked = openb_demands(pods)
    assert len(asked) == 5
    assert all(demand.amounts[0] >= 1_000 for demand in asked)


def test_every_bad_cell_is_named(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path, hosts=2, pods=2)
    nodes.write_text(
        "sn,cpu_milli,memory_mib,gpu,model\na,x,1,2,T4\na,-1,1,2,T4\n", encoding="utf-8"
    )
    with pytest.raises(InvalidInput) as bad:
        openb_cluster(nodes)
    assert len(bad.value.faults) == 3
    head = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
    pods.write_text(head + "p,1,1,1,2000,\nq,1,1,2,500,\nr,1,,0,0,\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as bad:
        openb_demands(pods)
    assert len(bad.value.faults) == 3
    with pytest.raises(InvalidInput) as bad:
        openb_cluster(pods)
    assert {fault.code for fault in bad.value.faults} == {"missing"}
    pods.write_text(head, encoding="utf-8")
    with pytest.raises(InvalidInput):
        openb_demands(pods)


def test_a_sequence_is_the_list_shuffled_and_inflated_to_130_per_cent(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path)
    made, asked = openb_cluster(nodes), openb_demands(pods)
    one = openb_sequence(asked, made.device_total, random.Random(1))
    assert one == openb_sequence(asked, made.device_total, random.Random(1))
    assert one != openb_sequence(asked, made.device_total, random.Random(2))
    assert Counter(one[: len(asked)]) == Counter(asked)
    total = sum(demand.device_total for demand in one)
    largest = max(demand.device_total for demand in asked)
    assert 1.3 * made.device_total - largest < total <= 1.3 * made.device_total


def test_figures_say_what_a_replay_left(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path)
    made, asked = openb_cluster(nodes), openb_demands(pods)
    run = openb_run(
        made,
        openb_policy("fragmentation", made, asked, 0),
        openb_sequence(asked, made.device_total, random.Random(3)),
    )
    fragments = Fragments.of(Counter(asked), made.models)
    figures = openb_figures(made, fragments, run, policy="fragmentation", seed=3)
    placed = sum(p.demand.device_total for p in run.packed if p is not None)
    assert figures.failed == run.packed.count(None) > 0
    assert abs(figures.alloc_130 - 100 * placed / made.device_total) < 1
    assert figures.alloc_100 <= figures.alloc_130
    assert 0 < figures.frag_130 <= 100 - figures.alloc_130 + 1e-9
    assert figures.decisions_per_s > 0


def test_fragments_are_what_typical_requests_cannot_use() -> None:
    mix = {Demand((4, 1), 1, 500): 50, Demand((4, 1), 2, 1_000): 30, Demand((4, 1)): 20}
    fragments = Fragments.of(mix, ("T4",))
    cpu = np.array([8, 8, 2])
    devices = np.array([[1_000, 300], [1_000, 1_000], [1_000, 1_000]])
    found = fragments.measure(cpu, devices, np.zeros(3, dtype=np.int64))
    # Host 0: 300 are of no use to halves; all to pairs and to those without. Host 2: no CPU.
    assert found.tolist() == pytest.approx([0.5 * 300 + 0.5 * 1_300, 0.2 * 2_000, 2_000])


def test_remainders_are_worth_what_pieces_can_earn_in_them() -> None:
    prices = remainder_prices({500: 10.0, 250: 10.0}, 1_000)
    assert prices.of_piece == pytest.approx({250: 0.25, 500: 0.5})
    assert prices.worth[[0, 249, 250, 499, 500, 1_000]].tolist() == pytest.approx(
        [0, 0, 0.25, 0.25, 0.5, 1]
    )
    # Of 600 only one fits: it costs a whole device unless 400 fill the rest.
    alone = remainder_prices({600: 5.0}, 1_000)
    assert alone.of_piece == pytest.approx({600: 1.0})
    assert remainder_prices({}, 1_000).worth[999] == 0
    filled = remainder_prices({600: 5.0, 400: 50.0}, 1_000)
    assert filled.of_piece[600] == pytest.approx(0.5)


@pytest.mark.parametrize("whole", [7, 60, 1_000])
def test_prices_are_dual_feasible_and_as_dear_as_the_cuts(whole: int) -> None:
    source = random.Random(whole)
    pieces = {source.randint(1, whole): float(source.randint(1, 30)) for _ in range(6)}
    prices = remainder_prices(pieces, whole)
    assert prices.worth[whole] <= 1 + 1e-6
    assert (np.diff(prices.worth) >= -1e-9).all()
    for size, price in prices.of_piece.items():
        assert prices.worth[size] >= price - 1e-6
    # Weak duality: no more than the devices that first-fit decreasing opens.
    left: list[int] = []
    for size, count in sorted(pieces.items(), reverse=True):
        for _ in range(int(count)):
            at = next((at for at, room in enumerate(left) if room >= size), None)
            if at is None:
                left.append(whole - size)
            else:
                left[at] -= size
    dear = sum(prices.of_piece[size] * count for size, count in pieces.items())
    assert sum(size * count for size, count in pieces.items()) / whole - 1e-6 <= dear
    assert dear <= len(left) + 1e-6


def test_fragmentation_leaves_less_unplaced_than_best_fit_and_random(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path, hosts=60, pods=240)
    made, asked = openb_cluster(nodes), openb_demands(pods)

    def placed(policy: str) -> float:
        figures = openb_replay(made, asked, policy, range(4))
        return sum(one.alloc_130 for one in figures) / 4

    assert placed("fragmentation") > max(placed("best-fit"), placed("random"), placed("fgd"))


def test_what_nobody_asks_for_by_name_goes_to_the_model_that_nobody_names(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path)
    made, asked = openb_cluster(nodes), openb_demands(pods)
    policy = openb_policy("fragmentation", made, asked, 0)
    assert isinstance(policy, Fragmentation)
    prices = dict(zip(policy.model_names, policy.model_prices.tolist(), strict=True))
    assert prices["T4"] > prices["G2"] == 0


def run_cli(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["sim", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_prints_means_over_the_seeds(tmp_path: Path) -> None:
    nodes, pods = map(str, write_lists(tmp_path))
    text = run_cli("openb", nodes, pods, "--policy", "fragmentation", "--seeds", "42-44", "--json")
    found = json.loads(text)
    assert set(found) == {
        "policy",
        "seeds",
        "alloc_100",
        "alloc_130",
        "frag_100",
        "frag_130",
        "failed",
        "decisions_per_s",
    }
    assert found["policy"] == "fragmentation"
    assert found["seeds"] == [42, 43, 44]
    again = json.loads(run_cli("openb", nodes, pods, "--seeds", "42,43-44", "--json"))
    assert {**again, "decisions_per_s": 0} == {**found, "decisions_per_s": 0}
    assert "mean" in run_cli("openb", nodes, pods, "--seeds", "1-2", "--policy", "best-fit")


@pytest.mark.parametrize("name", OPENB_POLICIES)
def test_the_command_knows_every_policy(name: str, tmp_path: Path) -> None:
    nodes, pods = map(str, write_lists(tmp_path, hosts=8, pods=30))
    found = json.loads(run_cli("openb", nodes, pods, "--policy", name, "--seeds", "7", "--json"))
    assert 0 < found["alloc_130"] <= 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--policy", "worst"), "no policy 'worst'"),
        (("--seeds", "5-"), "neither a number nor FIRST-LAST"),
        (("--seeds", "9-1"), "no range"),
    ],
)
def test_bad_options_are_refused_in_words(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    nodes, pods = map(str, write_lists(tmp_path, hosts=2, pods=2))
    done = CliRunner().invoke(main, ["sim", "openb", nodes, pods, *arguments])
    assert done.exit_code == 2
    assert words in done.output


def test_the_fleet_command_measures_decisions() -> None:
    text = run_cli(
        "fleet", "--hosts", "60", "--requests", "50", "--shapes", "4", "--seed", "3", "--json"
    )
    found = json.loads(text)
    assert found["policy"] == "balanced"
    assert found["placed"] == 50
    assert 0 < found["median_us"] <= found["p99_us"]
    assert found["decisions_per_s"] > 0
    assert found["bytes_per_host"] > 0
    for policy in ("spread", "best-fit", "worst-fit", "first-fit", "dot-product"):
        options = ("--hosts", "20", "--requests", "9", "--shapes", "2", "--policy", policy)
        assert policy in run_cli("fleet", *options)
