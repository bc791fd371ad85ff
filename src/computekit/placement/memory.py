"""The books of placement in dictionaries."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

from computekit.errors import AlreadyExists, GenerationConflict, InUse, NotFound
from computekit.ids import AggregateId, ConsumerId, ProviderId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement import rules
from computekit.placement.ports import PROVIDER_CHANGED, CounterClaim, ProviderUse
from computekit.placement.tree_plan import plan_tree
from computekit.work import MemoryStore, MemoryTable, MemoryTx, Tx

__all__ = ["MemoryPlacement"]

K = TypeVar("K")

_NONE: Resources = FrozenMap()


@attrs.frozen
class _Holding:
    """What one consumer holds."""

    allocation: Allocation
    counters: tuple[CounterClaim, ...] = ()


class MemoryPlacement:
    """A `PlacementWriter` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._uses: MemoryTable[ProviderId, ProviderUse] = MemoryTable()
        self._names: MemoryTable[str, ProviderId] = MemoryTable()
        self._members: MemoryTable[ProviderId, tuple[ProviderId, ...]] = MemoryTable()
        self._holdings: MemoryTable[ConsumerId, _Holding] = MemoryTable()
        self._holders: MemoryTable[ProviderId, MemoryTable[ConsumerId, Resources]] = MemoryTable()
        self._counters: MemoryTable[tuple[str, str], int] = MemoryTable()

    def provider(self, provider: ProviderId) -> Provider | None:
        with self._store.lock:
            row = self._uses.rows.get(provider)
            return None if row is None else row.provider

    def tree(self, member: ProviderId) -> ProviderTree | None:
        with self._store.lock:
            row = self._uses.rows.get(member)
            return None if row is None else ProviderTree(self._tree_rows(row.root))

    def uses(self, providers: frozenset[ProviderId] | None = None) -> tuple[ProviderUse, ...]:
        with self._store.lock:
            rows, members = self._uses.rows, self._members.rows
            if providers is None:
                return tuple(rows[p] for root in sorted(members) for p in members[root])
            if len(providers) <= 1:  # the everyday question of a replica
                return tuple(rows[p] for p in providers if p in rows)
            roots = {rows[p].root for p in providers if p in rows}
            return tuple(rows[p] for r in sorted(roots) for p in members[r] if p in providers)

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        with self._store.lock:
            holding = self._holdings.rows.get(consumer)
            return None if holding is None else holding.allocation

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        with self._store.lock:
            holders = self._holders.rows.get(provider)
            if holders is None:
                return ()
            return tuple(self._holdings.rows[c].allocation for c in sorted(holders.rows))

    def counter(self, scope: str, name: str) -> int:
        with self._store.lock:
            return self._counters.rows.get((scope, name), 0)

    def put_tree(self, tx: Tx, tree: ProviderTree) -> ProviderTree:
        mine = self._store.transaction(tx)
        rules.check_tree(tree)
        root = tree.root.id
        for provider in tree:
            for other, kind, key in (
                (self._uses.rows.get(provider.id), "provider", provider.id),
                (self._named(provider.name), "provider name", provider.name),
            ):
                if other is not None and other.root != root:
                    raise AlreadyExists(kind, key)
        plan = plan_tree(self._tree_rows(root), tree)
        self._check_unused(plan.lost)
        for provider in (*plan.removed, *(old for old, _ in plan.changed)):
            self._names.remove(mine, provider.name)
        for provider in plan.removed:
            self._uses.remove(mine, provider.id)
            self._holders.remove(mine, provider.id)
        for provider in plan.created:
            self._uses.put(mine, provider.id, ProviderUse(provider, root))
            self._holders.put(mine, provider.id, MemoryTable())
        for _, provider in plan.changed:
            self._uses.put(
                mine, provider.id, ProviderUse(provider, root, self._uses.rows[provider.id].used)
            )
        for provider in (*plan.created, *(new for _, new in plan.changed)):
            self._names.put(mine, provider.name, provider.id)
        self._members.put(mine, root, tuple(provider.id for provider in plan.tree))
        for provider_id in plan.written:
            tx.changed(PROVIDER_CHANGED, provider_id)
        return plan.tree

    def delete_tree(self, tx: Tx, root: ProviderId) -> None:
        mine = self._store.transaction(tx)
        rows = self._tree_rows(root)
        self._check_unused((p.id, name) for p in reversed(rows) for name in sorted(p.inventories))
        for provider in rows:
            self._names.remove(mine, provider.name)
            self._uses.remove(mine, provider.id)
            self._holders.remove(mine, provider.id)
            tx.changed(PROVIDER_CHANGED, provider.id)
        self._members.remove(mine, root)

    def set_inventories(
        self,
        tx: Tx,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        mine = self._store.transaction(tx)
        rules.check_inventories(inventories)
        row = self._expect(provider, generation)
        self._check_unused(
            (provider, name)
            for name in sorted(row.provider.inventories.keys() - inventories.keys())
        )
        return self._write(mine, row, attrs.evolve(row.provider, inventories=inventories))

    def set_traits(
        self, tx: Tx, provider: ProviderId, generation: int, traits: frozenset[Trait]
    ) -> int:
        mine = self._store.transaction(tx)
        rules.check_traits(traits)
        row = self._expect(provider, generation)
        if row.provider.traits == traits:
            return generation
        return self._write(mine, row, attrs.evolve(row.provider, traits=traits))

    def set_aggregates(
        self, tx: Tx, provider: ProviderId, generation: int, aggregates: frozenset[AggregateId]
    ) -> int:
        mine = self._store.transaction(tx)
        rules.check_aggregates(aggregates)
        row = self._expect(provider, generation)
        return self._write(mine, row, attrs.evolve(row.provider, aggregates=aggregates))

    def claim(
        self, tx: Tx, allocation: Allocation, counters: tuple[CounterClaim, ...] = ()
    ) -> Allocation:
        mine = self._store.transaction(tx)
        rules.check_claim(allocation, counters)
        consumer = allocation.consumer
        before = self._holdings.rows.get(consumer.id)
        generation = 0 if before is None else before.allocation.consumer.generation
        if consumer.generation != generation:
            raise GenerationConflict("consumer", consumer.id, consumer.generation, generation)
        held = _NOTHING_HELD if before is None else before.allocation.resources
        held_counters = () if before is None else before.counters
        self._check_amounts(held, allocation.resources)
        self._check_counters(held_counters, counters)

        empty = not allocation.resources and not counters
        for provider in held if empty else allocation.resources:
            self._raise_generation(mine, provider)
        self._book(mine, consumer.id, held, allocation.resources)
        self._count(mine, held_counters, counters)
        after = attrs.evolve(consumer, generation=0 if empty else generation + 1)
        granted = Allocation(after, allocation.resources)
        if empty:
            self._holdings.remove(mine, consumer.id)
        else:
            self._holdings.put(mine, consumer.id, _Holding(granted, counters))
        return granted

    def release(self, tx: Tx, consumer: ConsumerId) -> None:
        mine = self._store.transaction(tx)
        before = self._holdings.rows.get(consumer)
        if before is not None:
            self._book(mine, consumer, before.allocation.resources, _NOTHING_HELD)
            self._count(mine, before.counters, ())
            self._holdings.remove(mine, consumer)

    def _tree_rows(self, root: ProviderId) -> tuple[Provider, ...]:
        return tuple(self._uses.rows[p].provider for p in self._members.rows.get(root, ()))

    def _named(self, name: str) -> ProviderUse | None:
        provider = self._names.rows.get(name)
        return None if provider is None else self._uses.rows[provider]

    def _expect(self, provider: ProviderId, generation: int) -> ProviderUse:
        row = self._uses.rows.get(provider)
        if row is None:
            raise NotFound("provider", provider)
        if row.provider.generation != generation:
            raise GenerationConflict("provider", provider, generation, row.provider.generation)
        return row

    def _write(self, tx: MemoryTx, row: ProviderUse, provider: Provider) -> int:
        raised = attrs.evolve(provider, generation=row.provider.generation + 1)
        self._uses.put(tx, provider.id, ProviderUse(raised, row.root, row.used))
        tx.changed(PROVIDER_CHANGED, provider.id)
        return raised.generation

    def _raise_generation(self, tx: MemoryTx, provider: ProviderId) -> None:
        if tx.first(("claimed", provider)):
            row = self._uses.rows[provider]
            self._write(tx, row, row.provider)

    def _check_unused(self, inventories: Iterable[tuple[ProviderId, ResourceClass]]) -> None:
        for provider, name in inventories:
            if name in self._uses.rows[provider].used:
                holders = self._holders.rows[provider].rows
                holder = min(consumer for consumer, held in holders.items() if name in held)
                raise InUse("inventory", f"{name} of {provider}", f"consumer {holder}")

    def _check_amounts(
        self, held: Mapping[ProviderId, Resources], wanted: Mapping[ProviderId, Resources]
    ) -> None:
        for provider, amounts in sorted(wanted.items()):
            row = self._uses.rows.get(provider)
            mine = held.get(provider, _NONE)
            for name, asked in sorted(amounts.items()):
                rules.check_amount(
                    provider,
                    name,
                    None if row is None else row.provider.inventories.get(name),
                    asked=asked,
                    held=mine.get(name, 0),
                    used=0 if row is None else row.used.get(name, 0),
                )

    def _check_counters(
        self, held: tuple[CounterClaim, ...], wanted: tuple[CounterClaim, ...]
    ) -> None:
        mine = _amounts(held)
        for counter in sorted(wanted, key=lambda c: (c.scope, c.name)):
            key = (counter.scope, counter.name)
            rules.check_counter(
                counter, held=mine.get(key, 0), used=self._counters.rows.get(key, 0)
            )

    def _book(
        self,
        tx: MemoryTx,
        consumer: ConsumerId,
        before: Mapping[ProviderId, Resources],
        after: Mapping[ProviderId, Resources],
    ) -> None:
        for provider in before.keys() | after.keys():
            old, new = before.get(provider, _NONE), after.get(provider, _NONE)
            row = self._uses.rows[provider]
            used = dict(row.used)
            for name in old.keys() | new.keys():
                used[name] = used.get(name, 0) - old.get(name, 0) + new.get(name, 0)
                if not used[name]:
                    del used[name]
            self._uses.put(tx, provider, ProviderUse(row.provider, row.root, FrozenMap(used)))
            holders = self._holders.rows[provider]
            if new:
                holders.put(tx, consumer, new)
            else:
                holders.remove(tx, consumer)
            tx.changed(PROVIDER_CHANGED, provider)

    def _count(
        self, tx: MemoryTx, before: tuple[CounterClaim, ...], after: tuple[CounterClaim, ...]
    ) -> None:
        old, new = _amounts(before), _amounts(after)
        for key in old.keys() | new.keys():
            used = self._counters.rows.get(key, 0) - old.get(key, 0) + new.get(key, 0)
            if used:
                self._counters.put(tx, key, used)
            else:
                self._counters.remove(tx, key)


_NOTHING_HELD: FrozenMap[ProviderId, Resources] = FrozenMap()


def _amounts(counters: tuple[CounterClaim, ...]) -> dict[tuple[str, str], int]:
    return {(counter.scope, counter.name): counter.amount for counter in counters}
