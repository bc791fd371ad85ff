"""`computekit sim`: replays, without any daemon."""

import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs
import click

if TYPE_CHECKING:
    from computekit.sim import Guest, Replay

__all__ = ["sim"]

_HOUR_S = 3_600.0
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
C = TypeVar("C", bound=Callable[..., object])
T = TypeVar("T")


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


class _Policy(click.ParamType[str]):
    """A name of those that one kind of replay knows."""

    name = "policy"

    def __init__(self, replay: "Replay") -> None:
        self.replay = replay

    def names(self) -> tuple[str, ...]:
        from computekit.sim import policy_names

        return policy_names(self.replay)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        if value not in self.names():
            self.fail(f"no policy {value!r}; there are {', '.join(self.names())}", param, ctx)
        return str(value)


class _PolicyOption(click.Option):
    """Names what there is only when somebody reads the help: that loads more than the command."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or not isinstance(self.type, _Policy):
            return record
        names = f"One of {', '.join(self.type.names())}."
        return record[0], f"{names}  {record[1]}".strip()


def _policy_option(replay: "Replay", default: str, *, several: bool = False) -> Callable[[C], C]:
    return click.option(
        "--policy",
        "policies" if several else "policy",
        cls=_PolicyOption,
        type=_Policy(replay),
        default=(default,) if several else default,
        multiple=several,
        show_default=True,
        help="May be given several times." if several else "",
    )


_SEEDS = _Seeds()
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_SVG = click.option("--svg", type=_NEW_FILE, help="Write a drawing to this file.")


def _told(things: Iterable[T], count: int, label: str) -> Iterator[T]:
    """Return things one by one, with a bar on the terminal while they are worked on."""
    if not sys.stderr.isatty():
        yield from things
        return
    with click.progressbar(things, length=count, label=label, file=sys.stderr) as bar:
        yield from bar


@click.group()
def sim() -> None:
    """Replay traces on fleets, and measure policies."""


@sim.command()
@click.argument("nodes", type=_FILE)
@click.argument("pods", type=_FILE)
@_policy_option("openb", "fragmentation")
@click.option("--seeds", type=_SEEDS, default="42-51", show_default=True, help="FIRST-LAST.")
@_SVG
@_JSON
def openb(
    nodes: Path, pods: Path, policy: str, seeds: tuple[int, ...], svg: Path | None, as_json: bool
) -> None:
    """Replay the pod list PODS of the OpenB trace on the node list NODES.

    Prints means over the seeds: the share of all GPUs that was placed, and that was idle but of
    no use to typical pods, when 100 and 130 per cent of all GPUs had been asked for.
    """
    from computekit.sim import (
        openb_bars,
        openb_cluster,
        openb_demands,
        openb_mean,
        openb_replays,
        openb_view,
    )

    replays = openb_replays(openb_cluster(nodes), openb_demands(pods), policy, seeds)
    figures = tuple(_told(replays, len(seeds), "seeds"))
    mean = openb_mean(figures)
    if svg is not None:
        svg.write_text(openb_bars(figures).svg(), "utf-8")
    click.echo(json.dumps(attrs.asdict(mean)) if as_json else openb_view(figures, mean).text())


@sim.command()
@click.option("--hosts", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--requests", type=click.IntRange(1), default=2_000, show_default=True)
@click.option("--shapes", type=click.IntRange(1), default=20, show_default=True)
@_policy_option("fleet", "balanced")
@click.option("--seed", type=int, default=0, show_default=True)
@_JSON
def fleet(hosts: int, requests: int, shapes: int, policy: str, seed: int, as_json: bool) -> None:
    """Measure decisions, each with its claim in memory, on a made-up fleet."""
    from computekit.sim import fleet_figures, fleet_view

    figures = fleet_figures(hosts=hosts, requests=requests, shapes=shapes, policy=policy, seed=seed)
    click.echo(json.dumps(attrs.asdict(figures)) if as_json else fleet_view(figures).text())


def _guests_options(command: C) -> C:
    """Give a command a trace of guests, and the hosts that they run on."""
    for option in reversed(
        (
            click.argument("trace", type=_FILE, required=False),
            click.option(
                "--guests",
                type=click.IntRange(1),
                default=20_000,
                show_default=True,
                help="Of a trace that is made up, if none is given.",
            ),
            click.option(
                "--hours",
                type=click.FloatRange(0, min_open=True),
                default=96.0,
                show_default=True,
                help="Over which they arrive.",
            ),
            click.option(
                "--hosts",
                type=click.IntRange(1),
                default=500,
                show_default=True,
                help="That may ever be open.",
            ),
            click.option("--cpu", type=click.IntRange(1), default=64, show_default=True),
            click.option(
                "--memory-mib", type=click.IntRange(1), default=262_144, show_default=True
            ),
        )
    ):
        command = option(command)
    return command


@sim.command()
@_guests_options
@_policy_option("churn", "balanced", several=True)
@click.option("--seed", type=int, default=0, show_default=True)
@_SVG
@_JSON
def churn(
    trace: Path | None,
    guests: int,
    hours: float,
    hosts: int,
    cpu: int,
    memory_mib: int,
    policies: tuple[str, ...],
    seed: int,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Replay guests that come and go, and count the hosts that a policy keeps open.

    TRACE is a CSV file: guest,arrives_s,leaves_s,cpu,memory_mib. Hosts start empty; an empty one
    is opened only when no other fits. Host-hours stand beside the least that any placement needs.
    """
    from computekit.sim import alike_hosts, churn_lines, churn_policy, churn_replay, churn_view

    cluster = alike_hosts(hosts, cpu=cpu, memory_mib=memory_mib)
    coming = _guests(trace, guests, hours, seed)
    found = []
    for policy in _told(policies, len(policies), "policies"):
        packing, predictor = churn_policy(policy, cluster, coming, seed)
        found.append(churn_replay(cluster, packing, coming, predictor=predictor, policy=policy))
    if svg is not None:
        svg.write_text(churn_lines(found).svg(), "utf-8")
    if as_json:
        replays = [
            attrs.asdict(one, filter=lambda field, _v: field.name != "busy") for one in found
        ]
        click.echo(json.dumps({"seed": seed, "replays": replays}))
    else:
        click.echo(churn_view(found).text())


