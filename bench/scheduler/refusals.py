"""Refusals, and whether the change that is named for each cures it; and nothing, where none does.

For each: the request is refused; the smallest change that the explanation names is written into the
fleet and the request themselves; the request is decided again and must go to the host that was
named. `--seconds` is not looked at: there are always 200, each kind about as often.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator

import attrs

from bench.measure import Measure
from bench.scheduler.refusal_kinds import HELPLESS, KINDS, Case
from computekit.scheduler import Placed, Scheduler, Unplaced, WhyNot

__all__ = ["Outcome", "measure", "outcomes"]

COUNT = 200
SEED = 20


@attrs.frozen
class Outcome:
    """What became of one refusal.

    Attributes:
        kind: of the refusal.
        text: the change that was named.
        changes: how many changes it is made of.
        cured: whether the request then went to the host that was named.
        rules: the rules that failed on that host.
        milliseconds: that it took to decide, explain, and find the change.
    """

    kind: str
    text: str
    changes: int
    cured: bool
    rules: tuple[str, ...]
    milliseconds: float


def outcomes(count: int, seed: int) -> Iterator[Outcome]:
    """Refuse `count` requests, name the smallest change for each, make it, and decide again."""
    source = random.Random(seed)
    names = sorted(KINDS)
    for number in range(count):
        kind = names[number % len(names)]
        case = KINDS[kind](source)
        started = time.thread_time_ns()
        decision = Scheduler(case.fleet, case.policy).place(case.request)
        assert isinstance(decision, Unplaced), f"{kind}: {decision}"
        found = decision.explain().why_not()
        took = (time.thread_time_ns() - started) / 1e6
        if found.remedy is None:
            yield Outcome(kind, found.advice, 0, False, (), took)
            continue
        report = found.report
        rules = () if report is None else tuple(verdict.rule for verdict in report.failing)
        cured = _cured(case, found)
        yield Outcome(kind, found.advice, len(found.remedy.changes), cured, rules, took)


def _cured(case: Case, found: WhyNot) -> bool:
    """Make the changes on the fleet itself; return whether the request then goes there."""
    assert found.remedy is not None
    host = found.remedy.host
    request = found.changed(case.fleet)
    anywhere = Scheduler(case.fleet, case.policy).place(request)
    run = attrs.evolve(request.run, host=host)
    there = Scheduler(case.fleet, case.policy).place(attrs.evolve(request, run=run))
    return isinstance(anywhere, Placed) and isinstance(there, Placed) and there.host == host


def helpless(count: int, seed: int) -> Iterator[tuple[str, Case, WhyNot]]:
    """Return refusals that no change on the list cures, and what was said of each."""
    source = random.Random(seed)
    names = sorted(HELPLESS)
    for number in range(count):
        kind = names[number % len(names)]
        case = HELPLESS[kind](source)
        decision = Scheduler(case.fleet, case.policy).place(case.request)
        assert isinstance(decision, Unplaced), f"{kind}: {decision}"
        yield kind, case, decision.explain().why_not()


def measure(_seconds: float) -> Iterator[Measure]:
    """Return how many of 200 refusals are cured by the change that is named."""
    found = list(outcomes(COUNT, SEED))
    wrong = [f"{one.kind}: {one.text}" for one in found if not one.cured]
    if wrong:
        raise AssertionError("not cured: " + "; ".join(wrong))
    several = Counter(one.changes for one in found)
    yield Measure(
        "refusals cured by the smallest change that is named",
        float(sum(one.cured for one in found)),
        f"of {COUNT}",
        {
            "kinds": float(len(KINDS)),
            "rules": float(len({rule for one in found for rule in one.rules})),
            **{f"of_{changes}_changes": float(n) for changes, n in sorted(several.items())},
            "median_ms": sorted(one.milliseconds for one in found)[len(found) // 2],
        },
    )
    told = list(helpless(20, SEED))
    right = sum(found.remedy is None and found.remedies.complete for _kind, _case, found in told)
    if right != len(told):
        raise AssertionError("something was said to help, or might, where nothing does")
    yield Measure("refusals that nothing cures, told so", float(right), f"of {len(told)}")
