"""The NUMA nodes of each row, and columns of what a guest needs of them at the least."""

from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias

import numpy as np

from computekit.ids import HostName
from computekit.placement.columns import Cow, IntArray, relaid
from computekit.topology import HostTopology
from computekit.units import Kib, kib_to_mib

__all__ = ["CellFigure", "HostCells"]


class CellFigure(Enum):
    """A figure of the NUMA nodes of a host."""

    NODES = "nodes"
    FREE_CPUS = "free dedicated CPUs"
    MOST_FREE_CPUS = "on one node"
    MOST_SHARED_CPUS = "shared CPUs on one node"
    MOST_MEMORY_MIB = "MiB on one node"
    FREE_PAGES_MIB = "MiB of free pages"
    MOST_PAGES_MIB = "MiB of them on one node"


_Key: TypeAlias = tuple[CellFigure, int | None]
_NONE = HostTopology()


class HostCells:
    """NUMA nodes with what is taken of them, by host; one column for each figure of them."""

    __slots__ = ("_columns", "_of_host", "_rows")

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._columns: dict[_Key, Cow[IntArray]] = {}
        self._of_host: Cow[dict[HostName, HostTopology]] = Cow({})

    def fork(self) -> "HostCells":
        """Return a copy that shares until written."""
        other = HostCells(self._rows)
        other._columns = {name: column.fork() for name, column in self._columns.items()}
        other._of_host = self._of_host.fork()
        return other

    def relay(self, source: IntArray) -> None:
        """Take the rows in a new order; new rows are to be written."""
        self._rows = len(source)
        for name, column in self._columns.items():
            self._columns[name] = Cow(relaid(column.value, source, 0))

    def of(self, host: HostName) -> HostTopology:
        """Return the nodes of a host; none if nobody has said."""
        return self._of_host.value.get(host, _NONE)

    def column(self, figure: CellFigure, page_kib: int | None = None) -> IntArray:
        """Return a figure of every row; those of pages for one size of page."""
        found = self._columns.get((figure, page_kib))
        return np.zeros(self._rows, dtype=np.int64) if found is None else found.value

    def put(self, row: int, host: HostName, topology: HostTopology) -> None:
        """Write the nodes of one row."""
        if not topology.nodes and host not in self._of_host.value:
            return
        self._of_host.own()[host] = topology
        figures = _figures(topology)
        for name in self._columns.keys() - figures.keys():
            self._columns[name].own()[row] = 0
        for name, amount in figures.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = Cow(np.zeros(self._rows, dtype=np.int64))
            column.own()[row] = amount

    def forget(self, hosts: Iterable[HostName]) -> None:
        """Forget hosts that are gone."""
        for host in hosts:
            if host in self._of_host.value:
                del self._of_host.own()[host]


def _figures(topology: HostTopology) -> dict[_Key, int]:
    nodes = topology.nodes
    free = [len(node.free_cpus) for node in nodes]
    shared = (len(node.shared) for node in nodes)
    found: dict[_Key, int] = {
        (CellFigure.NODES, None): len(nodes),
        (CellFigure.FREE_CPUS, None): sum(free),
        (CellFigure.MOST_FREE_CPUS, None): max(free, default=0),
        (CellFigure.MOST_SHARED_CPUS, None): max(shared, default=0),
        (CellFigure.MOST_MEMORY_MIB, None): max((node.memory_mib for node in nodes), default=0),
    }
    for size in {stock.size_kib for node in nodes for stock in node.pages}:
        free_mib = [
            kib_to_mib(Kib(size * max(stock.free, 0)))
            for node in nodes
            for stock in node.pages
            if stock.size_kib == size
        ]
        found[CellFigure.FREE_PAGES_MIB, size] = sum(free_mib)
        found[CellFigure.MOST_PAGES_MIB, size] = max(free_mib)
    return found
