"""Many requests at once: decided on one state, claimed in one transaction."""

from collections.abc import Callable
from typing import Never

import attrs
import pytest

from computekit.errors import (
    CapacityExceeded,
    CounterFull,
    HostChanged,
    InvalidInput,
    StoreUnavailable,
)
from computekit.ids import ConsumerId, HostName, ProjectId, ProviderId, ServerGroupId, UserId
from computekit.model import (
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    PlacementRule,
    ProviderTree,
    RuleKind,
    ServerGroup,
    Trait,
)
from computekit.placement import Claim, FleetIndex, HostView, MemoryPlacement
from computekit.scheduler import (
    FleetFollower,
    GroupSlots,
    MemoryCells,
    MemoryGroups,
    MemoryHosts,
    PlacementIntent,
    Request,
    Scheduler,
)
from computekit.scheduler.batch import BatchPlaced, BatchUnplaced
from computekit.scheduler.books import BookClaims, Books, Taken
from computekit.scheduler.claiming import (
    Grants,
    LostRace,
    NoneEligible,
    PlacementUnavailable,
    TriesExhausted,
    place_and_claim,
)
from computekit.scheduler.decision import Selection
from computekit.testing import ManualClock
from computekit.work import MemoryStore, Tx
from tests.unit.scheduler import test_numa
from tests.unit.scheduler.fleet import flat, index, numa, request

GROUP = ServerGroupId("g")


def views(fleet: FleetIndex) -> list[HostView]:
    return [fleet.view(row) for row in range(len(fleet))]


def member(vcpu: int = 1) -> Request:
    return attrs.evolve(request(vcpu), intent=PlacementIntent(group=GROUP))


def hosts_of(found: BatchPlaced | BatchUnplaced) -> str:
    assert isinstance(found, BatchPlaced)
    return "".join(decision.host for decision in found.placed)


def grouped(rule: PlacementRule) -> FleetIndex:
    fleet = index(flat("a"), flat("b", memory=1), flat("c", memory=2))
    fleet.groups.put(ServerGroup(GROUP, "web", ProjectId("p"), (rule,)))
    return fleet


def test_what_earlier_ones_take_counts_for_later_ones() -> None:
    fleet = index(flat("a", vcpu=12), flat("b"))
    before = views(fleet)
    scheduler = Scheduler(fleet)
    found = scheduler.place_many([request(4), request(8), request(4), request(4)])
    assert sorted(hosts_of(found)) == ["a", "b", "b", "b"]
    assert views(fleet) == before
    assert hosts_of(scheduler.place_many([request(4), request(8), request(4), request(4)])) == (
        hosts_of(found)
    )
    assert hosts_of(scheduler.place_many([])) == ""


def test_hundreds_of_equal_ones_fill_the_fleet_and_no_more() -> None:
    fleet = index(*(flat(f"h{number:02}") for number in range(20)))
    scheduler = Scheduler(fleet)
    found = scheduler.place_many([request()] * 320)
    assert isinstance(found, BatchPlaced)
    counts = [sum(1 for one in found.placed if one.host == name) for name in fleet.names]
    assert counts == [16] * 20
    refused = scheduler.place_many([request()] * 321)
    assert isinstance(refused, BatchUnplaced)
    assert refused.number == 320
    assert "after 320 that could be placed, none of 20 hosts fits" in refused.summary
    most = scheduler.place_many([request()] * 321, "best_effort")
    assert isinstance(most, BatchPlaced)
    assert (len(most.placed), len(most.unplaced)) == (320, 1)


def test_hosts_of_several_providers_are_as_they_were() -> None:
    fleet = index(numa("a", 0, 4), numa("b", 2, 2))
    left = [view.free for view in views(fleet)]
    scheduler = Scheduler(fleet)
    found = scheduler.place_many([request(4)] * 9, "best_effort")
    assert isinstance(found, BatchPlaced)
    assert 0 < len(found.placed) < 9
    assert [view.free for view in views(fleet)] == left
    again = scheduler.place_many([request(4)] * 9, "best_effort")
    assert isinstance(again, BatchPlaced)
    assert [one.allocation for one in again.placed] == [one.allocation for one in found.placed]


