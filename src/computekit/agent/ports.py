"""What an agent needs of its surroundings."""

from typing import Protocol

from computekit.ids import HostName
from computekit.units import Seconds
from computekit.virt.ports import (
    Consoles,
    DomainEvents,
    DomainLifecycle,
    HypervisorHost,
    InstanceDisks,
)

__all__ = ["Hypervisor", "Wire"]


class Hypervisor(HypervisorHost, DomainLifecycle, InstanceDisks, Consoles, DomainEvents, Protocol):
    """A driver that can do all that an agent offers today."""


class Wire(Protocol):
    """Carries text to the agent of a host, and its answer back."""

    def send(self, host: HostName, text: str, timeout_s: Seconds) -> str:
        """Deliver `text` and return the answer.

        Raises:
            TransportFailed: it was not delivered, or the answer was lost.
            DeadlineExceeded: no answer in time; the effect is in doubt.
            Overloaded: too much is under way; it was not delivered.
        """
        ...
