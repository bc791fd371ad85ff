"""Where members of server groups go, and why not elsewhere."""

from collections.abc import Mapping

import pytest

from computekit.ids import AggregateId, ConsumerId, HostName, InstanceId, ProjectId, ServerGroupId
from computekit.model import (
    Aggregate,
    FrozenMap,
    PlacementRule,
    RuleKind,
    RuleMode,
    ServerGroup,
    TopologyLevel,
    TopologyLevels,
    UnknownDomain,
)
from computekit.placement import FleetIndex
from computekit.scheduler import (
    Placed,
    PlacementIntent,
    Request,
    Scheduler,
    SchedulingRun,
    Unplaced,
)
from tests.unit.scheduler.fleet import flat, request

LEVELS = TopologyLevels(
    (TopologyLevel("az", "availability_zone"), TopologyLevel("rack", "topology:rack"))
)
GROUP = ServerGroupId("g")
SPREAD, TOGETHER = RuleKind.SPREAD, RuleKind.TOGETHER
# Most free memory first: a, b, c, d, e.
HOSTS = {"a": "z1", "b": "z1", "c": "z1", "d": "z2", "e": None}
RACKS = {"r1": ("a", "b"), "r2": ("c",), "r3": ("d",)}
Places = Mapping[str, frozenset[str]]


def at(host: str) -> Places:
    """Return where a member is that is on a host."""
    rack = [name for name, hosts in RACKS.items() if host in hosts]
    zone = HOSTS[host]
    places = {"host": frozenset({host}), "rack": frozenset(rack)}
    places["az"] = frozenset() if zone is None else frozenset({zone})
    return {level: domains for level, domains in places.items() if domains}


def fleet(rules: tuple[PlacementRule, ...], *hosts: str) -> FleetIndex:
    """Return a fleet whose group has a member on each of `hosts`, called m0, m1 ..."""
    index = FleetIndex(levels=LEVELS)
    names = sorted(HOSTS)
    index.put(flat(n, memory=1024 * names.index(n), zone=HOSTS[n]) for n in names)
    index.put_aggregates(
        Aggregate(
            number,
            AggregateId(rack),
            rack,
            FrozenMap({"topology:rack": rack}),
            frozenset(map(HostName, members)),
        )
        for number, (rack, members) in enumerate(RACKS.items())
    )
    index.groups.put(ServerGroup(GROUP, "web", ProjectId("p"), rules))
    for number, host in enumerate(hosts):
        index.groups.move(ConsumerId(f"m{number}"), {GROUP: at(host)})
    return index


def wanted(
    instance: str | None = None, zone: str | None = None, host: str | None = None
) -> Request:
    run = SchedulingRun(
        instance=None if instance is None else InstanceId(instance),
        host=None if host is None else HostName(host),
    )
    return Request(request().placement, PlacementIntent(group=GROUP, zone=zone), run)


def order(index: FleetIndex, asked: Request) -> str:
    """Return the hosts that may be chosen, best first."""
    return "".join(found.host for found in Scheduler(index).place(asked).candidates())


def test_without_members_the_first_goes_anywhere() -> None:
    for rule in (PlacementRule(SPREAD, "host"), PlacementRule(TOGETHER, "host")):
        assert order(fleet((rule,)), wanted()) == "abcde"


@pytest.mark.parametrize(
    ("rule", "members", "left"),
    [
        (PlacementRule(SPREAD, "host"), "ac", "bde"),
        (PlacementRule(SPREAD, "host", max_per_domain=2), "aac", "bcde"),
        (PlacementRule(SPREAD, "rack"), "a", "cd"),
        (PlacementRule(SPREAD, "rack", max_per_domain=2), "aac", "cd"),
        (PlacementRule(SPREAD, "rack", unknown=UnknownDomain.IGNORE), "a", "cde"),
        (PlacementRule(SPREAD, "az"), "a", "d"),
        (PlacementRule(SPREAD, "rack", max_skew=1), "a", "cd"),
        (PlacementRule(SPREAD, "rack", max_skew=1), "acd", "abcd"),
        (PlacementRule(SPREAD, "rack", max_skew=2), "aa", "cd"),
        (PlacementRule(SPREAD, "rack", max_skew=2), "a", "abcd"),
        (PlacementRule(SPREAD, "rack", max_skew=1, min_domains=4), "acd", ""),
        (PlacementRule(SPREAD, "rack", max_skew=2, max_per_domain=1), "a", "cd"),
        (PlacementRule(SPREAD, "host", max_skew=1), "ab", "cde"),
        (PlacementRule(TOGETHER, "host"), "c", "c"),
        (PlacementRule(TOGETHER, "host"), "ac", "ac"),
        (PlacementRule(TOGETHER, "rack"), "b", "ab"),
        (PlacementRule(TOGETHER, "az"), "c", "abc"),
        (PlacementRule(TOGETHER, "rack"), "e", "abcd"),
    ],
)
def test_hard_rules_leave_some_hosts(rule: PlacementRule, members: str, left: str) -> None:
    assert order(fleet((rule,), *members), wanted()) == left