def test_members_of_a_group_see_those_before_them() -> None:
    apart = grouped(PlacementRule(RuleKind.SPREAD, "host"))
    scheduler = Scheduler(apart)
    assert hosts_of(scheduler.place_many([member()] * 3)) == "abc"
    refused = scheduler.place_many([member()] * 4)
    assert isinstance(refused, BatchUnplaced)
    assert (refused.number, apart.groups.of(GROUP).places) == (3, {})
    together = grouped(PlacementRule(RuleKind.TOGETHER, "host"))
    assert hosts_of(Scheduler(together).place_many([member(4)] * 4)) == "aaaa"
    assert isinstance(Scheduler(together).place_many([member(4)] * 5), BatchUnplaced)


def test_figures_count_along() -> None:
    fleet = index(flat("a"))
    fleet.set_figures(HostName("a"), {"instances": 3})
    before = views(fleet)
    assert hosts_of(Scheduler(fleet).place_many([request()] * 2)) == "aa"
    assert views(fleet) == before


def test_numa_nodes_count_along() -> None:
    found = test_numa.fleet(a=(test_numa.node(0), test_numa.node(1)))
    nodes = found.cells.of(HostName("a"))
    scheduler = Scheduler(found)
    assert hosts_of(scheduler.place_many([test_numa.pinned(4)] * 2)) == "aa"
    refused = scheduler.place_many([test_numa.pinned(4)] * 3)
    assert isinstance(refused, BatchUnplaced)
    assert refused.number == 2
    assert found.cells.of(HostName("a")) == nodes


class World:
    """Books in memory, and a scheduler that follows them."""

    def __init__(self, *names: str) -> None:
        self.store = MemoryStore()
        self.books = MemoryPlacement(self.store, ManualClock())
        self.hosts = MemoryHosts(self.store)
        self.groups = MemoryGroups(self.store)
        follower = FleetFollower(self.store, self.books, self.hosts, groups=self.groups)
        self.scheduler = Scheduler(FleetIndex(follower))
        self.slots = GroupSlots(self.groups, self.books, self.hosts)
        self.count = 0

        def write(tx: Tx) -> None:
            for name in names:
                host, uses = flat(name)
                self.books.put_tree(tx, ProviderTree(tuple(use.provider for use in uses)))
                self.hosts.put_host(tx, host)
            rules = (PlacementRule(RuleKind.SPREAD, "host"),)
            self.groups.add_group(tx, ServerGroup(GROUP, "web", ProjectId("p"), rules))

        self.store.write(write)

    def consumer(self) -> Consumer:
        self.count += 1
        return Consumer(ConsumerId(f"c{self.count}"), ProjectId("p"), UserId("u"))

    def claims(self, requests: list[Request]) -> BookClaims:
        consumers = [self.consumer() for _ in requests]
        books = Books(self.books, self.slots, MemoryCells(self.store))
        return BookClaims(books, consumers, requests)

    def take(self, host: str, vcpu: int) -> None:
        """Let somebody else take CPUs of a host."""
        amounts = FrozenMap({ProviderId(f"{host}-root"): FrozenMap({VCPU: vcpu})})
        allocation = Allocation(self.consumer(), amounts)
        self.store.write(lambda tx: self.books.claim(tx, (Claim(allocation),)))

    def held(self) -> int:
        return sum(1 for one in self.books.consumers() if one.resources)


