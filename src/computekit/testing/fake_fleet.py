"""A whole service over fake hosts, for tests and for looking around."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import attrs

from computekit.agent import Agent, HostClient, InventoryRules
from computekit.compute import (
    MemoryInstances,
    Services,
    admit_host,
    create,
    operation_kinds,
)
from computekit.errors import TransportFailed
from computekit.guest import HostDefaults
from computekit.ids import ExecutorId, FlavorId, HostName, InstanceId, ProjectId, UserId
from computekit.images import LocalImages
from computekit.journal import Journal, MemoryJournal, Runner
from computekit.model import Flavor, HostCell, HostFacts, Image, TopologyLevels
from computekit.placement import FleetIndex, MemoryPlacement, PlacementWriter
from computekit.scheduler import (
    AggregateWriter,
    CellWriter,
    DifferentHostFilter,
    FleetFollower,
    HostWriter,
    MemoryAggregates,
    MemoryCells,
    MemoryHosts,
    Policy,
    SameHostFilter,
    Scheduler,
)
from computekit.scheduler.group_claims import GroupSlots
from computekit.scheduler.groups import GroupWriter, MemoryGroups
from computekit.store import (
    SqlAggregates,
    SqlCells,
    SqlGroups,
    SqlHosts,
    SqlInstances,
    SqlJournal,
    SqlPlacement,
    SqlStore,
)
from computekit.testing.clock import ManualClock
from computekit.units import Gib, Mib, Seconds
from computekit.virt import FakeHypervisor
from computekit.work import MemoryStore, Store

__all__ = ["FakeFleet", "fake_facts"]

_POLICY = Policy(rules=(SameHostFilter(), DifferentHostFilter()))
_LEVELS = TopologyLevels()
_RULES = InventoryRules()
SMALL = Flavor(FlavorId("small"), "small", 1, Mib(128), Gib(1))


def fake_facts(
    name: str, *, cpus: int = 4, memory_mib: int = 4096, disk_gib: int = 20
) -> HostFacts:
    """Return what a fake host called `name` has: one NUMA cell, `q35`, no UEFI."""
    return HostFacts(
        name=HostName(name),
        arch="x86_64",
        cpus=cpus,
        memory_mib=Mib(memory_mib),
        disk_gib=Gib(disk_gib),
        cells=(HostCell(0, Mib(memory_mib), frozenset(range(cpus))),),
        hypervisor="fake",
        hypervisor_version=1,
        library_version=0,
        virt_type="qemu",
        machine_types=frozenset({"q35"}),
        uefi=False,
    )


class FakeFleet:
    """Fake hosts, their agents, and services over them, on one manual clock.

    Args:
        directory: for images, locks and fences; empty.
        hosts: what each host has.
        seed: of all randomness.
        passed: called before and after each call to a host, with a word for it.
        url: of the database that everything is written in; None: it is kept in memory.
        policy: of the scheduler; without it, hints may name other instances.
        levels: at which server groups may have rules.
        rules: how much of each host is given out.

    Attributes:
        services: the ports.
        journal: the operations.
        store: what everything is written in.
        clock: the only source of time.
        hypervisors: by host; they outlive the agents.
        image: a disk of 1 MiB.
    """

    def __init__(
        self,
        directory: Path,
        hosts: tuple[HostFacts, ...] = (fake_facts("a"), fake_facts("b")),
        seed: int = 0,
        passed: Callable[[str], None] = lambda _: None,
        url: str | None = None,
        policy: Policy = _POLICY,
        levels: TopologyLevels = _LEVELS,
        rules: InventoryRules = _RULES,
    ) -> None:
        self._rules = rules
        self._directory = directory
        self._passed = passed
        self._source = random.Random(seed)
        self._agents: dict[HostName, Agent] = {}
        self.clock: ManualClock = ManualClock()
        ports = _in_memory(self.clock) if url is None else _in_sql(url, self.clock, self._source)
        self.store: Store = ports.store
        self.journal: Journal = ports.journal
        self.images: LocalImages = LocalImages(directory / "images", self.clock, self._source)
        self.image: Image = self.images.add("disk", "raw", io.BytesIO(bytes(1 << 20)))
        self.hypervisors: dict[HostName, FakeHypervisor] = {
            one.name: FakeHypervisor(one, self.clock) for one in hosts
        }
        slots = GroupSlots(ports.groups, ports.placement, ports.hosts, ports.aggregates, levels)
        follower = FleetFollower(
            ports.store,
            ports.placement,
            ports.hosts,
            ports.aggregates,
            ports.groups,
            ports.cells,
            ports.instances,
        )
        self._close_store = ports.close
        self.services: Services = Services(
            store=ports.store,
            instances=ports.instances,
            placement=ports.placement,
            hosts=ports.hosts,
            journal=ports.journal,
            scheduler=Scheduler(FleetIndex(follower, levels=levels), policy),
            client=HostClient(self, ports.hosts, self.clock),
            images=self.images,
            defaults=HostDefaults(),
            clock=self.clock,
            random=self._source,
            aggregates=ports.aggregates,
            cells=ports.cells,
            slots=slots,
        )
        self.restart_agents()

    def restart_agents(self) -> None:
        """Let every agent die, and a new one come in its place."""
        for name in self.hypervisors:
            self.lose_agent(name)
        for name in self.hypervisors:
            self.start_agent(name)

    def lose_agent(self, host: HostName) -> None:
        """Let a host's agent die; what it was told is kept, and its guests go on."""
        agent = self._agents.pop(host, None)
        if agent is not None:
            agent.close()

    def start_agent(self, host: HostName) -> None:
        """Let a new agent come for a host that has none."""
        hypervisor = self.hypervisors[host]
        directory = self._directory / host
        agent = Agent(host, hypervisor, self.images, directory, self.clock, self._source)
        self._agents[host] = agent
        admit_host(self.services, hypervisor.facts(), agent.incarnation, self._rules)

    def send(self, host: HostName, text: str, timeout_s: Seconds) -> str:
        """Deliver at once, as `computekit.agent.Wire` says."""
        del timeout_s
        agent = self._agents.get(host)
        if agent is None:
            raise TransportFailed(f"no agent of {host}")
        self._passed(f"before a call to {host}")
        answer = agent.handle(text)
        self._passed(f"after a call to {host}")
        return answer

    def create(self, name: str, flavor: Flavor = SMALL, zone: str | None = None) -> InstanceId:
        """Write down a new instance and its operation; `run` carries it out."""
        instance, _ = create(
            self.services,
            name=name,
            flavor=flavor,
            image=self.image.id,
            project=ProjectId("project"),
            user=UserId("user"),
            zone=zone,
        )
        return instance.id

    def run(self, within_s: Seconds = Seconds(3600.0)) -> None:
        """Carry out all that is under way; time passes where something waits.

        Args:
            within_s: what is not due by then stays under way.
        """
        end_s = self.clock.wall_s() + within_s
        runner = Runner(
            self.store,
            self.journal,
            operation_kinds(self.services),
            clock=self.clock,
            source=self._source,
            executor=ExecutorId("fake-fleet"),
        )
        while (due_s := runner.next_due_s()) is not None and due_s <= end_s:
            self.clock.advance(Seconds(max(0.0, due_s - self.clock.wall_s())))
            runner.step()

    def close(self) -> None:
        """Let the agents go, and the store."""
        for agent in self._agents.values():
            agent.close()
        self._close_store()


@attrs.frozen
class _Ports:
    store: Store
    journal: Journal
    instances: MemoryInstances | SqlInstances
    placement: PlacementWriter
    hosts: HostWriter
    aggregates: AggregateWriter
    groups: GroupWriter
    cells: CellWriter
    close: Callable[[], None]


def _in_memory(clock: ManualClock) -> _Ports:
    store = MemoryStore()
    return _Ports(
        store,
        MemoryJournal(store),
        MemoryInstances(store),
        MemoryPlacement(store, clock),
        MemoryHosts(store),
        MemoryAggregates(store),
        MemoryGroups(store),
        MemoryCells(store),
        lambda: None,
    )


def _in_sql(url: str, clock: ManualClock, source: random.Random) -> _Ports:
    store = SqlStore(url, clock, source)
    return _Ports(
        store,
        SqlJournal(store),
        SqlInstances(store),
        SqlPlacement(store, clock),
        SqlHosts(store),
        SqlAggregates(store),
        SqlGroups(store),
        SqlCells(store),
        store.close,
    )
