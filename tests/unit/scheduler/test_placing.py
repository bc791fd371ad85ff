"""Where requests go: rules, preferences, candidates, and what is passed over."""

import threading
import typing
from collections.abc import Iterator

import attrs
import pytest

from computekit.errors import InvalidInput, StoreUnavailable
from computekit.ids import HostName, ProviderId
from computekit.model import DISK_GB, MEMORY_MB, VCPU, FrozenMap, PlacementRequest, RequestGroup
from computekit.placement import FleetIndex, HostView
from computekit.scheduler import (
    Explanation,
    HostFilter,
    Past,
    Placed,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    SchedulingRun,
    Unplaced,
)
from tests.unit.scheduler.fleet import SSD, flat, index, numa, request


def chosen(scheduler: Scheduler, asked: Request) -> str | None:
    decision = scheduler.place(asked)
    return decision.host if isinstance(decision, Placed) else None


def test_the_host_with_the_most_free_memory_is_chosen() -> None:
    scheduler = Scheduler(
        index(flat("a", memory=3_000), flat("b", memory=2_000), flat("c", memory=4_000))
    )
    decision = scheduler.place(request(2, 512))
    assert isinstance(decision, Placed)
    assert decision.host == "b"
    assert decision.allocation == {
        ProviderId("b-root"): FrozenMap({VCPU: 2, MEMORY_MB: 512, DISK_GB: 10})
    }
    assert decision.candidate.mappings == {"": (ProviderId("b-root"),)}


def test_a_negative_multiplier_stacks() -> None:
    fleet = index(flat("a", memory=3_000), flat("b", memory=2_000), flat("c", memory=65_000))
    assert chosen(Scheduler(fleet, Policy((RamWeigher(-1.0),))), request()) == "a"


@pytest.mark.parametrize("policy", [Policy(), Policy((RamWeigher(0.0),)), Policy(())])
def test_among_equals_the_first_name_wins(policy: Policy) -> None:
    fleet = index(flat("c"), flat("b"), flat("d"))
    assert chosen(Scheduler(fleet, policy), request()) == "b"
    fleet.put([flat("a")])
    assert chosen(Scheduler(fleet, policy), request()) == "a"


@pytest.mark.parametrize(
    ("asked", "host"),
    [
        (request(), "best"),
        (request(ignored=("best",)), "old"),
        (request(ignored=("best", "old", "nobody")), "ssd"),
        (request(on="far"), "far"),
        (request(on="down"), None),
        (request(on="closed"), None),
        (request(on="nobody"), None),
        (request(on="far", ignored=("far",)), None),
        (request(zone="z"), "far"),
        (request(zone="y"), None),
        (request(root_required=(SSD,)), "ssd"),
        (request(17), None),
        (request(16, ignored=("best",)), "far"),
    ],
)
def test_every_rule_holds(asked: Request, host: str | None) -> None:
    fleet = index(
        flat("best"),
        flat("old", vcpu=1, memory=1),
        flat("ssd", vcpu=1, memory=2, traits=(SSD,)),
        flat("far", memory=3, zone="z"),
        flat("down", up=False),
        flat("closed", disabled="broken fan"),
    )
    assert chosen(Scheduler(fleet), asked) == host


def test_claims_are_seen_by_the_next_decision() -> None:
    fleet = index(flat("a"), flat("b"))
    scheduler = Scheduler(fleet)
    hosts = []
    for _instance in range(5):
        decision = scheduler.place(request(8))
        if isinstance(decision, Placed):
            fleet.apply_claim(decision.allocation)
            hosts.append(decision.host)
    assert hosts == ["a", "b", "a", "b"]
    fleet.apply_release({ProviderId("b-root"): FrozenMap({VCPU: 8})})
    assert chosen(scheduler, request(8)) == "b"


def test_a_status_is_a_transition_that_the_next_decision_sees() -> None:
    fleet = index(flat("a"))
    scheduler = Scheduler(fleet)
    assert chosen(scheduler, request()) == "a"
    fleet.set_status(HostName("a"), disabled=None, up=False)
    assert chosen(scheduler, request()) is None
    fleet.set_status(HostName("a"), disabled=None, up=True)
    assert chosen(scheduler, request()) == "a"


def test_candidates_go_down_the_ranking_and_see_what_has_changed() -> None:
    fleet = index(*(flat(name, memory=at) for at, name in enumerate("abcd")))
    candidates = Scheduler(fleet).place(request(8)).candidates()
    assert next(candidates).host == "a"
    fleet.set_status(HostName("b"), disabled=None, up=False)
    fleet.apply_release({ProviderId("d-root"): FrozenMap({MEMORY_MB: 100})})
    second = next(candidates)
    assert (second.host, second.epoch) == ("d", fleet.epoch)
    assert [candidate.host for candidate in candidates] == ["c"]


def test_a_host_with_several_providers_gives_several_candidates_but_not_all() -> None:
    fleet = index(numa("a", *range(8)))
    scheduler = Scheduler(fleet, tries_per_host=3)
    found = list(scheduler.place(request(1)).candidates())
    assert [candidate.host for candidate in found] == ["a"] * 3
    assert len({candidate.allocation for candidate in found}) == 3


def test_the_twin_that_lost_the_race_is_not_the_end_of_the_host() -> None:
    fleet = index(numa("a", 0, 0))
    candidates = Scheduler(fleet).place(request(8)).candidates()
    first = next(candidates)
    fleet.apply_claim({p: FrozenMap({VCPU: 8}) for p in first.allocation if "cell" in p})
    assert any(second.allocation != first.allocation for second in candidates)


