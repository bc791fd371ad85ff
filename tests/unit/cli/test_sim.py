"""`computekit sim`: what it prints, and that it says the same each time."""

import json
from pathlib import Path
from typing import TypedDict, cast

import pytest
from click.testing import CliRunner, Result

from computekit.cli import main
from computekit.sim import POLICIES, policy_names
from tests.unit.sim.clusters import write_lists


class Churn(TypedDict):
    policy: str
    ratio: float
    refused: int


class Moves(TypedDict):
    guests: int
    moves: list[dict[str, object]]
    freed: list[str]
    occupied: int


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["sim", *map(str, arguments)])


def printed(*arguments: str | Path) -> str:
    found = run(*arguments)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_openb_prints_means_over_the_seeds(tmp_path: Path) -> None:
    nodes, pods = write_lists(tmp_path)
    svg = tmp_path / "drawing.svg"
    text = printed("openb", nodes, pods, "--seeds", "42-43", "--json", "--svg", svg)
    found = json.loads(text)
    keys = ("policy", "seeds", "alloc_100", "alloc_130", "frag_100", "frag_130", "failed")
    assert tuple(found) == (*keys, "decisions_per_s")
    assert found["policy"] == "fragmentation"
    assert found["seeds"] == [42, 43]
    again = json.loads(printed("openb", nodes, pods, "--seeds", "42-43", "--json"))
    assert {key: again[key] for key in keys} == {key: found[key] for key in keys}
    assert svg.read_text("utf-8").startswith("<svg")
    assert "mean" in printed("openb", nodes, pods, "--seeds", "1,2")


def test_fleet_prints_what_decisions_cost() -> None:
    sizes = ("--hosts", "50", "--requests", "20", "--shapes", "4")
    found = json.loads(printed("fleet", *sizes, "--policy", "best-fit", "--seed", "3", "--json"))
    assert (found["hosts"], found["requests"], found["shapes"], found["seed"]) == (50, 20, 4, 3)
    assert {"median_us", "p99_us", "decisions_per_s", "bytes_per_host"} <= set(found)
    assert "best-fit" in printed("fleet", *sizes, "--policy", "best-fit")


def test_churn_counts_hosts_kept_open(tmp_path: Path) -> None:
    svg = tmp_path / "drawing.svg"
    arguments = ("churn", "--guests", "300", "--hosts", "20")
    two = ("--policy", "balanced", "--policy", "lifetime-known", "--svg", svg)
    found = cast("list[Churn]", json.loads(printed(*arguments, *two, "--json"))["replays"])
    assert [one["policy"] for one in found] == ["balanced", "lifetime-known"]
    assert all(one["ratio"] >= 1.0 and one["refused"] == 0 for one in found)
    assert svg.read_text("utf-8").startswith("<svg")
    assert "Open hosts" in printed(*arguments)


def test_churn_reads_a_trace(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("guest,arrives_s,leaves_s,cpu,memory_mib\na,0,7200,4,1024\n", "utf-8")
    found = json.loads(printed("churn", trace, "--json"))
    assert found["replays"][0]["guests"] == 1
    trace.write_text("guest,arrives_s,leaves_s,cpu,memory_mib\n", "utf-8")
    assert "has no guests" in run("churn", trace).output
    trace.write_text("guest,arrives_s\nb,x\n", "utf-8")
    faulty = run("moves", trace)
    assert faulty.exit_code == 1
    assert "trace.csv.leaves_s" in faulty.output


def test_moves_empty_whole_hosts(tmp_path: Path) -> None:
    svg = tmp_path / "drawing.svg"
    arguments = ("moves", "--guests", "1500", "--hosts", "80", "--at-hour", "60")
    plan = cast("Moves", json.loads(printed(*arguments, "--json", "--svg", svg)))
    assert plan["freed"]
    assert plan["occupied"] <= 80
    assert {move["source"] for move in plan["moves"]} == set(plan["freed"])
    assert svg.read_text("utf-8").startswith("<svg")
    few = cast("Moves", json.loads(printed(*arguments, "--json", "--most-moves", "1")))
    assert len(few["moves"]) <= 1
    assert "Hosts with guests" in printed(*arguments)


@pytest.mark.parametrize("command", ["openb", "fleet", "churn", "moves"])
def test_policies_are_in_the_help_and_others_are_refused(command: str, tmp_path: Path) -> None:
    kind = "churn" if command == "moves" else command
    assert kind in ("openb", "fleet", "churn")
    text = " ".join(printed(command, "--help").replace("-\n", "-").split())
    names = [policy.name for policy in POLICIES if kind in policy.replays]
    assert all(name in text.replace("- ", "-") for name in names)
    files = write_lists(tmp_path) if command == "openb" else ()
    wrong = run(command, *files, "--policy", "nope")
    assert wrong.exit_code == 2
    assert "no policy 'nope'" in wrong.output
    assert policy_names("churn") == tuple(sorted(policy_names("churn")))
