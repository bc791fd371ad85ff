"""Decisions and explanations against a reference that tries everything."""

import attrs
from hypothesis import given, settings

from computekit.ids import HostName
from computekit.placement import FleetIndex, HostView
from computekit.scheduler import (
    Explanation,
    HostFilter,
    Placed,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    SchedulingRun,
    Unplaced,
)
from tests.property.effort import examples
from tests.property.scheduler.fleets import FleetHost, fleets, index_of, requests, takes

Fleet = tuple[FleetHost, ...]


def explained(scheduler: Scheduler, request: Request) -> Explanation:
    found = scheduler.place(request).explain()
    assert isinstance(found, Explanation)
    return found


def on_host(request: Request, host: HostName) -> Request:
    ignored = request.run.ignored_hosts
    return attrs.evolve(request, run=SchedulingRun(ignored_hosts=ignored, host=host))


@settings(max_examples=examples(300))
@given(fleets(), requests())
def test_the_hosts_that_are_found_are_those_that_fit(fleet: Fleet, request: Request) -> None:
    decision = Scheduler(index_of(fleet), tries_per_host=1).place(request)
    found = [candidate.host for candidate in decision.candidates()]
    assert sorted(found) == sorted(of.host.name for of in fleet if takes(of, request))
    assert isinstance(decision, Placed) == bool(found)


@given(fleets(), requests())
def test_the_order_is_by_score_and_then_by_name(fleet: Fleet, request: Request) -> None:
    for policy in (Policy(), Policy((RamWeigher(-1.0),)), Policy(())):
        decision = Scheduler(index_of(fleet), policy, tries_per_host=1).place(request)
        order = [(-candidate.score, candidate.host) for candidate in decision.candidates()]
        assert order == sorted(order)


@given(fleets(), requests())
def test_an_explanation_says_what_the_decision_did(fleet: Fleet, request: Request) -> None:
    explanation = explained(Scheduler(index_of(fleet)), request)
    fitting = {of.host.name for of in fleet if takes(of, request)}
    assert {report.host for report in explanation.hosts if report.fits} == fitting
    assert explanation.rules[-1].left == len(fitting)
    assert (explanation.chosen is None) == (not fitting)
    for report in explanation.near_misses:
        assert report.host not in fitting
    for rule in explanation.rules:
        judged = [v for report in explanation.hosts for v in report.verdicts if v.rule == rule.rule]
        assert rule.failed <= sum(1 for verdict in judged if not verdict.passed)
    assert explanation.text()
    assert explanation.html()


@settings(max_examples=examples(300))
@given(fleets(), requests())
def test_every_named_remedy_makes_the_request_fit(fleet: Fleet, request: Request) -> None:
    index = index_of(fleet)
    decision = Scheduler(index).place(request)
    if not isinstance(decision, Unplaced):
        return
    explanation = decision.explain()
    named = [*explanation.remedies, *(explanation.remedy(of.host.name) for of in fleet)]
    for remedy in named:
        if remedy is None:
            continue
        changed, other = request, index.copy()
        for change in remedy.changes:
            changed = change.apply(changed, other)
        after = Scheduler(other).place(on_host(changed, remedy.host))
        assert isinstance(after, Placed), (remedy.text, after)


@given(fleets(most=1), requests(suffixed=0))
def test_on_flat_hosts_each_rule_names_a_change_that_cures_it(
    fleet: Fleet, request: Request
) -> None:
    index = index_of(fleet)
    for report in explained(Scheduler(index), request).hosts:
        changed, other = request, index.copy()
        if not all(verdict.changes for verdict in report.failing):
            continue
        for verdict in report.failing:
            changed = verdict.changes[0].apply(changed, other)
        if any(group.resources for group in changed.placement.groups):
            assert isinstance(Scheduler(other).place(on_host(changed, report.host)), Placed)


@given(fleets(), requests())
def test_a_filter_refuses_what_it_refuses_and_nothing_else(fleet: Fleet, request: Request) -> None:
    def odd(host: HostView) -> bool | str:
        return int(host.name[1:]) % 2 == 1 or "even"

    def raising(host: HostView) -> bool:
        if host.name == "h1":
            raise ValueError("h1 is cursed")
        return True

    policy = Policy(filters=(HostFilter("odd", odd, pure=True), HostFilter("careful", raising)))
    scheduler = Scheduler(index_of(fleet), policy, tries_per_host=1)
    fitting = {of.host.name for of in fleet if takes(of, request)}
    wanted = {name for name in fitting if name == "h3"}
    for _again in range(2):
        decision = scheduler.place(request)
        assert {candidate.host for candidate in decision.candidates()} == wanted
        explanation = decision.explain()
        assert isinstance(explanation, Explanation)
        for name, reason in (("h1", "raised ValueError: h1 is cursed"), ("h2", "even")):
            report = explanation.host(HostName(name))
            if name in fitting:
                assert report is not None
                assert [verdict.there for verdict in report.failing] == [reason]


@given(fleets(), requests())
def test_what_is_found_can_be_claimed(fleet: Fleet, request: Request) -> None:
    index: FleetIndex = index_of(fleet)
    by_name = {of.host.name: of for of in fleet}
    for candidate in Scheduler(index).place(request).candidates():
        uses = {use.provider.id: use for use in by_name[candidate.host].uses}
        for provider, amounts in candidate.allocation.items():
            use = uses[provider]
            for name, amount in amounts.items():
                inventory = use.provider.inventories[name]
                assert inventory.broken_rule(amount) is None
                assert amount + use.used.get(name, 0) <= inventory.capacity
        for suffix, providers in candidate.mappings.items():
            assert set(providers) <= set(uses)
            assert suffix in {group.suffix for group in request.placement.groups}
