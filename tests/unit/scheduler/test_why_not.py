"""Why not this host, or any: the answer, the smallest way out, and how they look."""

import attrs
import pytest

from computekit.errors import InvalidInput, NotFound
from computekit.ids import HostName
from computekit.model import MEMORY_MB, VCPU, FrozenMap, PlacementRequest, RequestGroup
from computekit.scheduler import (
    AskAmount,
    AskZone,
    EnableHost,
    FreeUp,
    HostFilter,
    NumInstancesFilter,
    Placed,
    Policy,
    Remedy,
    Request,
    Scheduler,
)
from tests.unit.scheduler.fleet import SSD, flat, index, numa, request

A, B = HostName("a"), HostName("b")


def test_a_host_that_does_not_fit_is_told_with_the_smallest_way_out() -> None:
    fleet = index(flat("a", vcpu=10, zone="az1", disabled="fan"), flat("b", zone="az2"))
    found = Scheduler(fleet).why_not(request(8, zone="az2"), A)
    assert not found.fits
    assert found.text(width=88) == (
        "a does not fit: enabled: disabled: fan, zone az2 against az1, VCPU 8 against 6 of 16\n"
        "free\n"
        "asked: 8 VCPU, 1024 MEMORY_MB, 10 DISK_GB in zone az2\n"
        "enable a, and ask for zone az1 instead of az2, and ask for 6 VCPU instead of 8: then a\n"
        "fits\n"
        "\n"
        "a\n"
        "rule       asked  there                       what would help\n"
        "---------  -----  -------------------  -----  ------------------------------------------\n"
        "enabled    yes    disabled: fan        FAILS  enable a\n"
        "up         yes    yes                  ok\n"
        "zone       az2    az1                  FAILS  ask for zone az1 instead of az2\n"
        "VCPU       8      6 of 16 free         FAILS  ask for 6 VCPU instead of 8 or free 2 VCPU\n"
        "                                              on a\n"
        "MEMORY_MB  1024   65536 of 65536 free  ok\n"
        "DISK_GB    10     500 of 500 free      ok"
    )
    assert found.remedy is not None
    assert found.remedy.changes == (
        EnableHost(A),
        AskZone("az2", "az1"),
        AskAmount("", VCPU, 8, 6),
    )
    assert found.rows()[3] == {
        "host": "a",
        "rule": "VCPU",
        "asked": "8",
        "there": "6 of 16 free",
        "passed": False,
        "would_help": "ask for 6 VCPU instead of 8 or free 2 VCPU on a",
    }


def test_a_host_that_fits_is_told_who_is_preferred() -> None:
    scheduler = Scheduler(index(flat("a", memory=1_024), flat("b")))
    assert scheduler.why_not(request(), A).summary == "a fits; b is preferred"
    found = scheduler.why_not(request(), B)
    assert found.summary == "b fits"
    assert found.advice == ""
    assert found.remedy is None


def test_a_fleet_is_asked_as_a_whole() -> None:
    scheduler = Scheduler(index(flat("a", vcpu=10), flat("b", vcpu=9)))
    nowhere = scheduler.why_not(request(8))
    assert nowhere.summary == "none of 2 hosts fits: 2 fail VCPU 8"
    assert nowhere.advice == "ask for 7 VCPU instead of 8: then b fits"
    assert nowhere.report is not None
    assert nowhere.report.host == B
    assert [row["hosts_left"] for row in nowhere.rows()] == [2, 2, 0, 0, 0]
    assert "<svg" in nowhere.html()
    somewhere = scheduler.why_not(request(1))
    assert somewhere.fits
    assert somewhere.advice == ""


def test_the_changes_do_what_they_say() -> None:
    fleet = index(flat("a", vcpu=16))
    scheduler = Scheduler(fleet)
    found = scheduler.why_not(request(40), A)
    assert found.remedy is not None
    assert found.remedy.changes == (
        AskAmount("", VCPU, 40, 1),
        FreeUp(A, fleet.root(0), VCPU, 1),
    )
    changed = found.changed(fleet)
    decision = scheduler.place(changed)
    assert isinstance(decision, Placed)
    assert decision.request.placement.groups[0].resources[VCPU] == 1


