"""What an explanation says, word by word."""

from computekit.ids import HostName
from computekit.model import VCPU, FrozenMap, Inventory, PlacementRequest, RequestGroup
from computekit.placement import FleetIndex
from computekit.scheduler import (
    AskAmount,
    AskZone,
    EnableHost,
    Explanation,
    FreeUp,
    HostFilter,
    Policy,
    Request,
    Scheduler,
    WakeHost,
    report_view,
)
from tests.unit.scheduler.fleet import SSD, flat, index, numa, request


def explained(fleet: FleetIndex, asked: Request, *filters: HostFilter) -> Explanation:
    found = Scheduler(fleet, Policy(filters=filters)).place(asked).explain()
    assert isinstance(found, Explanation)
    return found


def small_fleet() -> FleetIndex:
    return index(
        flat("cmp1", vcpu=14, zone="az1"),
        flat("cmp2", vcpu=4, memory=65_000, zone="az1"),
        flat("cmp3", zone="az2", disabled="broken fan"),
        flat("cmp4", zone="az1", up=False),
        flat("cmp5", vcpu=2, zone="az2"),
    )


def test_the_whole_text_of_a_refusal() -> None:
    assert explained(small_fleet(), request(8, 2_048, zone="az1")).text(width=80) == (
        "none of 5 hosts fits: 1 fails enabled, 1 fails up, 1 fails zone az1, 1 fails\n"
        "VCPU 8, 1 fails MEMORY_MB 2048\n"
        "asked: 8 VCPU, 2048 MEMORY_MB, 10 DISK_GB in zone az1\n"
        "\n"
        "rule       asked  hosts left  lost  fail only this\n"
        "---------  -----  ----------  ----  --------------\n"
        "all hosts                  5\n"
        "enabled    yes             4    -1\n"
        "up         yes             3    -1               1\n"
        "zone       az1             2    -1               1\n"
        "VCPU       8               1    -1               1\n"
        "MEMORY_MB  2048            0    -1               1\n"
        "DISK_GB    10              0\n"
        "\n"
        "The nearest hosts\n"
        "host  fails      asked  there                 also fails\n"
        "----  ---------  -----  --------------------  ----------\n"
        "cmp4  up         yes    down\n"
        "cmp5  zone       az1    az2\n"
        "cmp2  MEMORY_MB  2048   536 of 65536 free\n"
        "cmp1  VCPU       8      2 of 16 free\n"
        "cmp3  enabled    yes    disabled: broken fan  zone\n"
        "\n"
        "What would help\n"
        "  bring cmp4 up: then cmp4 fits\n"
        "  ask for 536 MEMORY_MB instead of 2048: then cmp2 fits\n"
        "  ask for 2 VCPU instead of 8: then cmp1 fits\n"
        "  ask for zone az2 instead of az1: then cmp5 fits\n"
        "  free 6 VCPU on cmp1: then cmp1 fits\n"
        "  free 1512 MEMORY_MB on cmp2: then cmp2 fits"
    )


def test_the_text_of_a_placement_says_why_this_host() -> None:
    text = explained(small_fleet(), request(1, 512)).text()
    assert text.startswith("cmp1 takes it; 3 of 5 hosts could\n")
    assert "Best hosts\nhost    ram  score\n" in text
    assert "Why not the others\n" in text
    assert "What would help" not in text


def test_the_remedies_are_values_to_work_with() -> None:
    found = explained(small_fleet(), request(8, 2_048, zone="az1"))
    changes = [remedy.changes for remedy in found.remedies]
    assert (WakeHost(HostName("cmp4")),) in changes
    assert (AskZone("az1", "az2"),) in changes
    assert (AskAmount("", VCPU, 8, 2),) in changes
    assert any(isinstance(change, FreeUp) for (change,) in changes)


