"""Two policies on one snapshot."""

from computekit.ids import HostName, ProjectId, ServerGroupId
from computekit.model import (
    HOST_LEVEL,
    MEMORY_MB,
    VCPU,
    PlacementRule,
    RuleKind,
    ServerGroup,
)
from computekit.scheduler import (
    NumInstancesFilter,
    PlacementIntent,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
)
from tests.unit.scheduler.fleet import flat, index, request

SPREAD, PACK = Policy(), Policy((RamWeigher(-1.0),))
NAMES = ("spread", "pack")


def test_where_they_differ_and_what_each_leaves() -> None:
    fleet = index(flat("a", memory=1_024), flat("b", memory=2_048), flat("c", disabled="x"))
    before = fleet.epoch
    found = Scheduler(fleet).compare(SPREAD, PACK, [request()] * 3, names=NAMES)
    assert fleet.epoch == before
    assert [(one.a.host, one.b.host) for one in found.requests] == [
        ("a", "b"),
        ("a", "b"),
        ("b", "b"),
    ]
    first = found.requests[0]
    assert first.a.score == 64_512
    assert first.a.other_score == 63_488
    assert first.a.margin == 1_024
    assert first.b.margin == 1_024
    assert [one.number for one in found.differing] == [0, 1]
    spread, pack = found.left
    assert (spread.placed, spread.refused, spread.hosts_touched) == (3, 0, 2)
    assert (pack.placed, pack.refused, pack.hosts_touched) == (3, 0, 1)
    assert spread.largest_free[MEMORY_MB] == 62_464
    assert pack.largest_free[MEMORY_MB] == 64_512
    assert spread.free[VCPU] == pack.free[VCPU] == 29


def test_how_it_looks() -> None:
    fleet = index(flat("a", vcpu=14), flat("b", vcpu=14, memory=1_024))
    asked = [request(2), request(2), request(2)]
    found = Scheduler(fleet).compare(SPREAD, PACK, asked, names=NAMES)
    assert found.text(width=80) == (
        "2 of 3 requests go elsewhere; spread places 2 on 2 hosts, pack 2 on 2 hosts\n"
        "\n"
        "what each leaves        spread    pack\n"
        "----------------------  ------  ------\n"
        "requests placed              2       2\n"
        "requests refused             1       1\n"
        "hosts touched                2       2\n"
        "largest free DISK_GB       490     490\n"
        "largest free MEMORY_MB   64512   64512\n"
        "largest free VCPU            0       0\n"
        "free DISK_GB               980     980\n"
        "free MEMORY_MB          128000  128000\n"
        "free VCPU                    0       0\n"
        "\n"
        "Where they differ\n"
        "request  spread chose  pack chose  better by spread  better by pack\n"
        "-------  ------------  ----------  ----------------  --------------\n"
        "      0  a             b                       1024            1024\n"
        "      1  b             a              it alone fits   it alone fits"
    )
    assert found.html().startswith("<div>")
    assert found.rows()[0] == {
        "request": 0,
        "same": False,
        "host_a": "a",
        "host_b": "b",
        "score_a": 65_536.0,
        "score_b": -64_512.0,
        "margin_a": 1_024.0,
        "margin_b": 1_024.0,
    }
    assert found.rows()[2]["host_a"] is None
    assert found.left_rows()[0]["policy"] == "spread"


def test_rules_of_a_policy_and_of_a_group_see_what_was_placed_before() -> None:
    fleet = index(flat("a"), flat("b", memory=1_024))
    few = Policy(rules=(NumInstancesFilter(1),))
    for name in ("a", "b"):
        fleet.set_figures(HostName(name), {"instances": 0})
    found = Scheduler(fleet).compare(SPREAD, few, [request()] * 3)
    assert [one.b.host for one in found.requests] == ["a", "b", None]
    group = ServerGroupId("g")
    apart = PlacementRule(RuleKind.SPREAD, HOST_LEVEL)
    fleet.groups.put(ServerGroup(group, "g", ProjectId("p"), (apart,)))
    member = Request(request().placement, PlacementIntent(group=group))
    found = Scheduler(fleet).compare(SPREAD, PACK, [member] * 3)
    assert [one.a.host for one in found.requests] == ["a", "b", None]
    assert [one.b.host for one in found.requests] == ["b", "a", None]


def test_no_requests_and_no_hosts() -> None:
    found = Scheduler(index()).compare(SPREAD, PACK, [])
    assert found.summary == "0 of 0 requests go elsewhere; a places 0 on 0 hosts, b 0 on 0 hosts"
    assert found.text()
    assert found.rows() == ()
