"""`computekit sim`: replays, without any daemon."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from computekit.sim import OpenbFigures

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
    )

    if policy not in OPENB_POLICIES:
        raise click.BadParameter(
            f"no policy {policy!r}; there are {', '.join(OPENB_POLICIES)}", param_hint="--policy"
        )
    figures = openb_replay(openb_cluster(nodes), openb_demands(pods), policy, seeds)
    mean = openb_mean(figures)
    if as_json:
        click.echo(json.dumps(attrs.asdict(mean)))
    else:
        click.echo(_openb_table(figures, mean))


def _openb_table(figures: "Sequence[OpenbFigures]", mean: "OpenbFigures") -> str:
    from computekit.sim import openb_view

    return openb_view(figures, mean).text()
