"""The hypervisor seam: small protocols, each of which a driver may have or not.

Whether a driver has one is asked with `isinstance`. Every call is idempotent: a caller that does
not know whether its last call was carried out makes it again. Every call ends within the driver's
deadline, with `errors.DeadlineExceeded` if need be; its effect is then in doubt and is probed with
`status`. Errors are of `errors.HostError` and `errors.DeadlineExceeded`.
"""

from collections.abc import Callable
from enum import Enum
from typing import BinaryIO, Protocol, runtime_checkable

import attrs

from computekit.guest.config import GuestConfig
from computekit.ids import ImageId, InstanceId, OperationId
from computekit.model import HostFacts, Image
from computekit.units import Bytes, Gib, Seconds, gib_to_bytes

__all__ = [
    "CacheLimits",
    "Consoles",
    "DomainEvent",
    "DomainEventKind",
    "DomainEvents",
    "DomainLifecycle",
    "DomainMark",
    "DomainSpec",
    "DomainState",
    "DomainStatus",
    "HypervisorHost",
    "ImageSource",
    "InstanceDisks",
]


@attrs.frozen
class DomainMark:
    """Whose a domain is, written into it, so that a host alone can tell.

    Attributes:
        instance: the instance that it runs.
        epoch: the instance's epoch for which it was defined.
        operation: the operation that defined or started it last.
    """

    instance: InstanceId
    epoch: int
    operation: OperationId


@attrs.frozen
class DomainSpec:
    """All that a driver needs to define a domain.

    Attributes:
        mark: whose it is.
        name: the instance's name; the guest reads it from SMBIOS (`product_sku`).
        guest: what the guest is promised.
    """

    mark: DomainMark
    name: str
    guest: GuestConfig


class DomainState(Enum):
    """What a domain does."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUTOFF = "shutoff"
    CRASHED = "crashed"


@attrs.frozen
class DomainStatus:
    """One domain of ours, as the hypervisor sees it.

    Attributes:
        mark: whose it is.
        state: what it does.
        boots: a number that differs after each start of the domain; None while it is off.
    """

    mark: DomainMark
    state: DomainState
    boots: int | None = None


class DomainEventKind(Enum):
    """What happened to a domain."""

    STARTED = "started"
    STOPPED = "stopped"
    PAUSED = "paused"
    RESUMED = "resumed"
    REBOOTED = "rebooted"
    DEFINED = "defined"
    UNDEFINED = "undefined"
    LOST = "lost"


@attrs.frozen
class DomainEvent:
    """A hint that something happened; `DomainLifecycle.status` is the truth.

    Attributes:
        instance: whose domain.
        kind: what happened.
        synthetic: found by comparing before and after a lost connection, not told by the
            hypervisor.
    """

    instance: InstanceId
    kind: DomainEventKind
    synthetic: bool = False


@attrs.frozen
class CacheLimits:
    """When a cached image goes that nothing uses.

    Attributes:
        unused_s: it was not asked for as long as this.
        size_bytes: the cache takes more than this; the image that was not asked for longest goes
            first.
        spare_s: not even then, if it was asked for within this time: somebody is about to use it.
    """

    unused_s: Seconds = Seconds(24 * 3600.0)
    size_bytes: Bytes = gib_to_bytes(Gib(64))
    spare_s: Seconds = Seconds(3600.0)


class ImageSource(Protocol):
    """Where a host gets images from."""

    def image(self, image: ImageId) -> Image:
        """Return what is known of an image.

        Raises:
            NotFound: there is none.
        """
        ...

    def read(self, image: ImageId) -> BinaryIO:
        """Open the image's file; the caller closes it.

        Raises:
            NotFound: there is none.
        """
        ...


@runtime_checkable
class HypervisorHost(Protocol):
    """The host itself; every driver has this."""

    def facts(self) -> HostFacts:
        """Return what the host has."""
        ...

    def domains(self) -> tuple[DomainStatus, ...]:
        """Return all domains that carry our mark; those of others are never touched."""
        ...

    def close(self) -> None:
        """Give back connections and threads; domains go on."""
        ...


@runtime_checkable
class DomainLifecycle(Protocol):
    """Domains come and go; every driver has this."""

    def define(self, spec: DomainSpec) -> None:
        """Make the domain known, or replace its definition; its disks exist already.

        A running domain keeps running; the new definition counts from its next start.

        Raises:
            DomainExists: another's domain has its name or id.
        """
        ...

    def start(self, mark: DomainMark) -> None:
        """Run a defined domain and write `mark` into it; nothing happens if it runs already.

        Raises:
            DomainNotFound: it is not defined.
        """
        ...

    def shut_down(self, instance: InstanceId) -> None:
        """Ask the guest to power off, and return at once; nothing happens if it is off.

        Raises:
            DomainNotFound: it is not defined.
        """
        ...

    def destroy(self, instance: InstanceId) -> None:
        """Take the power away; nothing happens if it is off or not defined."""
        ...

    def undefine(self, instance: InstanceId) -> None:
        """Forget a domain that is off, with its firmware and TPM state; nothing if unknown.

        Raises:
            StateConflict: it is running.
        """
        ...

    def status(self, instance: InstanceId) -> DomainStatus | None:
        """Return the domain as the hypervisor sees it now, or None if there is none."""
        ...


@runtime_checkable
class InstanceDisks(Protocol):
    """The files of instances, and the images that they are made from."""

    def cache_image(self, image: ImageId, source: ImageSource) -> None:
        """Have the image on the host, checked; nothing happens if it is there.

        Raises:
            NotFound: the source has no such image.
            ImageRefused: its content is not what it says, or reaches outside itself.
            StorageFull: no space; nothing of it is left.
        """
        ...

    def drop_images(self, keep: frozenset[ImageId], limits: CacheLimits) -> frozenset[ImageId]:
        """Remove cached images that nothing uses any more, and return which.

        One that a disk here is made from stays, whoever knows of it.

        Args:
            keep: those that instances need beside that: kernels, for one.
            limits: when one goes.
        """
        ...

    def prepare(self, spec: DomainSpec) -> None:
        """Make the instance's directory and disks; those that exist are left as they are.

        Raises:
            NotFound: an image is not cached.
            StorageFull: no space; nothing that this call made is left.
        """
        ...

    def remove(self, instance: InstanceId) -> None:
        """Remove all files of the instance; nothing happens if there are none."""
        ...

    def instances(self) -> frozenset[InstanceId]:
        """Return the instances that have files here."""
        ...

    def used_bytes(self) -> Bytes:
        """Return the space that instances and cached images take."""
        ...


@runtime_checkable
class Consoles(Protocol):
    """What guests say on their serial line."""

    def console_output(self, instance: InstanceId, tail_bytes: int) -> bytes:
        """Return the last `tail_bytes` bytes that the guest has written since its definition.

        Raises:
            DomainNotFound: the host has no such instance.
        """
        ...


@runtime_checkable
class DomainEvents(Protocol):
    """A driver that tells what happens to domains."""

    def subscribe(self, listener: Callable[[DomainEvent], None]) -> Callable[[], None]:
        """Call `listener` for each event, on a thread of the driver; return how to stop that.

        `listener` must return quickly and not raise.
        """
        ...
