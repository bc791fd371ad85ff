"""Random fleets, written through any `PlacementService`."""

import random
from collections.abc import Sequence
from typing import TypeVar

from computekit.errors import ClaimRefused
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId, new_uuid
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    ResourceClass,
    Trait,
)
from computekit.placement import PlacementService

__all__ = ["random_fleet"]

CLASSES = (VCPU, MEMORY_MB, DISK_GB, ResourceClass("SRIOV_NET_VF"), ResourceClass("CUSTOM_GADGET"))
TRAITS = tuple(
    map(Trait, ("HW_CPU_X86_AVX2", "HW_NUMA_ROOT", "MISC_SHARES_VIA_AGGREGATE", "CUSTOM_A"))
)
T = TypeVar("T")

TYPES = ("INSTANCE", "MIGRATION", None)


def random_fleet(service: PlacementService, source: random.Random, trees: int) -> None:
    """Write trees, and consumers that hold something of them; some inventories are below use."""
    racks = [AggregateId(new_uuid(source)) for _ in range(3)]
    members: list[ProviderId] = []
    for number in range(trees):
        tree: list[ProviderId] = []
        for depth in range(source.randint(1, 5)):
            provider = ProviderId(new_uuid(source))
            parent = source.choice(tree) if tree else None
            service.create_provider(provider, f"host {number} part {depth} \u00fc", parent)
            at = service.set_inventories(provider, 0, _inventories(source))
            at = service.set_traits(provider, at, frozenset(_some(source, TRAITS)))
            if source.random() < 0.5:
                service.set_aggregates(provider, at, frozenset(_some(source, racks)))
            tree.append(provider)
        members += tree
    service.create_resource_class(ResourceClass("CUSTOM_UNUSED"))
    service.create_trait(Trait("CUSTOM_UNUSED"))
    for _ in range(trees * 3):
        _claim(service, source, members)
    for provider in source.sample(members, len(members) // 4):
        row = service.provider(provider)
        shrunk = {
            name: Inventory(1, min_unit=1, max_unit=1) if row.used.get(name, 0) else inventory
            for name, inventory in row.provider.inventories.items()
        }
        service.set_inventories(provider, row.provider.generation, FrozenMap(shrunk))


def _some(source: random.Random, things: Sequence[T]) -> list[T]:
    return [thing for thing in things if source.random() < 0.4]


def _inventories(source: random.Random) -> FrozenMap[ResourceClass, Inventory]:
    return FrozenMap(
        {
            name: Inventory(
                total=(total := source.randint(4, 64)),
                reserved=source.randint(0, total // 2),
                step_size=source.choice([1, 1, 2]),
                allocation_ratio=source.choice([1.0, 1.5, 16.0]),
            )
            for name in _some(source, CLASSES)
        }
    )


def _claim(service: PlacementService, source: random.Random, members: list[ProviderId]) -> None:
    wants = {}
    for provider in source.sample(members, source.randint(1, 2)):
        stock = service.provider(provider).provider.inventories
        amounts = {name: source.randint(1, 3) * 2 for name in _some(source, tuple(stock))}
        if amounts:
            wants[provider] = FrozenMap(amounts)
    consumer = Consumer(
        ConsumerId(new_uuid(source)),
        ProjectId(f"project {source.randint(1, 3)}"),
        UserId(f"user {source.randint(1, 3)}"),
        source.choice(TYPES),
    )
    try:
        service.claim(Allocation(consumer, FrozenMap(wants)))
    except ClaimRefused:
        return  # it is full
