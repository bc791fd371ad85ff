"""`computekit sim`: replays, without any daemon."""

import json
from pathlib import Path

import attrs
import click

__all__ = ["sim"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Seeds(click.ParamType[tuple[int, ...]]):
    """`42`, `42-51`, `1,2,7-9`."""

    name = "seeds"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        found: list[int] = []
        for part in str(value).split(","):
            first, dash, last = part.strip().partition("-")
            if not (first.isdecimal() and (last.isdecimal() or not dash)):
                self.fail(f"{part!r} is neither a number nor FIRST-LAST", param, ctx)
            ends = (int(first), int(last) if dash else int(first))
            if not 0 <= ends[1] - ends[0] < 10_000:
                self.fail(f"{part!r} is no range of at most 10000", param, ctx)
            found.extend(range(ends[0], ends[1] + 1))
        return tuple(found)


@click.group()
def sim() -> None:
    """Replay traces on fleets, and measure policies."""


@sim.command()
@click.argument("nodes", type=_FILE)
@click.argument("pods", type=_FILE)
@click.option("--policy", default="fragmentation", show_default=True, help="By name.")
@click.option("--seeds", type=_Seeds(), default="42-51", show_default=True, help="FIRST-LAST.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def openb(nodes: Path, pods: Path, policy: str, seeds: tuple[int, ...], as_json: bool) -> None:
    """Replay the pod list PODS of the OpenB trace on the node list NODES.

    Prints means over the seeds: the share of all GPUs that was placed, and that was idle but of
    no use to typical pods, when 100 and 130 per cent of all GPUs had been asked for.
    """
    from computekit.sim import (
        OPENB_POLICIES,
        openb_cluster,
        openb_demands,
        openb_mean,
        openb_replay,
        openb_view,
    )

    _check_policy(policy, OPENB_POLICIES)
    figures = openb_replay(openb_cluster(nodes), openb_demands(pods), policy, seeds)
    mean = openb_mean(figures)
    click.echo(json.dumps(attrs.asdict(mean)) if as_json else openb_view(figures, mean).text())


@sim.command()
@click.option("--hosts", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--requests", type=click.IntRange(1), default=2_000, show_default=True)
@click.option("--shapes", type=click.IntRange(1), default=20, show_default=True)
@click.option("--policy", default="balanced", show_default=True, help="By name.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fleet(hosts: int, requests: int, shapes: int, policy: str, seed: int, as_json: bool) -> None:
    """Measure decisions, each with its claim in memory, on a made-up fleet."""
    from computekit.sim import FLEET_POLICIES, fleet_figures, fleet_view

    _check_policy(policy, FLEET_POLICIES)
    figures = fleet_figures(hosts=hosts, requests=requests, shapes=shapes, policy=policy, seed=seed)
    click.echo(json.dumps(attrs.asdict(figures)) if as_json else fleet_view(figures).text())


def _check_policy(policy: str, known: tuple[str, ...]) -> None:
    if policy not in known:
        raise click.BadParameter(
            f"no policy {policy!r}; there are {', '.join(known)}", param_hint="--policy"
        )
