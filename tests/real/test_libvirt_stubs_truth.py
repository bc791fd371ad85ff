"""What the stubs of libvirt-python say, against what a real libvirt returns and calls back with."""

import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("libvirt", reason="libvirt-python is not installed")

import libvirt

from tools import generate_libvirt_stubs as generator
from tools.libvirt_stubs import binding, shape
from tools.libvirt_stubs.bench import Bench, bench
from tools.libvirt_stubs.probes import PROBES, Probe
from tools.libvirt_stubs.qemu import EVENTS, Report

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]
METHODS = sorted({probe.method for probe in PROBES})
DOMAIN_EVENTS = "virConnect.domainEventRegisterAny"
NETWORK_EVENTS = "virConnect.networkEventRegisterAny"
POOL_EVENTS = "virConnect.storagePoolEventRegisterAny"
# How the events of a registering method are called, and the methods that dispatch them.
REGISTER = {
    DOMAIN_EVENTS: ("VIR_DOMAIN_EVENT_ID_", "_dispatchDomainEvent"),
    NETWORK_EVENTS: ("VIR_NETWORK_EVENT_ID_", "_dispatchNetworkEvent"),
    POOL_EVENTS: ("VIR_STORAGE_POOL_EVENT_ID_", "_dispatchStoragePoolEvent"),
    "virConnect.nodeDeviceEventRegisterAny": (
        "VIR_NODE_DEVICE_EVENT_ID_",
        "_dispatchNodeDeviceEvent",
    ),
    "virConnect.secretEventRegisterAny": ("VIR_SECRET_EVENT_ID_", "_dispatchSecretEvent"),
}
# Events that share a dispatcher and so do not give it its name.
SHARED_DISPATCHERS = {
    "REBOOT": "Generic",
    "CONTROL_ERROR": "Generic",
    "BLOCK_JOB_2": "BlockJob",
    "REFRESH": "Generic",
    "UPDATE": "Generic",
    "VALUE_CHANGED": "Generic",
}


def _events(method: str) -> Mapping[str, int]:
    """Return the events that `method` registers for, by name, in this version."""
    prefix, _ = REGISTER[method]
    return {
        name.removeprefix(prefix): value
        for name, value in vars(libvirt).items()
        if name.startswith(prefix)
    }


@cache
def stub() -> shape.Stub:
    text = (ROOT / generator.STUBS["libvirt"]).read_text("utf-8")
    return shape.read(text, libvirt, closed=is_recorded_version())


@cache
def is_recorded_version() -> bool:
    return generator.is_made_for(libvirt.getVersion())


@cache
def _claims() -> Mapping[str, str]:
    """Return what the binding says of the results of called methods, where the stub differs."""
    surface = binding.inspect_binding(libvirt)
    claimed = {
        f"{owner.name}.{method.name}": method.claimed_return
        for owner in surface.classes
        for method in owner.methods
    } | {function.name: function.claimed_return for function in surface.functions}
    return {
        method: claim
        for method in METHODS
        if (claim := claimed[method]) is not None and (claim,) != stub().returns(method)
    }


def test_regenerating_changes_nothing() -> None:
    command = [sys.executable, "tools/generate_libvirt_stubs.py", "--check"]
    ended = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    if ended.returncode == 77:
        pytest.skip(ended.stdout.strip())
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_an_edited_stub_is_found(tmp_path: Path) -> None:
    found = generator.find()
    if isinstance(found, generator.Verdict):
        pytest.skip(found.says.strip())
    if found.versions != generator.recorded():
        pytest.skip(f"the stub was made from {generator.recorded()}")
    for path in (*generator.STUBS.values(), generator.PAGE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / path).read_text("utf-8").replace("-> list[int]", "-> str")
        (tmp_path / path).write_text(text, "utf-8")
    verdict = generator.run(found, tmp_path, checking=True)
    assert verdict.status == 1
    assert "+    def info(self) -> list[int]: ..." in verdict.says
    assert generator.run(found, tmp_path, checking=False) == generator.Verdict(0)
    assert generator.run(found, tmp_path, checking=True) == generator.Verdict(0)


