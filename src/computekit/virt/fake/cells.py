"""What a fake host checks of the CPUs and pages of a guest that is to start."""

from collections.abc import Iterable

from computekit.errors import HypervisorRefused
from computekit.guest import GuestConfig
from computekit.model import HostFacts
from computekit.topology import pages_for
from computekit.units import Kib

__all__ = ["check_cells"]


def check_cells(guest: GuestConfig, facts: HostFacts, running: Iterable[GuestConfig]) -> None:
    """Let a guest pass whose CPUs and large pages the host has, and nobody else.

    Raises:
        HypervisorRefused: it has no such node or CPU, or others have so many pages that too few
            are left. (That two guests share a CPU is not refused: QEMU does not know.)
    """
    if guest.cells is None:
        return
    cells = {cell.id: cell for cell in facts.cells}
    for node in guest.cells.nodes:
        cell = cells.get(node.host)
        if cell is None:
            raise HypervisorRefused("start", 0, f"the host has no NUMA node {node.host}")
        cpus = {*node.pins.cpus.values(), *node.pins.emulator, *node.floats_on}
        if not cpus <= cell.cpus:
            there = f"NUMA node {node.host} has no CPUs {sorted(cpus - cell.cpus)}"
            raise HypervisorRefused("start", 0, there)
    needed, used = _pages(guest), [_pages(other) for other in running]
    for (where, size), count in needed.items():
        base = min((kib for kib, _count in cells[where].page_sizes_kib), default=size)
        total = dict(cells[where].page_sizes_kib).get(size, 0)
        left = total - sum(other.get((where, size), 0) for other in used)
        if size > base and count > left:
            reason = f"{left} pages of {size} KiB are left on NUMA node {where}, not {count}"
            raise HypervisorRefused("start", 0, f"cannot allocate the guest's memory: {reason}")


def _pages(guest: GuestConfig) -> dict[tuple[int, int], int]:
    """Return how many pages of each size a guest has on each NUMA node of the host."""
    found: dict[tuple[int, int], int] = {}
    if guest.cells is not None and guest.topology is not None:
        for asked, node in zip(guest.topology.nodes, guest.cells.nodes, strict=True):
            if node.page_kib is not None:
                count = pages_for(asked.memory_mib, Kib(node.page_kib))
                found[node.host, node.page_kib] = found.get((node.host, node.page_kib), 0) + count
    return found
