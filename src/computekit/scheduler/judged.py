"""The answers that an explanation is read from: predicates, the search on trees, filters."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import attrs
import numpy as np
import numpy.typing as npt

from computekit.ids import HostName
from computekit.placement import BoolArray, FleetIndex
from computekit.scheduler.amount import Amount
from computekit.scheduler.deciding_again import all_predicates
from computekit.scheduler.fitter import Fitter
from computekit.scheduler.plain_functions import Refusal
from computekit.scheduler.policy import Policy
from computekit.scheduler.predicates import Enabled, Predicate
from computekit.scheduler.remedies import Remedies, find_remedies, remedy_for
from computekit.scheduler.reports import HostReport, RuleReport, Verdict
from computekit.scheduler.request import Request

__all__ = ["FIT_RULE", "YES", "HostReports", "Judged", "judge"]

FIT_RULE = "together"
"""The rule that all groups fit on one tree at the same time."""

YES = Enabled.asked


@attrs.frozen(eq=False)
class Judged:
    """The answers that an explanation is read from; they never change.

    Attributes:
        fleet: a copy that nobody writes to.
        request: what was asked.
        policy: by which it was decided.
        predicates: everything that was asked of a host, in the order of telling.
        passed: the answers, as (predicate, row).
        unfit: why the groups do not fit together, of rows that pass every predicate.
        refused: what filters said, of rows that fit.
        fit_asked: whether the search on trees was needed at all.
    """

    fleet: FleetIndex
    request: Request
    policy: Policy
    predicates: tuple[Predicate, ...]
    passed: npt.NDArray[np.bool_]
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
            verdicts.append(Verdict(refusal.filter, YES, refusal.reason, False))
        return HostReport(fleet.names[row], tuple(verdicts))

    @cached_property
    def broken(self) -> npt.NDArray[np.intp]:
        """How many rules each row breaks."""
        broken: npt.NDArray[np.intp] = np.count_nonzero(~self.passed, axis=0)
        broken[[*self.unfit, *self.refused]] += 1
        return broken

    @cached_property
    def only(self) -> npt.NDArray[np.intp]:
        """The number of the one rule that each row breaks; -1 if there are several, or a filter.

        The number after those of the predicates means that the groups do not fit together.
        """
        only = np.where(self.broken == 1, self.passed.argmin(axis=0), -1)
        only[list(self.unfit)] = len(self.predicates)
        only[list(self.refused)] = -1
        return only

    @cached_property
    def near(self) -> npt.NDArray[np.intp]:
        """The rows that do not fit: the host that was named, then by how little is missing."""
        distance = self.broken.astype(np.float64)
        for predicate in self.predicates:
            if isinstance(predicate, Amount):
                distance += predicate.lacking(self.fleet) / (len(self.predicates) + 1)
        host = self.request.run.host
        named = None if host is None else self.fleet.row(host)
        if named is not None:
            distance[named] = 0
        rows = np.flatnonzero(self.broken)
        return rows[np.argsort(distance[rows], kind="stable")]

    @cached_property
    def remedies(self) -> Remedies:
        """The smallest changes after which some host takes the request; looked for when asked."""
        return find_remedies(self.fleet, self.request, self.policy, self.near, self.only)

    def remedies_of(self, row: int) -> Remedies:
        """Return the smallest changes after which one row takes the request."""
        return remedy_for(self.fleet, row, self.request, self.policy)

    def rules(self) -> Iterator[RuleReport]:
        """Return every rule against the fleet, in the order of telling."""
        left = np.ones(len(self.fleet), dtype=np.bool_)
        for number, predicate in enumerate(self.predicates):
            passed = self.passed[number]
            left = left & passed
            failed = int(np.count_nonzero(~passed))
            alone = int(np.count_nonzero(self.only == number))
            remaining = int(np.count_nonzero(left))
            yield RuleReport(predicate.rule, predicate.asked, failed, alone, remaining)
        remaining = int(np.count_nonzero(left))
        if self.fit_asked:
            count = len(self.unfit)
            remaining -= count
            yield RuleReport(FIT_RULE, "all groups", count, count, remaining)
        for rule in self.policy.filters:
            count = sum(1 for refusal in self.refused.values() if refusal.filter == rule.name)
            remaining -= count
            yield RuleReport(rule.name, YES, count, count, remaining)


class HostReports(Sequence[HostReport]):
    """The reports of all hosts, each made when it is looked at."""

    def __init__(self, judged: Judged) -> None:
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


def judge(
    fleet: FleetIndex, request: Request, policy: Policy, refusals: Mapping[HostName, Refusal]
) -> Judged:
    """Return the answers about a fleet that no longer changes; arguments as of `explain`."""
    predicates = all_predicates(request, policy, fleet)
    passed = np.array([predicate.passed(fleet, slice(None)) for predicate in predicates])
    unfit, refused = _searched(fleet, request, policy, refusals, np.all(passed, axis=0))
    asks_more = request.topology is not None or bool(fleet.nested.any())
    return Judged(fleet, request, policy, predicates, passed, unfit, refused, asks_more)


def _searched(
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    refusals: Mapping[HostName, Refusal],
    feasible: BoolArray,
) -> tuple[dict[int, str], dict[int, Refusal]]:
    """Return why rows that pass every predicate do not fit after all, or are refused."""
    unfit: dict[int, str] = {}
    refused: dict[int, Refusal] = {}
    fitter = Fitter(request.placement, topology=request.topology)
    exact = ~fleet.nested
    if policy.filters or request.topology is not None:
        exact = np.zeros(len(fleet), dtype=np.bool_)
    for row in np.flatnonzero(feasible & ~exact).tolist():
        if fitter.fit(fleet, row) is None:
            unfit[row] = fitter.unfit(fleet, row)
            continue
        refusal = refusals.get(fleet.names[row]) or policy.refusal(fleet.view(row), request)
        if refusal is not None:
            refused[row] = refusal
    return unfit, refused
