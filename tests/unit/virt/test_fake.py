"""What only the fake host can do: fail on request, and be found again."""

import random
from pathlib import Path

import attrs
import pytest

from computekit.errors import (
    DeadlineExceeded,
    HypervisorRefused,
    HypervisorUnavailable,
    StorageFailed,
    Unsupported,
)
from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import HostName, InstanceId, OperationId, new_uuid
from computekit.model import HostCell, HostFacts
from computekit.testing import ManualClock
from computekit.units import Bytes, Gib, Mib, Seconds
from computekit.virt import (
    DomainEvent,
    DomainEventKind,
    DomainMark,
    DomainSpec,
    DomainState,
    FakeHypervisor,
)

FACTS = HostFacts(
    name=HostName("fake-1"),
    arch="x86_64",
    cpus=2,
    memory_mib=Mib(1024),
    disk_gib=Gib(1),
    cells=(HostCell(0, Mib(1024), frozenset({0, 1})),),
    hypervisor="fake",
    hypervisor_version=1,
    library_version=0,
    virt_type="qemu",
    machine_types=frozenset({"q35"}),
    uefi=False,
)
GUEST = GuestConfig(
    "x86_64", "q35", Firmware.BIOS, 1, Mib(64), (GuestDisk(DiskRole.ROOT, Bytes(1 << 20)),)
)


def spec(guest: GuestConfig = GUEST, seed: int = 0) -> DomainSpec:
    source = random.Random(seed)
    mark = DomainMark(InstanceId(new_uuid(source)), 1, OperationId(new_uuid(source)))
    return DomainSpec(mark, "guest", guest)


def started(fake: FakeHypervisor, guest: GuestConfig = GUEST) -> InstanceId:
    made = spec(guest)
    fake.prepare(made)
    fake.define(made)
    fake.start(made.mark)
    return made.mark.instance


def state(fake: FakeHypervisor, instance: InstanceId) -> DomainState:
    status = fake.status(instance)
    assert status is not None
    return status.state


def test_the_next_call_fails_on_request_and_has_no_effect() -> None:
    fake = FakeHypervisor(FACTS, ManualClock())
    refused = HypervisorRefused("define", 1, "on request")
    fake.fail_next("define", refused, times=2)
    for _ in range(2):
        with pytest.raises(HypervisorRefused):
            fake.define(spec())
        assert fake.domains() == ()
    fake.define(spec())
    assert len(fake.domains()) == 1


def test_an_answer_can_be_lost() -> None:
    fake = FakeHypervisor(FACTS, ManualClock())
    fake.fail_next("define", HypervisorUnavailable("fake:", "lost"), carried_out=True)
    with pytest.raises(HypervisorUnavailable):
        fake.define(spec())
    assert len(fake.domains()) == 1


def test_a_call_that_hangs_ends_at_its_deadline() -> None:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock, deadline_s=Seconds(7.0))
    fake.hang("facts")
    with pytest.raises(DeadlineExceeded):
        fake.facts()
    assert clock.monotonic_s() == 7.0
    assert fake.facts() == FACTS


def test_only_calls_that_exist_can_be_planned_to_fail() -> None:
    with pytest.raises(ValueError, match="strat"):
        FakeHypervisor(FACTS, ManualClock()).hang("strat")


def test_without_connection_nothing_answers_and_guests_go_on() -> None:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock)
    instance = started(fake)
    heard: list[DomainEvent] = []
    fake.subscribe(heard.append)
    fake.drop_connection()
    with pytest.raises(HypervisorUnavailable):
        fake.status(instance)
    clock.advance(Seconds(1.0))
    fake.power_off_guest(instance)
    assert heard == []
    fake.restore_connection()
    assert heard == [DomainEvent(instance, DomainEventKind.STOPPED, synthetic=True)]
    assert fake.console_output(instance, 100) == b"BOOTED guest\n"


