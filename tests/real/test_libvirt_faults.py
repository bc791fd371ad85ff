"""What the driver does when libvirtd dies, hangs, or was never there."""

import os
import random
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from computekit.errors import ComputekitError, DeadlineExceeded, HypervisorUnavailable
from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import HostName, InstanceId, OperationId, new_uuid
from computekit.runtime import Runtime
from computekit.units import Bytes, Mib, Seconds
from computekit.virt import (
    DomainEvent,
    DomainEventKind,
    DomainMark,
    DomainSpec,
    DomainState,
    DomainStatus,
)
from computekit.virt.libvirt import ConnectionState, LibvirtHypervisor, PrivateLibvirtd
from tests.real.conftest import missing_for_libvirt

pytestmark = pytest.mark.real

GUEST = GuestConfig(
    "x86_64", "q35", Firmware.BIOS, 1, Mib(32), (GuestDisk(DiskRole.ROOT, Bytes(1 << 20)),)
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateLibvirtd]:
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")
    made = PrivateLibvirtd(tmp_path_factory.mktemp("libvirtd"))
    made.start()
    try:
        yield made
    finally:
        if made.libvirtd_pid is not None:
            os.kill(made.libvirtd_pid, signal.SIGCONT)
        made.stop(destroy_domains=True)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    assert made.drain(Seconds(10.0)), "threads did not end"


@pytest.fixture
def driver(
    daemon: PrivateLibvirtd, runtime: Runtime, tmp_path: Path
) -> Iterator[LibvirtHypervisor]:
    made = LibvirtHypervisor(
        daemon.uri,
        tmp_path,
        HostName("real"),
        runtime,
        virt_type="qemu",
        query_timeout_s=Seconds(2.0),
        change_timeout_s=Seconds(10.0),
    )
    until(lambda: made.connection_state is ConnectionState.READY)
    yield made
    daemon.start()
    until(lambda: made.connection_state is ConnectionState.READY)
    for status in made.domains():
        made.destroy(status.mark.instance)
        made.undefine(status.mark.instance)
        made.remove(status.mark.instance)
    made.close()


def until(reached: Callable[[], bool], timeout_s: float = 30.0) -> None:
    end_s = monotonic() + timeout_s
    while not reached():
        assert monotonic() < end_s, "it did not happen in time"
        sleep(0.02)


def spec(source: random.Random) -> DomainSpec:
    mark = DomainMark(InstanceId(new_uuid(source)), 1, OperationId(new_uuid(source)))
    return DomainSpec(mark, "faulty", GUEST)


def prepared(driver: LibvirtHypervisor, source: random.Random) -> DomainSpec:
    made = spec(source)
    driver.prepare(made)
    driver.define(made)
    return made


def end(daemon: PrivateLibvirtd, number: signal.Signals) -> None:
    """Let libvirtd end, and have the next one running.

    One that is told to end waits for its calls, up to 30 s for one that hangs; nobody lets it.
    """
    pid = daemon.libvirtd_pid
    assert pid is not None
    os.kill(pid, number)
    try:
        until(lambda: daemon.libvirtd_pid != pid, 5.0)
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        until(lambda: daemon.libvirtd_pid != pid)
    daemon.start()


def stuck(runtime: Runtime) -> int:
    return sum(pool.stuck for pool in runtime.health())


class Worker(threading.Thread):
    """Takes a few domains through their lives, again and again, whatever comes in between.

    As an operation does, it makes a call again until it has an answer, and believes nothing but
    the answer.
    """

    def __init__(self, driver: LibvirtHypervisor, seed: int, end_s: float) -> None:
        super().__init__(name=f"worker-{seed}", daemon=True)
        self._driver = driver
        self._random = random.Random(seed)
        self._end_s = end_s
        self.expected: dict[InstanceId, DomainState] = {}
        self.lives = 0
        self.interruptions = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while monotonic() < self._end_s:
                self._live()
        except BaseException as error:  # noqa: BLE001  # raised by the test's own thread
            self.error = error

    def _live(self) -> None:
        made = spec(self._random)
        instance = made.mark.instance
        self._surely(lambda: self._driver.prepare(made))
        self._surely(lambda: self._driver.define(made))
        self.expected[instance] = DomainState.SHUTOFF
        for _ in range(self._random.randrange(3)):
            self._surely(lambda: self._driver.start(made.mark))
            self.expected[instance] = DomainState.RUNNING
            if self._random.random() < 0.7:
                self._surely(lambda: self._driver.destroy(instance))
                self.expected[instance] = DomainState.SHUTOFF
        if len(self.expected) > 2 or self._random.random() < 0.5:
            self._surely(lambda: self._driver.destroy(instance))
            self._surely(lambda: self._driver.undefine(instance))
            self._surely(lambda: self._driver.remove(instance))
            del self.expected[instance]
        self.lives += 1

    def _surely(self, call: Callable[[], None]) -> None:
        last_s = monotonic() + 45.0
        while True:
            try:
                return call()
            except ComputekitError as error:
                if not error.retryable or monotonic() > last_s:
                    raise
                self.interruptions += 1
                sleep(0.1)


