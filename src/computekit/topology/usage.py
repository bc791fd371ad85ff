"""Taking a fit from host nodes, and giving it back."""

from collections.abc import Sequence

import attrs

from computekit.topology.fit import NodeFit, TopologyFit
from computekit.topology.guest import GuestNode, GuestTopology
from computekit.topology.host import HostNode, HostTopology, PageStock
from computekit.topology.pages import pages_for
from computekit.units import Mib

__all__ = ["give_back", "take", "untaken"]


def take(hosts: Sequence[HostNode], guest: GuestTopology, fit: TopologyFit) -> tuple[HostNode, ...]:
    """Return the host nodes with what the guest has on them.

    Raises:
        ValueError: a CPU that the fit pins is not free: the fit belongs to another state.
    """
    return _changed(hosts, guest, fit, 1)


def give_back(
    hosts: Sequence[HostNode], guest: GuestTopology, fit: TopologyFit
) -> tuple[HostNode, ...]:
    """Return the host nodes without what the guest had on them.

    Raises:
        ValueError: a CPU that the fit pins is not pinned: the guest is not there.
    """
    return _changed(hosts, guest, fit, -1)


def untaken(topology: HostTopology) -> HostTopology:
    """Return a host's nodes with nothing taken of them."""
    nodes = tuple(
        attrs.evolve(
            node,
            pinned=frozenset(),
            floating=0,
            memory_used_mib=Mib(0),
            pages=tuple(attrs.evolve(stock, used=0) for stock in node.pages),
        )
        for node in topology.nodes
    )
    return attrs.evolve(topology, nodes=nodes)


def _changed(
    hosts: Sequence[HostNode], guest: GuestTopology, fit: TopologyFit, sign: int
) -> tuple[HostNode, ...]:
    parts = {node.host: (node, asked) for node, asked in zip(fit.nodes, guest.nodes, strict=True)}
    return tuple(
        host if host.id not in parts else _with(host, *parts[host.id], sign) for host in hosts
    )


def _with(host: HostNode, fit: NodeFit, asked: GuestNode, sign: int) -> HostNode:
    cpus = frozenset(fit.pins.cpus.values()) | fit.pins.emulator
    there = host.free_cpus if sign > 0 else host.pinned
    if not cpus <= there:
        raise ValueError(f"CPUs {sorted(cpus - there)} of node {host.id} are not there to be had")
    return attrs.evolve(
        host,
        pinned=host.pinned | cpus if sign > 0 else host.pinned - cpus,
        floating=host.floating + sign * len(asked.floating),
        memory_used_mib=Mib(host.memory_used_mib + sign * asked.memory_mib),
        pages=tuple(_pages(stock, fit, asked, sign) for stock in host.pages),
    )


def _pages(stock: PageStock, fit: NodeFit, asked: GuestNode, sign: int) -> PageStock:
    if stock.size_kib != fit.page_kib:
        return stock
    count = pages_for(asked.memory_mib, stock.size_kib)
    return attrs.evolve(stock, used=stock.used + sign * count)