class Overtaken(Scheduler):
    """Somebody else is faster: something happens after each choice."""

    def __init__(self, world: World, *meanwhile: Callable[[], object]) -> None:
        super().__init__(world.scheduler.index)
        self._meanwhile = list(meanwhile)

    def place_many(self, *args: object, **kwargs: object) -> BatchPlaced | BatchUnplaced:
        found = super().place_many(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        if self._meanwhile:
            self._meanwhile.pop(0)()
        return found


def test_all_are_granted_in_one_commit() -> None:
    world = World("a", "b")
    asked = [request(8), request(8), member(), member()]
    head = world.store.head()
    found = place_and_claim(world.store, world.scheduler, asked, world.claims(asked))
    assert isinstance(found, Grants)
    assert [one.number for one in found.granted] == [0, 1, 2, 3]
    assert {one.selection.host for one in found.granted[2:]} == {"a", "b"}
    assert all(one.result.allocation.consumer.generation == 1 for one in found.granted)
    assert world.store.head() == head + 1
    assert (world.held(), found.refused, found.lost) == (4, (), ())


def test_no_host_is_not_a_lost_race() -> None:
    world = World("a")
    asked = [request(8), request(9)]
    found = place_and_claim(world.store, world.scheduler, asked, world.claims(asked))
    assert isinstance(found, NoneEligible)
    assert isinstance(found.decision, BatchUnplaced)
    assert (found.decision.number, world.held()) == (1, 0)
    again = place_and_claim(world.store, world.scheduler, asked, world.claims(asked), "best_effort")
    assert isinstance(again, Grants)
    assert [one.number for one in again.granted] == [0]
    ((number, why),) = again.refused
    assert number == 1
    assert isinstance(why, NoneEligible)


def test_who_is_overtaken_chooses_again() -> None:
    world = World("a", "b")
    scheduler = Overtaken(world, lambda: world.take("a", 16))
    asked = [request(8), request(8)]
    found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
    assert isinstance(found, Grants)
    assert [one.selection.host for one in found.granted] == ["b", "b"]
    (loss,) = found.lost
    assert (loss.number, loss.host) == (0, "a")
    assert isinstance(loss.refusal, CapacityExceeded)
    assert world.held() == 3


def test_when_the_last_host_goes_the_race_is_lost() -> None:
    world = World("a")
    asked = [request(8), request(8)]
    scheduler = Overtaken(world, lambda: world.take("a", 8))
    found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
    assert isinstance(found, LostRace)
    assert [(loss.number, loss.host) for loss in found.lost] == [(1, "a")]
    assert world.held() == 1
    scheduler = Overtaken(world, lambda: world.take("a", 8))
    one = place_and_claim(world.store, scheduler, asked[:1], world.claims(asked[:1]), "best_effort")
    assert isinstance(one, LostRace)


def test_tries_are_bounded() -> None:
    world = World("a")
    asked = [request(), request()]

    def never(_tx: Tx, number: int, _selection: Selection) -> Never:
        raise HostChanged("a", f"is not for {number}")

    found = place_and_claim(world.store, world.scheduler, asked, never, tries=3)
    assert isinstance(found, TriesExhausted)
    assert (found.tries, [loss.number for loss in found.lost]) == (3, [0, 0, 0])
    books = world.claims(asked)

    def first_only(tx: Tx, number: int, selection: Selection) -> Taken:
        if number:
            raise HostChanged("a", "is not for 1")
        return books(tx, number, selection)

    some = place_and_claim(world.store, world.scheduler, asked, first_only, "best_effort", tries=3)
    assert isinstance(some, Grants)
    assert [one.number for one in some.granted] == [0]
    ((number, why),) = some.refused
    assert number == 1
    assert isinstance(why, TriesExhausted)
    assert len(why.lost) == 3
    with pytest.raises(InvalidInput):
        place_and_claim(world.store, world.scheduler, asked, books, tries=0)


def test_slots_that_went_meanwhile_are_not_taken_twice() -> None:
    world = World("a", "b")
    rival = [member()]
    scheduler = Overtaken(
        world,
        lambda: place_and_claim(world.store, world.scheduler, rival, world.claims(rival)),
    )
    asked = [member()]
    found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
    assert isinstance(found, Grants)
    (loss,) = found.lost
    assert isinstance(loss.refusal, CounterFull)
    assert {hold.name for hold in world.books.counted()} == {"host=a", "host=b"}


def test_a_host_that_left_its_zone_is_not_taken() -> None:
    world = World("a", "b")

    def zone(name: str, zone: str) -> None:
        row = world.hosts.host(HostName(name))
        assert row is not None
        world.store.write(lambda tx: world.hosts.put_host(tx, attrs.evolve(row, zone=zone)))

    zone("a", "z")
    zone("b", "z")
    scheduler = Overtaken(world, lambda: zone("a", "y"))
    asked = [request(zone="z")]
    found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
    assert isinstance(found, Grants)
    assert [one.selection.host for one in found.granted] == ["b"]
    assert isinstance(found.lost[0].refusal, HostChanged)


def test_a_host_that_takes_no_guests_any_more_is_not_taken() -> None:
    for change in ({"disabled": "broken fan"}, {"up": False}):
        world = World("a", "b")
        row = world.hosts.host(HostName("a"))
        assert row is not None
        after = attrs.evolve(row, **change)
        scheduler = Overtaken(
            world,
            lambda world=world, after=after: world.store.write(  # type: ignore[misc]  # a lambda's
                lambda tx: world.hosts.put_host(tx, after)
            ),
        )
        asked = [request()]
        found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
        assert isinstance(found, Grants)
        assert [one.selection.host for one in found.granted] == ["b"]
        assert isinstance(found.lost[0].refusal, HostChanged)


def test_a_host_that_lost_its_trait_is_not_taken() -> None:
    attested = Trait("CUSTOM_ATTESTED")
    world = World("a", "b")
    roots = [ProviderId("a-root"), ProviderId("b-root")]

    def attest(root: ProviderId, *traits: Trait) -> None:
        def write(tx: Tx) -> None:
            (use,) = world.books.uses(frozenset({root}))
            world.books.set_traits(tx, root, use.provider.generation, frozenset(traits))

        world.store.write(write)

    plain = request()
    group = attrs.evolve(plain.placement.groups[0], required=frozenset({frozenset({attested})}))
    for placement in (
        attrs.evolve(plain.placement, root_required=frozenset({attested})),
        attrs.evolve(plain.placement, groups=(group,)),
    ):
        for root in roots:
            attest(root, attested)
        asked = [attrs.evolve(plain, placement=placement)]
        scheduler = Overtaken(world, lambda: attest(roots[0]))
        found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
        assert isinstance(found, Grants)
        assert [one.selection.host for one in found.granted] == ["b"]
        assert "lacks CUSTOM_ATTESTED now" in str(found.lost[0].refusal)


def test_what_was_granted_is_told_though_the_store_fails_later() -> None:
    world = World("a", "b")
    asked = [request(8), request(16)]

    def fail() -> Never:
        raise StoreUnavailable("it is gone")

    scheduler = Overtaken(world, lambda: world.take("b", 16), fail)
    found = place_and_claim(world.store, scheduler, asked, world.claims(asked), "best_effort")
    assert isinstance(found, Grants)
    assert [one.number for one in found.granted] == [0]
    ((number, why),) = found.refused
    assert number == 1
    assert isinstance(why, PlacementUnavailable)
    assert world.held() == 2


def test_a_fleet_that_cannot_be_read_is_not_a_fleet_without_hosts() -> None:
    world = World("a")

    class Broken:
        def bring(self, index: FleetIndex) -> Never:
            raise StoreUnavailable("it is gone")

    asked = [request()]
    scheduler = Scheduler(FleetIndex(Broken()))
    found = place_and_claim(world.store, scheduler, asked, world.claims(asked))
    assert isinstance(found, PlacementUnavailable)
    assert found.error.reason == "it is gone"
