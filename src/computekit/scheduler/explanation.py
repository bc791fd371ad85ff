"""Why a request went where it went, or nowhere: every rule, every host, and what would help."""

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import attrs
import numpy as np
import numpy.typing as npt

from computekit.display import Page
from computekit.ids import HostName
from computekit.placement import BoolArray, FleetIndex, no_fit
from computekit.scheduler.amount import Amount
from computekit.scheduler.changes import Adjustment
from computekit.scheduler.deciding_again import all_predicates
from computekit.scheduler.fitter import Fitter
from computekit.scheduler.narrowing import overlay_parts
from computekit.scheduler.normalised import Normalised
from computekit.scheduler.policy import Policy, Refusal
from computekit.scheduler.predicates import Enabled, Predicate
from computekit.scheduler.remedies import Remedies, Remedy, find_remedies, remedy_for
from computekit.scheduler.request import Request

__all__ = [
    "Explanation",
    "HostReport",
    "Past",
    "RankedHost",
    "RuleReport",
    "Verdict",
    "explain",
]

FIT_RULE = "together"
"""The rule that all groups fit on one tree at the same time."""

_YES = Enabled.asked
_NEAR = 10
_BEST = 5


@attrs.frozen
class Verdict:
    """One rule against one host.

    Attributes:
        rule: what is judged.
        asked: what the request asks for.
        there: what the host has.
        passed: whether that is enough.
        changes: the smallest changes that each make the host pass this rule; none if it passes.
    """

    rule: str
    asked: str
    there: str
    passed: bool
    changes: tuple[Adjustment, ...] = ()