def test_several_rules_hold_together() -> None:
    rules = (PlacementRule(SPREAD, "host"), PlacementRule(TOGETHER, "az"))
    assert order(fleet(rules, "a"), wanted()) == "bc"
    rules = (PlacementRule(SPREAD, "host"), PlacementRule(SPREAD, "rack", max_skew=1))
    # Only rack r1 has a host left that has no member: it alone is compared.
    assert order(fleet(rules, "a", "c", "d"), wanted()) == "b"


def test_only_domains_that_could_take_it_are_compared() -> None:
    rule = PlacementRule(SPREAD, "rack", max_skew=1)
    index = fleet((rule,), "a", "c")
    assert order(index, wanted()) == "d"
    assert order(index, wanted(zone="z1")) == "abc"
    index.set_status(HostName("d"), disabled="broken", up=True)
    assert order(index, wanted()) == "abc"
    assert order(index, wanted(host="a")) == "a"


def test_a_member_that_moves_does_not_count_itself() -> None:
    rules = (PlacementRule(SPREAD, "host"),)
    assert order(fleet(rules, "a", "b"), wanted("m0")) == "acde"
    together = (PlacementRule(TOGETHER, "host"),)
    assert order(fleet(together, "a"), wanted("m0")) == "abcde"
    assert order(fleet(together, "a", "b"), wanted("m0")) == "b"


def test_nobody_follows_who_is_on_the_move() -> None:
    index = fleet((PlacementRule(TOGETHER, "host"),))
    both: Places = {"host": frozenset({"a", "b"})}
    index.groups.move(ConsumerId("m"), {GROUP: both})
    assert order(index, wanted()) == ""


def test_soft_rules_go_before_memory() -> None:
    soft = PlacementRule(SPREAD, "host", RuleMode.SOFT)
    assert order(fleet((soft,), "a", "a", "b"), wanted()) == "cdeba"
    assert order(fleet((PlacementRule(TOGETHER, "host", RuleMode.SOFT),), "d"), wanted()) == "dabce"
    racks = PlacementRule(SPREAD, "rack", RuleMode.SOFT)
    assert order(fleet((racks,), "a", "c", "c"), wanted()) == "deabc"
    assert order(fleet((PlacementRule(TOGETHER, "az", RuleMode.SOFT),), "d"), wanted()) == "dabce"
    both = (racks, PlacementRule(TOGETHER, "host", RuleMode.SOFT, weight=0.25))
    assert order(fleet(both, "a", "d"), wanted()) == "ceadb"


def test_a_group_that_is_not_known_asks_for_nothing() -> None:
    index = fleet((PlacementRule(SPREAD, "host"),), "a")
    index.groups.remove(GROUP)
    assert order(index, wanted()) == "abcde"


def test_a_refusal_says_which_rule_and_what_is_there() -> None:
    rule = PlacementRule(SPREAD, "az")
    index = fleet((rule,), "a", "d")
    scheduler = Scheduler(index)
    decision = scheduler.place(wanted())
    assert isinstance(decision, Unplaced)
    explanation = decision.explain()
    assert "server group at most 1 per az in web" in explanation.summary
    report = explanation.host(HostName("b"))
    assert report is not None
    (failing,) = report.failing
    assert (failing.rule, failing.there) == ("server group", "az z1 has 1 of 1")
    assert [change.text for change in failing.changes] == ["do without server group web"]
    nowhere = explanation.host(HostName("e"))
    assert nowhere is not None
    assert nowhere.failing[0].there == "in no az"
    assert any("server group web" in remedy.text for remedy in explanation.remedies)


def test_what_a_placed_decision_was_compared_with_goes_along() -> None:
    index = fleet((PlacementRule(SPREAD, "rack", max_skew=1),), "a")
    decision = Scheduler(index).place(wanted())
    assert isinstance(decision, Placed)
    compared = decision.candidate.eligible["rack"]
    assert compared.count == 3
    assert compared.names == frozenset({"r1", "r2", "r3"})