def test_nothing_helps_where_nothing_does() -> None:
    def never(_host: object) -> str:
        return "never"

    rules = Policy(filters=(HostFilter("mine", never),))
    found = Scheduler(index(flat("a")), rules).why_not(request(), A)
    assert found.summary == "a does not fit: mine: never"
    assert found.advice == "nothing on the list of changes helps"
    assert found.remedies.complete
    none = Scheduler(index(flat("a")), Policy(rules=(NumInstancesFilter(0),))).why_not(request())
    assert none.advice == "nothing on the list of changes helps"
    empty = Scheduler(index()).why_not(request())
    assert empty.summary == "there are no hosts"
    assert empty.remedy is None


def test_a_change_that_two_rules_ask_for_is_made_once() -> None:
    fleet = index(flat("a", zone="az1"))
    asked = request(zone="az2")
    twice = attrs.evolve(asked, machine_type="pc")
    found = Scheduler(fleet, Policy(rules=(NumInstancesFilter(1),))).why_not(twice, A)
    assert found.remedy is not None
    assert [change.text for change in found.remedy.changes] == [
        "ask for zone az1 instead of az2",
        "do without machine type pc",
    ]


def test_groups_on_a_tree_need_several_changes_at_times() -> None:
    groups = tuple(RequestGroup(f"_{at}", FrozenMap({VCPU: 8})) for at in range(3))
    found = Scheduler(index(numa("a", 0, 0))).why_not(Request(PlacementRequest(groups, "none")), A)
    assert found.remedy is not None
    assert found.remedy.size[0] == 2
    changed = found.changed(index(numa("a", 0, 0)))
    assert isinstance(Scheduler(index(numa("a", 0, 0))).place(changed), Placed)


def test_a_named_host_and_what_makes_no_sense() -> None:
    scheduler = Scheduler(index(flat("a"), flat("b")))
    elsewhere = scheduler.why_not(request(on="b"), A)
    assert elsewhere.advice == "do without host b: then a fits"
    lacking = scheduler.why_not(request(root_required=(SSD,)), A)
    assert lacking.advice == "do without trait CUSTOM_SSD: then a fits"
    with pytest.raises(NotFound):
        scheduler.why_not(request(), HostName("nobody"))
    with pytest.raises(InvalidInput):
        scheduler.why_not(Request(PlacementRequest(())), A)


def test_asking_why_changes_nothing() -> None:
    fleet = index(flat("a", vcpu=16), flat("b", vcpu=16, disabled="x"))
    scheduler = Scheduler(fleet)
    before = fleet.epoch, fleet.version, [fleet.view(row) for row in range(2)]
    scheduler.why_not(request(4))
    scheduler.why_not(request(4), B)
    assert (fleet.epoch, fleet.version, [fleet.view(row) for row in range(2)]) == before


def test_where_the_fewest_take_too_long_enough_changes_are_named_and_doubted() -> None:
    fleet = index(numa("a", *(3 + at % 5 for at in range(5))))
    amounts = FrozenMap({VCPU: 6, MEMORY_MB: 33_000})
    groups = tuple(RequestGroup(f"_{at}", amounts) for at in range(5))
    asked = Request(PlacementRequest(groups, "isolate"))
    found = Scheduler(fleet).why_not(asked, A)
    assert found.remedy is not None
    assert not found.remedies.complete
    assert found.advice.endswith(": then a fits (not everything was tried: less may do)")
    assert "less may do" in Scheduler(fleet).why_not(asked).explanation.text()
    for left_out in found.remedy.changes:
        fewer = tuple(change for change in found.remedy.changes if change != left_out)
        copy = fleet.copy()
        changed = Remedy(fewer, A).apply(asked, copy)
        assert not isinstance(Scheduler(copy).place(changed), Placed), left_out.text
    changed = found.changed(fleet)
    assert isinstance(Scheduler(fleet).place(changed), Placed)