def test_libvirtd_ends_again_and_again_during_operations(
    daemon: PrivateLibvirtd, driver: LibvirtHypervisor, runtime: Runtime
) -> None:
    source = random.Random(20)
    end_s = monotonic() + 12.0
    workers = [Worker(driver, seed, end_s) for seed in range(4)]
    for worker in workers:
        worker.start()
    ends = 0
    while monotonic() < end_s:
        sleep(source.uniform(0.3, 1.5))
        end(daemon, source.choice([signal.SIGKILL, signal.SIGTERM]))
        ends += 1
    for worker in workers:
        worker.join(60.0)
        assert not worker.is_alive(), "a thread is stuck"
        if worker.error is not None:
            raise worker.error
    expected = {key: value for worker in workers for key, value in worker.expected.items()}
    assert ends >= 5
    assert sum(worker.lives for worker in workers) >= 4
    assert sum(worker.interruptions for worker in workers) >= 1
    assert {each.mark.instance: each.state for each in driver.domains()} == expected
    assert driver.instances() == expected.keys()
    assert stuck(runtime) == 0
    assert driver.connection_state is ConnectionState.READY


def test_what_happened_during_an_absence_is_told_afterwards(
    daemon: PrivateLibvirtd, driver: LibvirtHypervisor
) -> None:
    source = random.Random(21)
    stays, stops, goes = (prepared(driver, source) for _ in range(3))
    driver.start(stays.mark)
    driver.start(stops.mark)
    heard: list[DomainEvent] = []
    driver.subscribe(heard.append)
    pid = daemon.libvirtd_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: driver.connection_state is not ConnectionState.READY)
    # Behind everybody's back: one guest ends, one definition goes.
    os.kill(_qemu_pid(daemon, stops), signal.SIGKILL)
    (daemon.directory / f"etc/libvirt/qemu/ck-{goes.mark.instance}.xml").unlink()
    daemon.start()
    wanted = {
        DomainEvent(stops.mark.instance, DomainEventKind.STOPPED, synthetic=True),
        DomainEvent(goes.mark.instance, DomainEventKind.LOST, synthetic=True),
    }
    until(lambda: {event for event in heard if event.synthetic} == wanted)
    assert {each.mark.instance: each.state for each in driver.domains()} == {
        stays.mark.instance: DomainState.RUNNING,
        stops.mark.instance: DomainState.SHUTOFF,
    }


def test_a_guest_that_was_about_to_start_when_libvirtd_was_killed_is_off(
    daemon: PrivateLibvirtd, driver: LibvirtHypervisor
) -> None:
    made = prepared(driver, random.Random(25))
    driver.start(made.mark)
    note = daemon.directory / f"run/libvirt/qemu/ck-{made.mark.instance}.xml"
    text = note.read_text("utf-8")
    driver.destroy(made.mark.instance)
    supervisor, pid = daemon.supervisor_pid, daemon.libvirtd_pid
    assert supervisor is not None
    assert pid is not None
    # What is left behind is written by hand: to hit that moment takes many attempts.
    text = re.sub(
        "<domstatus [^>]*>", "<domstatus state='paused' reason='starting up' pid='0'>", text
    )
    text = re.sub("<job [^>]*/>", "<job type='none' async='start' phase='none' flags='0x0'/>", text)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        until(lambda: _answers_not(driver))
        note.write_text(text, "utf-8")
    finally:
        os.kill(supervisor, signal.SIGCONT)
    daemon.start()
    until(lambda: _answers(driver))
    assert driver.status(made.mark.instance) == DomainStatus(made.mark, DomainState.SHUTOFF)
    driver.start(made.mark)
    driver.destroy(made.mark.instance)


