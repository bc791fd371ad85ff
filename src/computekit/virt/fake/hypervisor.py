"""`FakeHypervisor`: every port of a driver, on values instead of guests."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from computekit.clock import Clock
from computekit.errors import (
    ComputekitError,
    DeadlineExceeded,
    DomainExists,
    DomainNotFound,
    HypervisorRefused,
    HypervisorUnavailable,
    ImageRefused,
    NotFound,
    StateConflict,
    StorageFull,
    Unsupported,
)
from computekit.files import storage_errors
from computekit.guest import DiskRole, Firmware, GuestConfig
from computekit.ids import ImageId, InstanceId
from computekit.model import FrozenMap, HostFacts, decode, encode
from computekit.units import Bytes, Gib, Seconds, gib_to_bytes
from computekit.virt.checks import check_spec
from computekit.virt.fake.cells import check_cells
from computekit.virt.fake.state import FakeDomain, FakeFiles, FakeState
from computekit.virt.image_cache import CachedImage, images_of, images_to_drop
from computekit.virt.ports import (
    CacheLimits,
    DomainEvent,
    DomainEventKind,
    DomainMark,
    DomainSpec,
    DomainState,
    DomainStatus,
    ImageSource,
)

__all__ = ["FakeHypervisor"]

_CHUNK = 1 << 20


@attrs.frozen
class _Fault:
    error: ComputekitError
    carried_out: bool
    takes_s: Seconds


class FakeHypervisor:
    """A host that keeps a hypervisor's rules and runs nothing.

    Disks and images take their whole size, a guest larger than the host does not start, a domain
    needs its disks, and those of others stay as they are. A guest writes `BOOTED <name>` to its
    console. It outlives agents: it is an object, or a directory, outside of them.

    Args:
        facts: what the host has.
        clock: for what guests do.
        directory: keeps everything in a file there, written at once and as a whole, so that the
            next process finds it again; None keeps it in memory.
        boot_s: from start until the guest says `BOOTED`.
        shutdown_s: from being asked until the guest is off; None: guests are deaf.
        deadline_s: how long a call takes that hangs.
    """

    def __init__(
        self,
        facts: HostFacts,
        clock: Clock,
        *,
        directory: Path | None = None,
        boot_s: Seconds = Seconds(0.2),
        shutdown_s: Seconds | None = Seconds(1.0),
        deadline_s: Seconds = Seconds(30.0),
    ) -> None:
        self._facts = facts
        self._clock = clock
        self._file = directory / "fake-host.json" if directory else None
        self._boot_s = boot_s
        self._shutdown_s = shutdown_s
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._connected = True
        self._faults: dict[str, deque[_Fault]] = {}
        self._listeners: tuple[Callable[[DomainEvent], None], ...] = ()
        self._state = FakeState()
        self._told = self._state
        if self._file is not None and self._file.exists():
            self._state = self._told = decode(self._file.read_text("utf-8"), FakeState)

    # What a test, or a simulation, can let happen.

    def fail_next(
        self, call: str, error: ComputekitError, *, times: int = 1, carried_out: bool = False
    ) -> None:
        """Let the next calls of this name raise `error`.

        Args:
            call: name of a port's method.
            error: what is raised.
            times: how many calls.
            carried_out: whether the call has its effect before it raises: a lost answer.
        """
        self._plan(call, _Fault(error, carried_out, Seconds(0.0)), times)

    def hang(self, call: str, *, times: int = 1, carried_out: bool = False) -> None:
        """Let the next calls of this name end at their deadline, with DeadlineExceeded."""
        error = DeadlineExceeded(call, self._deadline_s)
        self._plan(call, _Fault(error, carried_out, self._deadline_s), times)

    def drop_connection(self) -> None:
        """Let every call raise HypervisorUnavailable, until `restore_connection`; guests go on."""
        with self._lock:
            self._connected = False

    def restore_connection(self) -> None:
        """End what `drop_connection` began; what was missed is told as synthetic events."""
        with self._lock:
            self._connected = True
        self._tell(synthetic=True)

    def deafen(self, instance: InstanceId) -> None:
        """Let the instance's guest not hear any more that it shall power off."""
        with self._changing():
            self._state = attrs.evolve(self._state, deaf=self._state.deaf | {instance})

    def power_off_guest(self, instance: InstanceId) -> None:
        """Let the guest power off by itself."""
        self._stop(lambda each, domain: each == instance, DomainState.SHUTOFF)

    def crash_guest(self, instance: InstanceId) -> None:
        """Let the guest crash."""
        self._stop(lambda each, domain: each == instance, DomainState.CRASHED)

    def fail_power(self) -> None:
        """Let the host lose its power and come back: every domain is off."""
        self._stop(lambda each, domain: True, DomainState.SHUTOFF)

    def add_foreign_domain(self, uuid: str, name: str) -> None:
        """Let somebody else define a domain."""
        with self._changing():
            foreign = self._state.foreign.replace(uuid, name)
            self._state = attrs.evolve(self._state, foreign=foreign)

    def running_guest(self, instance: InstanceId) -> GuestConfig:
        """Return the guest that the instance's domain runs.

        Raises:
            DomainNotFound: it does not run.
        """
        live = self._domain(instance).live
        if live is None:
            raise DomainNotFound(instance)
        return live.guest

    @property
    def foreign_domains(self) -> FrozenMap[str, str]:
        """Names of the domains of others, by UUID."""
        return self._state.foreign

    # HypervisorHost

    def facts(self) -> HostFacts:
        with self._call("facts"):
            return self._facts

    def domains(self) -> tuple[DomainStatus, ...]:
        with self._call("domains"):
            return tuple(domain.status for domain in self._state.domains.values())

    def close(self) -> None:
        """Nothing: there is neither connection nor thread."""

    # DomainLifecycle

    def define(self, spec: DomainSpec) -> None:
        check_spec(spec)
        instance = spec.mark.instance
        with self._call("define"):
            if instance in self._state.foreign:
                name = self._state.foreign[instance]
                raise DomainExists(instance, f"domain {name}, which is not ours, has its id")
            self._check_supported(spec)
            old = self._state.domains.get(instance)
            domain = attrs.evolve(old, config=spec) if old else FakeDomain(spec)
            self._state = self._state.with_domain(instance, domain)

    def start(self, mark: DomainMark) -> None:
        with self._call("start"):
            domain = self._domain(mark.instance)
            if domain.live is not None:
                return
            self._check_startable(domain.config)
            check_cells(domain.config.guest, self._facts, self._guests())
            boots = self._state.boots + 1
            started = domain.started(
                attrs.evolve(domain.config, mark=mark),
                boots,
                Seconds(self._clock.wall_s() + self._boot_s),
            )
            state = self._state.with_domain(mark.instance, started)
            self._state = attrs.evolve(state, boots=boots)

    def shut_down(self, instance: InstanceId) -> None:
        with self._call("shut_down"):
            domain = self._domain(instance)
            deaf = self._shutdown_s is None or instance in self._state.deaf
            if domain.live is None or domain.off_s is not None or deaf:
                return
            off_s = Seconds(self._clock.wall_s() + (self._shutdown_s or 0.0))
            self._state = self._state.with_domain(instance, attrs.evolve(domain, off_s=off_s))

    def destroy(self, instance: InstanceId) -> None:
        with self._call("destroy"):
            domain = self._state.domains.get(instance)
            if domain is not None:
                self._state = self._state.with_domain(instance, domain.stopped())

    def undefine(self, instance: InstanceId) -> None:
        with self._call("undefine"):
            domain = self._state.domains.get(instance)
            if domain is not None and domain.live is not None:
                raise StateConflict(f"domain of {instance}", domain.state.value, "it off")
            domains = self._state.domains.without(instance)
            self._state = attrs.evolve(self._state, domains=domains)

    def status(self, instance: InstanceId) -> DomainStatus | None:
        with self._call("status"):
            domain = self._state.domains.get(instance)
            return domain.status if domain else None

    # InstanceDisks

    def cache_image(self, image: ImageId, source: ImageSource) -> None:
        with self._call("cache_image"):
            cached = self._state.images.get(image)
            if cached is not None:
                self._state = self._state.with_image(cached, self._clock.wall_s())
                return
            facts = source.image(image)
            self._take_space(facts.size_bytes, f"image {image}")
            digest, size = hashlib.sha256(), 0
            with source.read(image) as content:
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
            if size != facts.size_bytes:
                raise ImageRefused(image, f"it has {size} bytes, not {facts.size_bytes}")
            if digest.hexdigest() != facts.sha256:
                raise ImageRefused(image, "its content does not match its checksum")
            self._state = self._state.with_image(facts, self._clock.wall_s())

    def drop_images(self, keep: frozenset[ImageId], limits: CacheLimits) -> frozenset[ImageId]:
        with self._call("drop_images"):
            state = self._state
            needed = keep.union(*(files.images for files in state.files.values()))
            cached = [
                CachedImage(
                    each, image.size_bytes, state.used_s.get(each, Seconds(0.0)), each in needed
                )
                for each, image in state.images.items()
            ]
            going = frozenset(images_to_drop(cached, limits, self._clock.wall_s()))
            for image in going:
                self._state = self._state.without_image(image)
        return going

    def prepare(self, spec: DomainSpec) -> None:
        check_spec(spec)
        instance, guest = spec.mark.instance, spec.guest
        with self._call("prepare"):
            boot = guest.direct_boot
            for needed in (boot.kernel, boot.ramdisk) if boot else ():
                if needed is not None and needed not in self._state.images:
                    raise NotFound("cached image", needed)
            files = self._state.files.get(instance, FakeFiles())
            disks: dict[DiskRole, Bytes] = dict(files.disks)
            for disk in guest.disks:
                if disk.role in disks:
                    continue
                if disk.image is not None:
                    cached = self._state.images.get(disk.image)
                    if cached is None:
                        raise NotFound("cached image", disk.image)
                    if cached.virtual_size_bytes > disk.size_bytes:
                        raise ImageRefused(
                            disk.image,
                            f"its disk has {cached.virtual_size_bytes} bytes, "
                            f"the instance's only {disk.size_bytes}",
                        )
                disks[disk.role] = disk.size_bytes
            images = files.images.union(images_of(guest))
            files = attrs.evolve(files, disks=FrozenMap(disks), images=images)
            old = self._state.files.get(instance, FakeFiles())
            self._take_space(files.size_bytes - old.size_bytes, f"instance {instance}")
            self._state = self._state.with_files(instance, files)

    def remove(self, instance: InstanceId) -> None:
        with self._call("remove"):
            self._state = attrs.evolve(self._state, files=self._state.files.without(instance))

    def instances(self) -> frozenset[InstanceId]:
        with self._call("instances"):
            return frozenset(self._state.files)

    def used_bytes(self) -> Bytes:
        with self._call("used_bytes"):
            return Bytes(self._state.used_bytes)

    # Consoles

    def console_output(self, instance: InstanceId, tail_bytes: int) -> bytes:
        with self._call("console_output"):
            files = self._state.files.get(instance)
            if files is None:
                raise DomainNotFound(instance)
            written = files.console.encode()
            return written[max(0, len(written) - tail_bytes) :]

    # DomainEvents

    def subscribe(self, listener: Callable[[DomainEvent], None]) -> Callable[[], None]:
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    # How a call runs.

    def _plan(self, call: str, fault: _Fault, times: int) -> None:
        if not callable(getattr(self, call, None)):
            raise ValueError(f"a driver has no call {call!r}")
        with self._lock:
            self._faults.setdefault(call, deque()).extend([fault] * times)

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        with self._lock:
            planned = self._faults.get(name)
            fault = planned.popleft() if planned else None
            connected = self._connected
        if not connected:
            raise HypervisorUnavailable(f"fake:{self._facts.name}", "the connection is down")
        if fault is None or fault.carried_out:
            with self._changing():
                yield
        if fault is not None:
            self._clock.sleep(fault.takes_s)
            raise fault.error

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            before = self._state
            self._state = self._state.at(self._clock.wall_s())
            try:
                yield
                if self._state is not before:
                    self._save()
            except BaseException:
                self._state = before
                raise
        self._tell(synthetic=False)

    def _save(self) -> None:
        if self._file is None:
            return
        # It has to outlive this process, not the power: nothing is synchronised.
        fresh = self._file.with_suffix(".new")
        with storage_errors(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(encode(self._state), "utf-8")
            fresh.replace(self._file)

    def _tell(self, *, synthetic: bool) -> None:
        with self._lock:
            if not self._connected:
                return
            before, self._told = self._told, self._state
            listeners, after = self._listeners, self._told
        if before.domains is after.domains:
            return
        for event in _differences(before, after, synthetic):
            for listener in listeners:
                listener(event)

    # The rules.

    def _domain(self, instance: InstanceId) -> FakeDomain:
        domain = self._state.domains.get(instance)
        if domain is None:
            raise DomainNotFound(instance)
        return domain

    def _check_supported(self, spec: DomainSpec) -> None:
        facts, guest = self._facts, spec.guest
        if guest.arch != facts.arch:
            raise Unsupported(f"architecture {guest.arch}", f"the host is {facts.arch}")
        if guest.machine_type not in facts.machine_types:
            raise Unsupported(f"machine type {guest.machine_type}", "the hypervisor has none")
        if guest.firmware is Firmware.UEFI and not facts.uefi:
            raise Unsupported("UEFI firmware", "none was found on the host")

    def _check_startable(self, spec: DomainSpec) -> None:
        guest = spec.guest
        disks = self._state.files.get(spec.mark.instance, FakeFiles()).disks
        for disk in guest.disks:
            if disk.role not in disks:
                raise HypervisorRefused("start", 0, f"there is no {disk.role.value} disk")
        if guest.memory_mib > self._facts.memory_mib:
            reason = f"{guest.memory_mib} MiB, the host has {self._facts.memory_mib} MiB"
            raise HypervisorRefused("start", 0, f"cannot allocate the guest's memory: {reason}")

    def _guests(self) -> Iterator[GuestConfig]:
        """Return the guests that run."""
        return (each.live.guest for each in self._state.domains.values() if each.live is not None)

    def _take_space(self, amount: int, what: str) -> None:
        size = gib_to_bytes(Gib(self._facts.disk_gib))
        if amount > 0 and self._state.used_bytes + amount > size:
            raise StorageFull(what)

    def _stop(self, which: Callable[[InstanceId, FakeDomain], bool], state: DomainState) -> None:
        with self._changing():
            for instance, domain in self._state.domains.items():
                if domain.live is not None and which(instance, domain):
                    self._state = self._state.with_domain(instance, domain.stopped(state))


def _differences(before: FakeState, after: FakeState, synthetic: bool) -> Iterator[DomainEvent]:
    for instance in (*after.domains, *(set(before.domains) - set(after.domains))):
        old, new = before.domains.get(instance), after.domains.get(instance)
        if old is new:
            continue
        if new is None:
            if old is not None and old.live is not None:
                yield DomainEvent(instance, DomainEventKind.STOPPED, synthetic)
            kind = DomainEventKind.LOST if synthetic else DomainEventKind.UNDEFINED
            yield DomainEvent(instance, kind, synthetic)
            continue
        if old is None:
            yield DomainEvent(instance, DomainEventKind.DEFINED, synthetic)
        was, runs = old.status.boots if old else None, new.status.boots
        if was != runs:
            kind = DomainEventKind.STOPPED if runs is None else DomainEventKind.STARTED
            yield DomainEvent(instance, kind, synthetic)
        elif old is not None and old.config != new.config:
            yield DomainEvent(instance, DomainEventKind.DEFINED, synthetic)
