"""What a host offers to placement: a pure function from facts to a provider tree."""

import attrs

from computekit.ids import AggregateId, HostName, ProviderId, derived_uuid
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    HostFacts,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.units import Gib, Mib

__all__ = ["InventoryRules", "host_provider", "host_tree"]

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
        aggregates: that the root belongs to.
    """

    cpu_ratio: float = 4.0
    memory_ratio: float = 1.0
    disk_ratio: float = 1.0
    reserved_memory_mib: Mib = Mib(512)
    reserved_disk_gib: Gib = Gib(0)
    aggregates: frozenset[AggregateId] = frozenset()


def host_provider(host: HostName) -> ProviderId:
    """Return the id of a host's root provider: the same for the same name, anywhere."""
    return ProviderId(derived_uuid(_NAMESPACE, host))


def host_tree(facts: HostFacts, rules: InventoryRules = InventoryRules()) -> ProviderTree:
    """Return the provider tree of a host.

    One root with VCPU, MEMORY_MB (MiB) and DISK_GB (GiB); a class of which there is nothing to
    give is left out. Reservations larger than the total reserve all of it.
    """
    inventories: dict[ResourceClass, Inventory] = {}
    for name, total, reserved, ratio in (
        (VCPU, facts.cpus, 0, rules.cpu_ratio),
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
    root = Provider(
        id=host_provider(facts.name),
        name=facts.name,
        inventories=FrozenMap(inventories),
        traits=frozenset(traits),
        aggregates=rules.aggregates,
    )
    return ProviderTree((root,))
