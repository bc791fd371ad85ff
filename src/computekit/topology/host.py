"""One NUMA node of a host: what it has, and what is taken of it."""

from functools import cached_property

import attrs

from computekit.units import Kib, Mib

__all__ = ["HostNode", "HostTopology", "Overcommit", "PageStock"]


@attrs.frozen
class Overcommit:
    """How far a host may be over-committed.

    Attributes:
        cpu_ratio: floating vCPUs for each shared CPU of a node.
        memory_ratio: memory given for each that a node has.
    """

    cpu_ratio: float = 1.0
    memory_ratio: float = 1.0


@attrs.frozen
class PageStock:
    """The memory pages of one size on one node.

    Attributes:
        size_kib: of one page.
        total: how many there are.
        used: those that guests have.
        reserved: those that no guest gets.
    """

    size_kib: Kib
    total: int
    used: int = 0
    reserved: int = 0

    @property
    def free(self) -> int:
        """How many are left; below zero where more were given than there are."""
        return self.total - self.used - self.reserved


@attrs.frozen
class HostNode:
    """One NUMA node.

    Attributes:
        id: the node's number on its host.
        dedicated: logical CPUs that are given to one vCPU each.
        shared: logical CPUs on which vCPUs float.
        pinned: those of `dedicated` that are given.
        floating: vCPUs that float on `shared`.
        memory_mib: memory for guests.
        memory_used_mib: what guests have of it.
        siblings: groups of logical CPUs that share a core; none where no core has several.
        pages: by size, ascending; none where the driver does not report them.
        socket: the processor package that the node is on, if that is known.
    """

    id: int
    dedicated: frozenset[int] = frozenset()
    shared: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    floating: int = 0
    memory_mib: Mib = Mib(0)
    memory_used_mib: Mib = Mib(0)
    siblings: frozenset[frozenset[int]] = frozenset()
    pages: tuple[PageStock, ...] = ()
    socket: int | None = None

    @cached_property
    def free_cpus(self) -> frozenset[int]:
        """Dedicated CPUs that are not given."""
        return self.dedicated - self.pinned

    @property
    def memory_free_mib(self) -> Mib:
        """Memory that no guest has; below zero where it is over-committed."""
        return Mib(self.memory_mib - self.memory_used_mib)

    @cached_property
    def threads(self) -> int:
        """The most logical CPUs that one core has."""
        return max((len(core) for core in self.siblings), default=1)

    @cached_property
    def free_cores(self) -> tuple[tuple[int, ...], ...]:
        """The free dedicated CPUs by core, each ascending; cores by their lowest CPU."""
        free = self.free_cpus
        cores = [sorted(core & free) for core in self.siblings]
        alone = free.difference(*self.siblings) if self.siblings else free
        return tuple(sorted([*(tuple(core) for core in cores if core), *((cpu,) for cpu in alone)]))


@attrs.frozen
class HostTopology:
    """The NUMA nodes of a host.

    Attributes:
        nodes: each with what is taken of it; none where nobody has looked.
        overcommit: how far its shared CPUs and its memory may be given out.
        pack_nodes: whether a guest goes on the fullest nodes that it fits on, not the emptiest.
    """

    nodes: tuple[HostNode, ...] = ()
    overcommit: Overcommit = Overcommit()
    pack_nodes: bool = False
