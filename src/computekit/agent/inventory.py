"""What a host offers to placement: a pure function from facts to a provider tree."""

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.ids import AggregateId, HostName, ProviderId, derived_uuid
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    PCPU,
    VCPU,
    FrozenMap,
    HostFacts,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.topology import HostNode, HostTopology, Overcommit, PageStock
from computekit.units import Gib, Kib, Mib

__all__ = ["InventoryRules", "host_provider", "host_topology", "host_tree"]

_NAMESPACE = "8b0f5ad4-3a58-5c4e-9c4e-2f1f3a0c6d11"


@attrs.frozen
class InventoryRules:
    """How much of a host is given out (defaults: Nova's initial ratios and reservations).

    Attributes:
        cpu_ratio: virtual CPUs to one logical CPU.
        memory_ratio: guest memory to host memory.
        disk_ratio: guest disk to host disk.
        reserved_memory_mib: kept for the host.
        reserved_disk_gib: kept for the host.
        dedicated_cpus: logical CPUs that are given to one vCPU each; None: none are.
        shared_cpus: logical CPUs on which vCPUs float; None: all, or, where some are dedicated,
            none (Nova: `cpu_dedicated_set`, `cpu_shared_set`).
        pack_nodes: whether guests go on the fullest NUMA nodes that they fit on, not the emptiest
            (Nova: `packing_host_numa_cells_allocation_strategy`).
        aggregates: that the root belongs to.
    """

    cpu_ratio: float = 4.0
    memory_ratio: float = 1.0
    disk_ratio: float = 1.0
    reserved_memory_mib: Mib = Mib(512)
    reserved_disk_gib: Gib = Gib(0)
    dedicated_cpus: frozenset[int] | None = None
    shared_cpus: frozenset[int] | None = None
    pack_nodes: bool = False
    aggregates: frozenset[AggregateId] = frozenset()


def host_provider(host: HostName) -> ProviderId:
    """Return the id of a host's root provider: the same for the same name, anywhere."""
    return ProviderId(derived_uuid(_NAMESPACE, host))


def host_topology(facts: HostFacts, rules: InventoryRules = InventoryRules()) -> HostTopology:
    """Return the NUMA nodes of a host as they can be given out, with nothing taken of them.

    Raises:
        InvalidInput: a CPU is to be both dedicated and shared, or the host does not have it.
    """
    dedicated, shared = _cpus(facts, rules)
    nodes = tuple(
        HostNode(
            id=cell.id,
            dedicated=cell.cpus & dedicated,
            shared=cell.cpus & shared,
            memory_mib=cell.memory_mib,
            siblings=cell.siblings if any(len(core) > 1 for core in cell.siblings) else frozenset(),
            pages=tuple(PageStock(Kib(size), count) for size, count in sorted(cell.page_sizes_kib)),
        )
        for cell in facts.cells
    )
    overcommit = Overcommit(rules.cpu_ratio, rules.memory_ratio)
    return HostTopology(nodes, overcommit, rules.pack_nodes)


def _cpus(facts: HostFacts, rules: InventoryRules) -> tuple[frozenset[int], frozenset[int]]:
    """Return the dedicated and the shared CPUs of a host."""
    there = frozenset[int]().union(*(cell.cpus for cell in facts.cells))
    dedicated = rules.dedicated_cpus or frozenset()
    shared = rules.shared_cpus
    if shared is None:
        shared = frozenset() if rules.dedicated_cpus else there
    faults: list[Fault] = []
    if dedicated & shared:
        message = f"CPUs {sorted(dedicated & shared)} are to be shared as well"
        faults.append(Fault("dedicated_cpus", "conflict", message))
    for path, asked in (("dedicated_cpus", dedicated), ("shared_cpus", shared)):
        if there and asked - there:
            message = f"{facts.name} has no CPUs {sorted(asked - there)}"
            faults.append(Fault(path, "unknown_cpu", message))
    if faults:
        raise InvalidInput(tuple(faults))
    return dedicated, shared


def host_tree(facts: HostFacts, rules: InventoryRules = InventoryRules()) -> ProviderTree:
    """Return the provider tree of a host.

    One root with VCPU, PCPU, MEMORY_MB (MiB) and DISK_GB (GiB); a class of which there is nothing
    to give is left out. Reservations larger than the total reserve all of it.

    Raises:
        InvalidInput: a CPU is to be both dedicated and shared, or the host does not have it.
    """
    dedicated, shared = _cpus(facts, rules)
    split = rules.dedicated_cpus is not None or rules.shared_cpus is not None
    inventories: dict[ResourceClass, Inventory] = {}
    for name, total, reserved, ratio in (
        (VCPU, len(shared) if split else facts.cpus, 0, rules.cpu_ratio),
        (PCPU, len(dedicated), 0, 1.0),
        (MEMORY_MB, facts.memory_mib, rules.reserved_memory_mib, rules.memory_ratio),
        (DISK_GB, facts.disk_gib, rules.reserved_disk_gib, rules.disk_ratio),
    ):
        if total > 0:
            inventories[name] = Inventory(
                total=total, reserved=min(total, reserved), max_unit=total, allocation_ratio=ratio
            )
    traits = {Trait(f"HW_ARCH_{facts.arch.upper()}")}
    if facts.uefi:
        traits.add(Trait("COMPUTE_FIRMWARE_UEFI"))
    if any(len(core) > 1 for cell in facts.cells for core in cell.siblings):
        traits.add(Trait("HW_CPU_HYPERTHREADING"))
    root = Provider(
        id=host_provider(facts.name),
        name=facts.name,
        inventories=FrozenMap(inventories),
        traits=frozenset(traits),
        aggregates=rules.aggregates,
    )
    return ProviderTree((root,))
