"""Every error of computekit, one tree.

::

    ComputekitError                     code, retryable, message
    |- InvalidInput                     every fault of the input at once
    |- NotFound                         kind, id
    |- AlreadyExists                    kind, id
    |- InUse                            kind, id, by
    |- Conflict
    |  |- GenerationConflict            kind, id, expected, actual        (retryable)
    |  |- OperationInProgress           subject, operation                (retryable)
    |  |- StateConflict                 subject, state, wanted
    |- ClaimRefused
    |  |- CapacityExceeded              provider, resource_class, asked, used, capacity (retryable)
    |  |- AmountNotAllowed              provider, resource_class, asked, rule
    |  |- NoInventory                   provider, resource_class
    |  |- CounterFull                   scope, name, used, bound          (retryable)
    |  |- CellsTaken                    host, reason                      (retryable)
    |  |- GroupRuleBroken               group, host, rule, reason         (retryable)
    |  |- HostChanged                   host, reason                      (retryable)
    |  |- ClaimsLost                    hosts, reason                     (retryable)
    |- RetriesExhausted                 tries, reason, explanation
    |- NoValidHost                      summary, explanation
    |- LeaseLost                        an executor no longer owns its operation
    |- FenceRejected                    a message or effect of a past owner
    |- DeadlineExceeded                 what, timeout_s                   (retryable)
    |- Overloaded                       what                              (retryable)
    |- StoreUnavailable                 database cannot be reached        (retryable)
    |- TransportFailed                  a message could not be delivered  (retryable)
    |- AccessRefused                    a server does not know the caller, or does not let it
    |- ImageRefused                     image, reason
    |- HostError                        what a host could not do; touched
    |  |- HostNotReady                  host, reason                      (retryable)
    |  |- HypervisorUnavailable         uri, reason                       (retryable)
    |  |- HypervisorRefused             hypervisor's own code and words
    |  |- DomainNotFound                instance
    |  |- DomainExists                  instance
    |  |- Unsupported                   feature, reason
    |  |- StorageFull                   path                              (retryable)
    |  |- StorageFailed                 path; the system's own code and words
    |  |- PermissionRefused             path or socket
    |  |- ProgramFailed                 program, reason
    |- Cancelled                        somebody asked for the end of an operation
    |- Unexpected                       a defect of computekit or of something that it was given
    |- RemoteError                      an error of a code that this process does not know

Each class has a stable `code`. HTTP numbers live in the HTTP room only.

(Errors have no slots: attrs would make each class twice, and the tree would be walked twice.)
"""

from typing import ClassVar

import attrs

__all__ = [
    "AccessRefused",
    "AlreadyExists",
    "AmountNotAllowed",
    "Cancelled",
    "CapacityExceeded",
    "CellsTaken",
    "ClaimRefused",
    "ClaimsLost",
    "ComputekitError",
    "Conflict",
    "CounterFull",
    "DeadlineExceeded",
    "DomainExists",
    "DomainNotFound",
    "Fault",
    "FenceRejected",
    "GenerationConflict",
    "GroupRuleBroken",
    "HostChanged",
    "HostError",
    "HostNotReady",
    "HypervisorRefused",
    "HypervisorUnavailable",
    "ImageRefused",
    "InUse",
    "InvalidInput",
    "LeaseLost",
    "NoInventory",
    "NoValidHost",
    "NotFound",
    "OperationInProgress",
    "Overloaded",
    "PermissionRefused",
    "ProgramFailed",
    "RemoteError",
    "RetriesExhausted",
    "StateConflict",
    "StorageFailed",
    "StorageFull",
    "StoreUnavailable",
    "TransportFailed",
    "Unexpected",
    "Unsupported",
    "error_types",
]


class ComputekitError(Exception):
    """The root of the tree."""

    code: ClassVar[str] = "computekit"
    retryable: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """One sentence for people: what was asked, what was there."""
        return type(self).__name__

    def __str__(self) -> str:
        return self.message


