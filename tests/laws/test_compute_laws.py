"""Every operation on instances, under the laws of operations."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.agent import Agent, HostClient, Wire
from computekit.compute import MemoryInstances, Services, admit_host, operation_kinds
from computekit.errors import TransportFailed
from computekit.guest import HostDefaults
from computekit.ids import (
    ExecutorId,
    FlavorId,
    HostName,
    InstanceId,
    OperationId,
    ProjectId,
    UserId,
)
from computekit.images import LocalImages
from computekit.journal import MemoryJournal, Runner
from computekit.model import Flavor, HostCell, HostFacts, InstanceState
from computekit.placement import FleetIndex, MemoryPlacement
from computekit.scheduler import FleetFollower, MemoryHosts, Scheduler
from computekit.testing import ManualClock
from computekit.testing.operation_laws import OperationLaws
from computekit.testing.operation_world import OperationCase, Snapshot, World
from computekit.units import Gib, Mib, Seconds
from computekit.virt import FakeHypervisor
from computekit.work import MemoryStore

FLAVOR = Flavor(FlavorId("f"), "f", 1, Mib(128), Gib(1))
HOSTS = (HostName("a"), HostName("b"))
VICTIM = "victim"


def facts(name: HostName) -> HostFacts:
    return HostFacts(
        name=name,
        arch="x86_64",
        cpus=4,
        memory_mib=Mib(4096),
        disk_gib=Gib(20),
        cells=(HostCell(0, Mib(4096), frozenset(range(4))),),
        hypervisor="fake",
        hypervisor_version=1,
        library_version=0,
        virt_type="qemu",
        machine_types=frozenset({"q35"}),
        uefi=False,
    )


class _Wire:
    """Delivers at once, and lets a crash happen before and after each call."""

    def __init__(self, passed: Callable[[str], None]) -> None:
        self._passed = passed
        self.handlers: dict[HostName, Callable[[str], str]] = {}

    def send(self, host: HostName, text: str, timeout_s: Seconds) -> str:
        del timeout_s
        handler = self.handlers.get(host)
        if handler is None:
            raise TransportFailed(f"no agent of {host}")
        self._passed(f"before a call to {host}")
        answer = handler(text)
        self._passed(f"after a call to {host}")
        return answer


@attrs.define
class _Fleet:
    """Two fake hosts, and everything over them in memory."""

    directory: Path
    services: Services
    journal: MemoryJournal
    store: MemoryStore
    clock: ManualClock
    wire: _Wire
    fakes: dict[HostName, FakeHypervisor]
    images: LocalImages
    source: random.Random
    agents: list[Agent] = attrs.field(factory=list)

    def restart(self) -> None:
        """Let the agents die and come back."""
        for agent in self.agents:
            agent.close()
        self.agents.clear()
        for name, fake in self.fakes.items():
            agent = Agent(name, fake, self.images, self.directory / name, self.clock, self.source)
            self.agents.append(agent)
            self.wire.handlers[name] = agent.handle
            admit_host(self.services, fake.facts(), agent.incarnation)

    def run_all(self) -> None:
        """Carry out what is under way."""
        runner = Runner(
            self.store,
            self.journal,
            operation_kinds(self.services),
            clock=self.clock,
            source=self.source,
            executor=ExecutorId("setup"),
        )
        while (due_s := runner.next_due_s()) is not None:
            self.clock.advance(Seconds(max(0.0, due_s - self.clock.wall_s())))
            runner.step()

    def create(self) -> InstanceId:
        instance, _ = compute.create(
            self.services,
            name=VICTIM,
            flavor=FLAVOR,
            image=self.images.list()[0].id,
            project=ProjectId("p"),
            user=UserId("u"),
        )
        return instance.id

    def snapshot(self) -> Snapshot:
        """Return books and hosts by the names of instances."""
        rows = self.services.instances.instances(deleted=True)
        names = {row.id: row.name for row in rows}
        return {
            "instances": {row.name: (row.state, row.host) for row in rows},
            "used": {
                use.provider.name: dict(use.used)
                for use in self.services.placement.uses()
                if any(use.used.values())
            },
            "domains": {
                (host, names[domain.mark.instance]): domain.state
                for host, fake in self.fakes.items()
                for domain in fake.domains()
            },
            "files": {
                (host, names[one]) for host, fake in self.fakes.items() for one in fake.instances()
            },
        }


def fleet(directory: Path, passed: Callable[[str], None]) -> _Fleet:
    clock = ManualClock()
    source = random.Random(5)
    store = MemoryStore()
    journal = MemoryJournal(store)
    hosts = MemoryHosts(store)
    placement = MemoryPlacement(store)
    images = LocalImages(directory / "images", clock, source)
    with (directory / "disk").open("w+b") as disk:
        disk.truncate(1 << 20)
        images.add("disk", "raw", disk)
    wire = _Wire(passed)
    typed_wire: Wire = wire
    services = Services(
        store=store,
        instances=MemoryInstances(store),
        placement=placement,
        hosts=hosts,
        journal=journal,
        scheduler=Scheduler(FleetIndex(FleetFollower(store, placement, hosts))),
        client=HostClient(typed_wire, hosts, clock),
        images=images,
        defaults=HostDefaults(),
        clock=clock,
        random=source,
    )
    fakes = {name: FakeHypervisor(facts(name), clock) for name in HOSTS}
    made = _Fleet(directory, services, journal, store, clock, wire, fakes, images, source)
    made.restart()
    return made


def failed_create(before: Snapshot) -> Snapshot:
    instances = before["instances"]
    assert isinstance(instances, dict)
    return {**before, "instances": {**instances, VICTIM: (InstanceState.ERROR, None)}}


@pytest.fixture(params=["create", "delete", "start", "stop", "reboot-soft", "reboot-hard"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> OperationCase:
    word = str(request.param)
    numbers = itertools.count()

    def make(passed: Callable[[str], None]) -> World:
        directory = tmp_path / str(next(numbers))
        directory.mkdir()
        made = fleet(directory, passed)
        services = made.services
        if word != "create":
            made.create()
            made.run_all()
        if word == "start":
            compute.stop(services, services.instances.instances()[0].id, Seconds(0.0))
            made.run_all()

        def submit() -> OperationId:
            if word == "create":
                instance = made.create()
                live = services.journal.live(instance)
                assert live is not None
                return live.id
            (row,) = services.instances.instances()
            match word:
                case "delete":
                    return compute.delete(services, row.id).id
                case "start":
                    return compute.start(services, row.id).id
                case "stop":
                    return compute.stop(services, row.id).id
                case _:
                    return compute.reboot(services, row.id, hard=word == "reboot-hard").id

        return World(
            store=made.store,
            journal=made.journal,
            kinds=operation_kinds(services),
            clock=made.clock,
            submit=submit,
            snapshot=made.snapshot,
            undone=failed_create if word == "create" else lambda before: before,
            restart=made.restart,
        )

    return make


class TestComputeLaws(OperationLaws):
    """All operations but those that only read."""
