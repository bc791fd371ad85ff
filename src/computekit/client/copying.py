"""A whole Placement into another server: what differs is written, again and again if need be."""

from collections.abc import Mapping

import attrs

from computekit.client.snapshot import CopyProgress, CopySide, Snapshot
from computekit.errors import AmountNotAllowed, CapacityExceeded
from computekit.ids import ConsumerId, ProviderId
from computekit.model import (
    MAX_AMOUNT,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    Provider,
    ResourceClass,
    Trait,
)

__all__ = ["Differences", "compare", "write_differences"]

WIDE = Inventory(MAX_AMOUNT)


@attrs.frozen
class Differences:
    """What one server has otherwise than another.

    Attributes:
        classes: custom ones that it lacks.
        traits: custom ones that it lacks.
        moved: providers that it has with another name or parent.
        missing: providers that it lacks, parents before their children.
        inventories: providers whose inventories differ; those that it lacks are among them.
        traits_of: providers whose traits differ.
        aggregates_of: providers whose aggregates differ.
        consumers: who holds something else, or is someone else's.
        extra_providers: what only it has; a copy leaves it alone.
        extra_consumers: likewise.
    """

    classes: tuple[ResourceClass, ...]
    traits: tuple[Trait, ...]
    moved: tuple[ProviderId, ...]
    missing: tuple[ProviderId, ...]
    inventories: tuple[ProviderId, ...]
    traits_of: tuple[ProviderId, ...]
    aggregates_of: tuple[ProviderId, ...]
    consumers: tuple[ConsumerId, ...]
    extra_providers: tuple[ProviderId, ...]
    extra_consumers: tuple[ConsumerId, ...]

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each, by words for people."""
        return {
            "custom resource classes to create": len(self.classes),
            "custom traits to create": len(self.traits),
            "providers to create": len(self.missing),
            "providers to rename or move": len(self.moved),
            "providers whose inventories to write": len(self.inventories),
            "providers whose traits to write": len(self.traits_of),
            "providers whose aggregates to write": len(self.aggregates_of),
            "consumers whose allocations to write": len(self.consumers),
            "providers that only the target has": len(self.extra_providers),
            "consumers that only the target has": len(self.extra_consumers),
        }

    @property
    def none(self) -> bool:
        """Whether both hold the same."""
        return not any(self.counts().values())


def _same(one: Allocation, other: Allocation) -> bool:
    def without_generation(consumer: Consumer) -> Consumer:
        return attrs.evolve(consumer, generation=0)

    mine, theirs = without_generation(one.consumer), without_generation(other.consumer)
    return one.resources == other.resources and mine == theirs


def compare(source: Snapshot, target: Snapshot) -> Differences:
    """Return what `target` has otherwise than `source`. Generations are each server's own."""
    empty = Provider(ProviderId(""), "")
    there = {provider: target.providers.get(provider, empty) for provider in source.providers}
    both = [(provider, there[provider.id]) for provider in source.providers.values()]
    classes, traits = set(target.classes), set(target.traits)
    return Differences(
        tuple(name for name in source.classes if name not in classes),
        tuple(name for name in source.traits if name not in traits),
        tuple(
            mine.id
            for mine, other in both
            if other is not empty and (mine.name, mine.parent) != (other.name, other.parent)
        ),
        tuple(mine.id for mine, other in both if other is empty),
        tuple(mine.id for mine, other in both if mine.inventories != other.inventories),
        tuple(mine.id for mine, other in both if mine.traits != other.traits),
        tuple(mine.id for mine, other in both if mine.aggregates != other.aggregates),
        tuple(
            consumer
            for consumer, mine in source.allocations.items()
            if (held := target.allocations.get(consumer)) is None or not _same(mine, held)
        ),
        tuple(provider for provider in target.providers if provider not in source.providers),
        tuple(one for one in target.allocations if one not in source.allocations),
    )


def write_differences(
    source: Snapshot,
    target: CopySide,
    differences: Differences,
    progress: CopyProgress,
) -> None:
    """Write to `target` what differs; what only it has stays.

    May be interrupted at any point: what is then compared and written again is the rest.

    Raises:
        ComputekitError: the target refuses something that the source has.
    """
    for done, name in enumerate(differences.classes, 1):
        target.create_resource_class(name)
        progress("writing resource classes", done, len(differences.classes))
    for done, trait in enumerate(differences.traits, 1):
        target.create_trait(trait)
        progress("writing traits", done, len(differences.traits))
    _write_rows(source, target, differences, progress)
    loosened = _write_parts(source, target, differences, progress)
    for done, consumer in enumerate(differences.consumers, 1):
        _write_claim(source.allocations[consumer], target, loosened)
        progress("writing allocations", done, len(differences.consumers))
    for done, provider in enumerate(sorted(loosened), 1):
        generation = target.provider(provider).provider.generation
        target.set_inventories(provider, generation, source.providers[provider].inventories)
        progress("writing final inventories", done, len(loosened))


def _write_rows(
    source: Snapshot, target: CopySide, differences: Differences, progress: CopyProgress
) -> None:
    # Names may have changed hands, and a parent may be below its child: out of the way first.
    for provider in differences.moved:
        target.update_provider(provider, provider, None)
    moved = set(differences.moved)
    written = moved.union(differences.missing)
    rows = [row for row in source.providers if row in written]
    for done, provider in enumerate(rows, 1):
        row = source.providers[provider]
        write = target.update_provider if provider in moved else target.create_provider
        write(provider, row.name, row.parent)
        progress("writing providers", done, len(rows))


def _write_parts(
    source: Snapshot, target: CopySide, differences: Differences, progress: CopyProgress
) -> set[ProviderId]:
    """Return the providers that keep classes until nobody holds them any more."""
    kept: set[ProviderId] = set()
    inventories = set(differences.inventories)
    traits, aggregates = set(differences.traits_of), set(differences.aggregates_of)
    written = inventories | traits | aggregates
    changed = [row for row in source.providers if row in written]
    missing = set(differences.missing)
    for done, provider in enumerate(changed, 1):
        row = source.providers[provider]
        now = None if provider in missing else target.provider(provider).provider
        at = 0 if now is None else now.generation
        if provider in inventories:
            known = {} if now is None else now.inventories
            if not row.inventories.keys() >= known.keys():
                kept.add(provider)
            at = target.set_inventories(provider, at, FrozenMap({**known, **row.inventories}))
        if provider in traits:
            at = target.set_traits(provider, at, row.traits)
        if provider in aggregates:
            target.set_aggregates(provider, at, row.aggregates)
        progress("writing inventories, traits, aggregates", done, len(changed))
    return kept


def _write_claim(wanted: Allocation, target: CopySide, loosened: set[ProviderId]) -> None:
    """Claim what is held, also of a provider whose inventory has shrunk below its use since.

    Each inventory is widened once: one that is too small again is another's doing.
    """
    widened: set[tuple[ProviderId, ResourceClass]] = set()
    while True:
        held = target.allocation(wanted.consumer.id)
        seen = 0 if held is None else held.consumer.generation
        claim = attrs.evolve(wanted, consumer=attrs.evolve(wanted.consumer, generation=seen))
        try:
            target.claim(claim)
        except (CapacityExceeded, AmountNotAllowed) as error:
            provider, name = ProviderId(error.provider), ResourceClass(error.resource_class)
            now = target.provider(provider).provider
            if (provider, name) in widened or now.inventories.get(name, WIDE) == WIDE:
                raise
            widened.add((provider, name))
            wide = now.inventories.replace(name, WIDE)
            loosened.add(provider)
            target.set_inventories(provider, now.generation, wide)
        else:
            return