@attrs.frozen
class Fault:
    """One thing that is wrong with an input.

    Attributes:
        path: where, from the root of the input: `flavor.extra_specs[hw:cpu_policy]`.
        code: stable word for the kind of fault.
        message: what is wrong and what would be right.
    """

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@attrs.define(eq=False, slots=False)
class InvalidInput(ComputekitError):
    """The input breaks rules; all of them are listed."""

    code: ClassVar[str] = "input.invalid"
    faults: tuple[Fault, ...]

    @property
    def message(self) -> str:
        """All faults, one after the other."""
        return "; ".join(str(fault) for fault in self.faults)


@attrs.define(eq=False, slots=False)
class NotFound(ComputekitError):
    """There is no such thing."""

    code: ClassVar[str] = "not_found"
    kind: str
    id: str

    @property
    def message(self) -> str:
        """What was looked for."""
        return f"no {self.kind} {self.id}"


@attrs.define(eq=False, slots=False)
class AlreadyExists(ComputekitError):
    """The name or id is taken."""

    code: ClassVar[str] = "already_exists"
    kind: str
    id: str

    @property
    def message(self) -> str:
        """What is taken."""
        return f"{self.kind} {self.id} exists already"


@attrs.define(eq=False, slots=False)
class InUse(ComputekitError):
    """The thing cannot go while others hold on to it."""

    code: ClassVar[str] = "in_use"
    kind: str
    id: str
    by: str

    @property
    def message(self) -> str:
        """What is held, and by what."""
        return f"{self.kind} {self.id} is in use by {self.by}"


class Conflict(ComputekitError):
    """The state is not what the caller assumed."""

    code: ClassVar[str] = "conflict"


@attrs.define(eq=False, slots=False)
class GenerationConflict(Conflict):
    """Somebody else wrote in between; read again and retry."""

    code: ClassVar[str] = "conflict.generation"
    retryable: ClassVar[bool] = True
    kind: str
    id: str
    expected: int | None
    actual: int | None

    @property
    def message(self) -> str:
        """Both generations."""
        return (
            f"{self.kind} {self.id} is at generation {self.actual}, "
            f"the caller expected {self.expected}"
        )


@attrs.define(eq=False, slots=False)
class OperationInProgress(Conflict):
    """Another operation is under way on the same subject."""

    code: ClassVar[str] = "conflict.operation"
    retryable: ClassVar[bool] = True
    subject: str
    operation: str

    @property
    def message(self) -> str:
        """The subject and the operation that holds it."""
        return f"{self.subject} is busy with operation {self.operation}"


@attrs.define(eq=False, slots=False)
class StateConflict(Conflict):
    """The subject is not in a state that allows this."""

    code: ClassVar[str] = "conflict.state"
    subject: str
    state: str
    wanted: str

    @property
    def message(self) -> str:
        """The state that is and those that would do."""
        return f"{self.subject} is {self.state}, this needs {self.wanted}"


class ClaimRefused(ComputekitError):
    """A claim could not be granted; nothing of it was taken."""

    code: ClassVar[str] = "claim.refused"


@attrs.define(eq=False, slots=False)
class CapacityExceeded(ClaimRefused):
    """The provider has too little left; another may have more."""

    code: ClassVar[str] = "claim.capacity"
    retryable: ClassVar[bool] = True
    provider: str
    resource_class: str
    asked: int
    used: int
    capacity: int

    @property
    def message(self) -> str:
        """The numbers."""
        return (
            f"provider {self.provider} has {self.capacity - self.used} {self.resource_class} left "
            f"of {self.capacity}, {self.asked} asked"
        )


@attrs.define(eq=False, slots=False)
class AmountNotAllowed(ClaimRefused):
    """The amount breaks a unit rule of the inventory (min_unit, max_unit or step_size)."""

    code: ClassVar[str] = "claim.amount"
    provider: str
    resource_class: str
    asked: int
    rule: str

    @property
    def message(self) -> str:
        """The amount and the rule."""
        return (
            f"provider {self.provider} does not give {self.asked} {self.resource_class}: "
            f"{self.rule}"
        )


@attrs.define(eq=False, slots=False)
class NoInventory(ClaimRefused):
    """The provider has no inventory of this class."""

    code: ClassVar[str] = "claim.no_inventory"
    provider: str
    resource_class: str

    @property
    def message(self) -> str:
        """The provider and the class."""
        return f"provider {self.provider} has no inventory of {self.resource_class}"


@attrs.define(eq=False, slots=False)
class CounterFull(ClaimRefused):
    """A counter that the claim takes along is at its bound."""

    code: ClassVar[str] = "claim.counter"
    retryable: ClassVar[bool] = True
    scope: str
    name: str
    asked: int
    used: int
    bound: int

    @property
    def message(self) -> str:
        """The counter and its numbers."""
        return (
            f"{self.scope} {self.name}: {self.used} of {self.bound} used, {self.asked} more asked"
        )


@attrs.define(eq=False, slots=False)
class CellsTaken(ClaimRefused):
    """The NUMA nodes of a host have no room any more for what the claim takes along."""

    code: ClassVar[str] = "claim.cells"
    retryable: ClassVar[bool] = True
    host: str
    reason: str

    @property
    def message(self) -> str:
        """The host and the reason."""
        return f"{self.host}: {self.reason}"


@attrs.define(eq=False, slots=False)
class GroupRuleBroken(ClaimRefused):
    """A rule of a server group would be broken; another host may keep it.

    Attributes:
        group: its id.
        host: that was chosen.
        rule: in words.
        reason: what is in its way.
    """

    code: ClassVar[str] = "claim.group"
    retryable: ClassVar[bool] = True
    group: str
    host: str
    rule: str
    reason: str

    @property
    def message(self) -> str:
        """The group, its rule and the reason."""
        return f"host {self.host} breaks {self.rule!r} of server group {self.group}: {self.reason}"


@attrs.define(eq=False, slots=False)
class HostChanged(ClaimRefused):
    """A host that was chosen is not what it was then: it is in another zone, or has gone."""

    code: ClassVar[str] = "claim.host"
    retryable: ClassVar[bool] = True
    host: str
    reason: str

    @property
    def message(self) -> str:
        """The host, and what it is now."""
        return f"host {self.host} {self.reason}"


@attrs.define(eq=False, slots=False)
class ClaimsLost(ClaimRefused):
    """Each host that was chosen had changed by the time of its claim; choose again.

    Attributes:
        hosts: those that were tried, best first.
        reason: what the last of them said.
    """

    code: ClassVar[str] = "claim.lost"
    retryable: ClassVar[bool] = True
    hosts: tuple[str, ...]
    reason: str

    @property
    def message(self) -> str:
        """The hosts and the last reason."""
        return f"others were faster on {', '.join(self.hosts)}: {self.reason}"


@attrs.define(eq=False, slots=False)
class RetriesExhausted(ComputekitError):
    """There were hosts, but each one was lost to others as often as it may be tried.

    Attributes:
        tries: how often hosts were chosen.
        reason: what the last claim said.
        explanation: every rule and host, as text.
    """

    code: ClassVar[str] = "retries_exhausted"
    tries: int
    reason: str
    explanation: str = ""

    @property
    def message(self) -> str:
        """How often, and the last reason."""
        return f"others were faster {self.tries} times in a row: {self.reason}"


@attrs.define(eq=False, slots=False)
class NoValidHost(ComputekitError):
    """An operation ended because no host could take the instance.

    Attributes:
        summary: the reasons in one line.
        explanation: every rule and host, as text.
    """

    code: ClassVar[str] = "no_valid_host"
    summary: str
    explanation: str = ""

    @property
    def message(self) -> str:
        """The reasons, most frequent first."""
        return f"no host can take it: {self.summary}"


