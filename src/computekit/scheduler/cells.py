"""What consumers hold of the NUMA nodes of hosts, as rows; and the fit that is claimed with them.

A fit that was found on the index is a proposal. In the transaction of the claim the guest is
fitted again, on the rows: with the same result, unless somebody took something meanwhile. Since
one transaction writes at a time, what is then written is true.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from computekit.errors import CellsTaken
from computekit.ids import ConsumerId, HostName
from computekit.placement import FleetIndex
from computekit.scheduler.hosts import Host
from computekit.topology import (
    GuestTopology,
    HostNode,
    HostTopology,
    TopologyFit,
    fit_guest,
    pages_for,
    untaken,
)
from computekit.units import Kib, Mib
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = [
    "CELLS_CHANGED",
    "CellHold",
    "CellReader",
    "CellWriter",
    "MemoryCells",
    "claim_cells",
    "parts_of",
    "with_holds",
    "write_cells",
]

CELLS_CHANGED = "cells"
"""`Change.kind` of a host on which somebody took or gave back a part of a NUMA node."""


@attrs.frozen
class CellHold:
    """What one consumer has of one NUMA node of a host.

    Attributes:
        consumer: who; for an instance, the instance's id.
        host: where.
        node: the node's number on its host.
        cpus: those that it has for itself.
        floating: its vCPUs that share CPUs with others.
        memory_mib: its memory on the node.
        page_kib: the size of the pages that the memory is made of; None: of none in particular.
    """

    consumer: ConsumerId
    host: HostName
    node: int
    cpus: frozenset[int]
    floating: int
    memory_mib: Mib
    page_kib: Kib | None = None


class CellReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def cell_holds(self, hosts: frozenset[HostName] | None = None) -> tuple[CellHold, ...]:
        """Return what is held on these hosts (all, with None), by host, consumer and node."""
        ...


class CellWriter(CellReader, Protocol):
    """Writes; each belongs to a transaction."""

    def hold_cells(self, tx: Tx, holds: Iterable[CellHold]) -> None:
        """Write what a consumer holds of nodes of which it holds nothing yet.

        Nothing is judged but that no CPU has two owners.

        Raises:
            CellsTaken: somebody has one of the CPUs, or the consumer has a part of the node.
        """
        ...

    def release_cells(self, tx: Tx, consumer: ConsumerId, host: HostName | None = None) -> None:
        """Give back all that a consumer holds (on one host); nothing happens if that is nothing."""
        ...


def with_holds(topology: HostTopology, holds: Iterable[CellHold]) -> HostTopology:
    """Return a host's nodes with what is held of them."""
    nodes = {node.id: node for node in topology.nodes}
    for hold in holds:
        node = nodes.get(hold.node)
        if node is not None:
            nodes[hold.node] = _with(node, hold)
    return attrs.evolve(topology, nodes=tuple(nodes.values()))


def _with(node: HostNode, hold: CellHold) -> HostNode:
    return attrs.evolve(
        node,
        pinned=node.pinned | hold.cpus,
        floating=node.floating + hold.floating,
        memory_used_mib=Mib(node.memory_used_mib + hold.memory_mib),
        pages=tuple(
            attrs.evolve(stock, used=stock.used + pages_for(hold.memory_mib, stock.size_kib))
            if stock.size_kib == hold.page_kib
            else stock
            for stock in node.pages
        ),
    )


def write_cells(
    index: FleetIndex,
    hosts: Iterable[HostName],
    holds: Iterable[CellHold],
    topologies: Mapping[HostName, HostTopology],
) -> None:
    """Write into an index what is held of the NUMA nodes of some hosts.

    Args:
        index: hosts that are not in it are passed over.
        hosts: all that is held of each of them is among `holds`.
        holds: as read.
        topologies: nodes of those hosts whose rows were read; those of others are as they were.
    """
    found: dict[HostName, list[CellHold]] = {}
    for hold in holds:
        found.setdefault(hold.host, []).append(hold)
    for host in hosts:
        if index.row(host) is not None:
            nodes = topologies.get(host) or untaken(index.cells.of(host))
            index.put_cells(host, with_holds(nodes, found.get(host, ())))


def claim_cells(
    tx: Tx,
    cells: CellWriter,
    host: Host,
    consumer: ConsumerId,
    guest: GuestTopology,
) -> TopologyFit:
    """Take what a guest needs of a host's NUMA nodes, and return where it goes.

    Args:
        tx: the transaction; all else that the claim takes is written in it too.
        cells: the rows.
        host: as its row in this transaction is.
        consumer: who takes.
        guest: what it needs.

    Raises:
        CellsTaken: there is no room any more.
    """
    now = with_holds(host.topology, cells.cell_holds(frozenset({host.name})))
    fit = fit_guest(now, guest)
    if fit is None:
        raise CellsTaken(host.name, "the NUMA nodes have no room for the guest any more")
    cells.hold_cells(tx, parts_of(consumer, host.name, fit, guest))
    return fit


def parts_of(
    consumer: ConsumerId, host: HostName, fit: TopologyFit, guest: GuestTopology
) -> tuple[CellHold, ...]:
    """Return what a guest takes of a host's NUMA nodes where it goes as `fit` says."""
    return tuple(
        CellHold(
            consumer,
            host,
            node.host,
            frozenset(node.pins.cpus.values()) | node.pins.emulator,
            len(asked.floating),
            asked.memory_mib,
            node.page_kib,
        )
        for node, asked in zip(fit.nodes, guest.nodes, strict=True)
    )


class MemoryCells:
    """A `CellWriter` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._rows: MemoryTable[tuple[HostName, ConsumerId, int], CellHold] = MemoryTable()

    def cell_holds(self, hosts: frozenset[HostName] | None = None) -> tuple[CellHold, ...]:
        with self._store.lock:
            rows = self._rows.rows
            wanted = sorted(key for key in rows if hosts is None or key[0] in hosts)
            return tuple(rows[key] for key in wanted)

    def hold_cells(self, tx: Tx, holds: Iterable[CellHold]) -> None:
        mine = self._store.transaction(tx)
        for hold in holds:
            key = hold.host, hold.consumer, hold.node
            check_free(hold, self.cell_holds(frozenset({hold.host})))
            self._rows.put(mine, key, hold)
            tx.changed(CELLS_CHANGED, hold.host)

    def release_cells(self, tx: Tx, consumer: ConsumerId, host: HostName | None = None) -> None:
        mine = self._store.transaction(tx)
        for key in [key for key in self._rows.rows if key[1] == consumer]:
            if host in {None, key[0]}:
                self._rows.remove(mine, key)
                tx.changed(CELLS_CHANGED, key[0])


def check_free(hold: CellHold, others: Iterable[CellHold]) -> None:
    """Let a hold pass that takes no CPU of the others, and no second part of a node.

    Raises:
        CellsTaken: it does.
    """
    for other in others:
        if other.consumer == hold.consumer and other.node == hold.node:
            raise CellsTaken(hold.host, f"{hold.consumer} has a part of node {hold.node} already")
        if other.cpus & hold.cpus:
            taken = ", ".join(map(str, sorted(other.cpus & hold.cpus)))
            raise CellsTaken(hold.host, f"CPUs {taken} of node {hold.node} are somebody else's")