def test_the_stubs_describe_the_modules() -> None:
    if not is_recorded_version():
        pytest.skip(f"the stub was made from {generator.recorded()}")
    allowed = str(generator.TABLES / "stubtest.allow")
    command = [sys.executable, "-m", "mypy.stubtest", "--allowlist", allowed, *generator.STUBS]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": "stubs"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_so_much_is_called_that_it_proves_something() -> None:
    print(f"{len(METHODS)} methods are called, of {len(stub().methods())} in the stub")
    assert len(METHODS) >= 250
    assert set(METHODS) <= stub().methods()


@pytest.mark.parametrize("method", METHODS)
def test_a_method_returns_what_its_stub_says(method: str, tmp_path: Path) -> None:
    for probe in PROBES:
        if probe.method == method:
            assert _call(probe, tmp_path, stub().returns(method)) == ()


@pytest.mark.parametrize("method", sorted(_claims()))
def test_the_binding_says_otherwise_and_is_wrong(method: str, tmp_path: Path) -> None:
    claim = _claims()[method]
    faults = [_call(probe, tmp_path, (claim,)) for probe in PROBES if probe.method == method]
    assert any(faults)


def _call(probe: Probe, directory: Path, annotations: tuple[str, ...]) -> tuple[str, ...]:
    """Return how the result differs from the nearest of `annotations`."""
    # The result dies here: while it lives, the driver keeps its state for the next connection.
    with bench(directory) as here:
        try:
            result = probe.call(here)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT and not is_recorded_version():
                pytest.skip(f"this version's test driver has no {probe.method}")
            return (f"{probe.method}: {error}",)
        return min((stub().faults(result, stated) for stated in annotations), key=len)


