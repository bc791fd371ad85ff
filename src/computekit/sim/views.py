"""How replays look."""

from collections.abc import Mapping, Sequence

from computekit.display import Bar, Bars, Line, Lines, Page, Table, Text
from computekit.sim.churn import ChurnFigures
from computekit.sim.cluster import Cluster
from computekit.sim.defragment import MovePlan
from computekit.sim.fleet import FleetFigures
from computekit.sim.protocol import OpenbFigures, OpenbRun

__all__ = [
    "allocation_lines",
    "churn_lines",
    "churn_view",
    "fleet_view",
    "openb_bars",
    "openb_view",
    "plan_bars",
    "plan_view",
]


def fleet_view(figures: FleetFigures) -> Table:
    """Return what decisions cost, a row for each figure."""
    rows = (
        ("policy", figures.policy),
        ("hosts", str(figures.hosts)),
        ("requests", f"{figures.requests}, of {figures.shapes} shapes"),
        ("placed", str(figures.placed)),
        ("median", f"{figures.median_us:.1f} us"),
        ("99 of 100 within", f"{figures.p99_us:.1f} us"),
        ("decisions per second", f"{figures.decisions_per_s:.0f}"),
        ("arrays per host", f"{figures.bytes_per_host:.0f} bytes"),
    )
    return Table(("figure", "value"), rows, title="Decisions with their claims, CPU of one core")


def openb_view(figures: Sequence[OpenbFigures], mean: OpenbFigures) -> Page:
    """Return a row for each replay and one for their mean."""
    headings = ("seed", "placed @100", "placed @130", "lost @100", "lost @130", "dropped", "per s")
    rows = [_row(str(one.seeds[0]), one) for one in figures]
    if len(figures) > 1:
        rows.append(_row("mean", mean))
    title = f"{mean.policy}: GPUs placed, and idle but of no use, per cent of all"
    return Page((Table(headings, tuple(rows), numbers=frozenset(headings[1:]), title=title),))


def _row(label: str, figures: OpenbFigures) -> tuple[str, ...]:
    shares = (figures.alloc_100, figures.alloc_130, figures.frag_100, figures.frag_130)
    return (
        label,
        *(f"{share:.2f}" for share in shares),
        f"{figures.failed:.0f}",
        f"{figures.decisions_per_s:.0f}",
    )


def churn_view(found: Sequence[ChurnFigures]) -> Page:
    """Return a row for each replay of guests that came and went, and its open hosts over time."""
    headings = ("policy", "host-hours", "least", "ratio", "most hosts", "refused")
    rows = tuple(
        (
            one.policy,
            f"{one.host_hours:.0f}",
            f"{one.least_host_hours:.0f}",
            f"{one.ratio:.3f}",
            str(one.peak_hosts),
            str(one.refused),
        )
        for one in found
    )
    table = Table(headings, rows, numbers=frozenset(headings[1:]), title="Hosts kept open")
    return Page((table, churn_lines(found)))


def churn_lines(found: Sequence[ChurnFigures]) -> Lines:
    """Return the open hosts over time, a line for each replay."""
    lines = tuple(Line(one.policy, one.busy) for one in found)
    return Lines(lines, "hours", "open hosts", "Open hosts")


def openb_bars(figures: Sequence[OpenbFigures]) -> Bars:
    """Return the share of all GPUs that was placed when 130 per cent had been asked for."""
    bars = tuple(
        Bar(
            f"{one.policy}, seed {one.seeds[0]}",
            one.alloc_130,
            100.0,
            f"{one.alloc_130:.2f} %, {one.frag_130:.2f} % of no use",
        )
        for one in figures
    )
    return Bars(bars, "GPUs placed @130")


def plan_bars(plan: MovePlan, hosts: int) -> Bars:
    """Return how many of all hosts have guests, before the moves of a plan and after."""
    after = plan.occupied - len(plan.freed)
    return Bars(
        (
            Bar("before", plan.occupied, hosts, f"{plan.occupied} of {hosts} hosts"),
            Bar("after", after, hosts, f"{after} of {hosts} hosts"),
        ),
        "Hosts with guests",
    )


def plan_view(plan: MovePlan) -> Page:
    """Return the moves of a plan, and what they come to."""
    rows = tuple((move.guest, move.source, move.target) for move in plan.moves)
    moves = "1 move frees" if len(plan.moves) == 1 else f"{len(plan.moves)} moves free"
    summary = f"{moves} {len(plan.freed)} of {plan.occupied} hosts"
    return Page((Text((summary,)), Table(("guest", "from", "to"), rows)))


def allocation_lines(cluster: Cluster, runs: Mapping[str, OpenbRun]) -> Lines:
    """Return how many devices were placed over how many were asked for, a line for each run."""
    total = cluster.device_total or 1
    lines: list[Line] = []
    for label, run in runs.items():
        asked = placed = 0
        points: dict[int, float] = {}
        for demand, packed in zip(run.demands, run.packed, strict=True):
            asked += demand.device_total
            placed += demand.device_total if packed is not None else 0
            points[round(100 * asked / total)] = 100 * placed / total
        lines.append(Line(label, tuple(sorted(points.items()))))
    return Lines(tuple(lines), "asked for, % of all", "placed, % of all", "Devices placed")
