"""A scheduler of its own over a database that others schedule on too; every commit is audited.

As a program: `python -m tests.property.scheduler.group_crowd URL SEED ROUNDS` prints how often it
was granted a place and how often others were faster.
"""

import random
import sys

import attrs

from computekit.clock import SystemClock
from computekit.errors import ClaimRefused
from computekit.ids import ConsumerId, HostName, InstanceId, ProjectId, UserId
from computekit.model import VCPU, Allocation, Consumer, FrozenMap, RuleKind
from computekit.placement import Claim, group_scope, places_of
from computekit.scheduler import (
    BookClaims,
    Books,
    Grants,
    Loss,
    LostRace,
    Placed,
    PlacementIntent,
    Request,
    SchedulingRun,
    Taken,
    TriesExhausted,
    check_host,
    place_and_claim,
)
from computekit.store import SqlAggregates, SqlCells, SqlGroups, SqlHosts, SqlPlacement, SqlStore
from computekit.work import Tx
from tests.property.scheduler.group_ports import Ports, scheduler_over, slots_over
from tests.property.scheduler.group_world import ZONES, amounts, migration

__all__ = ["Crowd", "audit", "ports_over"]


def ports_over(url: str) -> Ports:
    """Return ports over a database that others use too."""
    clock = SystemClock()
    store = SqlStore(url, clock, random.Random())
    return Ports(
        store,
        SqlPlacement(store, clock),
        SqlHosts(store),
        SqlAggregates(store),
        SqlGroups(store),
        SqlCells(store),
        store.close,
    )


def audit(ports: Ports) -> None:
    """Hold every rule against the rows, which nobody else writes meanwhile."""
    zones = {host.name: host.zone for host in ports.hosts.hosts()}
    for use in ports.placement.uses():
        assert use.used.get(VCPU, 0) <= use.provider.inventories[VCPU].capacity, use
    where: dict[ConsumerId, set[str]] = {}
    for allocation in ports.placement.consumers(limit=10_000):
        server = ConsumerId(allocation.consumer.id.removeprefix("from-"))
        where.setdefault(server, set()).update(allocation.resources)
        pin = allocation.consumer.user
        for host in allocation.resources:
            assert pin in {"any", zones[HostName(host)]}, (allocation, zones)
    for group in ports.groups.groups():
        names: dict[ConsumerId, list[str]] = {}
        for hold in ports.placement.counted(scope=group_scope(group.id)):
            names.setdefault(hold.consumer, []).append(hold.name)
        members = {who: places_of(held) for who, held in names.items()}
        for who, places in members.items():
            assert places["host"] == where[who], (group.id, who)
        for rule in group.hard_rules:
            domains = [places.get(rule.level, frozenset()) for places in members.values()]
            everywhere = frozenset[str]().union(*domains)
            if rule.max_per_domain is not None:
                for domain in everywhere:
                    count = sum(1 for mine in domains if domain in mine)
                    assert count <= rule.max_per_domain, (group.id, rule.words, domain, count)
            if rule.kind is RuleKind.TOGETHER and len(domains) > 1:
                assert len(everywhere) == 1, (group.id, rule.words, members)


@attrs.frozen
class _Audited:
    """Claims, and looks at everything before the commit."""

    ports: Ports
    claims: BookClaims

    def __call__(self, tx: Tx, number: int, selection: object) -> Taken:
        taken = self.claims(tx, number, selection)  # type: ignore[arg-type]  # passed on
        audit(self.ports)
        return taken


