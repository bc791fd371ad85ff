"""What a guest asks of NUMA nodes: CPUs, memory, pages."""

from enum import Enum

import attrs

from computekit.units import Kib, Mib

__all__ = ["EmulatorThreads", "GuestNode", "GuestTopology", "PageSize", "ThreadPolicy"]


class ThreadPolicy(Enum):
    """How pinned vCPUs use the threads of a core (Nova: `hw:cpu_thread_policy`)."""

    PREFER = "prefer"
    """Threads of one core together where there are such, else any."""
    ISOLATE = "isolate"
    """A core for each vCPU."""
    REQUIRE = "require"
    """Threads of one core together, or not at all."""


class EmulatorThreads(Enum):
    """Where the hypervisor's own threads run (Nova: `hw:emulator_threads_policy`)."""

    FLOAT = "float"
    """On the guest's own CPUs."""
    SHARE = "share"
    """On the host's shared CPUs, where it has any."""
    ISOLATE = "isolate"
    """On one more dedicated CPU, near the guest's first node."""


class PageSize(Enum):
    """Which pages back the guest's memory, where no size is named (Nova: `hw:mem_page_size`)."""

    SMALL = "small"
    LARGE = "large"
    ANY = "any"


@attrs.frozen
class GuestNode:
    """One NUMA node of a guest.

    Attributes:
        memory_mib: its memory.
        pinned: its vCPUs that get a CPU of their own, by number.
        floating: its other vCPUs.
    """

    memory_mib: Mib
    pinned: frozenset[int] = frozenset()
    floating: frozenset[int] = frozenset()

    @property
    def vcpus(self) -> frozenset[int]:
        """All its vCPUs."""
        return self.pinned | self.floating


@attrs.frozen
class GuestTopology:
    """The nodes of a guest, and what holds for all of them.

    Attributes:
        nodes: the first one is near the emulator's own CPU.
        page_size: of all its memory; a number is exactly this size; None asks for none.
        threads: for pinned vCPUs.
        emulator: where the hypervisor's own threads run.
        realtime: those of the pinned vCPUs that run with real-time priority.
    """

    nodes: tuple[GuestNode, ...]
    page_size: PageSize | Kib | None = None
    threads: ThreadPolicy | None = None
    emulator: EmulatorThreads = EmulatorThreads.FLOAT
    realtime: frozenset[int] = frozenset()
