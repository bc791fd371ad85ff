"""How explanations and hosts look."""

from collections.abc import Iterable

from computekit.display import Bar, Bars, Drawing, Funnel, Page, Stage, Table, Text
from computekit.model import HostFacts, PlacementRequest
from computekit.placement import ProviderUse, tree_view
from computekit.scheduler.explanation import Explanation
from computekit.scheduler.hosts import Host
from computekit.scheduler.reports import HostReport
from computekit.scheduler.request import Request
from computekit.scheduler.why_not import WhyNot

__all__ = ["explanation_view", "facts_view", "host_tree_view", "report_view", "why_not_view"]


def explanation_view(explanation: Explanation) -> Page:
    """Return the summary, the funnel, the nearest hosts, and what would help."""
    parts: list[Drawing] = [Text((explanation.summary, _asked(explanation.request)))]
    if len(explanation.hosts):
        parts.append(_funnel(explanation))
    if explanation.ranking:
        parts.append(_ranking(explanation))
    if explanation.near_misses:
        parts.append(_near_misses(explanation))
    if explanation.chosen is None and len(explanation.hosts):
        parts.append(Text(explanation.remedies_found.lines, title="What would help"))
    return Page(tuple(parts))


def why_not_view(found: WhyNot) -> Page:
    """Return the answer, what would help, and every rule against the host; or the funnel."""
    lines = (found.summary, _asked(found.request))
    parts: list[Drawing] = [Text((*lines, found.advice) if found.advice else lines)]
    if found.host is None and len(found.explanation.hosts):
        parts.append(_funnel(found.explanation))
    if found.report is not None:
        parts.append(report_view(found.report))
    return Page(tuple(parts))


def _ranking(explanation: Explanation) -> Table:
    names = [name for name, _score in explanation.ranking[0].parts]
    rows = tuple(
        (ranked.host, *(f"{score:g}" for _name, score in ranked.parts), f"{ranked.score:g}")
        for ranked in explanation.ranking
    )
    headings = ("host", *names, "score")
    return Table(headings, rows, numbers=frozenset(headings[1:]), title="Best hosts")


def _asked(request: Request) -> str:
    words = [f"asked: {_resources(request.placement)}"]
    if request.intent.zone is not None:
        words.append(f"in zone {request.intent.zone}")
    if request.machine_type is not None:
        words.append(f"with machine type {request.machine_type}")
    if request.run.host is not None:
        words.append(f"on host {request.run.host}")
    return " ".join(words)


def _resources(placement: PlacementRequest) -> str:
    groups = []
    for group in placement.groups:
        amounts = ", ".join(f"{amount} {name}" for name, amount in group.resources.items())
        groups.append(f"{group.suffix}: {amounts}" if group.suffix else amounts)
    return "; ".join(groups)


def _funnel(explanation: Explanation) -> Funnel:
    stages = (Stage(rule.rule, rule.asked, rule.left, rule.alone) for rule in explanation.rules)
    return Funnel(len(explanation.hosts), tuple(stages))


def _near_misses(explanation: Explanation) -> Table:
    rows: list[tuple[str, str, str, str, str]] = []
    for report in explanation.near_misses:
        first, *further = report.failing
        rows.append(
            (report.host, first.rule, first.asked, first.there, ", ".join(v.rule for v in further))
        )
    shown = len(explanation.near_misses)
    failing = len(explanation.hosts) - explanation.rules[-1].left
    title = "Why not the others" if explanation.chosen is not None else "The nearest hosts"
    if shown < failing:
        title += f" ({shown} of {failing})"
    return Table(("host", "fails", "asked", "there", "also fails"), tuple(rows), title=title)


def report_view(report: HostReport) -> Table:
    """Return one host against every rule."""
    rows = tuple(
        (
            verdict.rule,
            verdict.asked,
            verdict.there,
            "ok" if verdict.passed else "FAILS",
            " or ".join(change.text for change in verdict.changes),
        )
        for verdict in report.verdicts
    )
    return Table(("rule", "asked", "there", "", "what would help"), rows, title=report.host)


def host_tree_view(host: Host, uses: Iterable[ProviderUse]) -> Page:
    """Return a host: its facts, and its provider tree out of `uses`."""
    tree = [use for use in uses if use.root == host.provider]
    parts: tuple[Drawing, ...] = (facts_view(host.facts),)
    return Page((*parts, tree_view(tree)) if tree else parts)


def facts_view(facts: HostFacts) -> Page:
    """Return a host: what it is, and its NUMA cells as bars of its memory and CPUs."""
    about = Table(
        ("host", "arch", "CPUs", "memory MiB", "disk GiB", "hypervisor", "runs guests with"),
        (
            (
                facts.name,
                facts.arch,
                str(facts.cpus),
                str(facts.memory_mib),
                str(facts.disk_gib),
                _software(facts),
                facts.virt_type,
            ),
        ),
        numbers=frozenset({"CPUs", "memory MiB", "disk GiB"}),
    )
    memory = tuple(
        Bar(f"cell {c.id}", c.memory_mib, facts.memory_mib, f"{c.memory_mib} MiB")
        for c in facts.cells
    )
    cpus = tuple(
        Bar(f"cell {c.id}", len(c.cpus), facts.cpus, f"{len(c.cpus)} CPUs: {_ranges(c.cpus)}")
        for c in facts.cells
    )
    return Page((about, Bars(memory, title="memory"), Bars(cpus, title="CPUs")))


def _software(facts: HostFacts) -> str:
    text = f"{facts.hypervisor} {_version(facts.hypervisor_version)}"
    return f"{text}, libvirt {_version(facts.library_version)}" if facts.library_version else text


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _ranges(numbers: frozenset[int]) -> str:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)