def test_alternates_are_other_hosts_and_are_looked_for_when_asked() -> None:
    fleet = index(*(flat(name, memory=at) for at, name in enumerate("abcd")), numa("e", 0, 0))
    decision = Scheduler(fleet).place(request())
    assert isinstance(decision, Placed)
    assert [candidate.host for candidate in decision.alternates()] == ["e", "b"]
    assert [candidate.host for candidate in decision.alternates(9)] == ["e", "b", "c", "d"]


def test_nothing_placed_has_no_candidates() -> None:
    decision = Scheduler(index(flat("a"))).place(request(99))
    assert isinstance(decision, Unplaced)
    assert list(decision.candidates()) == []


def test_an_empty_fleet_is_an_answer() -> None:
    decision = Scheduler(FleetIndex()).place(request())
    assert isinstance(decision, Unplaced)
    assert decision.summary == "there are no hosts"
    assert "there are no hosts" in decision.explain().text()


def test_a_request_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Scheduler(index(flat("a"))).place(Request(PlacementRequest((RequestGroup(),))))


def test_a_placed_decision_explains_its_own_epoch_only() -> None:
    fleet = index(flat("a"))
    decision = Scheduler(fleet).place(request())
    assert isinstance(decision, Placed)
    explanation = decision.explain()
    assert isinstance(explanation, Explanation)
    assert explanation.chosen == "a"
    fleet.apply_claim(decision.allocation)
    past = decision.explain()
    assert past == Past(decision.epoch, fleet.epoch)
    assert "epoch" in past.text()


def test_an_unplaced_decision_explains_the_fleet_as_it_was() -> None:
    fleet = index(flat("a", vcpu=16))
    decision = Scheduler(fleet).place(request())
    fleet.remove([HostName("a")])
    explanation = decision.explain()
    assert isinstance(explanation, Explanation)
    assert [report.host for report in explanation.hosts] == ["a"]
    assert [verdict.there for verdict in explanation.hosts[0].failing] == ["0 of 16 free"]


def test_a_pure_filter_is_asked_once_for_each_state_of_a_host() -> None:
    asked: list[str] = []

    def no_a(host: HostView) -> bool | str:
        asked.append(host.name)
        return host.name != "a"

    fleet = index(flat("a"), flat("b", memory=10))
    scheduler = Scheduler(fleet, Policy(filters=(HostFilter("no a", no_a, pure=True),)))
    assert [chosen(scheduler, request()) for _again in range(3)] == ["b", "b", "b"]
    assert asked.count("a") == 1
    fleet.set_status(HostName("a"), disabled=None, up=True)
    chosen(scheduler, request())
    assert asked.count("a") == 2


def test_another_filter_is_asked_every_time() -> None:
    moods = iter([False, True])
    policy = Policy(filters=(HostFilter("mood", lambda _host: next(moods)),))
    scheduler = Scheduler(index(flat("a")), policy)
    assert [chosen(scheduler, request()) for _again in range(2)] == [None, "a"]


def test_what_a_filter_said_when_it_was_decided_is_what_is_explained() -> None:
    moods: Iterator[bool | str] = iter(["out of luck", True])
    policy = Policy(filters=(HostFilter("mood", lambda _host: next(moods)),))
    explanation = Scheduler(index(flat("a")), policy).place(request()).explain()
    assert isinstance(explanation, Explanation)
    (verdict,) = explanation.hosts[0].failing
    assert (verdict.rule, verdict.there) == ("mood", "out of luck")


def test_only_a_plain_true_passes_a_filter() -> None:
    def careless(_host: HostView) -> bool:
        return typing.cast("bool", 1)

    policy = Policy(filters=(HostFilter("odd", careless),))
    assert chosen(Scheduler(index(flat("a")), policy), request()) is None


def test_more_shapes_than_are_kept_change_no_decision() -> None:
    fleet = index(*(flat(f"h{at}", vcpu=at, memory=at) for at in range(10)))
    few, many = Scheduler(fleet, shapes=2), Scheduler(fleet)
    for vcpu in (1, 5, 9, 14, 1, 16, 5, 9):
        assert chosen(few, request(vcpu)) == chosen(many, request(vcpu))


def test_an_index_that_cannot_be_read_is_an_error_and_not_a_refusal() -> None:
    class Broken:
        def bring(self, index: FleetIndex) -> None:
            raise StoreUnavailable("the disk is on fire")

    with pytest.raises(StoreUnavailable):
        Scheduler(FleetIndex(Broken())).place(request())


def test_threads_do_not_disturb_each_other() -> None:
    fleet = index(*(flat(f"h{at:02}") for at in range(40)))
    scheduler = Scheduler(fleet)
    taken: list[str] = []
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            for _round in range(20):
                with fleet.lock:
                    decision = scheduler.place(request(2))
                    assert isinstance(decision, Placed)
                    fleet.apply_claim(decision.allocation)
                taken.append(decision.host)
                scheduler.place(request(99)).explain()
        except BaseException as error:
            wrong.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert {name: taken.count(name) for name in taken} == {f"h{at:02}": 2 for at in range(40)}


def test_zones_that_something_else_holds_a_request_to() -> None:
    found = index(flat("a", zone="z"), flat("b"))
    for zone, host in (("z", "a"), ("nova", None), ("home", "b"), ("y", None)):
        run = SchedulingRun(zones=frozenset({zone}))
        asked = attrs.evolve(request(), run=run)
        decision = Scheduler(found, Policy(default_zone="home")).place(asked)
        assert (decision.host if isinstance(decision, Placed) else None) == host
        if isinstance(decision, Unplaced):
            assert f"2 fail zone of volumes {zone}" in decision.summary
            assert any("volumes" in each.text for each in decision.explain().remedies)
