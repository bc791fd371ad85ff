"""Whatever is done, by schedulers that are behind: no rule is broken, no host is over capacity."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from computekit.ids import HostName
from tests.property.effort import examples
from tests.property.scheduler.group_ports import Ports, in_memory, in_sql
from tests.property.scheduler.group_world import NAMES, RACKS, RULES, ZONES, Choice, Server, World

VCPUS = st.integers(1, 3)
SCHEDULER = st.integers(0, 1)
KIND = st.integers(0, len(RULES) - 1)
ZONE = st.sampled_from(ZONES) | st.none()
NAME = st.sampled_from(NAMES)


class GroupMachine(RuleBasedStateMachine):
    """Choices that are claimed later, when others have come in between."""

    choices = Bundle("choices")

    def open(self) -> Ports:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.open())

    def teardown(self) -> None:
        self.world.ports.close()

    def any_server(self, data: st.DataObject) -> Server:
        servers = self.world.servers
        return servers[data.draw(st.sampled_from(sorted(servers)))]

    @rule(target=choices, scheduler=SCHEDULER, kind=KIND | st.none(), vcpus=VCPUS, zone=ZONE)
    def choose_new(
        self, scheduler: int, kind: int | None, vcpus: int, zone: str | None
    ) -> Choice | None:
        return self.world.choose_new(scheduler, kind, vcpus, zone)

    @precondition(lambda self: self.world.servers)
    @rule(target=choices, scheduler=SCHEDULER, vcpus=VCPUS, data=st.data())
    def choose_move(self, scheduler: int, vcpus: int, data: st.DataObject) -> Choice | None:
        return self.world.choose_move(scheduler, self.any_server(data), vcpus)

    @rule(choice=consumes(choices))
    def claim(self, choice: Choice | None) -> None:
        if choice is None:
            return
        if choice.server in self.world.servers:
            self.world.claim_move(choice)
        elif not choice.request.run.ignored_hosts:
            self.world.claim_new(choice)

    @rule(kind=KIND)
    def race(self, kind: int) -> None:
        """Let both schedulers choose for one group before either of them claims."""
        both = [self.world.choose_new(scheduler, kind, 1, None) for scheduler in (0, 1)]
        for choice in both:
            if choice is not None:
                self.world.claim_new(choice)

    @precondition(lambda self: self.world.servers)
    @rule(vcpus=VCPUS, data=st.data())
    def race_with_a_move(self, vcpus: int, data: st.DataObject) -> None:
        """Let one scheduler choose for a group while the other moves a member of it away."""
        server = self.any_server(data)
        groups = self.world.groups
        if server.group is None or server.group not in groups:
            return
        joins = self.world.choose_new(0, groups.index(server.group), 1, None)
        moves = self.world.choose_move(1, server, vcpus)
        if moves is not None:
            self.world.claim_move(moves)
        if joins is not None:
            self.world.claim_new(joins)

    @rule(kind=KIND | st.none(), pin=st.sampled_from(ZONES), zone=ZONE)
    def race_with_a_zone(self, kind: int | None, pin: str, zone: str | None) -> None:
        """Let the host that was chosen go to another zone meanwhile."""
        choice = self.world.choose_new(0, kind, 1, pin)
        if choice is not None:
            self.world.set_zone(choice.selections[0].host, zone)
            self.world.claim_new(choice)

    @rule(scheduler=SCHEDULER, kind=KIND | st.none(), vcpus=VCPUS)
    def create(self, scheduler: int, kind: int | None, vcpus: int) -> None:
        choice = self.world.choose_new(scheduler, kind, vcpus, None)
        if choice is not None:
            assert self.world.claim_new(choice), "nobody was in between"

    @precondition(lambda self: self.world.servers)
    @rule(confirm=st.booleans(), data=st.data())
    def end_move(self, confirm: bool, data: st.DataObject) -> None:
        self.world.end_move(self.any_server(data), confirm=confirm)

    @precondition(lambda self: self.world.servers)
    @rule(vcpus=VCPUS, data=st.data())
    def resize(self, vcpus: int, data: st.DataObject) -> None:
        self.world.resize(self.any_server(data), vcpus)

    @precondition(lambda self: self.world.servers)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.world.delete(self.any_server(data))

    @precondition(lambda self: self.world.servers)
    @rule(zone=ZONE, data=st.data())
    def pin(self, zone: str | None, data: st.DataObject) -> None:
        self.world.pin(self.any_server(data), zone)

    @rule(name=NAME, up=st.booleans())
    def kill_or_wake(self, name: HostName, up: bool) -> None:
        self.world.set_host(name, up=up)

    @rule(name=NAME, zone=ZONE)
    def rezone(self, name: HostName, zone: str | None) -> None:
        self.world.set_zone(name, zone)

    @rule(name=NAME, rack=st.sampled_from(RACKS))
    def rerack(self, name: HostName, rack: str) -> None:
        self.world.set_rack(name, rack)

    @rule(kind=KIND)
    def replace_group(self, kind: int) -> None:
        self.world.replace_group(kind)

    @invariant()
    def nothing_is_broken(self) -> None:
        self.world.check()

    @invariant()
    def indexes_agree(self) -> None:
        if self.world.made % 4 == 0:
            self.world.check_indexes()


class OnMemory(GroupMachine):
    def open(self) -> Ports:
        return in_memory()


class OnSqlite(GroupMachine):
    def open(self) -> Ports:
        return in_sql("sqlite://")


TestGroupsOnMemory = OnMemory.TestCase
TestGroupsOnMemory.settings = settings(
    max_examples=examples(60), stateful_step_count=60, deadline=None
)
TestGroupsOnSqlite = OnSqlite.TestCase
TestGroupsOnSqlite.settings = settings(
    max_examples=examples(6), stateful_step_count=40, deadline=None
)
pytestmark = pytest.mark.filterwarnings("error")
