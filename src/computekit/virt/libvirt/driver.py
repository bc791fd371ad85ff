"""`LibvirtHypervisor`: every port of a driver, on one libvirtd."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import libvirt

from computekit.clock import Deadline
from computekit.errors import (
    DeadlineExceeded,
    DomainExists,
    DomainNotFound,
    StateConflict,
    Unsupported,
)
from computekit.files import storage_errors
from computekit.ids import HostName, ImageId, InstanceId
from computekit.model import HostFacts
from computekit.runtime import KeyedLocks, Runtime
from computekit.units import (
    Bytes,
    Kib,
    Mib,
    Seconds,
    bytes_to_gib,
    mib_to_bytes,
    scaled_to_kib,
)
from computekit.virt.checks import check_spec
from computekit.virt.libvirt.acceleration import (
    Acceleration,
    ProbeGuest,
    choose_acceleration,
)
from computekit.virt.libvirt.connection import ConnectionState, LibvirtConnection
from computekit.virt.libvirt.consoles import read_tail, trim
from computekit.virt.libvirt.disks import LocalDisks
from computekit.virt.libvirt.domain_xml import domain_xml
from computekit.virt.libvirt.domains import (
    domain_name,
    find,
    find_name,
    marking_of,
    read_all,
    status_of,
    write_marking,
)
from computekit.virt.libvirt.events import DomainWatch
from computekit.virt.libvirt.facts import (
    parse_capabilities,
    parse_firmware,
    parse_meminfo,
    with_whole_memory,
)
from computekit.virt.libvirt.mark import Marking
from computekit.virt.ports import (
    CacheLimits,
    DomainEvent,
    DomainMark,
    DomainSpec,
    DomainStatus,
    ImageSource,
)

__all__ = ["LibvirtHypervisor"]

_log = logging.getLogger(__name__)

R = TypeVar("R")

_CONSOLE_LIMIT_BYTES, _CONSOLE_KEPT_BYTES = mib_to_bytes(Mib(4)), mib_to_bytes(Mib(1))
_CONSOLE_ROUND_S = Seconds(10.0)
_REST_S = Seconds(3600.0)

_EVERYTHING_OF_A_DOMAIN = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    | libvirt.VIR_DOMAIN_UNDEFINE_TPM
)


class LibvirtHypervisor:
    """A host whose guests are run by QEMU, driven through libvirt.

    The libvirtd is on this machine, for the disks are files here. Calls that only read and calls
    that change something have threads of their own, so that one kind cannot starve the other.

    Args:
        uri: of the libvirtd.
        directory: for images, disks and console logs; made if it is not there.
        name: of the host.
        runtime: owns the threads; None: one of its own, which ends with `close`.
        virt_type: `kvm`, `qemu`, or `auto`: what `choose_acceleration` finds.
        probe: what `auto` boots to find out; None: the smallest guest.
        query_timeout_s: for calls that only read domains.
        change_timeout_s: for the others; libvirt itself waits 30 s for a domain that is busy.

    Raises:
        PermissionRefused: this user may not write to `directory`.
    """

    def __init__(
        self,
        uri: str,
        directory: Path,
        name: HostName,
        runtime: Runtime | None = None,
        *,
        virt_type: str = "auto",
        probe: ProbeGuest | None = None,
        query_timeout_s: Seconds = Seconds(10.0),
        change_timeout_s: Seconds = Seconds(60.0),
    ) -> None:
        self._own_runtime = Runtime() if runtime is None else None
        self._runtime = runtime or self._own_runtime or Runtime()
        self._name = name
        self._query_timeout_s, self._change_timeout_s = query_timeout_s, change_timeout_s
        self._disks = LocalDisks(directory, self._runtime.clock)
        self.acceleration: Acceleration = (
            choose_acceleration(directory / "acceleration.json", self._runtime.clock, probe)
            if virt_type == "auto"
            else Acceleration(virt_type, "it was asked for")
        )
        self._locks = KeyedLocks()
        self._queries = self._runtime.pool("libvirt-query", 4)
        self._changes = self._runtime.pool("libvirt-change", 8)
        self._watch = DomainWatch(self._runtime, "libvirt-events")
        self._connection = LibvirtConnection(uri, self._runtime, self._watch)
        self._runtime.loop("libvirt-consoles", self._trim_consoles, self._after_trim_error)

    @property
    def connection_state(self) -> ConnectionState:
        """Where the connection to libvirtd is in its life."""
        return self._connection.state

    # HypervisorHost

    def facts(self) -> HostFacts:
        virt_type = self.acceleration.virt_type

        def read(connection: libvirt.virConnect) -> tuple[str, str, int, int]:
            capabilities = connection.getCapabilities()
            arch = parse_capabilities(capabilities).arch
            return (
                capabilities,
                connection.getDomainCapabilities(None, arch, None, virt_type),
                connection.getVersion(),
                connection.getLibVersion(),
            )

        # The first time, libvirt asks every QEMU that it finds: that takes seconds.
        described, offered, version, library = self._connection.call(
            "facts", read, self._queries, self._change_timeout_s
        )
        host = parse_capabilities(described)
        if virt_type not in host.virt_types:
            raise Unsupported(f"virt type {virt_type}", f"libvirt has {sorted(host.virt_types)}")
        directory = self._disks.directory
        with storage_errors(directory):
            memory_mib = parse_meminfo(Path("/proc/meminfo").read_text("ascii"))
            storage = os.statvfs(directory)
        return HostFacts(
            name=self._name,
            arch=host.arch,
            cpus=sum(len(cell.cpus) for cell in host.cells),
            memory_mib=memory_mib,
            disk_gib=bytes_to_gib(Bytes(storage.f_blocks * storage.f_frsize)),
            cells=with_whole_memory(host.cells, memory_mib),
            hypervisor="QEMU",
            hypervisor_version=version,
            library_version=library,
            virt_type=virt_type,
            machine_types=host.machine_types,
            uefi="efi" in parse_firmware(offered),
            cpu_model=host.cpu_model,
        )

    def domains(self) -> tuple[DomainStatus, ...]:
        return self._query("domains", read_all)

    def close(self) -> None:
        """End the connection, and the threads if they are of its own runtime; guests go on."""
        self._connection.close()
        if self._own_runtime is not None:
            self._own_runtime.drain(Seconds(10.0))

    # DomainLifecycle

    def define(self, spec: DomainSpec) -> None:
        check_spec(spec)
        instance = spec.mark.instance
        files = self._disks.files(spec)

        def act(connection: libvirt.virConnect, in_time: Callable[[], None]) -> None:
            boots = 0
            name = domain_name(instance)
            for found in (find(connection, instance), find_name(connection, name)):
                if found is None:
                    continue
                marking = marking_of(found)
                if marking is None or marking.mark.instance != instance:
                    reason = f"domain {found.name()} ({found.UUIDString()}) is not ours"
                    raise DomainExists(instance, reason)
                boots = marking.boots
            in_time()
            xml = domain_xml(
                spec, files, self.acceleration.virt_type, boots, base_page_kib=_base_page_kib()
            )
            connection.defineXML(xml)

        self._change("define", instance, act)

    def start(self, mark: DomainMark) -> None:
        def act(connection: libvirt.virConnect, in_time: Callable[[], None]) -> None:
            domain, marking = self._ours(connection, mark.instance)
            if domain.isActive():
                return
            boots = max(marking.boots + 1, int(self._runtime.clock.wall_s() * 1000))
            in_time()
            write_marking(domain, Marking(mark, boots))
            in_time()
            _unless_done(domain.create)

        self._change("start", mark.instance, act)

    def shut_down(self, instance: InstanceId) -> None:
        def act(connection: libvirt.virConnect, in_time: Callable[[], None]) -> None:
            domain, _ = self._ours(connection, instance)
            if domain.isActive():
                in_time()
                _unless_done(domain.shutdown)

        self._change("shut_down", instance, act)

    def destroy(self, instance: InstanceId) -> None:
        def act(connection: libvirt.virConnect, in_time: Callable[[], None]) -> None:
            domain = find(connection, instance)
            if domain is not None and marking_of(domain) is not None and domain.isActive():
                in_time()
                _unless_done(domain.destroy)

        self._change("destroy", instance, act)

    def undefine(self, instance: InstanceId) -> None:
        def act(connection: libvirt.virConnect, in_time: Callable[[], None]) -> None:
            domain = find(connection, instance)
            if domain is None or marking_of(domain) is None:
                return
            if domain.isActive():
                raise StateConflict(f"domain of {instance}", "running", "it off")
            in_time()
            domain.undefineFlags(_EVERYTHING_OF_A_DOMAIN)

        self._change("undefine", instance, act)

    def status(self, instance: InstanceId) -> DomainStatus | None:
        def read(connection: libvirt.virConnect) -> DomainStatus | None:
            domain = find(connection, instance)
            return None if domain is None else status_of(domain)

        return self._query("status", read)

    # InstanceDisks

    def cache_image(self, image: ImageId, source: ImageSource) -> None:
        self._disks.cache_image(image, source)

    def drop_images(self, keep: frozenset[ImageId], limits: CacheLimits) -> frozenset[ImageId]:
        return self._disks.drop_images(keep, limits)

    def prepare(self, spec: DomainSpec) -> None:
        self._disks.prepare(spec)

    def remove(self, instance: InstanceId) -> None:
        self._disks.remove(instance)

    def instances(self) -> frozenset[InstanceId]:
        return self._disks.instances()

    def used_bytes(self) -> Bytes:
        return self._disks.used_bytes()

    # Consoles

    def console_output(self, instance: InstanceId, tail_bytes: int) -> bytes:
        log = self._disks.console_log(instance)
        with storage_errors(log):
            if not log.parent.is_dir():
                raise DomainNotFound(instance)
            return read_tail(log, min(tail_bytes, _CONSOLE_LIMIT_BYTES))

    # DomainEvents

    def subscribe(self, listener: Callable[[DomainEvent], None]) -> Callable[[], None]:
        return self._watch.subscribe(listener)

    # How calls run.

    def _query(self, what: str, fn: Callable[[libvirt.virConnect], R]) -> R:
        return self._connection.call(what, fn, self._queries, self._query_timeout_s)

    def _change(
        self,
        what: str,
        instance: InstanceId,
        act: Callable[[libvirt.virConnect, Callable[[], None]], None],
    ) -> None:
        """Let `act` change one domain, alone, and nothing any more once its time is over.

        A call that hung must not wake up later and undo what came after it: it asks `in_time`
        before each change, and the next call on the same domain waits for its end.
        """
        deadline = Deadline(self._runtime.clock, self._change_timeout_s)

        def in_time() -> None:
            if deadline.passed:
                raise DeadlineExceeded(what, self._change_timeout_s)

        def work(connection: libvirt.virConnect) -> None:
            with self._locks.holding(instance, deadline):
                act(connection, in_time)

        self._connection.call(what, work, self._changes, deadline.left_s(), instance)

    def _ours(
        self, connection: libvirt.virConnect, instance: InstanceId
    ) -> tuple[libvirt.virDomain, Marking]:
        domain = find(connection, instance)
        marking = marking_of(domain) if domain is not None else None
        if domain is None or marking is None:
            raise DomainNotFound(instance)
        return domain, marking

    def _trim_consoles(self) -> Seconds:
        if self._connection.state is ConnectionState.CLOSED:
            return _REST_S
        for instance in self._disks.instances():
            log = self._disks.console_log(instance)
            if log.exists() and log.stat().st_blocks * 512 > _CONSOLE_LIMIT_BYTES:
                trim(log, _CONSOLE_KEPT_BYTES)
        return _CONSOLE_ROUND_S

    def _after_trim_error(self, error: Exception) -> Seconds:
        _log.warning("console logs cannot be kept short: %s", error)
        return _REST_S


def _base_page_kib() -> Kib:
    return scaled_to_kib(os.sysconf("SC_PAGE_SIZE"), "bytes")


def _unless_done(change: Callable[[], int]) -> None:
    """Make a change of state; if the domain got there by itself meanwhile, that is as good."""
    try:
        change()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise
