"""The books of placement as rows."""

from collections.abc import Mapping, Sequence

import attrs

from computekit.clock import Clock
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import (
    PROVIDER_CHANGED,
    Claim,
    CounterHold,
    ProviderUse,
    Reshaped,
    Usage,
    rules,
)
from computekit.placement.judging import check_given_up
from computekit.placement.names import standard_classes, standard_traits
from computekit.placement.ports import Held, ProviderHeld
from computekit.placement.tree_plan import plan_tree
from computekit.store import allocation_rows, provider_trees
from computekit.store.claims import plan_claims, release, write_claims
from computekit.store.counters import read_counted, read_counter, read_counters
from computekit.store.names import CLASSES, TRAITS, associated_traits, rename_class
from computekit.store.provider_rows import (
    read_all,
    read_generations,
    read_one,
    read_some,
    read_tree,
)
from computekit.store.sql_store import SqlStore
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["SqlPlacement"]


class SqlPlacement:
    """A `PlacementWriter` in a database.

    Args:
        store: whose transactions it writes in.
        clock: says when something was written.
    """

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # Reading

    def provider(self, provider: ProviderId) -> Provider | None:
        found = self.uses(frozenset({provider}))
        return found[0].provider if found else None

    def tree(self, member: ProviderId) -> ProviderTree | None:
        with self._store.reading() as connection:
            rows = read_tree(connection, member)
        return ProviderTree(tuple(row.provider for row in rows)) if rows else None

    def uses(self, providers: frozenset[ProviderId] | None = None) -> tuple[ProviderUse, ...]:
        if providers is not None and len(providers) == 1:  # the everyday question of a replica
            (provider,) = providers
            with self._store.reading(one_statement=True) as connection:
                use = read_one(connection, provider)
            return () if use is None else (use,)
        with self._store.reading() as connection:
            return read_all(connection) if providers is None else read_some(connection, providers)

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        with self._store.reading() as connection:
            return allocation_rows.read_one(connection, consumer)

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        with self._store.reading() as connection:
            return allocation_rows.read_of_provider(connection, provider)

    def held(self, consumer: ConsumerId) -> Held:
        with self._store.reading() as connection:
            allocation = allocation_rows.read_one(connection, consumer)
            of = () if allocation is None else allocation.resources
            return Held(allocation, read_generations(connection, of))

    def provider_held(self, provider: ProviderId) -> ProviderHeld | None:
        with self._store.reading() as connection:
            use = read_one(connection, provider)
            if use is None:
                return None
            return ProviderHeld(use, allocation_rows.read_of_provider(connection, provider))

    def consumers(
        self, after: ConsumerId | None = None, limit: int = 1000
    ) -> tuple[Allocation, ...]:
        with self._store.reading() as connection:
            return allocation_rows.read_page(connection, after, limit)

    def usages(self, project: ProjectId, user: UserId | None = None) -> Mapping[str | None, Usage]:
        with self._store.reading() as connection:
            return allocation_rows.read_usages(connection, project, user)

    def counter(self, scope: str, name: str) -> int:
        with self._store.reading() as connection:
            return read_counter(connection, scope, name)

    def counters(self, scope: str, beginning: str = "") -> Mapping[str, int]:
        with self._store.reading(one_statement=True) as connection:
            return read_counters(connection, scope, beginning)

    def counted(
        self, consumers: frozenset[ConsumerId] | None = None, scope: str | None = None
    ) -> tuple[CounterHold, ...]:
        with self._store.reading(one_statement=True) as connection:
            return read_counted(connection, consumers, scope)

    def resource_classes(self) -> Mapping[ResourceClass, Seconds]:
        with self._store.reading() as connection:
            custom = CLASSES.custom(connection)
        known = dict.fromkeys(standard_classes(), Seconds(0.0))
        known.update((ResourceClass(name), since_s) for name, since_s in custom)
        return known

    def class_since(self, name: ResourceClass) -> Seconds | None:
        if name in standard_classes():
            return Seconds(0.0)
        with self._store.reading(one_statement=True) as connection:
            return CLASSES.since(connection, name)

    def trait_since(self, name: Trait) -> Seconds | None:
        if name in standard_traits():
            return Seconds(0.0)
        with self._store.reading(one_statement=True) as connection:
            return TRAITS.since(connection, name)

    def traits(
        self, prefix: str = "", *, associated: bool | None = None
    ) -> Mapping[Trait, Seconds]:
        with self._store.reading() as connection:
            custom = TRAITS.custom(connection)
            had = frozenset() if associated is None else associated_traits(connection)
        known = dict.fromkeys(standard_traits(), Seconds(0.0))
        known.update((Trait(name), since_s) for name, since_s in custom)
        return {
            name: since_s
            for name, since_s in known.items()
            if name.startswith(prefix) and associated in {None, name in had}
        }

    # Names

    def create_resource_class(self, tx: Tx, name: ResourceClass) -> bool:
        connection = self._store.connection(tx)
        rules.check_custom_name(name)
        return CLASSES.add(connection, tx, (name,), self._clock.wall_s())

    def rename_resource_class(self, tx: Tx, old: ResourceClass, new: ResourceClass) -> None:
        rename_class(self._store.connection(tx), tx, old, new, self._clock.wall_s())

    def delete_resource_class(self, tx: Tx, name: ResourceClass) -> None:
        CLASSES.remove(self._store.connection(tx), tx, name)

    def create_trait(self, tx: Tx, name: Trait) -> bool:
        connection = self._store.connection(tx)
        rules.check_custom_name(name)
        return TRAITS.add(connection, tx, (name,), self._clock.wall_s())

    def delete_trait(self, tx: Tx, name: Trait) -> None:
        TRAITS.remove(self._store.connection(tx), tx, name)

    # Providers

    def create_provider(
        self, tx: Tx, provider: ProviderId, name: str, parent: ProviderId | None = None
    ) -> None:
        connection = self._store.connection(tx)
        rules.check_provider(provider, name)
        provider_trees.create(connection, tx, provider, name, parent, self._clock.wall_s())

    def update_provider(
        self, tx: Tx, provider: ProviderId, name: str, parent: ProviderId | None
    ) -> None:
        connection = self._store.connection(tx)
        rules.check_provider(provider, name)
        provider_trees.move(connection, tx, provider, name, parent, self._clock.wall_s())

    def delete_provider(self, tx: Tx, provider: ProviderId) -> None:
        provider_trees.delete_one(self._store.connection(tx), tx, provider)

    def put_tree(self, tx: Tx, tree: ProviderTree) -> ProviderTree:
        connection = self._store.connection(tx)
        rules.check_tree(tree)
        provider_trees.check_free(connection, tree)
        rows = provider_trees.tree_below(connection, tree.root.id)
        plan = plan_tree(tuple(row.provider for row in rows), tree)
        provider_trees.check_unused(connection, rows, plan.lost)
        stored = {row.provider.id: row for row in rows}
        provider_trees.write_tree(connection, tx, plan, stored, self._clock.wall_s())
        for provider in plan.written:
            tx.changed(PROVIDER_CHANGED, provider)
        return plan.tree

    def delete_tree(self, tx: Tx, root: ProviderId) -> None:
        connection = self._store.connection(tx)
        rows = provider_trees.tree_below(connection, root)
        lost = ((r.provider.id, n) for r in reversed(rows) for n in sorted(r.provider.inventories))
        provider_trees.check_unused(connection, rows, lost)
        provider_trees.remove(connection, tuple(row.provider for row in reversed(rows)))
        for row in rows:
            tx.changed(PROVIDER_CHANGED, row.provider.id)

    def set_inventories(
        self,
        tx: Tx,
        provider: ProviderId,
        generation: int,
        inventories: FrozenMap[ResourceClass, Inventory],
    ) -> int:
        connection = self._store.connection(tx)
        row = provider_trees.expect(connection, provider, generation)
        rules.check_inventories(inventories, row.provider.inventories)
        lost = ((provider, n) for n in sorted(row.provider.inventories.keys() - inventories.keys()))
        provider_trees.check_unused(connection, (row,), lost)
        after = attrs.evolve(row.provider, inventories=inventories)
        return self._replace(tx, row.provider, after)

    def set_traits(
        self, tx: Tx, provider: ProviderId, generation: int, traits: frozenset[Trait]
    ) -> int:
        connection = self._store.connection(tx)
        rules.check_traits(traits)
        row = provider_trees.expect(connection, provider, generation)
        if row.provider.traits == traits:
            return generation
        return self._replace(tx, row.provider, attrs.evolve(row.provider, traits=traits))

    def set_aggregates(
        self,
        tx: Tx,
        provider: ProviderId,
        generation: int | None,
        aggregates: frozenset[AggregateId],
    ) -> int:
        connection = self._store.connection(tx)
        rules.check_aggregates(aggregates)
        before = provider_trees.expect(connection, provider, generation).provider
        after = attrs.evolve(before, aggregates=aggregates)
        return self._replace(tx, before, after, raised_by=0 if generation is None else 1)

    # Claims

    def claim(self, tx: Tx, claims: Sequence[Claim]) -> tuple[Allocation, ...]:
        connection = self._store.connection(tx)
        rules.check_claims(claims)
        plan = plan_claims(connection, claims)
        return write_claims(connection, tx, plan, self._clock.wall_s())

    def release(self, tx: Tx, consumer: ConsumerId) -> None:
        release(self._store.connection(tx), tx, consumer)

    def reshape(
        self, tx: Tx, inventories: Mapping[ProviderId, Reshaped], claims: Sequence[Claim]
    ) -> tuple[Allocation, ...]:
        connection = self._store.connection(tx)
        rules.check_reshape(inventories, claims)
        before = {
            p: provider_trees.expect(connection, p, inventories[p].generation).provider
            for p in inventories
        }
        both = {
            p: attrs.evolve(
                row, inventories=FrozenMap({**row.inventories, **inventories[p].inventories})
            )
            for p, row in before.items()
        }
        plan = plan_claims(connection, claims, {p: row.inventories for p, row in both.items()})
        lost = (
            (p, name)
            for p, row in before.items()
            for name in sorted(row.inventories.keys() - inventories[p].inventories)
        )
        check_given_up(claims, lost, lambda key: allocation_rows.holders(connection, *key))

        for p, row in before.items():
            if inventories[p].inventories:
                self._replace(tx, row, both[p])
        granted = write_claims(connection, tx, plan, self._clock.wall_s())
        for p, row in both.items():
            final = attrs.evolve(row, inventories=inventories[p].inventories)
            raised = provider_trees.read_generation(connection, p)
            self._replace(tx, attrs.evolve(row, generation=raised), final)
        return granted

    def _replace(self, tx: Tx, before: Provider, after: Provider, raised_by: int = 1) -> int:
        connection = self._store.connection(tx)
        now_s = self._clock.wall_s()
        return provider_trees.replace(connection, tx, before, after, now_s, raised_by)
