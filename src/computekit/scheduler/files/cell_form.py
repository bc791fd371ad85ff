"""The NUMA nodes of a host as people write them in a file of a fleet."""

from collections.abc import Iterator
from typing import Annotated

import attrs

from computekit.errors import Fault
from computekit.forms import Whole
from computekit.model import MAX_AMOUNT
from computekit.topology import HostNode, HostTopology, PageStock
from computekit.units import Kib, Mib

__all__ = ["CellForm", "PagesForm", "cell_faults", "topology_of"]

Number = Annotated[int, Whole(0, MAX_AMOUNT)]
Cpus = frozenset[Annotated[int, Whole(0, 65_535)]]


@attrs.frozen
class PagesForm:
    """The memory pages of one size on one node.

    Attributes:
        size_kib: of one page.
        total: how many there are.
        used: those that guests have.
        reserved: those that no guest gets.
    """

    size_kib: Annotated[int, Whole(1, MAX_AMOUNT)]
    total: Number
    used: Number = 0
    reserved: Number = 0


@attrs.frozen
class CellForm:
    """One NUMA node of a host.

    Attributes:
        id: the node's number on its host.
        dedicated: logical CPUs that are given to one vCPU each.
        shared: logical CPUs on which vCPUs float.
        pinned: those of `dedicated` that are given.
        floating: vCPUs that float on `shared`.
        memory_mib: memory for guests.
        memory_used_mib: what guests have of it.
        siblings: groups of logical CPUs that share a core.
        pages: of each size.
        socket: the processor package that the node is on.
    """

    id: Number
    dedicated: Cpus = frozenset()
    shared: Cpus = frozenset()
    pinned: Cpus = frozenset()
    floating: Number = 0
    memory_mib: Number = 0
    memory_used_mib: Number = 0
    siblings: frozenset[Cpus] = frozenset()
    pages: tuple[PagesForm, ...] = ()
    socket: Number | None = None

    def node(self) -> HostNode:
        """Return this as a value of the model."""
        pages = sorted(self.pages, key=lambda of: of.size_kib)
        return HostNode(
            id=self.id,
            dedicated=self.dedicated,
            shared=self.shared,
            pinned=self.pinned,
            floating=self.floating,
            memory_mib=Mib(self.memory_mib),
            memory_used_mib=Mib(self.memory_used_mib),
            siblings=self.siblings,
            pages=tuple(
                PageStock(Kib(of.size_kib), of.total, of.used, of.reserved) for of in pages
            ),
            socket=self.socket,
        )


def topology_of(cells: tuple[CellForm, ...]) -> HostTopology:
    """Return the nodes of a host, by number."""
    return HostTopology(tuple(sorted((cell.node() for cell in cells), key=lambda node: node.id)))


def cell_faults(cells: tuple[CellForm, ...], path: str) -> Iterator[Fault]:
    """Return what is wrong between the nodes of a host, and between the parts of one."""
    numbers: dict[int, int] = {}
    homes: dict[int, int] = {}
    for at, cell in enumerate(cells):
        here = f"{path}.cells[{at}]"
        if numbers.setdefault(cell.id, at) != at:
            message = f"{cell.id} is that of {path}.cells[{numbers[cell.id]}] too"
            yield Fault(f"{here}.id", "duplicate", message)
        if not cell.pinned <= cell.dedicated:
            more = sorted(cell.pinned - cell.dedicated)[:5]
            message = f"{', '.join(map(str, more))} not among the dedicated CPUs"
            yield Fault(f"{here}.pinned", "unknown_cpu", message)
        for cpu in sorted(cell.dedicated | cell.shared):
            if homes.setdefault(cpu, at) != at:
                message = f"CPU {cpu} is in {path}.cells[{homes[cpu]}] too"
                yield Fault(here, "duplicate", message)
        sizes = [of.size_kib for of in cell.pages]
        if len(set(sizes)) < len(sizes):
            yield Fault(f"{here}.pages", "duplicate", "a page size is given more than once")