def test_several_changes_are_named_together_if_no_single_one_helps() -> None:
    fleet = index(flat("a", vcpu=12, disabled="x"), flat("b", vcpu=15, memory=65_000, up=False))
    found = explained(fleet, request(8))
    assert found.remedies[0].changes == (EnableHost(HostName("a")), AskAmount("", VCPU, 8, 4))
    assert found.remedies[0].text == ("enable a, and ask for 4 VCPU instead of 8: then a fits")
    assert found.remedy(HostName("b")) == found.remedies[1]
    assert found.remedy(HostName("nobody")) is None


def test_the_host_that_was_named_comes_first() -> None:
    fleet = index(flat("a"), flat("b", vcpu=15, disabled="x"))
    found = explained(fleet, request(8, on="b"))
    assert found.near_misses[0].host == "b"
    assert found.remedies[0].text == "do without host b: then a fits"


def test_a_request_that_fits_each_group_but_not_all_is_told_so() -> None:
    groups = tuple(RequestGroup(f"_{at}", FrozenMap({VCPU: 5})) for at in range(3))
    asked = Request(PlacementRequest(groups, "none"))
    found = explained(index(numa("a", 0, 0), numa("b", 8, 8)), asked)
    assert found.summary == (
        "none of 2 hosts fits: 1 fails VCPU 15 (5 + 5 + 5), 1 fails together all groups"
    )
    assert [verdict.there for verdict in found.hosts[0].failing] == [
        "each group fits on some provider, but not all together"
    ]
    assert found.remedies[0].text == "ask for 3 VCPU instead of 5 in group _0: then a fits"


def test_what_is_there_tells_pieces_from_sums_and_units_from_amounts() -> None:
    fleet = index(numa("a", 2, 2))
    report = explained(fleet, request(7)).hosts[0]
    assert {v.rule: v.there for v in report.failing} == {
        "VCPU": "12 of 16 free, at most 6 in one place"
    }


def test_one_host_against_every_rule() -> None:
    found = explained(index(flat("a", vcpu=10, traits=())), request(8, root_required=(SSD,)))
    report = found.host(HostName("a"))
    assert report is not None
    assert not report.fits
    assert report_view(report).text(width=88) == (
        "a\n"
        "rule       asked       there                       what would help\n"
        "---------  ----------  -------------------  -----  -------------------------------------\n"
        "enabled    yes         yes                  ok\n"
        "up         yes         yes                  ok\n"
        "trait      CUSTOM_SSD  lacks it             FAILS  do without trait CUSTOM_SSD\n"
        "VCPU       8           6 of 16 free         FAILS  ask for 6 VCPU instead of 8 or free 2\n"
        "                                                   VCPU on a\n"
        "MEMORY_MB  1024        65536 of 65536 free  ok\n"
        "DISK_GB    10          500 of 500 free      ok"
    )


def test_the_reports_of_hosts_can_be_sliced_like_a_tuple() -> None:
    hosts = explained(small_fleet(), request(99)).hosts
    assert [report.host for report in hosts[1:3]] == ["cmp2", "cmp3"]
    assert hosts[-1].host == "cmp5"
    assert len(hosts) == 5


def test_names_of_others_cannot_write_into_a_page_or_a_terminal() -> None:
    evil = "<script>alert(1)</script>\x1b[2J\n\u202e"

    def judge(_host: object) -> str:
        return evil

    fleet = index(flat(evil), flat("b", disabled=evil, zone=evil))
    found = explained(fleet, request(zone=evil), HostFilter(evil, judge))
    for text in (found.text(width=60), found.html()):
        assert not set(text) & set("\x1b\u202e")
    assert "<script>" not in found.html()


def test_a_hundred_thousand_hosts_are_explained_without_a_report_for_each() -> None:
    names = [HostName(f"h{at:06}") for at in range(100_000)]
    fleet = FleetIndex.from_columns(names, {VCPU: Inventory(16)})
    asked = Request(PlacementRequest((RequestGroup("", FrozenMap({VCPU: 17})),)))
    found = explained(fleet, asked)
    assert found.summary == "none of 100000 hosts fits: 100000 fail VCPU 17"
    assert len(found.near_misses) == 10
    assert found.remedies[0].text == "ask for 16 VCPU instead of 17: then h000000 fits"