def test_a_guest_that_dies_is_told_and_seen(
    daemon: PrivateLibvirtd, driver: LibvirtHypervisor
) -> None:
    made = prepared(driver, random.Random(22))
    driver.start(made.mark)
    heard: list[DomainEvent] = []
    driver.subscribe(heard.append)
    os.kill(_qemu_pid(daemon, made), signal.SIGKILL)
    until(lambda: DomainEvent(made.mark.instance, DomainEventKind.STOPPED) in heard)
    assert driver.status(made.mark.instance) == DomainStatus(made.mark, DomainState.SHUTOFF)


def test_a_libvirtd_that_hangs_costs_a_deadline_and_then_goes_on(
    daemon: PrivateLibvirtd, driver: LibvirtHypervisor, runtime: Runtime
) -> None:
    made = prepared(driver, random.Random(23))
    pid = daemon.libvirtd_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        began_s = monotonic()
        with pytest.raises(DeadlineExceeded):
            driver.status(made.mark.instance)
        assert 1.9 < monotonic() - began_s < 4.0
        assert stuck(runtime) == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: stuck(runtime) == 0, 5.0)
    assert driver.status(made.mark.instance) == DomainStatus(made.mark, DomainState.SHUTOFF)


def test_a_libvirtd_that_hangs_for_long_takes_no_thread_with_it(
    daemon: PrivateLibvirtd, driver: LibvirtHypervisor, runtime: Runtime
) -> None:
    made = prepared(driver, random.Random(24))
    pid = daemon.libvirtd_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(6):
            with pytest.raises((DeadlineExceeded, HypervisorUnavailable)):
                driver.status(made.mark.instance)
        assert driver.connection_state is not ConnectionState.READY
        # The keep-alive ends a call that hangs on a connection; those that hang on opening one
        # wait for libvirtd to go on, or to end.
        until(lambda: stuck(runtime) <= 3, 20.0)
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: driver.connection_state is ConnectionState.READY)
    assert driver.status(made.mark.instance) == DomainStatus(made.mark, DomainState.SHUTOFF)
    until(lambda: stuck(runtime) == 0)


def test_twenty_reconnects_leak_nothing(daemon: PrivateLibvirtd, driver: LibvirtHypervisor) -> None:
    def used() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    for _ in range(3):
        _reconnect(daemon, driver)
    before = used()
    for _ in range(20):
        _reconnect(daemon, driver)
    descriptors, threads = used()
    assert descriptors <= before[0] + 2
    assert threads <= before[1] + 2


def test_without_libvirtd_calls_fail_at_once(runtime: Runtime, tmp_path: Path) -> None:
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")
    uri = f"qemu+unix:///system?socket={tmp_path}/nobody-listens"
    driver = LibvirtHypervisor(uri, tmp_path, HostName("real"), runtime, virt_type="qemu")
    for _ in range(3):
        began_s = monotonic()
        with pytest.raises(HypervisorUnavailable, match="nobody-listens"):
            driver.domains()
        assert monotonic() - began_s < 1.0
    driver.close()
    with pytest.raises(HypervisorUnavailable, match="closed"):
        driver.domains()


def test_a_forked_process_is_told_to_start_anew(driver: LibvirtHypervisor) -> None:
    child = os.fork()
    if child == 0:
        try:
            driver.domains()
        except RuntimeError:
            os._exit(7)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def _reconnect(daemon: PrivateLibvirtd, driver: LibvirtHypervisor) -> None:
    end(daemon, signal.SIGKILL)
    until(lambda: driver.connection_state is ConnectionState.READY)
    until(lambda: _answers(driver))


def _answers(driver: LibvirtHypervisor) -> bool:
    try:
        driver.domains()
    except HypervisorUnavailable:
        return False
    return True


def _answers_not(driver: LibvirtHypervisor) -> bool:
    return not _answers(driver)


def _qemu_pid(daemon: PrivateLibvirtd, made: DomainSpec) -> int:
    (path,) = (daemon.directory / "run/libvirt/qemu").glob(f"**/ck-{made.mark.instance}.pid")
    return int(path.read_text("ascii"))
