"""The host side: takes messages as text, checks who may command, and drives the hypervisor."""

import logging
from pathlib import Path
from random import Random

import cattrs

from computekit.agent.calls import (
    Fence,
    HostCall,
    HostInstances,
    Message,
    ReadInstances,
    Reply,
    Sync,
    call_types,
)
from computekit.agent.fences import Fences
from computekit.agent.lock import HostLock
from computekit.agent.ports import Hypervisor
from computekit.clock import Clock, Deadline
from computekit.errors import (
    ComputekitError,
    Fault,
    FenceRejected,
    HostNotReady,
    InvalidInput,
    Unexpected,
)
from computekit.ids import HostName, InstanceId, new_uuid
from computekit.model import decode, encode, encode_error
from computekit.runtime import KeyedLocks
from computekit.units import Seconds
from computekit.virt.ports import ImageSource

__all__ = ["Agent"]

_log = logging.getLogger(__name__)

FENCE_MEMORY_S = Seconds(24 * 3600.0)
"""How long the fence of a gone instance is kept; no message lives nearly as long."""

PRUNE_S = Seconds(3600.0)
"""How often it is looked for those that have been kept long enough."""


class Agent:
    """Executes host calls, one at a time for each instance, and refuses those of past owners.

    Args:
        host: the host's name; messages for another are refused.
        hypervisor: drives the guests.
        images: where images come from.
        directory: for the lock and the fences; one agent at a time.
        clock: for message lifetimes.
        random: for the incarnation.

    Raises:
        InUse: another agent has the directory.
    """

    def __init__(
        self,
        host: HostName,
        hypervisor: Hypervisor,
        images: ImageSource,
        directory: Path,
        clock: Clock,
        random: Random,
    ) -> None:
        self.host = host
        self.incarnation: str = new_uuid(random)
        self._hypervisor = hypervisor
        self._images = images
        self._clock = clock
        self._lock = HostLock(directory)
        self._fences = Fences(directory / "fences", clock)
        self._synchronised = False
        self._busy = KeyedLocks()
        self._pruned_s = clock.monotonic_s()

    def close(self) -> None:
        """Let another agent have the directory; guests go on."""
        self._synchronised = False
        self._lock.release()

    def handle(self, text: str) -> str:
        """Carry out one message and return the reply; both are JSON text.

        Never raises for what a message says: every refusal is a reply.
        """
        try:
            message = decode(text, Message)
            call = self._parse(message)
            answer = self._admit(message, call)
        except ComputekitError as error:
            return encode(Reply(False, encode_error(error)))
        except (cattrs.BaseValidationError, ValueError) as error:
            fault = Fault("message", "malformed", str(error))
            return encode(Reply(False, encode_error(InvalidInput((fault,)))))
        except Exception as error:  # noqa: BLE001  a defect must not end the agent
            _log.exception("host call failed unexpectedly")
            return encode(Reply(False, encode_error(Unexpected("host call", str(error)))))
        return encode(Reply(True, encode(answer)))

    def _parse(self, message: Message) -> HostCall[object]:
        kind = call_types().get(message.call)
        if kind is None:
            raise InvalidInput((Fault("call", "unknown", f"no host call {message.call!r}"),))
        return decode(message.body, kind)

    def _admit(self, message: Message, call: HostCall[object]) -> object:
        if message.host != self.host:
            raise HostNotReady(message.host, f"this is the agent of {self.host}")
        if self._clock.wall_s() > message.not_after_s:
            raise FenceRejected(f"message {message.call}", "it came after its time")
        if isinstance(call, Sync):
            return self._sync(call)
        if not self._synchronised:
            raise HostNotReady(self.host, "it has not been synchronised since its start")
        if message.incarnation != self.incarnation:
            raise HostNotReady(self.host, "its agent was started anew")
        if isinstance(call, ReadInstances):
            found = call.run(self._hypervisor, self._images)
            if self._clock.monotonic_s() - self._pruned_s >= PRUNE_S:
                self._prune(found, frozenset())
            return found
        if call.changes is None:
            return call.run(self._hypervisor, self._images)
        if message.fence is None or message.fence.instance != call.changes:
            raise InvalidInput((Fault("fence", "wrong", f"needs one for {call.changes}"),))
        time = Deadline(self._clock, Seconds(message.not_after_s - self._clock.wall_s()))
        with self._busy.holding(call.changes, time):
            if self._clock.wall_s() > message.not_after_s:
                raise FenceRejected(f"message {message.call}", "it came after its time")
            self._fences.admit(message.fence)
            return call.run(self._hypervisor, self._images)

    def _sync(self, call: Sync) -> HostInstances:
        report = call.run(self._hypervisor, self._images)
        for fence in call.fences:
            self._fences.raise_to(fence)
        for domain in report.domains:
            self._fences.raise_to(Fence(domain.mark.instance, domain.mark.epoch))
        self._prune(report, frozenset(fence.instance for fence in call.fences))
        self._synchronised = True
        return report

    def _prune(self, there: HostInstances, keep: frozenset[InstanceId]) -> None:
        """Forget the fences of instances that have not been here for long."""
        self._pruned_s = self._clock.monotonic_s()
        keep |= there.files | {domain.mark.instance for domain in there.domains}
        for instance in self._fences.unused(keep, FENCE_MEMORY_S):
            with self._busy.holding(instance, Deadline(self._clock, Seconds(1.0))):
                self._fences.forget(instance, FENCE_MEMORY_S)