def test_the_next_process_finds_everything_again(tmp_path: Path) -> None:
    clock = ManualClock()
    first = FakeHypervisor(FACTS, clock, directory=tmp_path)
    instance = started(first)
    first.add_foreign_domain(new_uuid(random.Random(9)), "stranger")
    before = first.status(instance)
    clock.advance(Seconds(0.5))
    second = FakeHypervisor(FACTS, clock, directory=tmp_path)
    assert second.status(instance) == before
    assert second.instances() == {instance}
    assert set(second.foreign_domains.values()) == {"stranger"}
    assert second.console_output(instance, 100) == b"BOOTED guest\n"


def test_a_deaf_guest_stays_until_its_power_is_taken() -> None:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock)
    instance = started(fake)
    fake.deafen(instance)
    fake.shut_down(instance)
    clock.advance(Seconds(3600.0))
    assert state(fake, instance) is DomainState.RUNNING
    fake.destroy(instance)
    assert state(fake, instance) is DomainState.SHUTOFF


def test_guests_are_deaf_without_a_shutdown_time() -> None:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock, shutdown_s=None)
    instance = started(fake)
    fake.shut_down(instance)
    clock.advance(Seconds(3600.0))
    assert state(fake, instance) is DomainState.RUNNING


def test_a_guest_that_is_stopped_before_it_has_booted_says_nothing() -> None:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock, boot_s=Seconds(5.0), shutdown_s=Seconds(1.0))
    instance = started(fake)
    fake.shut_down(instance)
    clock.advance(Seconds(60.0))
    assert state(fake, instance) is DomainState.SHUTOFF
    assert fake.console_output(instance, 100) == b""


def test_guests_crash_and_hosts_lose_their_power() -> None:
    fake = FakeHypervisor(FACTS, ManualClock())
    instance = started(fake)
    fake.crash_guest(instance)
    assert state(fake, instance) is DomainState.CRASHED
    fake.start(spec().mark)
    fake.fail_power()
    assert state(fake, instance) is DomainState.SHUTOFF


@pytest.mark.parametrize(
    "guest",
    [
        attrs.evolve(GUEST, arch="aarch64"),
        attrs.evolve(GUEST, machine_type="pc-q35-99.0"),
        attrs.evolve(GUEST, firmware=Firmware.UEFI),
    ],
)
def test_what_the_host_cannot_run_is_refused(guest: GuestConfig) -> None:
    fake = FakeHypervisor(FACTS, ManualClock())
    with pytest.raises(Unsupported):
        fake.define(spec(guest))
    assert fake.domains() == ()


def test_a_guest_larger_than_the_host_does_not_start() -> None:
    fake = FakeHypervisor(FACTS, ManualClock())
    with pytest.raises(HypervisorRefused, match="1025 MiB"):
        started(fake, attrs.evolve(GUEST, memory_mib=Mib(1025)))
    assert [status.state for status in fake.domains()] == [DomainState.SHUTOFF]


def test_a_console_keeps_its_end() -> None:
    clock = ManualClock()
    fake = FakeHypervisor(FACTS, clock, boot_s=Seconds(0.0))
    made = attrs.evolve(spec(), name="x" * 255)
    fake.prepare(made)
    fake.define(made)
    for _ in range(300):
        fake.start(made.mark)
        fake.destroy(made.mark.instance)
    output = fake.console_output(made.mark.instance, 1 << 20)
    assert 65_000 < len(output) <= 65_536
    assert output.endswith(b"x\n")


def test_what_cannot_be_written_down_has_not_happened(tmp_path: Path) -> None:
    fake = FakeHypervisor(FACTS, ManualClock(), directory=tmp_path / "host")
    instance = started(fake)
    (tmp_path / "host" / "fake-host.new").mkdir()
    with pytest.raises(StorageFailed):
        fake.destroy(instance)
    status = fake.status(instance)
    assert status is not None
    assert status.state is DomainState.RUNNING
    (tmp_path / "host" / "fake-host.new").rmdir()
    fake.destroy(instance)
