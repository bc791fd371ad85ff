"""What a host can be asked over the wire: one frozen type a call, and what comes back."""

from typing import ClassVar, Generic, TypeVar, cast

import attrs

from computekit.agent.ports import Hypervisor
from computekit.errors import Unexpected
from computekit.ids import HostName, ImageId, InstanceId, OperationId
from computekit.model import HostFacts
from computekit.units import Seconds
from computekit.virt.ports import (
    CacheLimits,
    DomainMark,
    DomainSpec,
    DomainStatus,
    ImageSource,
)

__all__ = [
    "CacheImages",
    "Define",
    "Destroy",
    "DropImages",
    "Fence",
    "HostCall",
    "HostInstances",
    "Message",
    "ReadConsole",
    "ReadFacts",
    "ReadInstances",
    "ReadStatus",
    "RemoveInstance",
    "Reply",
    "ShutDown",
    "Start",
    "Sync",
    "call_types",
]

R = TypeVar("R")


@attrs.frozen
class Fence:
    """Whose word counts for an instance: an older one than seen before is refused.

    Attributes:
        instance: the instance.
        epoch: of the instance's place.
        number: of the operation in the instance's life.
        lease: of the operation's executor.
    """

    instance: InstanceId
    epoch: int
    number: int = 0
    lease: int = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """What is compared."""
        return (self.epoch, self.number, self.lease)


class HostCall(Generic[R]):
    """Something that a host can be asked.

    Attributes:
        answer: the type of the answer.
        timeout_s: the longest that it may take.
    """

    answer: ClassVar[object] = None
    timeout_s: ClassVar[Seconds] = Seconds(60.0)

    @property
    def changes(self) -> InstanceId | None:
        """The instance that the call changes, which takes a fence; None if it only reads."""
        return None

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> R:
        """Carry it out; raises what the hypervisor raises."""
        raise Unexpected("host call", f"{type(self).__name__} cannot be run")


@attrs.frozen
class HostInstances:
    """What is on a host.

    Attributes:
        domains: all domains that carry our mark.
        files: instances that have files.
    """

    domains: tuple[DomainStatus, ...]
    files: frozenset[InstanceId]


@attrs.frozen
class Sync(HostCall[HostInstances]):
    """The first call to an agent: whose instances it has. Before it, the agent obeys nothing.

    Attributes:
        fences: the least that each instance's callers must show.
    """

    fences: tuple[Fence, ...]
    answer: ClassVar[object] = HostInstances

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> HostInstances:
        """Return what is on the host; the agent raises its fences."""
        return HostInstances(hypervisor.domains(), hypervisor.instances())


@attrs.frozen
class ReadInstances(HostCall[HostInstances]):
    """Say which instances are on the host."""

    answer: ClassVar[object] = HostInstances

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> HostInstances:
        """Return domains and files."""
        return HostInstances(hypervisor.domains(), hypervisor.instances())


@attrs.frozen
class CacheImages(HostCall[None]):
    """Have these images on the host."""

    images: tuple[ImageId, ...]
    timeout_s: ClassVar[Seconds] = Seconds(1800.0)

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> None:
        """Fetch what is missing."""
        for image in self.images:
            hypervisor.cache_image(image, images)


@attrs.frozen
class DropImages(HostCall[frozenset[ImageId]]):
    """Let cached images go that nothing uses.

    Attributes:
        keep: those that instances of the host need.
        limits: when one goes.
    """

    keep: frozenset[ImageId]
    limits: CacheLimits
    answer: ClassVar[object] = frozenset[ImageId]

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> frozenset[ImageId]:
        """Return those that went."""
        return hypervisor.drop_images(self.keep, self.limits)


@attrs.frozen
class Define(HostCall[None]):
    """Make the instance's disks, and its domain known."""

    spec: DomainSpec

    @property
    def changes(self) -> InstanceId:
        """The instance that is defined."""
        return self.spec.mark.instance

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> None:
        """Make the disks that are missing, then define."""
        hypervisor.prepare(self.spec)
        hypervisor.define(self.spec)


@attrs.frozen
class Start(HostCall[None]):
    """Run the instance's domain."""

    mark: DomainMark

    @property
    def changes(self) -> InstanceId:
        """The instance that is started."""
        return self.mark.instance

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> None:
        """Start, unless it runs."""
        hypervisor.start(self.mark)


@attrs.frozen
class ShutDown(HostCall[None]):
    """Ask the guest to power off."""

    instance: InstanceId

    @property
    def changes(self) -> InstanceId:
        """The instance that is asked."""
        return self.instance

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> None:
        """Ask, and return at once."""
        hypervisor.shut_down(self.instance)


@attrs.frozen
class Destroy(HostCall[None]):
    """Take the power from the instance's domain."""

    instance: InstanceId

    @property
    def changes(self) -> InstanceId:
        """The instance that loses its power."""
        return self.instance

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> None:
        """Take it."""
        hypervisor.destroy(self.instance)


@attrs.frozen
class RemoveInstance(HostCall[None]):
    """Destroy the domain, forget it and remove its files."""

    instance: InstanceId

    @property
    def changes(self) -> InstanceId:
        """The instance that goes."""
        return self.instance

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> None:
        """Remove what there is of it."""
        hypervisor.destroy(self.instance)
        hypervisor.undefine(self.instance)
        hypervisor.remove(self.instance)


@attrs.frozen
class ReadStatus(HostCall[DomainStatus | None]):
    """Say what the instance's domain does."""

    instance: InstanceId
    answer: ClassVar[object] = DomainStatus | None

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> DomainStatus | None:
        """Return the domain, or None if there is none."""
        return hypervisor.status(self.instance)


@attrs.frozen
class ReadConsole(HostCall[bytes]):
    """Say what the guest wrote last.

    Attributes:
        instance: whose console.
        tail_bytes: how much of its end.
    """

    instance: InstanceId
    tail_bytes: int
    answer: ClassVar[object] = bytes

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> bytes:
        """Return the end of the console log."""
        return hypervisor.console_output(self.instance, self.tail_bytes)


@attrs.frozen
class ReadFacts(HostCall[HostFacts]):
    """Say what the host has."""

    answer: ClassVar[object] = HostFacts

    def run(self, hypervisor: Hypervisor, images: ImageSource) -> HostFacts:
        """Return the facts of now."""
        return hypervisor.facts()


def call_types() -> dict[str, type[HostCall[object]]]:
    """Return every call by the name that it has on the wire."""
    return {kind.__name__: cast(type[HostCall[object]], kind) for kind in HostCall.__subclasses__()}


@attrs.frozen
class Message:
    """One call on its way to a host.

    Attributes:
        host: for whom.
        incarnation: of the agent that the caller knows; another refuses. "" with `Sync` only.
        call: name of the call.
        body: the call as JSON text.
        fence: with calls that change an instance.
        operation: on whose behalf, for the log.
        not_after_s: wall seconds since the Unix epoch; later, the message is refused.
    """

    host: HostName
    incarnation: str
    call: str
    body: str
    fence: Fence | None
    operation: OperationId | None
    not_after_s: Seconds


@attrs.frozen
class Reply:
    """What came of a message.

    Attributes:
        ok: whether `body` is an answer; else it is an error.
        body: JSON text.
    """

    ok: bool
    body: str
