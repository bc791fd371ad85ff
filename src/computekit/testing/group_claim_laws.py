"""What holds of the members of a server group, wherever groups and claims are kept."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.errors import CapacityExceeded, ClaimRefused, CounterFull, GroupRuleBroken
from computekit.ids import (
    AggregateId,
    ConsumerId,
    HostName,
    ProjectId,
    ProviderId,
    ServerGroupId,
    UserId,
)
from computekit.model import (
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRule,
    Provider,
    ProviderTree,
    RuleKind,
    TopologyLevel,
    TopologyLevels,
    UnknownDomain,
)
from computekit.placement import Claim, PlacementWriter, group_scope, places_of
from computekit.scheduler.aggregates import AggregateWriter
from computekit.scheduler.group_claims import GroupSlots
from computekit.scheduler.groups import GroupWriter
from computekit.scheduler.hosts import Host, HostWriter
from computekit.scheduler.topology_rules import Eligible
from computekit.testing.group_laws import example_group
from computekit.testing.host_laws import example_host
from computekit.work import Store, Tx

__all__ = ["GroupClaimBench", "GroupClaimLaws"]

LEVELS = TopologyLevels(
    (TopologyLevel("az", "availability_zone"), TopologyLevel("rack", "topology:rack"))
)
GROUP = ServerGroupId("g")
SPREAD, TOGETHER = RuleKind.SPREAD, RuleKind.TOGETHER


@attrs.frozen
class GroupClaimBench:
    """Empty implementations, and the store that they write in."""

    store: Store
    placement: PlacementWriter
    hosts: HostWriter
    aggregates: AggregateWriter
    groups: GroupWriter

    @property
    def slots(self) -> GroupSlots:
        """Slots over these ports, with zones and racks."""
        return GroupSlots(self.groups, self.placement, self.hosts, self.aggregates, LEVELS)

    def host(self, name: str, *, zone: str | None = None, vcpus: int = 8) -> None:
        """Write a host with one provider."""
        provider = Provider(
            ProviderId(name), name, inventories=FrozenMap({VCPU: Inventory(total=vcpus)})
        )
        row: Host = attrs.evolve(example_host(name), provider=provider.id, zone=zone)

        def write(tx: Tx) -> None:
            self.placement.put_tree(tx, ProviderTree((provider,)))
            self.hosts.put_host(tx, row)

        self.store.write(write)

    def rack(self, name: str, *hosts: str) -> None:
        """Write an aggregate that makes hosts a rack."""

        def write(tx: Tx) -> None:
            metadata = FrozenMap({"topology:rack": name})
            made = self.aggregates.create_aggregate(tx, AggregateId(name), name, metadata)
            members = frozenset(HostName(host) for host in hosts)
            self.aggregates.put_aggregate(tx, attrs.evolve(made, hosts=members))

        self.store.write(write)

    def group(self, *rules: PlacementRule) -> None:
        """Write the group."""
        self.store.write(lambda tx: self.groups.add_group(tx, example_group(GROUP, *rules)))

    def enter(
        self,
        member: str,
        host: str,
        *,
        eligible: tuple[str, ...] = (),
        moving: bool = False,
        generation: int = 0,
    ) -> None:
        """Let a member claim one CPU of a host; `eligible` are domains of racks."""
        compared = {"rack": Eligible(len(eligible), frozenset(eligible))} if eligible else {}

        def write(tx: Tx) -> None:
            counters = self.slots.enter(
                tx, GROUP, ConsumerId(member), HostName(host), compared, moving=moving
            )
            allocation = self._allocation(member, host, generation)
            self.placement.claim(tx, (Claim(allocation, counters),))

        self.store.write(write)

    def settle(self, member: str, host: str, generation: int) -> None:
        """Let a member's move end on a host."""

        def write(tx: Tx) -> None:
            counters = self.slots.settle(tx, GROUP, ConsumerId(member), HostName(host))
            allocation = self._allocation(member, host, generation)
            self.placement.claim(tx, (Claim(allocation, counters),))

        self.store.write(write)

    def release(self, member: str) -> None:
        """Let a member go."""
        self.store.write(lambda tx: self.placement.release(tx, ConsumerId(member)))

    def refused(self, kind: type[ClaimRefused], member: str, host: str, *racks: str) -> None:
        """Assert that a member may not claim on a host."""
        before = self.placement.counted()
        with pytest.raises(kind):
            self.enter(member, host, eligible=racks)
        assert self.placement.counted() == before

    def places(self, member: str) -> dict[str, frozenset[str]]:
        """Return the domains that a member counts in."""
        holds = self.placement.counted(frozenset({ConsumerId(member)}), group_scope(GROUP))
        return dict(places_of(hold.name for hold in holds))

    @staticmethod
    def _allocation(member: str, host: str, generation: int) -> Allocation:
        consumer = Consumer(ConsumerId(member), ProjectId("p"), UserId("u"), generation=generation)
        return Allocation(consumer, FrozenMap({ProviderId(host): FrozenMap({VCPU: 1})}))


class GroupClaimLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[GroupClaimBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[GroupClaimBench]:
        with self.open(tmp_path) as bench:
            for name, zone in (("a", "z1"), ("b", "z1"), ("c", "z2"), ("d", None)):
                bench.host(name, zone=zone)
            bench.rack("r1", "a", "b")
            bench.rack("r2", "c")
            yield bench

    def test_no_more_members_than_a_domain_may_have(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "rack", max_per_domain=2), PlacementRule(SPREAD, "host"))
        bench.enter("1", "a")
        assert bench.places("1") == {"rack": {"r1"}, "host": {"a"}}
        bench.refused(CounterFull, "2", "a")
        bench.enter("2", "b")
        bench.release("1")
        bench.enter("3", "a")
        bench.refused(CounterFull, "4", "a")
        bench.enter("4", "c")
        bench.refused(GroupRuleBroken, "5", "d")

    def test_members_stay_together(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(TOGETHER, "az"))
        bench.enter("1", "a")
        bench.refused(GroupRuleBroken, "2", "c")
        bench.refused(GroupRuleBroken, "2", "d")
        bench.enter("2", "b")
        bench.release("1")
        bench.refused(GroupRuleBroken, "3", "c")
        bench.release("2")
        bench.enter("3", "c")

    def test_the_fullest_domain_is_held_against_the_emptiest(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "rack", max_skew=1))
        both = ("r1", "r2")
        bench.enter("1", "a", eligible=both)
        bench.refused(GroupRuleBroken, "2", "b", *both)
        bench.enter("2", "b", eligible=("r1",))
        bench.enter("3", "c", eligible=both)
        bench.refused(GroupRuleBroken, "4", "b", *both)
        bench.enter("4", "c", eligible=both)
        with pytest.raises(GroupRuleBroken):  # nobody has compared anything
            bench.enter("5", "c")

    def test_a_bound_holds_beside_a_skew(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "rack", max_skew=9, max_per_domain=1))
        bench.enter("1", "a", eligible=("r1", "r2"))
        bench.refused(CounterFull, "2", "b", "r1", "r2")

    def test_with_few_domains_the_emptiest_counts_as_empty(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "rack", max_skew=1, min_domains=2))
        bench.enter("1", "a", eligible=("r1",))
        bench.refused(GroupRuleBroken, "2", "b", "r1")

    def test_who_is_in_no_domain_counts_nowhere(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "rack", unknown=UnknownDomain.IGNORE))
        bench.enter("1", "d")
        bench.enter("2", "d")
        assert bench.places("1") == {"host": {"d"}}

    def test_who_moves_counts_at_both_ends(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "host"))
        bench.enter("1", "a")
        bench.enter("1", "b", moving=True, generation=1)
        assert bench.places("1") == {"host": {"a", "b"}}
        bench.refused(CounterFull, "2", "a")
        bench.refused(CounterFull, "2", "b")
        bench.settle("1", "b", generation=2)
        bench.enter("2", "a")
        bench.enter("2", "c", moving=True, generation=1)
        bench.settle("2", "a", generation=2)
        assert bench.places("1") == {"host": {"b"}}
        assert bench.places("2") == {"host": {"a"}}
        bench.enter("3", "c")

    def test_a_move_within_a_domain_takes_it_once(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "rack"))
        bench.enter("1", "a")
        bench.enter("1", "b", moving=True, generation=1)
        assert bench.places("1") == {"rack": {"r1"}, "host": {"a", "b"}}
        bench.refused(CounterFull, "2", "a")
        bench.settle("1", "b", generation=2)
        assert bench.places("1") == {"rack": {"r1"}, "host": {"b"}}

    def test_nobody_follows_who_is_on_the_move(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(TOGETHER, "host"))
        bench.enter("1", "a")
        bench.enter("1", "b", moving=True, generation=1)
        for host in ("a", "b", "c"):
            bench.refused(GroupRuleBroken, "2", host)
        bench.settle("1", "b", generation=2)
        bench.refused(GroupRuleBroken, "2", "a")
        bench.enter("2", "b")
        with pytest.raises(GroupRuleBroken):
            bench.enter("1", "a", moving=True, generation=3)

    def test_a_claim_that_fails_takes_no_slot(self, bench: GroupClaimBench) -> None:
        bench.host("small", vcpus=1)
        bench.group(PlacementRule(SPREAD, "host", max_per_domain=2))
        bench.enter("1", "small")
        bench.refused(CapacityExceeded, "2", "small")
        bench.release("1")
        assert bench.placement.counted() == ()

    def test_a_group_that_was_deleted_asks_for_nothing(self, bench: GroupClaimBench) -> None:
        bench.group(PlacementRule(SPREAD, "host"))
        bench.enter("1", "a")
        bench.store.write(lambda tx: bench.groups.delete_group(tx, GROUP))
        bench.enter("2", "a")
        assert bench.places("1") == {"host": {"a"}}
        assert bench.places("2") == {}
        bench.settle("1", "a", generation=1)
        assert bench.places("1") == {}