class Crowd:
    """One of several who create, move and delete servers.

    Args:
        ports: of its own.
        seed: of what it does; also the beginning of its servers' names.
    """

    def __init__(self, ports: Ports, seed: int) -> None:
        self._ports = ports
        self._seed = seed
        self._dice = random.Random(seed)
        self._slots = slots_over(ports)
        self._books = Books(ports.placement, self._slots, ports.cells)
        self._scheduler = scheduler_over(ports)
        self._servers: dict[InstanceId, Request] = {}
        self._made = 0
        self.granted = 0
        self.lost = 0

    def run(self, rounds: int) -> None:
        """Do so many things."""
        acts = (self._create, self._create, self._delete, self._delete, self._move)
        for _ in range(rounds):
            act = self._dice.choice(acts)
            act()

    def _create(self) -> None:
        groups = [group.id for group in self._ports.groups.groups()]
        pin = self._dice.choice((None, None, None, *ZONES))
        many = self._dice.choice((1, 1, 2))
        intent = PlacementIntent(zone=pin, group=self._dice.choice((*groups, None)))
        requests: list[Request] = []
        consumers: list[Consumer] = []
        for _ in range(many):
            self._made += 1
            server = InstanceId(f"{self._seed}-{self._made}")
            run = SchedulingRun(instance=server)
            requests.append(Request(amounts(1), intent, run))
            consumers.append(self._consumer(server, pin))
        claims = _Audited(self._ports, BookClaims(self._books, consumers, requests))
        mode = self._dice.choice(("all_or_nothing", "best_effort"))
        found = place_and_claim(
            self._ports.store,
            self._scheduler,
            requests,
            claims,
            mode,  # type: ignore[arg-type]  # one of the two
            tries=5,
        )
        if isinstance(found, Grants):
            self.granted += len(found.granted)
            for one in found.granted:
                server = InstanceId(consumers[one.number].id)
                self._servers[server] = requests[one.number]
        if isinstance(found, Grants | LostRace | TriesExhausted):
            self.lost += len(found.lost)
            assert all(isinstance(loss, Loss) for loss in found.lost)

    def _delete(self) -> None:
        if not self._servers:
            return
        server = self._dice.choice(sorted(self._servers))
        del self._servers[server]
        self._ports.store.write(lambda tx: self._ports.placement.release(tx, ConsumerId(server)))

    def _move(self) -> None:
        if not self._servers:
            return
        server = self._dice.choice(sorted(self._servers))
        request = self._servers[server]
        placement = self._ports.placement
        held = placement.allocation(ConsumerId(server))
        assert held is not None
        (source,) = held.resources
        away = attrs.evolve(request.run, ignored_hosts=frozenset({HostName(source)}))
        decision = self._scheduler.place(attrs.evolve(request, run=away))
        if not isinstance(decision, Placed):
            return
        chosen = decision.candidate
        group, member = request.intent.group, ConsumerId(server)
        target = Allocation(held.consumer, chosen.allocation)
        left = Allocation(
            attrs.evolve(held.consumer, id=migration(server), generation=0), held.resources
        )

        back = self._dice.random() < 0.3

        def begin(tx: Tx) -> None:
            check_host(
                self._ports.hosts, chosen.host, frozenset(filter(None, [request.intent.zone]))
            )
            counters = self._slots.enter(
                tx, group, member, chosen.host, chosen.eligible, moving=True
            )
            placement.claim(tx, (Claim(left), Claim(target, counters)))
            audit(self._ports)

        def end(tx: Tx) -> None:
            host = HostName(source) if back else chosen.host
            resources = held.resources if back else chosen.allocation
            counters = self._slots.settle(tx, group, member, host)
            mine = attrs.evolve(held.consumer, generation=held.consumer.generation + 1)
            gone = attrs.evolve(left.consumer, generation=1)
            stays = Claim(Allocation(mine, resources), counters)
            placement.claim(tx, (Claim(Allocation(gone, FrozenMap())), stays))
            audit(self._ports)

        try:
            self._ports.store.write(begin)
        except ClaimRefused:
            self.lost += 1
            return
        self._ports.store.write(end)
        self.granted += 1

    @staticmethod
    def _consumer(server: InstanceId, pin: str | None) -> Consumer:
        return Consumer(ConsumerId(server), ProjectId("p"), UserId(pin or "any"))


def main(url: str, seed: str, rounds: str) -> None:
    """Be one of the crowd."""
    ports = ports_over(url)
    try:
        crowd = Crowd(ports, int(seed))
        crowd.run(int(rounds))
        sys.stdout.write(f"{crowd.granted} {crowd.lost}\n")
    finally:
        ports.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
