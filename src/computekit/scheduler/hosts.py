"""The hosts that instances can be put on, as the scheduler sees them."""

from typing import Protocol

import attrs

from computekit.ids import HostName, ProviderId
from computekit.model import HostFacts
from computekit.topology import HostTopology
from computekit.units import Seconds
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = ["HOST_CHANGED", "Host", "HostReader", "HostWriter", "MemoryHosts"]

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
        topology: its NUMA nodes as they are given out, without what is taken of them.
    """

    name: HostName
    provider: ProviderId
    facts: HostFacts
    zone: str | None = None
    disabled: str | None = None
    up: bool = True
    incarnation: str = ""
    seen_s: Seconds = Seconds(0.0)
    topology: HostTopology = attrs.field(factory=HostTopology)


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


class MemoryHosts:
    """A `HostWriter` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._hosts: MemoryTable[HostName, Host] = MemoryTable()

    def host(self, name: HostName) -> Host | None:
        with self._store.lock:
            return self._hosts.rows.get(name)

    def hosts(self, names: frozenset[HostName] | None = None) -> tuple[Host, ...]:
        with self._store.lock:
            rows = self._hosts.rows
            wanted = rows.keys() if names is None else names & rows.keys()
            return tuple(rows[name] for name in sorted(wanted))

    def put_host(self, tx: Tx, host: Host) -> None:
        mine = self._store.transaction(tx)
        if self._hosts.rows.get(host.name) != host:
            self._hosts.put(mine, host.name, host)
            tx.changed(HOST_CHANGED, host.name)

    def delete_host(self, tx: Tx, name: HostName) -> None:
        mine = self._store.transaction(tx)
        if name in self._hosts.rows:
            self._hosts.remove(mine, name)
            tx.changed(HOST_CHANGED, name)
