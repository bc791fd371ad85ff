"""Who may command an agent, over a wire of this process."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit.agent import (
    Agent,
    Define,
    Fence,
    HostClient,
    ReadFacts,
    ReadInstances,
    ReadStatus,
    RemoveInstance,
    Start,
    host_provider,
)
from computekit.errors import (
    DomainNotFound,
    FenceRejected,
    HostNotReady,
    HypervisorUnavailable,
    InUse,
    InvalidInput,
    TransportFailed,
)
from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import HostName, InstanceId, OperationId, new_uuid
from computekit.images import LocalImages
from computekit.model import HostCell, HostFacts
from computekit.runtime import Runtime
from computekit.scheduler import Host, MemoryHosts
from computekit.testing import ManualClock
from computekit.transport import InProcessWire
from computekit.units import Bytes, Gib, Mib, Seconds
from computekit.virt import DomainMark, DomainSpec, DomainState, FakeHypervisor
from computekit.work import MemoryStore

NAME = HostName("a")
FACTS = HostFacts(
    name=NAME,
    arch="x86_64",
    cpus=4,
    memory_mib=Mib(4096),
    disk_gib=Gib(10),
    cells=(HostCell(0, Mib(4096), frozenset(range(4))),),
    hypervisor="fake",
    hypervisor_version=1,
    library_version=0,
    virt_type="qemu",
    machine_types=frozenset({"q35"}),
    uefi=False,
)
INSTANCE = InstanceId(new_uuid(random.Random(1)))
OPERATION = OperationId(new_uuid(random.Random(2)))
MARK = DomainMark(INSTANCE, 1, OPERATION)
GUEST = GuestConfig(
    "x86_64", "q35", Firmware.BIOS, 1, Mib(64), (GuestDisk(DiskRole.ROOT, Bytes(1 << 20)),)
)
SPEC = DomainSpec(MARK, "guest", GUEST)


@attrs.define
class _Bench:
    directory: Path
    clock: ManualClock
    fake: FakeHypervisor
    store: MemoryStore
    hosts: MemoryHosts
    wire: InProcessWire
    client: HostClient
    images: LocalImages
    agents: list[Agent]

    def agent(self, seed: int, *, admit: bool = True) -> Agent:
        agent = Agent(
            NAME, self.fake, self.images, self.directory / "host", self.clock, random.Random(seed)
        )
        self.agents.append(agent)
        self.wire.attach(NAME, agent.handle)
        if admit:
            self.know(agent.incarnation)
        return agent

    def know(self, incarnation: str) -> None:
        row = Host(NAME, host_provider(NAME), FACTS, incarnation=incarnation)
        self.store.write(lambda tx: self.hosts.put_host(tx, row))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[_Bench]:
    clock = ManualClock()
    runtime = Runtime()
    store = MemoryStore()
    hosts = MemoryHosts(store)
    wire = InProcessWire(runtime)
    made = _Bench(
        tmp_path,
        clock,
        FakeHypervisor(FACTS, clock),
        store,
        hosts,
        wire,
        HostClient(wire, hosts, clock),
        LocalImages(tmp_path / "images", clock, random.Random(0)),
        [],
    )
    yield made
    for agent in made.agents:
        agent.close()
    assert runtime.drain(Seconds(10))


def test_an_agent_obeys_nothing_before_its_first_sync(bench: _Bench) -> None:
    bench.agent(1)
    with pytest.raises(HostNotReady):
        bench.client.call(NAME, ReadFacts())
    bench.client.sync(NAME, ())
    assert bench.client.call(NAME, ReadFacts()) == FACTS


def test_calls_are_carried_out_and_their_errors_come_back(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    fence = Fence(INSTANCE, 1, 1, 1)
    with pytest.raises(DomainNotFound):
        bench.client.call(NAME, Start(MARK), fence)
    assert bench.client.call(NAME, ReadStatus(INSTANCE)) is None
    bench.client.call(NAME, Define(SPEC), fence)
    bench.client.call(NAME, Start(MARK), fence)
    status = bench.client.call(NAME, ReadStatus(INSTANCE))
    assert status is not None
    assert (status.state, status.mark) == (DomainState.RUNNING, MARK)
    bench.client.call(NAME, RemoveInstance(INSTANCE), fence)
    assert bench.client.call(NAME, ReadStatus(INSTANCE)) is None
    assert bench.fake.instances() == frozenset()


def test_a_late_word_of_a_past_owner_has_no_effect(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    bench.client.call(NAME, Define(SPEC), Fence(INSTANCE, 1, 2, 1))
    for late in (Fence(INSTANCE, 0, 9, 9), Fence(INSTANCE, 1, 1, 9), Fence(INSTANCE, 1, 2, 0)):
        with pytest.raises(FenceRejected):
            bench.client.call(NAME, RemoveInstance(INSTANCE), late)
    assert bench.fake.instances() == {INSTANCE}


def test_a_host_that_comes_back_learns_who_has_left(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    bench.client.call(NAME, Define(SPEC), Fence(INSTANCE, 1, 1, 1))
    bench.agents.pop().close()
    bench.agent(2)
    report = bench.client.sync(NAME, (Fence(INSTANCE, 7),))
    assert [domain.mark for domain in report.domains] == [MARK]
    assert report.files == {INSTANCE}
    with pytest.raises(FenceRejected):
        bench.client.call(NAME, Start(MARK), Fence(INSTANCE, 1, 5, 5))


def test_a_message_for_an_earlier_incarnation_is_refused(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    bench.agents.pop().close()
    bench.agent(2, admit=False)
    bench.client.sync(NAME, ())
    with pytest.raises(HostNotReady, match="started anew"):
        bench.client.call(NAME, ReadFacts())


def test_a_message_that_took_too_long_is_refused(bench: _Bench) -> None:
    agent = bench.agent(1)
    bench.client.sync(NAME, ())

    def slow(text: str) -> str:
        bench.clock.advance(Seconds(3600))
        return agent.handle(text)

    bench.wire.attach(NAME, slow)
    with pytest.raises(FenceRejected, match="after its time"):
        bench.client.call(NAME, Define(SPEC), Fence(INSTANCE, 1, 1, 1))
    assert bench.fake.instances() == frozenset()


def test_a_call_that_changes_needs_the_fence_of_its_instance(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    for wrong in (None, Fence(InstanceId("another"), 1)):
        with pytest.raises(InvalidInput):
            bench.client.call(NAME, Define(SPEC), wrong)


def test_one_agent_for_each_host(bench: _Bench) -> None:
    bench.agent(1)
    with pytest.raises(InUse):
        bench.agent(2)


def test_fences_of_the_gone_are_forgotten_in_time(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    gone = InstanceId(new_uuid(random.Random(9)))
    bench.client.call(NAME, Define(SPEC), Fence(INSTANCE, 1, 1, 1))
    bench.client.call(NAME, RemoveInstance(gone), Fence(gone, 1, 1, 1))
    bench.clock.advance(Seconds(4e9))  # far after the files that were written now
    bench.client.call(NAME, ReadInstances())
    kept = {file.stem for file in (bench.directory / "host/fences").iterdir()}
    assert kept == {INSTANCE}


def _message(call: str, body: str) -> str:
    return json.dumps(
        {
            "host": "a",
            "incarnation": "",
            "call": call,
            "body": body,
            "fence": None,
            "operation": None,
            "not_after_s": 9e9,
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[" * 5000,
        '{"host":"a"}',
        _message("__init__", "{}"),
        _message("Sync", '{"fences":1}'),
    ],
)
def test_what_is_no_message_is_refused_politely(bench: _Bench, text: str) -> None:
    reply = bench.agent(1).handle(text)
    assert '"ok":false' in reply
    assert "input.invalid" in reply


def test_errors_of_the_hypervisor_keep_their_type(bench: _Bench) -> None:
    bench.agent(1)
    bench.client.sync(NAME, ())
    bench.fake.drop_connection()
    with pytest.raises(HypervisorUnavailable):
        bench.client.call(NAME, ReadStatus(INSTANCE))


def test_nobody_at_the_other_end(bench: _Bench) -> None:
    with pytest.raises(HostNotReady):
        bench.client.call(NAME, ReadFacts())
    bench.know("x")
    with pytest.raises(TransportFailed):
        bench.client.call(NAME, ReadFacts())
