"""The hosts that instances can be put on, as the scheduler sees them."""

from typing import Protocol

import attrs

from computekit.ids import HostName, ProviderId
from computekit.model import HostFacts
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["Host", "HostReader", "HostWriter"]

HOST_CHANGED = "host"
"""`Change.kind` of a host whose row was written."""


@attrs.frozen
class Host:
    """The row of one host.

    Attributes:
        name: unique.
        provider: the root of its provider tree.
        facts: what it has, as its agent last said.
        zone: its availability zone; None for the default one.
        disabled: why no new instance may go there; None while it is enabled.
        up: whether its agent answers; written on transitions only.
        incarnation: of the agent that last synchronised; messages to another are refused.
        seen_s: when it last did, wall seconds since the Unix epoch.
    """

    name: HostName
    provider: ProviderId
    facts: HostFacts
    zone: str | None = None
    disabled: str | None = None
    up: bool = True
    incarnation: str = ""
    seen_s: Seconds = Seconds(0.0)


class HostReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def host(self, name: HostName) -> Host | None:
        """Return a host, or None."""
        ...

    def hosts(self, names: frozenset[HostName] | None = None) -> tuple[Host, ...]:
        """Return these hosts (all, with None), by name; those that are not there are left out."""
        ...


class HostWriter(HostReader, Protocol):
    """Writes; each belongs to a transaction."""

    def put_host(self, tx: Tx, host: Host) -> None:
        """Write the row of a host, new or not; replicas hear of it only if it has changed."""
        ...

    def delete_host(self, tx: Tx, name: HostName) -> None:
        """Remove the row of a host; nothing happens if there is none."""
        ...