@attrs.frozen
class HostReport:
    """Every rule against one host.

    Attributes:
        host: its name.
        verdicts: in the order of the rules.
    """

    host: HostName
    verdicts: tuple[Verdict, ...]

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """The rules that it breaks."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    @property
    def fits(self) -> bool:
        """Whether it can take the request."""
        return not self.failing


@attrs.frozen
class RuleReport:
    """One rule against the fleet.

    Attributes:
        rule: what is judged.
        asked: what the request asks for.
        failed: how many hosts break it.
        alone: how many hosts break nothing else.
        left: how many hosts pass it and every rule before it.
    """

    rule: str
    asked: str
    failed: int
    alone: int
    left: int


@attrs.frozen
class RankedHost:
    """A host that fits, and why it stands where it does.

    Attributes:
        host: its name.
        score: the sum; higher is better.
        parts: what each weigher gave, by its name.
    """

    host: HostName
    score: float
    parts: tuple[tuple[str, float], ...]


@attrs.frozen
class Past:
    """The fleet has changed since the decision; it can no longer be explained.

    Attributes:
        epoch: of the decision.
        now: of the index.
    """

    epoch: int
    now: int

    def text(self) -> str:
        """Return this as a sentence."""
        return f"decided at epoch {self.epoch} of the fleet, which is now at epoch {self.now}"


@attrs.frozen(eq=False)
class _Judged:
    """The answers that an explanation is read from; they never change."""

    fleet: FleetIndex
    request: Request
    policy: Policy
    predicates: tuple[Predicate, ...]
    passed: npt.NDArray[np.bool_]  # (predicate, row)
    unfit: Mapping[int, str]
    refused: Mapping[int, Refusal]
    fit_asked: bool

    def report(self, row: int) -> HostReport:
        fleet = self.fleet
        verdicts: list[Verdict] = []
        for predicate, passed in zip(self.predicates, self.passed[:, row], strict=True):
            changes = () if passed else predicate.changes(fleet, row)
            there = predicate.there(fleet, row)
            verdicts.append(Verdict(predicate.rule, predicate.asked, there, bool(passed), changes))
        if self.fit_asked and bool(self.passed[:, row].all()):
            there = self.unfit.get(row, "fits")
            verdicts.append(Verdict(FIT_RULE, "all groups", there, row not in self.unfit))
        refusal = self.refused.get(row)
        if refusal is not None:
            verdicts.append(Verdict(refusal.filter, _YES, refusal.reason, False))
        return HostReport(fleet.names[row], tuple(verdicts))


class _Reports(Sequence[HostReport]):
    """The reports of all hosts, each made when it is looked at."""

    def __init__(self, judged: _Judged) -> None:
        self._judged = judged

    def __len__(self) -> int:
        return len(self._judged.fleet)

    @overload
    def __getitem__(self, at: int) -> HostReport: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[HostReport, ...]: ...
    def __getitem__(self, at: int | slice) -> HostReport | tuple[HostReport, ...]:
        rows = range(len(self))[at]
        if isinstance(rows, range):
            return tuple(self._judged.report(row) for row in rows)
        return self._judged.report(rows)


@attrs.frozen
class Explanation:
    """Why a request went where it went, or nowhere.

    Attributes:
        request: what was asked.
        epoch: of the index that this is about.
        chosen: the host that it went to; None if there is none.
        rules: in the order in which they are told.
        ranking: the best hosts that fit, best first.
        near_misses: the hosts that come closest, nearest first.
        remedies: changes after which the request fits, each proved by deciding again; fewest first.
        complete: whether all changes on the list were tried; without remedies, whether it is
            certain that none of them helps.
    """

    request: Request
    epoch: int
    chosen: HostName | None
    rules: tuple[RuleReport, ...]
    ranking: tuple[RankedHost, ...]
    near_misses: tuple[HostReport, ...]
    remedies: tuple[Remedy, ...]
    complete: bool
    _judged: _Judged = attrs.field(eq=False, repr=False)

    @property
    def hosts(self) -> Sequence[HostReport]:
        """Every host against every rule, by name; each report is made when it is looked at."""
        return _Reports(self._judged)

    def host(self, name: HostName) -> HostReport | None:
        """Return one host against every rule, or None if there was no such host."""
        row = self._judged.fleet.row(name)
        return None if row is None else self._judged.report(row)

    def remedy(self, name: HostName) -> Remedy | None:
        """Return the fewest, then smallest changes after which this host takes the request.

        None if none is known; with no changes in it if the host fits as it is.
        """
        found = self.remedies_of(name).found
        return found[0] if found else None

    def remedies_of(self, name: HostName) -> Remedies:
        """Return what a look for the smallest changes for one host comes to."""
        judged = self._judged
        row = judged.fleet.row(name)
        if row is None:
            return Remedies(())
        return remedy_for(judged.fleet, row, self.request, judged.policy)

    @property
    def summary(self) -> str:
        """The outcome and its reasons in one line."""
        total = len(self._judged.fleet)
        if self.chosen is not None:
            fit = self.rules[-1].left if self.rules else total
            return f"{self.chosen} takes it; {fit} of {_hosts(total)} could"
        if not total:
            return "there are no hosts"
        before = total
        parts: list[tuple[int, str]] = []
        for rule in self.rules:
            if rule.left < before:
                asked = "" if rule.asked == _YES else f" {rule.asked}"
                parts.append((before - rule.left, f"{rule.rule}{asked}"))
            before = rule.left
        parts.sort(key=lambda part: -part[0])
        reasons = ", ".join(
            f"{count} {'fails' if count == 1 else 'fail'} {text}" for count, text in parts
        )
        return f"none of {_hosts(total)} fits: {reasons}"

    def text(self, *, width: int = 100) -> str:
        """Return all of this for a terminal of `width` columns."""
        return self._page().text(width=width)

    def html(self) -> str:
        """Return all of this as an HTML element."""
        return self._page().html()

    def _repr_html_(self) -> str:
        return self.html()

    def _page(self) -> Page:
        from computekit.scheduler.views import explanation_view

        return explanation_view(self)


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def explain(
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    refusals: Mapping[HostName, Refusal],
    *,
    chosen: HostName | None = None,
) -> Explanation:
    """Return the explanation of a request on a fleet that no longer changes.

    Args:
        fleet: a copy that nobody writes to.
        request: what was asked.
        policy: by which it was decided.
        refusals: what filters said when it was decided; hosts not in it are asked now.
        chosen: the host that was decided on.
    """
    predicates = all_predicates(request, policy)
    passed = np.array([predicate.passed(fleet, slice(None)) for predicate in predicates])
    unfit, refused = _judge(fleet, request, policy, refusals, np.all(passed, axis=0))
    nested = bool(fleet.nested.any())
    judged = _Judged(fleet, request, policy, predicates, passed, unfit, refused, nested)
    broken = np.count_nonzero(~passed, axis=0)
    broken[[*unfit, *refused]] += 1
    only = np.where(broken == 1, passed.argmin(axis=0), -1)
    only[list(unfit)] = len(predicates)
    only[list(refused)] = -1
    near = _nearest_first(judged, broken)
    remedies = Remedies(())
    if chosen is None:
        remedies = find_remedies(fleet, request, policy, near, only)
    return Explanation(
        request,
        fleet.epoch,
        chosen,
        tuple(_rule_reports(judged, only)),
        _ranking(fleet, request, policy, np.flatnonzero(broken == 0)),
        tuple(judged.report(row) for row in near[:_NEAR].tolist()),
        remedies.found,
        remedies.complete,
        judged,
    )


def _judge(
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    refusals: Mapping[HostName, Refusal],
    feasible: BoolArray,
) -> tuple[dict[int, str], dict[int, Refusal]]:
    """Return why rows that pass every predicate do not fit after all, or are refused."""
    unfit: dict[int, str] = {}
    refused: dict[int, Refusal] = {}
    fitter = Fitter(request.placement)
    exact = ~fleet.nested if not policy.filters else np.zeros(len(fleet), dtype=np.bool_)
    for row in np.flatnonzero(feasible & ~exact).tolist():
        if fitter.fit(fleet, row) is None:
            unfit[row] = no_fit(fleet.tree(row), request.placement)
            continue
        refusal = refusals.get(fleet.names[row]) or policy.refusal(fleet.view(row))
        if refusal is not None:
            refused[row] = refusal
    return unfit, refused


def _ranking(
    fleet: FleetIndex, request: Request, policy: Policy, fitting: npt.NDArray[np.intp]
) -> tuple[RankedHost, ...]:
    weighers = policy.weighers_of(request.placement)
    parts = overlay_parts(fleet, request, policy, fitting)
    if isinstance(weighers, Normalised):
        parts |= weighers.parts(fleet, fitting)
    else:
        parts |= {weigher.name: weigher.scores(fleet, fitting) for weigher in weighers}
    total = sum(parts.values(), np.zeros(len(fitting)))
    return tuple(
        RankedHost(
            fleet.names[int(fitting[at])],
            float(total[at]),
            tuple((name, float(scores[at])) for name, scores in parts.items()),
        )
        for at in np.argsort(-total, kind="stable")[:_BEST].tolist()
    )


def _nearest_first(judged: _Judged, broken: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the rows that do not fit: the host that was named, then by how little is missing."""
    distance = broken.astype(np.float64)
    for predicate in judged.predicates:
        if isinstance(predicate, Amount):
            distance += predicate.lacking(judged.fleet) / (len(judged.predicates) + 1)
    host = judged.request.run.host
    named = None if host is None else judged.fleet.row(host)
    if named is not None:
        distance[named] = 0
    rows = np.flatnonzero(broken)
    return rows[np.argsort(distance[rows], kind="stable")]


def _rule_reports(judged: _Judged, only: npt.NDArray[np.intp]) -> Iterator[RuleReport]:
    left = np.ones(len(judged.fleet), dtype=np.bool_)
    for number, predicate in enumerate(judged.predicates):
        passed = judged.passed[number]
        left = left & passed
        failed = int(np.count_nonzero(~passed))
        alone = int(np.count_nonzero(only == number))
        yield RuleReport(
            predicate.rule, predicate.asked, failed, alone, int(np.count_nonzero(left))
        )
    remaining = int(np.count_nonzero(left))
    if judged.fit_asked:
        count = len(judged.unfit)
        remaining -= count
        yield RuleReport(FIT_RULE, "all groups", count, count, remaining)
    for rule in judged.policy.filters:
        count = sum(1 for refusal in judged.refused.values() if refusal.filter == rule.name)
        remaining -= count
        yield RuleReport(rule.name, _YES, count, count, remaining)
