"""Compare the speed of computekit's daemon with genuine Placement's, both in one run.

    python -m tests.parity.load [--databases sqlite,postgresql] [--only SCENARIO ...]
        [--hosts 10000] [--rounds 2] [--wide-default] [--json FILE]

Each fleet is written to both over HTTP, then each question is put to one and the other in turn.
`cpu_ms` is the CPU time of all processes of a server, its database's included, for each request;
ratios are of that, because others may use the machine too. Both must find the same number of
candidates. Nothing is said where they do not: the run fails.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

from computekit.display import Table
from tests.parity import peers, servers
from tests.parity.load_fleets import Fleet, candidate_paths
from tests.parity.load_requests import Figure, Site, ask, fill, write
from tests.real import postgresql

TUNED = {
    "max_allocation_candidates": "1000",
    "allocation_candidates_generation_strategy": "breadth-first",
    "optimize_for_wide_provider_trees": "true",
}
CLIENTS = 8
SLICE_CPU_S = 4.0


@attrs.frozen
class Scenario:
    """A fleet and what is done with it.

    Attributes:
        name: for `--only`.
        fleet: what is written.
        paths: names of its questions; none means claims.
        options: of genuine Placement's section `[placement]`.
        databases: where it is worth while.
        most: the most requests to genuine Placement in each round.
    """

    name: str
    fleet: Fleet
    paths: tuple[str, ...] = ()
    options: Mapping[str, str] = attrs.field(factory=dict)
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    most: int = 1000


@attrs.frozen
class Result:
    """One line of the comparison.

    Attributes:
        database: `sqlite` or `postgresql`.
        scenario: its name.
        question: which.
        genuine: what it cost there.
        ours: what it cost here.
    """

    database: str
    scenario: str
    question: str
    genuine: Figure
    ours: Figure

    @property
    def cpu_ratio(self) -> float:
        """How many times as much CPU time genuine Placement needs."""
        return self.genuine.cpu_ms / self.ours.cpu_ms if self.ours.cpu_ms else float("inf")

    @property
    def rate_ratio(self) -> float:
        """How many times as many requests ours answers in a second."""
        return self.ours.per_s / self.genuine.per_s if self.genuine.per_s else float("inf")


def scenarios(hosts: int, *, wide_default: bool) -> Iterator[Scenario]:
    """Yield all that is compared, cheap ones first."""
    wide = tuple(candidate_paths("wide"))
    yield Scenario("wide-tuned", Fleet("wide", 4), wide, TUNED)
    yield Scenario("nested", Fleet("nested", 200), tuple(candidate_paths("nested")))
    yield Scenario("claims", Fleet("flat", 1000))
    yield Scenario("flat-1000", Fleet("flat", 1000), ("limit 1000",))
    if wide_default:
        yield Scenario("wide-default", Fleet("wide", 4), wide, {}, ("sqlite",), most=1)
    yield Scenario(f"flat-{hosts}", Fleet("flat", hosts), ("limit 100",))


@contextmanager
def sites(home: Path, database: str, options: Mapping[str, str]) -> Iterator[tuple[Site, Site]]:
    """Run both servers, each with an empty database (and PostgreSQL cluster) of its own."""
    with ExitStack() as stack:
        urls: list[str | None] = [None, None]
        extra: list[tuple[int, ...]] = [(), ()]
        if database == "postgresql":
            for at in range(2):
                cluster = stack.enter_context(postgresql.running(durable=True))
                pid = (cluster.socket / "data" / "postmaster.pid").read_text().split()[0]
                scheme = ("postgresql+psycopg2", "postgresql")[at]
                urls[at] = f"{scheme}://ck@/postgres?host={cluster.socket}"
                extra[at] = (int(pid),)
        many = {"workers": 2, "threads": 4} if database == "postgresql" else {}
        genuine = stack.enter_context(
            servers.genuine(home / "genuine", urls[0], options=options, **many)
        )
        ours = stack.enter_context(servers.ours(home / "ours", urls[1]))
        clients = 4 if database == "postgresql" else 1
        yield (
            Site("genuine", genuine.url, (genuine.pid, *extra[0]), clients),
            Site("ours", ours.url, (ours.pid, *extra[1]), clients),
        )


def compare(scenario: Scenario, database: str, rounds: int) -> Iterator[Result]:
    """Yield what each question of a scenario costs on both."""
    with (
        tempfile.TemporaryDirectory() as directory,
        sites(Path(directory), database, scenario.options) as both,
    ):
        loaded = [fill(site, scenario.fleet) for site in both]
        zero = Figure(0, 0, 0.0, 0.0, 0.0)
        yield Result(
            database,
            scenario.name,
            "loading, each call",
            attrs.evolve(zero, cpu_ms=loaded[0]),
            attrs.evolve(zero, cpu_ms=loaded[1]),
        )
        paths = candidate_paths(scenario.fleet.name)
        for question in scenario.paths:
            found = [_asked(site, paths[question], scenario, rounds) for site in both]
            yield _checked(Result(database, scenario.name, question, *_alternating(found)))
        if not scenario.paths:
            yield from _claims(scenario, database, both, rounds)


def _asked(site: Site, path: str, scenario: Scenario, rounds: int) -> Iterator[Figure]:
    """Yield a figure a round; the first request shows how many more are worth while."""
    slow = site.name == "genuine"
    first = ask(site, path, 1)
    if slow and scenario.most == 1:
        yield from [first] * rounds
        return
    count = 300 if not slow else max(3, min(300, int(SLICE_CPU_S * 1000 / max(first.p50_ms, 1.0))))
    for _ in range(rounds):
        yield ask(site, path, count)


def _alternating(found: "list[Iterator[Figure]]") -> tuple[Figure, Figure]:
    """Let one and the other work in turn; return the mean of each."""
    pairs = list(zip(*found, strict=True))
    genuine, ours = zip(*pairs, strict=True)
    return _mean(genuine), _mean(ours)


def _mean(figures: tuple[Figure, ...]) -> Figure:
    count = len(figures)
    return attrs.evolve(
        figures[0],
        requests=sum(f.requests for f in figures),
        failed=sum(f.failed for f in figures),
        cpu_ms=sum(f.cpu_ms for f in figures) / count,
        p50_ms=sum(f.p50_ms for f in figures) / count,
        per_s=sum(f.per_s for f in figures) / count,
    )


def _claims(
    scenario: Scenario, database: str, both: tuple[Site, Site], rounds: int
) -> Iterator[Result]:
    for one in (False, True):
        question = f"PUT allocations, {CLIENTS} clients, {'one provider' if one else 'random'}"

        def figures(site: Site, one: bool = one) -> Iterator[Figure]:
            count = 150 if site.name == "genuine" else 1000
            for seed in range(rounds):
                yield write(site, scenario.fleet, count, CLIENTS, seed=seed, one=one)

        found = [figures(site) for site in both]
        yield Result(database, scenario.name, question, *_alternating(found))


def _checked(result: Result) -> Result:
    if result.genuine.found != result.ours.found or result.genuine.found == 0:
        raise AssertionError(
            f"{result.scenario}, {result.question}: genuine found {result.genuine.found} "
            f"candidates, ours {result.ours.found}"
        )
    return result


def table(results: list[Result]) -> str:
    """Return the comparison for people."""
    headings = (
        *("database", "scenario", "question", "found", "kB"),
        *("genuine cpu_ms", "ours cpu_ms", "cpu ratio", "genuine /s", "ours /s", "failed"),
    )
    rows = tuple(
        (
            *(result.database, result.scenario, result.question),
            f"{result.ours.found or ''}",
            f"{result.ours.size_kb:.0f}" if result.ours.size_kb else "",
            f"{result.genuine.cpu_ms:.2f}",
            f"{result.ours.cpu_ms:.3f}",
            f"{result.cpu_ratio:.0f}x",
            f"{result.genuine.per_s:.1f}",
            f"{result.ours.per_s:.1f}",
            f"{result.genuine.failed}/{result.ours.failed}",
        )
        for result in results
    )
    return Table(headings, rows, frozenset(headings[3:])).text(width=160)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity.load")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--only", action="append", metavar="SCENARIO")
    parser.add_argument("--hosts", type=int, default=10_000, help="of the large flat fleet")
    parser.add_argument("--rounds", type=int, default=2, help="in which both take turns")
    parser.add_argument("--wide-default", action="store_true", help="one request of 100 s")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args(arguments)
    known = {one.name: one for one in scenarios(options.hosts, wide_default=options.wide_default)}
    wanted: list[str] = options.only or list(known)
    databases: list[str] = options.databases.split(",")
    if unknown := [*({*wanted} - {*known}), *({*databases} - {"sqlite", "postgresql"})]:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(known)} on sqlite, postgresql")
    peers.make("placement")
    results: list[Result] = []
    for scenario in (known[name] for name in wanted):
        for database in databases:
            if database in scenario.databases:
                for result in compare(scenario, database, options.rounds):
                    results.append(result)
                    sys.stderr.write(f"{json.dumps(_plain(result))}\n")
    sys.stdout.write(f"{table(results)}\n")
    if options.json:
        options.json.write_text(json.dumps([_plain(one) for one in results], indent=2))
    return 0


def _plain(result: Result) -> Mapping[str, object]:
    return {
        **attrs.asdict(result),
        "cpu_ratio": round(result.cpu_ratio, 1),
        "rate_ratio": round(result.rate_ratio, 1),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
