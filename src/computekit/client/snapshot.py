"""All that a Placement server holds, as one value, and its sums."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

import attrs

from computekit.errors import NotFound
from computekit.ids import ConsumerId, ProviderId
from computekit.model import Allocation, Provider, ResourceClass, Trait, is_custom_name
from computekit.placement import PlacementService

__all__ = ["CopyProgress", "CopySide", "Snapshot", "read_snapshot", "sums"]

CopyProgress = Callable[[str, int, int], None]
"""Told what is under way, how many are done, and how many there are."""


class CopySide(PlacementService, Protocol):
    """A service that can also say who holds something of a provider, and nothing more."""

    def holders(self, provider: ProviderId) -> tuple[ConsumerId, ...]:
        """Return the consumers that hold something of `provider`, in order."""
        ...


@attrs.frozen
class Snapshot:
    """What a server holds. Nobody should write meanwhile: it is read piece by piece.

    Attributes:
        classes: the custom ones, in the order that they came.
        traits: the custom ones, in the order that they came.
        providers: by id, parents before their children.
        allocations: by consumer.
    """

    classes: tuple[ResourceClass, ...]
    traits: tuple[Trait, ...]
    providers: Mapping[ProviderId, Provider]
    allocations: Mapping[ConsumerId, Allocation]


def read_snapshot(service: CopySide, progress: CopyProgress) -> Snapshot:
    """Read everything: four calls for each provider, one for each consumer.

    The API has no list of consumers; they are found through what they hold.
    """
    nodes = {node.id: node for node in service.providers()}
    providers: dict[ProviderId, Provider] = {}
    consumers: dict[ConsumerId, None] = {}

    def add(provider: ProviderId) -> None:
        parent = nodes[provider].parent
        if parent in nodes and parent not in providers:
            add(parent)
        if provider not in providers:
            providers[provider] = service.provider(provider).provider
            consumers.update(dict.fromkeys(service.holders(provider)))
            progress("reading providers", len(providers), len(nodes))

    for provider in nodes:
        try:
            add(provider)
        except NotFound:
            continue  # gone since the list was made
    allocations: dict[ConsumerId, Allocation] = {}
    for done, consumer in enumerate(consumers, 1):
        found = service.allocation(consumer)
        if found is not None:
            allocations[consumer] = found
        progress("reading consumers", done, len(consumers))
    return Snapshot(
        tuple(name for name in service.resource_classes() if is_custom_name(name)),
        tuple(name for name in service.traits() if is_custom_name(name)),
        providers,
        allocations,
    )


def sums(snapshot: Snapshot) -> Mapping[str, int]:
    """Return counts and sums by name; equal snapshots have equal ones."""
    found: Counter[str] = Counter(
        {
            "custom resource classes": len(snapshot.classes),
            "custom traits": len(snapshot.traits),
            "providers": len(snapshot.providers),
            "consumers": len(snapshot.allocations),
        }
    )
    for provider in snapshot.providers.values():
        found["trees"] += provider.parent is None
        found["traits of providers"] += len(provider.traits)
        found["memberships in aggregates"] += len(provider.aggregates)
        for name, inventory in provider.inventories.items():
            found[f"{name}: inventories"] += 1
            found[f"{name}: total"] += inventory.total
            found[f"{name}: reserved"] += inventory.reserved
            found[f"{name}: capacity"] += inventory.capacity
    for allocation in snapshot.allocations.values():
        found[f"consumers of type {allocation.consumer.type or 'unknown'}"] += 1
        for resources in allocation.resources.values():
            for name, amount in resources.items():
                found[f"{name}: used"] += amount
    return dict(sorted(found.items()))