ACCEPTED: Mapping[str, Callable[[Bench], object]] = {
    "migration parameters are a dict": lambda b: b.domain.migrateToURI3(
        None, {"bandwidth": 5, "migrate_disks": ["vda"]}
    ),
    "an emulator may be left out": lambda b: b.connection.compareHypervisorCPU(
        None, None, None, None, "<cpu/>"
    ),
    "an identity is a dict": lambda b: b.connection.setIdentity({"user-name": "someone"}),
    "a secret is bytes": lambda b: b.connection.secretLookupByUUID(bytes(16)).setValue(b"a"),
    "save parameters are a dict": lambda b: b.domain.saveParams({"file": b.file()}),
    "a copy needs no parameters": lambda b: b.domain.blockCopy("vda", "<disk/>", None),
    "pages are a dict": lambda b: b.connection.allocPages({2048: 1}, 0, 1),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_the_stub_accepts_reaches_libvirt(what: str, tmp_path: Path) -> None:
    with bench(tmp_path) as here, pytest.raises(libvirt.libvirtError):
        ACCEPTED[what](here)


# What the binding's own annotations ask for, or do not forbid; the stub forbids all of it.
REFUSED: Mapping[str, tuple[str, tuple[object, ...]]] = {
    "flags that are None": ("XMLDesc", (None,)),
    "migration parameters as text": ("migrateToURI3", (None, "bandwidth=5")),
    "a processor map of bytes": ("pinVcpu", (0, b"\x01")),
    "a processor map as a list": ("pinEmulator", ([True],)),
    "copy parameters as text": ("blockCopy", ("vda", "<disk/>", "bandwidth=5")),
    "a time as a number": ("setTime", (1,)),
    "XML of bytes": ("attachDevice", (b"<disk/>",)),
    "scheduler parameters as text": ("setSchedulerParameters", ("weight=5",)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_stub_forbids_does_not_reach_libvirt(what: str, tmp_path: Path) -> None:
    name, arguments = REFUSED[what]
    with bench(tmp_path) as here:
        call: Callable[..., object] = getattr(here.domain, name)
        # A SystemError where the binding asks a dict's size of what is no dict.
        with pytest.raises((TypeError, SystemError)):
            call(*arguments)


@pytest.mark.parametrize("method", REGISTER)
def test_every_event_has_its_callback(method: str) -> None:
    if not is_recorded_version():
        pytest.skip(f"the stub was made from {generator.recorded()}")
    assert set(_events(method).values()) == stub().events(method)


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method in REGISTER for name in _events(method)]
)
def test_a_callback_is_given_as_many_arguments_as_stated(
    method: str, name: str, tmp_path: Path
) -> None:
    event = _events(method)[name]
    if event not in stub().events(method):
        pytest.skip(f"the stub was made from {generator.recorded()}, which has no {name}")
    seen: list[tuple[object, ...]] = []

    def callback(*arguments: object) -> None:
        seen.append(arguments)
        # The binding believes that it owns what it wrapped; the bench does.
        vars(arguments[1])["_o"] = None

    with bench(tmp_path) as here:
        dispatch = _dispatcher(here.connection, method, name)
        passed = [object() for _ in list(inspect.signature(dispatch).parameters)[1:-1]]
        # Any wrapped object will do for the one that the event is about.
        wrapped = vars(here.domain)["_o"]
        dispatch(wrapped, *passed, {"cb": callback, "conn": here.connection, "opaque": "opaque"})
        (arguments,) = seen
        assert arguments[2:] == (*passed, "opaque")
        assert len(arguments) - 1 == len(stub().event_arguments(method, event))
        seen.clear()


def _dispatcher(connection: libvirt.virConnect, method: str, name: str) -> Callable[..., object]:
    """Return the method of the binding that calls back for an event."""
    _, prefix = REGISTER[method]
    wanted = f"{prefix}{SHARED_DISPATCHERS.get(name, name.replace('_', ''))}Callback"
    (found,) = (member for member in dir(connection) if member.lower() == wanted.lower())
    dispatcher: Callable[..., object] = getattr(connection, found)
    return dispatcher


def test_callbacks_are_given_what_the_stub_says(tmp_path: Path) -> None:
    wanted = {
        (DOMAIN_EVENTS, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE),
        (DOMAIN_EVENTS, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE),
        (NETWORK_EVENTS, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE),
        (POOL_EVENTS, libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE),
        (POOL_EVENTS, libvirt.VIR_STORAGE_POOL_EVENT_ID_REFRESH),
    }
    seen: set[tuple[str, int]] = set()
    faults: list[str] = []

    def watch(method: str, event: int) -> Callable[..., None]:
        def callback(*arguments: object) -> None:
            faults.extend(stub().event_faults(method, event, arguments))
            seen.add((method, event))

        return callback

    with bench(tmp_path) as here:
        deregister = []
        for method, event in sorted(wanted):
            name = method.rpartition(".")[2]
            number = getattr(here.connection, name)(None, event, watch(method, event), None)
            deregister.append((name.replace("Register", "Deregister"), number))
        _make_events(here)
        _run_loop_until(lambda: seen == wanted, deadline_s=10)
        for name, number in deregister:
            getattr(here.connection, name)(number)
        _run_loop_until(lambda: False, deadline_s=0.2)
    assert faults == []
    assert seen == wanted


def test_qemu_answers_what_the_stubs_say() -> None:
    # A short path: QEMU's sockets are below it, and a socket's path has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="stubs-") as directory:
        command = [sys.executable, "-m", "tools.libvirt_stubs.qemu", directory]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            output, errors = process.communicate(timeout=120)
        finally:
            process.terminate()
            process.wait()
    assert process.returncode == 0, errors
    report = Report(**json.loads(output))
    if report.unavailable is not None:
        pytest.skip(f"no guest of libvirt's QEMU driver here: {report.unavailable}")
    print(*report.refused, sep="\n")
    assert report.faults == []
    assert set(report.events) >= EVENTS
    assert len(report.refused) <= 3


def _make_events(here: Bench) -> None:
    here.domain.destroy()
    here.domain.create()
    here.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "another title", None, None)
    here.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "key", "urn:other")
    here.network.destroy()
    here.pool.refresh()
    here.pool.destroy()


def _run_loop_until(done: Callable[[], bool], deadline_s: float) -> None:
    # The timer wakes the loop, which would wait for ever for an event that does not come.
    timer = libvirt.virEventAddTimeout(20, lambda _timer, _opaque: None, None)
    end = time.monotonic() + deadline_s
    while not done() and time.monotonic() < end:
        libvirt.virEventRunDefaultImpl()
    libvirt.virEventRemoveTimeout(timer)
