"""The caller's side of host calls."""

from typing import TypeVar, cast

import cattrs

from computekit.agent.calls import Fence, HostCall, HostInstances, Message, Reply, Sync
from computekit.agent.ports import Wire
from computekit.clock import Clock
from computekit.errors import HostNotReady, TransportFailed
from computekit.ids import HostName, OperationId
from computekit.model import decode, decode_error, encode
from computekit.scheduler.hosts import HostReader
from computekit.units import Seconds

__all__ = ["HostClient"]

R = TypeVar("R")


class HostClient:
    """Asks hosts over a wire, and raises what they raise.

    Args:
        wire: carries the messages.
        hosts: knows the incarnation of each host's agent.
        clock: for message lifetimes.
    """

    def __init__(self, wire: Wire, hosts: HostReader, clock: Clock) -> None:
        self._wire = wire
        self._hosts = hosts
        self._clock = clock

    def call(
        self,
        host: HostName,
        call: HostCall[R],
        fence: Fence | None = None,
        operation: OperationId | None = None,
    ) -> R:
        """Carry out `call` on `host` and return its answer.

        Raises:
            HostNotReady: the host is unknown, or its agent has not synchronised.
            FenceRejected: the caller's time is over.
            TransportFailed: the wire failed; the effect is in doubt.
            DeadlineExceeded: no answer in time; the effect is in doubt.
            HostError: the host could not do it.
        """
        row = self._hosts.host(host)
        if row is None:
            raise HostNotReady(host, "there is no such host")
        return self._send(host, row.incarnation, call, fence, operation)

    def sync(self, host: HostName, fences: tuple[Fence, ...]) -> HostInstances:
        """Let a new agent know its instances; from then on it obeys."""
        return self._send(host, "", Sync(fences), None, None)

    def _send(
        self,
        host: HostName,
        incarnation: str,
        call: HostCall[R],
        fence: Fence | None,
        operation: OperationId | None,
    ) -> R:
        message = Message(
            host=host,
            incarnation=incarnation,
            call=type(call).__name__,
            body=encode(call),
            fence=fence,
            operation=operation,
            not_after_s=Seconds(self._clock.wall_s() + call.timeout_s),
        )
        text = self._wire.send(host, encode(message), call.timeout_s)
        try:
            reply = decode(text, Reply)
            if not reply.ok:
                raise decode_error(reply.body)
            if call.answer is None:
                return cast(R, None)
            return decode(reply.body, cast(type[R], call.answer))
        except (cattrs.BaseValidationError, ValueError) as error:
            raise TransportFailed(f"the answer of {host} cannot be read: {error}") from error
