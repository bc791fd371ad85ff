"""The smallest change that is named for a refusal cures it; where nothing does, that is said."""

import importlib
import inspect
import pkgutil
import random

import attrs
import numpy as np
import pytest

from bench.scheduler.refusal_kinds import HELPLESS, KINDS
from bench.scheduler.refusals import helpless, outcomes
from computekit import scheduler
from computekit.scheduler import Explanation, Placed, Scheduler, nova_weighing
from computekit.scheduler.deciding_again import all_predicates
from computekit.scheduler.delta_predicates import Added
from tests.property.effort import examples
from tests.property.scheduler.every_change import smallest_by_trying

TWICE = 2 * len(KINDS)


def test_the_change_that_is_named_cures_every_kind_of_refusal() -> None:
    for found in outcomes(examples(TWICE), seed=1):
        assert found.cured, (found.kind, found.text)


def test_nothing_is_said_to_help_where_nothing_does() -> None:
    for kind, case, found in helpless(3 * len(HELPLESS), seed=1):
        assert found.remedy is None, (kind, found.text())
        assert found.remedies.complete
        assert found.advice == "nothing on the list of changes helps"
        offered = {
            change
            for report in found.explanation.hosts
            for verdict in report.failing
            for change in verdict.changes
        }
        for host in case.fleet.names:
            assert (
                smallest_by_trying(case.fleet, case.request, host, offered, case.policy, 2) is None
            )


def test_every_predicate_refuses_somewhere() -> None:
    refusing: set[type] = set()
    source = random.Random(2)
    for make in (*KINDS.values(), *HELPLESS.values()):
        case = make(source)
        for predicate in all_predicates(case.request, case.policy, case.fleet):
            if not np.all(predicate.passed(case.fleet, slice(None))):
                refusing.add(type(predicate))
    assert predicates() - refusing == {Added}


def predicates() -> set[type]:
    """Return every class that is a predicate of the scheduler."""
    found: set[type] = set()
    for module in pkgutil.iter_modules(scheduler.__path__, "computekit.scheduler."):
        for _name, kind in inspect.getmembers(
            importlib.import_module(module.name), inspect.isclass
        ):
            asks = inspect.isfunction(getattr(kind, "passed", None)) and hasattr(kind, "there")
            if asks and not getattr(kind, "_is_protocol", False):
                found.add(kind)
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_host_alone_is_cured_too(kind: str) -> None:
    case = KINDS[kind](random.Random(3))
    host = case.fleet.names[-1]
    found = Scheduler(case.fleet, case.policy).why_not(case.request, host)
    assert not found.fits
    assert found.remedy is not None
    assert found.remedy.host == host
    assert found.text()
    assert found.rows()
    changed = found.changed(case.fleet)
    again = Scheduler(case.fleet, case.policy).why_not(changed, host)
    assert again.fits, (found.text(), again.text())
    assert isinstance(Scheduler(case.fleet, case.policy).place(changed), Placed)


@pytest.mark.parametrize("nova", [False, True])
@pytest.mark.parametrize("kind", sorted({**KINDS, **HELPLESS}))
def test_decisions_and_explanations_agree_on_every_host(kind: str, nova: bool) -> None:
    case = {**KINDS, **HELPLESS}[kind](random.Random(4))
    policy = attrs.evolve(case.policy, weighers=nova_weighing()) if nova else case.policy
    scheduler = Scheduler(case.fleet, policy, tries_per_host=1)
    found = scheduler.why_not(case.request)
    asked = [case.request, found.changed(case.fleet)]
    for request in asked:
        explanation = scheduler.place(request).explain()
        assert isinstance(explanation, Explanation)
        fits = [report.host for report in explanation.hosts if report.fits]
        taken = [candidate.host for candidate in scheduler.place(request).candidates()]
        assert sorted(set(taken)) == fits
        for host in case.fleet.names:
            run = attrs.evolve(request.run, host=host)
            there = scheduler.place(attrs.evolve(request, run=run))
            if request.run.host is None:
                assert isinstance(there, Placed) == (host in fits)
