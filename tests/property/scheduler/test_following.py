"""What is kept between decisions never shows: an old index and scheduler decide like new ones."""

from collections.abc import Callable
from functools import partial

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.compute import MemoryInstances
from computekit.errors import ClaimRefused, InUse
from computekit.ids import (
    AggregateId,
    ConsumerId,
    FlavorId,
    HostName,
    ImageId,
    InstanceId,
    ProjectId,
    ProviderId,
    UserId,
)
from computekit.model import (
    Aggregate,
    Allocation,
    Consumer,
    Flavor,
    FrozenMap,
    Image,
    Instance,
    InstanceState,
    ProviderTree,
)
from computekit.placement import Claim, FleetIndex, HostView, MemoryPlacement
from computekit.scheduler import (
    FleetFollower,
    Host,
    MemoryAggregates,
    MemoryHosts,
    Placed,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    Selection,
)
from computekit.testing import ManualClock
from computekit.units import Bytes, Mib, Seconds
from computekit.work import MemoryStore, Tx
from tests.property.effort import examples
from tests.property.scheduler.fleets import NAMES, FleetHost, fleets, hosts, index_of, requests


def views(index: FleetIndex) -> list[HostView]:
    return [index.view(row) for row in range(len(index))]


def all_candidates(scheduler: Scheduler, request: Request) -> list[Selection]:
    return [attrs.evolve(c, epoch=0) for c in scheduler.place(request).candidates()]


def instance_on(name: str, host: HostName | None, image: str, *, ready: bool) -> Instance:
    return Instance(
        InstanceId(name),
        name,
        ProjectId("p"),
        UserId("u"),
        Flavor(FlavorId("f"), "f", 1, Mib(1)),
        Image(
            ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=FrozenMap({"os": image})
        ),
        InstanceState.ACTIVE if ready else InstanceState.BUILDING,
        Seconds(0.0),
        host,
    )


class World:
    """Rows of hosts and providers, an index that follows them, and a scheduler on it."""

    def __init__(self, history: int) -> None:
        self.store = MemoryStore(history=history)
        self.placement = MemoryPlacement(self.store, ManualClock())
        self.hosts = MemoryHosts(self.store)
        self.aggregates = MemoryAggregates(self.store)
        self.instances = MemoryInstances(self.store)
        self.index = self.new_index()
        self.scheduler = Scheduler(self.index, shapes=2)
        self.claims = 0

    def new_index(self) -> FleetIndex:
        return FleetIndex(
            FleetFollower(
                self.store, self.placement, self.hosts, self.aggregates, loads=self.instances
            )
        )

    def write_tree(self, of: FleetHost) -> None:
        tree = ProviderTree(tuple(use.provider for use in of.uses))
        try:
            self.store.write(lambda tx: self.placement.put_tree(tx, tree))
        except InUse:
            return

    def write_host(self, of: FleetHost) -> None:
        self.store.write(lambda tx: self.hosts.put_host(tx, of.host))

    def write_both(self, of: FleetHost) -> None:
        self.write_tree(of)
        self.write_host(of)

    def remove_host(self, name: HostName) -> None:
        self.store.write(lambda tx: self.hosts.delete_host(tx, name))

    def remove_tree(self, name: HostName) -> None:
        try:
            self.store.write(lambda tx: self.placement.delete_tree(tx, ProviderId(f"{name}-p0")))
        except InUse:
            return

    def group(self, name: str, hosts: frozenset[HostName], metadata: dict[str, str]) -> None:
        def write(tx: Tx) -> None:
            uuid = AggregateId(name)
            before = self.aggregates.aggregate(uuid)
            if before is None:
                before = self.aggregates.create_aggregate(tx, uuid, name)
            after = attrs.evolve(before, hosts=hosts, metadata=FrozenMap(metadata))
            self.aggregates.put_aggregate(tx, after)

        self.store.write(write)

    def ungroup(self, name: str) -> None:
        def write(tx: Tx) -> None:
            before = self.aggregates.aggregate(AggregateId(name))
            if before is not None:
                self.aggregates.put_aggregate(tx, attrs.evolve(before, hosts=frozenset()))
                self.aggregates.delete_aggregate(tx, before.uuid)

        self.store.write(write)

    def put_instance(self, name: str, host: HostName | None, image: str, ready: bool) -> None:
        def write(tx: Tx) -> None:
            self.instances.remove_instance(tx, InstanceId(name))
            self.instances.add_instance(tx, instance_on(name, host, image, ready=ready))

        self.store.write(write)

    def claim(self, request: Request) -> None:
        decision = self.scheduler.place(request)
        if not isinstance(decision, Placed):
            return
        self.claims += 1
        consumer = Consumer(ConsumerId(f"c{self.claims}"), ProjectId("p"), UserId("u"))
        for candidate in decision.candidates():
            allocation = Allocation(consumer, candidate.allocation)
            try:
                self.store.write(partial(self._claim, allocation))
            except ClaimRefused:
                continue
            return

    def _claim(self, allocation: Allocation, tx: Tx) -> None:
        self.placement.claim(tx, (Claim(allocation),))

    def release(self, number: int) -> None:
        self.store.write(lambda tx: self.placement.release(tx, ConsumerId(f"c{number}")))

    def check(self, request: Request) -> None:
        new = self.new_index()
        new.refresh()
        self.index.refresh()
        assert views(self.index) == views(new)
        assert all_candidates(self.scheduler, request) == all_candidates(Scheduler(new), request)