@sim.command()
@_guests_options
@_policy_option("churn", "worst-fit")
@click.option("--at-hour", type=click.FloatRange(0), help="When to look; without it at the end.")
@click.option("--most-moves", type=click.IntRange(0), help="Of the plan; without it no limit.")
@click.option("--seed", type=int, default=0, show_default=True)
@_SVG
@_JSON
def moves(
    trace: Path | None,
    guests: int,
    hours: float,
    hosts: int,
    cpu: int,
    memory_mib: int,
    policy: str,
    at_hour: float | None,
    most_moves: int | None,
    seed: int,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Plan the moves that free most hosts, of guests as a policy has left them.

    Replays guests that come and go, as `churn` does, up to a moment. Then a host is emptied whole
    or left as it is, those first that need the fewest moves; nobody is moved twice.
    """
    from computekit.sim import (
        alike_hosts,
        churn_policy,
        guests_at,
        plan_bars,
        plan_moves,
        plan_view,
    )

    cluster = alike_hosts(hosts, cpu=cpu, memory_mib=memory_mib)
    coming = _guests(trace, guests, hours, seed)
    packing, predictor = churn_policy(policy, cluster, coming, seed)
    at_s = coming[-1].arrives_s if at_hour is None else at_hour * _HOUR_S
    here = guests_at(cluster, packing, coming, at_s, predictor=predictor)
    plan = plan_moves(cluster, here, most_moves=most_moves)
    if svg is not None:
        svg.write_text(plan_bars(plan, hosts).svg(), "utf-8")
    if as_json:
        told = {"policy": policy, "seed": seed, "hosts": hosts, "guests": len(here)}
        click.echo(json.dumps({**told, **attrs.asdict(plan)}))
    else:
        click.echo(f"{plan_bars(plan, hosts).text()}\n\n{plan_view(plan).text()}")


def _guests(trace: Path | None, guests: int, hours: float, seed: int) -> "tuple[Guest, ...]":
    from computekit.sim import made_up_trace, read_trace

    if trace is None:
        return made_up_trace(guests, hours, random.Random(seed))
    found = read_trace(trace)
    if not found:
        raise click.ClickException(f"{trace} has no guests")
    return found
