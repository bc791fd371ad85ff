"""Books, groups and two schedulers, and what must be true of them after every commit."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import attrs

from computekit.errors import ClaimRefused, StateConflict
from computekit.ids import (
    AggregateId,
    ConsumerId,
    HostName,
    InstanceId,
    ProjectId,
    ProviderId,
    ServerGroupId,
    UserId,
)
from computekit.model import (
    HOST_LEVEL,
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    PlacementRule,
    Provider,
    ProviderTree,
    RequestGroup,
    Resources,
    RuleKind,
    ServerGroup,
)
from computekit.placement import (
    Claim,
    GroupState,
    group_scope,
    places_of,
)
from computekit.scheduler import (
    Books,
    Host,
    PinState,
    Placed,
    PlacementIntent,
    Request,
    SchedulingRun,
    Selection,
    Taken,
    check_host,
    pin_after,
)
from computekit.work import Tx
from tests.property.scheduler.fleets import facts
from tests.property.scheduler.group_ports import Ports, scheduler_over, slots_over

R = TypeVar("R")

ZONES = ("z1", "z2")
RACKS = ("r1", "r2", "r3")
NAMES = tuple(HostName(name) for name in "abcdef")
CPUS = 4

_SPREAD, _TOGETHER = RuleKind.SPREAD, RuleKind.TOGETHER
RULES: tuple[tuple[PlacementRule, ...], ...] = (
    (PlacementRule(_SPREAD, "host"),),
    (PlacementRule(_SPREAD, "rack", max_per_domain=2), PlacementRule(_SPREAD, "host")),
    (PlacementRule(_SPREAD, "rack", max_skew=1),),
    (PlacementRule(_SPREAD, "az", max_skew=1, max_per_domain=2),),
    (PlacementRule(_TOGETHER, "host"),),
    (PlacementRule(_TOGETHER, "rack"), PlacementRule(_SPREAD, "host")),
)


@attrs.frozen
class Server:
    """A server that has a place.

    Attributes:
        id: of it.
        group: that it is a member of.
        vcpus: that it has.
        host: where it is.
        pin: the zone that it is pinned to.
        target: where it is moving to.
        target_vcpus: that it will have there.
    """

    id: InstanceId
    group: ServerGroupId | None
    vcpus: int
    host: HostName
    pin: str | None = None
    target: HostName | None = None
    target_vcpus: int = 0

    @property
    def hosts(self) -> tuple[HostName, ...]:
        """Where it counts."""
        return (self.host,) if self.target is None else (self.host, self.target)


@attrs.frozen
class Choice:
    """What a scheduler has chosen, and nobody has claimed yet."""

    server: InstanceId
    request: Request
    selections: tuple[Selection, ...]
    vcpus: int


def fill(ports: Ports) -> None:
    """Write hosts, racks and groups: two hosts a rack, most of them in a zone."""

    def write(tx: Tx) -> None:
        for at, name in enumerate(NAMES):
            provider = Provider(
                ProviderId(name), name, inventories=FrozenMap({VCPU: Inventory(CPUS)})
            )
            ports.placement.put_tree(tx, ProviderTree((provider,)))
            zone = (*ZONES, ZONES[0], None)[at % 4]
            ports.hosts.put_host(tx, Host(name, provider.id, facts(name), zone))
        for at, rack in enumerate(RACKS):
            uuid = AggregateId(rack)
            made = ports.aggregates.create_aggregate(
                tx, uuid, rack, FrozenMap({"topology:rack": rack})
            )
            members = frozenset(NAMES[2 * at : 2 * at + 2])
            ports.aggregates.put_aggregate(tx, attrs.evolve(made, hosts=members))

    ports.store.write(write)


def amounts(vcpus: int) -> PlacementRequest:
    """Return what a server of this size asks for."""
    return PlacementRequest((RequestGroup(resources=FrozenMap({VCPU: vcpus})),))


def migration(server: InstanceId) -> ConsumerId:
    """Return who holds the source of a server that moves."""
    return ConsumerId(f"from-{server}")


class World:
    """What was done, so that it can be held against the rows.

    Args:
        ports: empty ones.
        schedulers: how many there are.
    """

    def __init__(self, ports: Ports, schedulers: int = 2) -> None:
        self.ports = ports
        fill(ports)
        self.slots = slots_over(ports)
        self.books = Books(ports.placement, self.slots, ports.cells)
        self.schedulers = [scheduler_over(ports) for _ in range(schedulers)]
        self.servers: dict[InstanceId, Server] = {}
        self.made = 0
        # By the number of their rules; and all that ever were.
        self.groups: list[ServerGroupId] = []
        self.all_groups: list[ServerGroupId] = []
        for rules in RULES:
            self._make_group(rules)

    # What schedulers do

    def choose_new(
        self, scheduler: int, kind: int | None, vcpus: int, zone: str | None
    ) -> Choice | None:
        """Let a scheduler choose for a new server, in the group of some rules."""
        self.made += 1
        group = None if kind is None else self.groups[kind]
        server = InstanceId(f"s{self.made}")
        intent = PlacementIntent(zone=zone, group=group)
        return self._choose(scheduler, server, intent, vcpus)

    def choose_move(self, scheduler: int, server: Server, vcpus: int) -> Choice | None:
        """Let a scheduler choose for a server that is to move, and maybe to get another size."""
        intent = PlacementIntent(zone=server.pin, group=server.group)
        run = SchedulingRun(ignored_hosts=frozenset({server.host}), instance=server.id)
        return self._choose(scheduler, server.id, intent, vcpus, run)

    def _choose(
        self,
        scheduler: int,
        server: InstanceId,
        intent: PlacementIntent,
        vcpus: int,
        run: SchedulingRun | None = None,
    ) -> Choice | None:
        request = Request(amounts(vcpus), intent, run or SchedulingRun(instance=server))
        decision = self.schedulers[scheduler].place(request)
        if not isinstance(decision, Placed):
            return None
        return Choice(server, request, tuple(decision.candidates())[:2], vcpus)

    # What is written

    def try_write(self, fn: Callable[[Tx], R]) -> R | None:
        """Write, and look at everything; None if a claim was refused."""
        try:
            result = self.ports.store.write(fn)
        except ClaimRefused:
            return None
        return result

    def claim_new(self, choice: Choice) -> bool:
        """Claim for a new server what was chosen some time ago."""
        consumer = self._consumer(ConsumerId(choice.server))
        intent = choice.request.intent
        for selection in choice.selections:
            before = self._members(intent.group)
            taken = self.try_write(
                partial(self._claim, consumer=consumer, choice=choice, selection=selection)
            )
            if taken is not None:
                self._judge_skew(intent.group, before, choice.server, selection)
                self.servers[choice.server] = Server(
                    choice.server, intent.group, choice.vcpus, selection.host, intent.zone
                )
                return True
        return False

    def _claim(self, tx: Tx, *, consumer: Consumer, choice: Choice, selection: Selection) -> Taken:
        return self.books.claim(tx, consumer, choice.request, selection)

    def claim_move(self, choice: Choice) -> bool:
        """Claim for a server that moves; the source stays its own until the move has ended."""
        server = self.servers.get(choice.server)
        if server is None or server.target is not None or server.pin != choice.request.intent.zone:
            return False
        selection = choice.selections[0]
        if selection.host == server.host:
            return False

        def write(tx: Tx) -> bool:
            self._check_zone(selection.host, server.pin)
            member = ConsumerId(server.id)
            counters = self.slots.enter(
                tx, server.group, member, selection.host, selection.eligible, moving=True
            )
            source = Allocation(self._consumer(migration(server.id)), self._held(server.id))
            target = Allocation(self._consumer(member), selection.allocation)
            self.ports.placement.claim(tx, (Claim(source), Claim(target, counters)))
            return True

        before = self._members(server.group)
        if not self.try_write(write):
            return False
        self._judge_skew(server.group, before, server.id, selection)
        self.servers[server.id] = attrs.evolve(
            server, target=selection.host, target_vcpus=choice.vcpus
        )
        return True

    def end_move(self, server: Server, *, confirm: bool) -> None:
        """Let a move end at the target, or at the source."""
        if server.target is None:
            return
        host = server.target if confirm else server.host
        vcpus = server.target_vcpus if confirm else server.vcpus

        def write(tx: Tx) -> None:
            member = ConsumerId(server.id)
            held = self._held(server.id if confirm else migration(server.id))
            counters = self.slots.settle(tx, server.group, member, host)
            left = Allocation(self._consumer(migration(server.id)), FrozenMap())
            mine = Allocation(self._consumer(member), held)
            self.ports.placement.claim(tx, (Claim(left), Claim(mine, counters)))

        self.ports.store.write(write)
        self.servers[server.id] = attrs.evolve(
            server, host=host, vcpus=vcpus, target=None, target_vcpus=0
        )

    def resize(self, server: Server, vcpus: int) -> bool:
        """Give a server another size where it is."""
        if server.target is not None:
            return False

        def write(tx: Tx) -> bool:
            member = ConsumerId(server.id)
            counters = self.slots.settle(tx, server.group, member, server.host)
            held = FrozenMap({ProviderId(server.host): FrozenMap({VCPU: vcpus})})
            allocation = Allocation(self._consumer(member), held)
            self.ports.placement.claim(tx, (Claim(allocation, counters),))
            return True

        if not self.try_write(write):
            return False
        self.servers[server.id] = attrs.evolve(server, vcpus=vcpus)
        return True

    def delete(self, server: Server) -> None:
        """Let a server go, on the move or not."""

        def write(tx: Tx) -> None:
            self.ports.placement.release(tx, ConsumerId(server.id))
            self.ports.placement.release(tx, migration(server.id))

        self.ports.store.write(write)
        del self.servers[server.id]

    def set_host(self, name: HostName, *, up: bool) -> None:
        """Let a host die, or come back."""

        def write(tx: Tx) -> None:
            row = self.ports.hosts.host(name)
            assert row is not None
            self.ports.hosts.put_host(tx, attrs.evolve(row, up=up))

        self.ports.store.write(write)

    def set_zone(self, name: HostName, zone: str | None) -> None:
        """Put an empty host into another zone."""

        def write(tx: Tx) -> None:
            row = self.ports.hosts.host(name)
            assert row is not None
            if not self.ports.placement.allocations(ProviderId(name)):
                self.ports.hosts.put_host(tx, attrs.evolve(row, zone=zone))

        self.ports.store.write(write)

    def set_rack(self, name: HostName, rack: str) -> None:
        """Put an empty host into another rack."""

        def write(tx: Tx) -> None:
            if self.ports.placement.allocations(ProviderId(name)):
                return
            for row in self.ports.aggregates.aggregates():
                hosts = row.hosts | {name} if row.name == rack else row.hosts - {name}
                self.ports.aggregates.put_aggregate(tx, attrs.evolve(row, hosts=hosts))

        self.ports.store.write(write)

    def pin(self, server: Server, zone: str | None) -> None:
        """Pin a server to the zone where it is, or unpin it; what may not be is left."""
        now = PinState(server.id, server.pin, self._zone(server.host), server.target is not None)
        try:
            pin = pin_after(now, zone)
        except StateConflict:
            return
        self.servers[server.id] = attrs.evolve(server, pin=pin)

    def replace_group(self, kind: int) -> None:
        """Delete a group, whoever is in it, and make one with the same rules."""
        gone = self.groups[kind]
        self.ports.store.write(lambda tx: self.ports.groups.delete_group(tx, gone))
        self._make_group(RULES[kind])
        self.groups[kind] = self.groups.pop()

    def _make_group(self, rules: tuple[PlacementRule, ...]) -> None:
        id = ServerGroupId(f"g{len(self.all_groups)}")
        group = ServerGroup(id, id, ProjectId("p"), rules)
        self.ports.store.write(lambda tx: self.ports.groups.add_group(tx, group))
        self.groups.append(id)
        self.all_groups.append(id)

    # What must be true

    def check(self) -> None:
        """Hold the rows against what was done, and the rules against the rows."""
        expected: dict[HostName, int] = dict.fromkeys(NAMES, 0)
        for server in self.servers.values():
            expected[server.host] += server.vcpus
            if server.target is not None:
                expected[server.target] += server.target_vcpus
        for use in self.ports.placement.uses():
            used = use.used.get(VCPU, 0)
            assert used == expected[HostName(use.provider.id)] <= CPUS, use.provider.id
        for server in self.servers.values():
            if server.pin is not None:
                assert {self._zone(host) for host in server.hosts} == {server.pin}, server
        for group in self.ports.groups.groups():
            self._check_group(group)

    def check_indexes(self) -> None:
        """Hold what schedulers know of groups against the rows."""
        for scheduler in self.schedulers:
            scheduler.index.refresh()
            for group in self.all_groups:
                known = scheduler.index.groups.of(group)
                assert known.group == self.ports.groups.group(group)
                assert known == GroupState.of(known.group, self._held_places(group))

    def _check_group(self, group: ServerGroup) -> None:
        members = self._members(group.id)
        held = self._held_places(group.id)
        truth = {
            ConsumerId(server): {k: v for k, v in places.items() if v}
            for server, places in members.items()
        }
        assert held == truth, group.id
        for rule in group.hard_rules:
            domains = [places[rule.level] for places in members.values()]
            assert all(domains), (group.id, "a member is in no domain")
            for domain in frozenset[str]().union(*domains):
                count = sum(1 for mine in domains if domain in mine)
                most = rule.max_per_domain
                assert most is None or count <= most, (group.id, rule.words, domain, count)
            if rule.kind is RuleKind.TOGETHER and len(domains) > 1:
                assert len(frozenset[str]().union(*domains)) == 1, (group.id, rule.words, members)

    def _judge_skew(
        self,
        group: ServerGroupId | None,
        before: dict[InstanceId, dict[str, frozenset[str]]],
        server: InstanceId,
        selection: Selection,
    ) -> None:
        row = None if group is None else self.ports.groups.group(group)
        for rule in () if row is None else row.hard_rules:
            if rule.max_skew is None:
                continue
            others = [places[rule.level] for who, places in before.items() if who != server]
            mine = self._domains(selection.host)[rule.level]
            assert len(mine) == 1, (group, rule.words, selection.host)
            (domain,) = mine
            compared = selection.eligible[rule.level].names
            assert compared is not None

            def count(of: str, others: list[frozenset[str]] = others) -> int:
                return sum(1 for mine in others if of in mine)

            least = min(map(count, compared))
            assert count(domain) + 1 - least <= rule.max_skew, (group, domain, compared)

    # Parts

    def _members(self, group: ServerGroupId | None) -> dict[InstanceId, dict[str, frozenset[str]]]:
        found: dict[InstanceId, dict[str, frozenset[str]]] = {}
        row = None if group is None else self.ports.groups.group(group)
        if row is None:
            return found
        for server in self.servers.values():
            if server.group == group:
                ends = [self._domains(host) for host in server.hosts]
                found[server.id] = {
                    level: frozenset[str]().union(*(end[level] for end in ends))
                    for level in dict.fromkeys((*row.levels, HOST_LEVEL))
                }
        return found

    def _held_places(self, group: ServerGroupId) -> dict[ConsumerId, dict[str, frozenset[str]]]:
        names: dict[ConsumerId, list[str]] = {}
        for hold in self.ports.placement.counted(scope=group_scope(group)):
            names.setdefault(hold.consumer, []).append(hold.name)
        return {who: dict(places_of(held)) for who, held in names.items()}

    def _domains(self, host: HostName) -> dict[str, frozenset[str]]:
        zone = self._zone(host)
        rack = [row.name for row in self.ports.aggregates.aggregates() if host in row.hosts]
        return {
            "az": frozenset() if zone is None else frozenset({zone}),
            "rack": frozenset(rack),
            HOST_LEVEL: frozenset({str(host)}),
        }

    def _zone(self, host: HostName) -> str | None:
        row = self.ports.hosts.host(host)
        assert row is not None
        return row.zone

    def _check_zone(self, host: HostName, zone: str | None) -> None:
        check_host(self.ports.hosts, host, frozenset(filter(None, [zone])))

    def _held(self, consumer: str) -> FrozenMap[ProviderId, Resources]:
        allocation = self.ports.placement.allocation(ConsumerId(consumer))
        assert allocation is not None
        return allocation.resources

    def _consumer(self, consumer: ConsumerId) -> Consumer:
        known = self.ports.placement.allocation(consumer)
        generation = 0 if known is None else known.consumer.generation
        return Consumer(consumer, ProjectId("p"), UserId("u"), generation=generation)