Step = Callable[[World], None]


NAME = st.sampled_from(NAMES)
GROUP = st.sampled_from(("g1", "g2"))
KEY = st.sampled_from(("x", "y"))
STEPS: st.SearchStrategy[Step] = st.one_of(
    hosts().map(lambda of: lambda world: world.write_both(of)),
    hosts().map(lambda of: lambda world: world.write_tree(of)),
    hosts().map(lambda of: lambda world: world.write_host(of)),
    NAME.map(lambda host: lambda world: world.remove_host(host)),
    NAME.map(lambda host: lambda world: world.remove_tree(host)),
    st.tuples(GROUP, st.frozensets(NAME), st.dictionaries(KEY, KEY)).map(
        lambda given: lambda world: world.group(*given)
    ),
    GROUP.map(lambda name: lambda world: world.ungroup(name)),
    st.tuples(st.sampled_from(("i1", "i2", "i3")), st.none() | NAME, KEY, st.booleans()).map(
        lambda given: lambda world: world.put_instance(*given)
    ),
    requests().map(lambda request: lambda world: world.claim(request)),
    requests(suffixed=0).map(lambda request: lambda world: world.claim(request)),
    st.integers(1, 5).map(lambda number: lambda world: world.release(number)),
)


@settings(max_examples=examples(150))
@given(st.lists(STEPS, max_size=12), requests(), st.sampled_from((2, 1000)))
def test_an_index_that_follows_is_the_index_read_anew(
    script: list[Step], request: Request, history: int
) -> None:
    world = World(history)
    for step in script:
        step(world)
        world.check(request)


@given(st.lists(STEPS, max_size=20), requests())
def test_an_index_that_was_asleep_catches_up(script: list[Step], request: Request) -> None:
    world = World(history=5)
    world.check(request)
    for step in script:
        step(world)
    world.check(request)


@given(fleets(), st.lists(requests(), min_size=1, max_size=3), st.data())
def test_a_scheduler_with_a_past_decides_like_a_new_one(
    fleet: tuple[FleetHost, ...], asked: list[Request], data: st.DataObject
) -> None:
    index = index_of(fleet)
    policy = Policy((RamWeigher(data.draw(st.sampled_from((1.0, -1.0)))),))
    old = Scheduler(index, policy, shapes=2)
    held: list[Selection] = []
    for _round in range(data.draw(st.integers(1, 8))):
        request = data.draw(st.sampled_from(asked))
        assert all_candidates(old, request) == all_candidates(
            Scheduler(index.copy(), policy), request
        )
        decision = old.place(request)
        if isinstance(decision, Placed):
            index.apply_claim(decision.allocation)
            held.append(decision.candidate)
        elif held:
            index.apply_release(held.pop().allocation)
        if data.draw(st.booleans()) and fleet:
            of = data.draw(st.sampled_from(fleet))
            disabled = data.draw(st.sampled_from((None, "broken")))
            index.set_status(of.host.name, disabled=disabled, up=True)


@given(fleets(), requests())
def test_filling_a_fleet_with_one_request_goes_as_with_new_schedulers(
    fleet: tuple[FleetHost, ...], request: Request
) -> None:
    index = index_of(fleet)
    old = Scheduler(index)
    for _instance in range(12):
        decision = old.place(request)
        again = Scheduler(index.copy()).place(request)
        assert isinstance(decision, Placed) == isinstance(again, Placed)
        if not isinstance(decision, Placed) or not isinstance(again, Placed):
            return
        assert decision.allocation == again.allocation
        index.apply_claim(decision.allocation)


@given(fleets(), requests())
def test_a_copy_and_its_original_do_not_see_each_other(
    fleet: tuple[FleetHost, ...], request: Request
) -> None:
    index = index_of(fleet)
    before, copy = views(index), index.copy()
    for side, other in ((copy, index), (index, copy)):
        kept = views(other)
        decision = Scheduler(side).place(request)
        if isinstance(decision, Placed):
            side.apply_claim(decision.allocation)
        for of in fleet:
            side.set_status(of.host.name, disabled="gone", up=False)
            side.put_tree(of.host.name, of.uses[:1])
        side.put([(_named(fleet, HostName("h9")), ())])
        metadata = FrozenMap({"side": "this"})
        side.put_aggregates([Aggregate(1, AggregateId("g"), "g", metadata, frozenset(side.names))])
        assert views(other) == kept
    assert views(index) != before or not before


def _named(fleet: tuple[FleetHost, ...], name: HostName) -> Host:
    from tests.property.scheduler.fleets import facts

    return Host(name, ProviderId(f"{name}-p0"), facts(name))