@attrs.define(eq=False, slots=False)
class LeaseLost(ComputekitError):
    """The executor's lease on an operation has gone to another; its result is discarded."""

    code: ClassVar[str] = "lease_lost"
    operation: str

    @property
    def message(self) -> str:
        """The operation."""
        return f"the lease on operation {self.operation} has gone to another executor"


@attrs.define(eq=False, slots=False)
class FenceRejected(ComputekitError):
    """An effect was asked for by somebody whose time is over; it was not done."""

    code: ClassVar[str] = "fence_rejected"
    subject: str
    reason: str

    @property
    def message(self) -> str:
        """The subject and what is past."""
        return f"{self.subject}: {self.reason}"


@attrs.define(eq=False, slots=False)
class DeadlineExceeded(ComputekitError):
    """Waiting stopped; what was waited for may still happen."""

    code: ClassVar[str] = "deadline"
    retryable: ClassVar[bool] = True
    what: str
    timeout_s: float

    @property
    def message(self) -> str:
        """What was waited for, and how long."""
        return f"{self.what} took longer than {self.timeout_s:g} s"


@attrs.define(eq=False, slots=False)
class Overloaded(ComputekitError):
    """A bounded queue is full; nothing was started."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True
    what: str

    @property
    def message(self) -> str:
        """Which queue."""
        return f"{self.what} is full"


@attrs.define(eq=False, slots=False)
class StoreUnavailable(ComputekitError):
    """The database cannot be used."""

    code: ClassVar[str] = "store_unavailable"
    retryable: ClassVar[bool] = True
    reason: str

    @property
    def message(self) -> str:
        """The database's own words."""
        return f"the store cannot be used: {self.reason}"


@attrs.define(eq=False, slots=False)
class TransportFailed(ComputekitError):
    """A message could not be delivered, or its answer was lost."""

    code: ClassVar[str] = "transport"
    retryable: ClassVar[bool] = True
    reason: str

    @property
    def message(self) -> str:
        """What went wrong on the way."""
        return f"the message was not delivered: {self.reason}"


@attrs.define(eq=False, slots=False)
class AccessRefused(ComputekitError):
    """A server does not know who calls, or does not let the caller do this."""

    code: ClassVar[str] = "access_refused"
    reason: str

    @property
    def message(self) -> str:
        """The server's own words."""
        return f"access refused: {self.reason}"


@attrs.define(eq=False, slots=False)
class ImageRefused(ComputekitError):
    """An image is not what it says, or would reach outside itself."""

    code: ClassVar[str] = "image.refused"
    image: str
    reason: str

    @property
    def message(self) -> str:
        """The image and the reason."""
        return f"image {self.image} is refused: {self.reason}"


class HostError(ComputekitError):
    """A host could not do what it was asked."""

    code: ClassVar[str] = "host"


@attrs.define(eq=False, slots=False)
class HostNotReady(HostError):
    """The host's agent does not obey (yet): it has to synchronise first; nothing was done."""

    code: ClassVar[str] = "host.not_ready"
    retryable: ClassVar[bool] = True
    host: str
    reason: str

    @property
    def message(self) -> str:
        """Which host, and what it lacks."""
        return f"host {self.host} is not ready: {self.reason}"


@attrs.define(eq=False, slots=False)
class HypervisorUnavailable(HostError):
    """The connection to the hypervisor is down; the effect is in doubt, so probe."""

    code: ClassVar[str] = "host.unavailable"
    retryable: ClassVar[bool] = True
    uri: str
    reason: str

    @property
    def message(self) -> str:
        """Which hypervisor, and why."""
        return f"hypervisor {self.uri} cannot be reached: {self.reason}"


@attrs.define(eq=False, slots=False)
class HypervisorRefused(HostError):
    """The hypervisor said no.

    Attributes:
        call: the driver call that was refused.
        native_code: the hypervisor's own number (libvirt: `virErrorNumber`).
        reason: the hypervisor's own words.
    """

    code: ClassVar[str] = "host.refused"
    call: str
    native_code: int
    reason: str

    @property
    def message(self) -> str:
        """The hypervisor's own words."""
        return f"{self.call} was refused: {self.reason} (code {self.native_code})"


