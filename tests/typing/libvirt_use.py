"""Uses of libvirt-python that must type-check, and wrong ones that must not.

Nothing here runs. A wrong use is marked with the error that it must give: were it accepted, the
mark would be reported as unused.
"""

from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal, assert_type

import libvirt
import libvirt_qemu

if TYPE_CHECKING:
    from libvirt import JobStats, MigrateParameters

Events = SimpleQueue[tuple[str, int]]


def results(connection: libvirt.virConnect, domain: libvirt.virDomain) -> None:
    assert_type(connection.getInfo(), list[str | int])
    assert_type(connection.getCPUMap(), tuple[int, list[bool], int])
    assert_type(connection.getCPUStats(-1).get("iowait"), int | None)
    assert_type(connection.listAllDomains(), list[libvirt.virDomain])
    assert_type(connection.getAllDomainStats()[0][1]["state.state"], bool | int | float | str)
    assert_type(domain.UUID(), bytes)
    assert_type(domain.state(), list[int])
    assert_type(domain.vcpuPinInfo(), list[tuple[bool, ...]])
    assert_type(domain.jobStats(), "JobStats")
    assert_type(domain.jobStats().get("data_remaining"), int | None)
    assert_type(domain.jobStats().get(libvirt.VIR_DOMAIN_JOB_ERRMSG), str | None)
    assert_type(domain.interfaceAddresses(0)["eth0"]["hwaddr"], str | None)
    assert_type(domain.guestInfo()["user.count"], bool | int | float | str)
    assert_type(domain.migrateGetMaxDowntime(), int | None)
    assert_type(libvirt.getVersion(), int)
    assert_type(libvirt.getVersion("QEMU"), tuple[int, int])
    assert_type(libvirt_qemu.qemuAgentCommand(domain, "{}", 5, 0), str)


def constants() -> None:
    assert_type(libvirt.VIR_DOMAIN_RUNNING, Literal[1])
    assert_type(libvirt.VIR_MIGRATE_PARAM_URI, Literal["migrate_uri"])
    assert_type(libvirt.VIR_DOMAIN_MEMORY_STAT_NR, int)
    libvirt.VIR_DOMAIN_RUNNING = 2  # type: ignore[misc]  # constants cannot be set


def errors(error: libvirt.libvirtError) -> bool:
    assert_type(error.get_error_code(), int | None)
    return error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN


def migrate(domain: libvirt.virDomain, uri: str) -> None:
    parameters: MigrateParameters = {
        libvirt.VIR_MIGRATE_PARAM_URI: uri,
        libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: 100,
        "migrate_disks": ["vda", "vdb"],
    }
    parameters[libvirt.VIR_MIGRATE_PARAM_DEST_NAME] = "renamed"
    domain.migrateToURI3(None, parameters, libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PEER2PEER)
    domain.migrateToURI3(uri, {"bandwith": 5})  # type: ignore[typeddict-unknown-key]  # misspelt
    domain.migrateToURI3(uri, {"bandwidth": "5"})  # type: ignore[typeddict-item]  # not a number
    domain.migrateToURI3(uri, "bandwidth=5")  # type: ignore[arg-type]  # what the binding claims


def parameters(domain: libvirt.virDomain) -> None:
    domain.pinVcpu(0, (True, False))
    domain.pinVcpu(0, b"\x01")  # type: ignore[arg-type]  # what the binding claims
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, None, None)
    domain.setTime({"seconds": 1, "nseconds": 0})
    domain.XMLDesc(None)  # type: ignore[arg-type]  # flags are numbers
    domain.setMemoryParameters({"hard_limit": 1 << 20})
    domain.attachDevice(b"<disk/>")  # type: ignore[arg-type]  # XML is text


def on_lifecycle(
    connection: libvirt.virConnect,
    domain: libvirt.virDomain,
    event: int,
    detail: int,
    events: Events,
) -> None:
    events.put((domain.UUIDString(), event))


def on_device(
    connection: libvirt.virConnect, domain: libvirt.virDomain, alias: str, events: Events
) -> None:
    events.put((alias, 0))


def on_job(
    connection: libvirt.virConnect, domain: libvirt.virDomain, stats: "JobStats", events: Events
) -> None:
    events.put((domain.name(), stats.get("time_elapsed", 0)))


def on_close(connection: libvirt.virConnect, reason: int, events: Events) -> None:
    events.put(("closed", reason))


def callbacks(connection: libvirt.virConnect, domain: libvirt.virDomain, events: Events) -> None:
    register = connection.domainEventRegisterAny
    register(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_lifecycle, events)
    register(domain, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, on_device, events)
    register(domain, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, on_device, events)
    register(domain, libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, on_job, events)
    connection.registerCloseCallback(on_close, events)
    # The wrong event for the callback, and the wrong opaque value.
    register(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_device, events)  # type: ignore[call-overload]
    register(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_lifecycle, None)  # type: ignore[call-overload]
    connection.registerCloseCallback(on_lifecycle, events)  # type: ignore[arg-type]


def loop(events: Events) -> None:
    def on_error(context: Events, error: tuple[object, ...]) -> None:
        context.put((str(error[2]), 0))

    def ask(credentials: tuple[list[int | str | None], ...], password: str) -> int:
        credentials[0][4] = password
        return 0

    libvirt.registerErrorHandler(on_error, events)
    libvirt.virEventRegisterDefaultImpl()
    auth = [[libvirt.VIR_CRED_PASSPHRASE], ask, "password"]
    with libvirt.openAuth(None, auth) as connection:
        assert_type(connection, libvirt.virConnect)
    libvirt.virEventRunDefaultImpl()


def console(connection: libvirt.virConnect, domain: libvirt.virDomain) -> bytes:
    stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, stream)

    def on_stream(stream: libvirt.virStream, events: int, taken: list[bytes]) -> None:
        got = stream.recv(1024)
        taken.append(got)  # type: ignore[arg-type]  # a stream that would block gives a number
        if not isinstance(got, int):
            taken.append(got)

    def keep(_stream: libvirt.virStream, data: bytes, taken: list[bytes]) -> None:
        taken.append(data)

    taken: list[bytes] = []
    stream.eventAddCallback(libvirt.VIR_STREAM_EVENT_READABLE, on_stream, taken)
    stream.recvAll(keep, taken)
    return b"".join(taken)
