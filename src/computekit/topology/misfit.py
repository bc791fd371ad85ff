"""Why a guest node does not fit on a host node."""

from enum import Enum

import attrs

__all__ = ["Misfit", "Shortage"]


class Shortage(Enum):
    """What is short."""

    MEMORY = "memory"
    """Memory of the node, in MiB."""
    PAGE_SIZE = "page_size"
    """The node has no pages of the size; in KiB."""
    PAGES = "pages"
    """Free pages that make up the memory, in MiB."""
    DEDICATED = "dedicated"
    """Dedicated CPUs, given or not."""
    SHARED = "shared"
    """Shared CPUs, counted without over-commitment."""
    FREE_CPUS = "free_cpus"
    """Dedicated CPUs that are free."""
    FREE_CORES = "free_cores"
    """Free cores, or free threads of one core, as the thread policy wants them."""
    THREADS = "threads"
    """Threads of a core."""
    CPU_LIMIT = "cpu_limit"
    """Floating vCPUs within the over-commitment limit."""
    MEMORY_LIMIT = "memory_limit"
    """Memory within the over-commitment limit, in MiB."""


@attrs.frozen
class Misfit:
    """The first thing of which a host node has too little.

    Attributes:
        host: the host node's number.
        guest: which of the guest's nodes, from 0.
        short: what is short.
        asked: how much the guest node needs.
        there: how much the host node has.
    """

    host: int
    guest: int
    short: Shortage
    asked: int
    there: int

    def __str__(self) -> str:
        what = self.short.value.replace("_", " ")
        where = f"guest node {self.guest} on host node {self.host}"
        return f"{where}: {what}: asked {self.asked}, there {self.there}"