@attrs.define(eq=False, slots=False)
class DomainNotFound(HostError):
    """The host has no domain for this instance."""

    code: ClassVar[str] = "host.domain_not_found"
    instance: str

    @property
    def message(self) -> str:
        """The instance."""
        return f"the host has no domain for instance {self.instance}"


@attrs.define(eq=False, slots=False)
class DomainExists(HostError):
    """A domain that is not this instance's has its name or id."""

    code: ClassVar[str] = "host.domain_exists"
    instance: str
    reason: str

    @property
    def message(self) -> str:
        """The instance and what is in its place."""
        return f"instance {self.instance} cannot be defined: {self.reason}"


@attrs.define(eq=False, slots=False)
class Unsupported(HostError):
    """This host or driver cannot do this at all."""

    code: ClassVar[str] = "host.unsupported"
    feature: str
    reason: str

    @property
    def message(self) -> str:
        """The feature and what is missing."""
        return f"{self.feature} is not supported: {self.reason}"


@attrs.define(eq=False, slots=False)
class StorageFull(HostError):
    """A file system is full."""

    code: ClassVar[str] = "host.storage_full"
    retryable: ClassVar[bool] = True
    path: str

    @property
    def message(self) -> str:
        """Where."""
        return f"no space left for {self.path}"


@attrs.define(eq=False, slots=False)
class StorageFailed(HostError):
    """A file or directory cannot be used.

    Attributes:
        path: which.
        native_code: the operating system's own number (errno).
        reason: its own words.
    """

    code: ClassVar[str] = "host.storage_failed"
    path: str
    native_code: int
    reason: str

    @property
    def message(self) -> str:
        """The path and the system's own words."""
        return f"{self.path} cannot be used: {self.reason} (errno {self.native_code})"


@attrs.define(eq=False, slots=False)
class PermissionRefused(HostError):
    """The operating system does not let this process do it."""

    code: ClassVar[str] = "host.permission"
    path: str
    reason: str

    @property
    def message(self) -> str:
        """Where and why, with the way out if it is known."""
        return f"permission refused for {self.path}: {self.reason}"


@attrs.define(eq=False, slots=False)
class ProgramFailed(HostError):
    """A program of the machine is missing or did not do its work."""

    code: ClassVar[str] = "host.program"
    program: str
    reason: str

    @property
    def message(self) -> str:
        """The program and its own words, with the way out if it is known."""
        return f"{self.program}: {self.reason}"


@attrs.define(eq=False, slots=False)
class Cancelled(ComputekitError):
    """An operation was ended by request, before its point of no return."""

    code: ClassVar[str] = "cancelled"
    reason: str

    @property
    def message(self) -> str:
        """Who or what asked."""
        return f"cancelled: {self.reason}"


@attrs.define(eq=False, slots=False)
class Unexpected(ComputekitError):
    """Something raised an error that is not of this tree: a defect; the log has the traceback."""

    code: ClassVar[str] = "unexpected"
    where: str
    text: str

    @property
    def message(self) -> str:
        """Where, and the error's own words."""
        return f"unexpected error in {self.where}: {self.text}"


@attrs.define(eq=False, slots=False)
class RemoteError(ComputekitError):
    """An error came over the wire, or out of a row, with a code that this process does not know."""

    code: ClassVar[str] = "remote"
    remote_code: str
    text: str

    @property
    def message(self) -> str:
        """The other side's words."""
        return f"{self.text} ({self.remote_code})"


def error_types() -> dict[str, type[ComputekitError]]:
    """Return every class of the tree by its `code`."""
    found: dict[str, type[ComputekitError]] = {}
    todo: list[type[ComputekitError]] = [ComputekitError]
    while todo:
        kind = todo.pop()
        found[kind.code] = kind
        todo.extend(kind.__subclasses__())
    return found
