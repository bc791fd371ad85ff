"""The books of placement in dictionaries."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from computekit.clock import Clock
from computekit.errors import AlreadyExists, GenerationConflict, InUse, NotFound
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
from computekit.placement import rules
from computekit.placement.judging import Key, check_given_up, check_parent, named
from computekit.placement.memory_holdings import MemoryHoldings, renamed
from computekit.placement.memory_names import MemoryNames
from computekit.placement.names import standard_classes, standard_traits
from computekit.placement.ports import (
    CLASS_CHANGED,
    PROVIDER_CHANGED,
    TRAIT_CHANGED,
    Claim,
    CounterHold,
    Held,
    ProviderHeld,
    ProviderUse,
    Reshaped,
    Usage,
)
from computekit.placement.tree_plan import plan_tree
from computekit.units import Seconds
from computekit.work import MemoryStore, MemoryTable, MemoryTx, Tx

__all__ = ["MemoryPlacement"]


class MemoryPlacement:
    """A `PlacementWriter` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
        clock: says when something was written.
    """

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._uses: MemoryTable[ProviderId, ProviderUse] = MemoryTable()
        self._names: MemoryTable[str, ProviderId] = MemoryTable()
        self._members: MemoryTable[ProviderId, tuple[ProviderId, ...]] = MemoryTable()
        self._held = MemoryHoldings(self._uses)
        self._classes = MemoryNames("resource class", CLASS_CHANGED, standard_classes())
        self._traits: MemoryNames[Trait] | None = None

    # Reading

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
            return self._held.allocation(consumer)

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        with self._store.lock:
            return self._held.allocations(provider)

    def held(self, consumer: ConsumerId) -> Held:
        with self._store.lock:
            allocation = self._held.allocation(consumer)
            of = () if allocation is None else allocation.resources
            rows = self._uses.rows
            return Held(allocation, {p: rows[p].provider.generation for p in of})

    def provider_held(self, provider: ProviderId) -> ProviderHeld | None:
        with self._store.lock:
            row = self._uses.rows.get(provider)
            return None if row is None else ProviderHeld(row, self._held.allocations(provider))

    def consumers(
        self, after: ConsumerId | None = None, limit: int = 1000
    ) -> tuple[Allocation, ...]:
        with self._store.lock:
            return self._held.consumers(after, limit)

    def usages(self, project: ProjectId, user: UserId | None = None) -> Mapping[str | None, Usage]:
        with self._store.lock:
            return self._held.usages(project, user)

    def counter(self, scope: str, name: str) -> int:
        with self._store.lock:
            return self._held.counter(scope, name)

    def counters(self, scope: str, beginning: str = "") -> Mapping[str, int]:
        with self._store.lock:
            return self._held.counters(scope, beginning)

    def counted(
        self, consumers: frozenset[ConsumerId] | None = None, scope: str | None = None
    ) -> tuple[CounterHold, ...]:
        with self._store.lock:
            return self._held.counted(consumers, scope)

    def resource_classes(self) -> Mapping[ResourceClass, Seconds]:
        with self._store.lock:
            return self._classes.known()

    def class_since(self, name: ResourceClass) -> Seconds | None:
        with self._store.lock:
            return self._classes.since(name)

    def trait_since(self, name: Trait) -> Seconds | None:
        with self._store.lock:
            return self._known_traits.since(name)

    def traits(
        self, prefix: str = "", *, associated: bool | None = None
    ) -> Mapping[Trait, Seconds]:
        with self._store.lock:
            known = self._known_traits.known()
            if associated is not None:
                had = {name for row in self._uses.rows.values() for name in row.provider.traits}
                known = {name: at for name, at in known.items() if (name in had) is associated}
            return {name: at for name, at in known.items() if name.startswith(prefix)}

    # Names

    def create_resource_class(self, tx: Tx, name: ResourceClass) -> bool:
        mine = self._store.transaction(tx)
        rules.check_custom_name(name)
        return self._classes.add(mine, (name,), self._clock.wall_s())

    def rename_resource_class(self, tx: Tx, old: ResourceClass, new: ResourceClass) -> None:
        mine = self._store.transaction(tx)
        self._classes.rename(mine, old, new, self._clock.wall_s())
        for row in tuple(self._uses.rows.values()):
            there = row.provider.inventories
            if old in there:
                inventories = FrozenMap({new if n == old else n: i for n, i in there.items()})
                provider = attrs.evolve(row.provider, inventories=inventories)
                used = renamed(row.used, old, new)
                self._uses.put(mine, provider.id, attrs.evolve(row, provider=provider, used=used))
                tx.changed(PROVIDER_CHANGED, provider.id)
        self._held.rename_class(mine, old, new)

    def delete_resource_class(self, tx: Tx, name: ResourceClass) -> None:
        mine = self._store.transaction(tx)
        self._classes.check_there(name)
        having = (p for p, row in self._uses.rows.items() if name in row.provider.inventories)
        if (first := min(having, default=None)) is not None:
            raise InUse("resource class", name, f"provider {first}")
        self._classes.remove(mine, name)

    def create_trait(self, tx: Tx, name: Trait) -> bool:
        mine = self._store.transaction(tx)
        rules.check_custom_name(name)
        return self._known_traits.add(mine, (name,), self._clock.wall_s())

    def delete_trait(self, tx: Tx, name: Trait) -> None:
        mine = self._store.transaction(tx)
        self._known_traits.check_there(name)
        having = (p for p, row in self._uses.rows.items() if name in row.provider.traits)
        if (first := min(having, default=None)) is not None:
            raise InUse("trait", name, f"provider {first}")
        self._known_traits.remove(mine, name)

    # Providers

    def create_provider(
        self, tx: Tx, provider: ProviderId, name: str, parent: ProviderId | None = None
    ) -> None:
        mine = self._store.transaction(tx)
        rules.check_provider(provider, name)
        root = provider if parent is None else self._there(parent).root
        if provider in self._uses.rows:
            raise AlreadyExists("provider", provider)
        if name in self._names.rows:
            raise AlreadyExists("provider name", name)
        row = ProviderUse(Provider(provider, name, parent), root, updated_s=self._clock.wall_s())
        self._uses.put(mine, provider, row)
        self._names.put(mine, name, provider)
        self._arrange(mine, root, (*self._members.rows.get(root, ()), provider))
        tx.changed(PROVIDER_CHANGED, provider)

    def update_provider(
        self, tx: Tx, provider: ProviderId, name: str, parent: ProviderId | None
    ) -> None:
        mine = self._store.transaction(tx)
        rules.check_provider(provider, name)
        row = self._there(provider)
        root = provider
        if parent is not None:
            root = self._there(parent).root
            members = self._tree_rows(root)
            check_parent(provider, parent, {p.id: p.parent for p in members})
        if self._names.rows.get(name, provider) != provider:
            raise AlreadyExists("provider name", name)
        if (name, parent) == (row.provider.name, row.provider.parent):
            return
        after = attrs.evolve(row.provider, name=name, parent=parent)
        self._uses.put(
            mine, provider, attrs.evolve(row, provider=after, updated_s=self._clock.wall_s())
        )
        self._names.remove(mine, row.provider.name)
        self._names.put(mine, name, provider)
        tx.changed(PROVIDER_CHANGED, provider)
        moved = self._below(row.root, provider)
        if root != row.root:
            for one in moved:
                self._uses.put(mine, one, attrs.evolve(self._uses.rows[one], root=root))
                tx.changed(PROVIDER_CHANGED, one)
            left = tuple(p for p in self._members.rows[row.root] if p not in moved)
            self._arrange(mine, row.root, left)
            self._arrange(mine, root, (*self._members.rows.get(root, ()), *moved))
        else:
            self._arrange(mine, root, self._members.rows[root])

    def delete_provider(self, tx: Tx, provider: ProviderId) -> None:
        mine = self._store.transaction(tx)
        row = self._there(provider)
        children = [p.id for p in self._tree_rows(row.root) if p.parent == provider]
        if children:
            raise InUse("provider", provider, f"provider {min(children)}")
        self._check_unused((provider, name) for name in sorted(row.provider.inventories))
        self._names.remove(mine, row.provider.name)
        self._uses.remove(mine, provider)
        self._held.remove_provider(mine, provider)
        left = tuple(p for p in self._members.rows[row.root] if p != provider)
        self._arrange(mine, row.root, left)
        tx.changed(PROVIDER_CHANGED, provider)

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
            self._held.remove_provider(mine, provider.id)
        now_s = self._clock.wall_s()
        self._learn(mine, (*plan.created, *(new for _, new in plan.changed)))
        for provider in plan.created:
            self._uses.put(mine, provider.id, ProviderUse(provider, root, updated_s=now_s))
        for _, provider in plan.changed:
            used = self._uses.rows[provider.id].used
            self._uses.put(mine, provider.id, ProviderUse(provider, root, used, now_s))
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
            self._held.remove_provider(mine, provider.id)
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
        row = self._expect(provider, generation)
        rules.check_inventories(inventories, row.provider.inventories)
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
        self,
        tx: Tx,
        provider: ProviderId,
        generation: int | None,
        aggregates: frozenset[AggregateId],
    ) -> int:
        mine = self._store.transaction(tx)
        rules.check_aggregates(aggregates)
        row = self._there(provider) if generation is None else self._expect(provider, generation)
        after = attrs.evolve(row.provider, aggregates=aggregates)
        return self._write(mine, row, after, raised_by=0 if generation is None else 1)

    # Claims

    def claim(self, tx: Tx, claims: Sequence[Claim]) -> tuple[Allocation, ...]:
        mine = self._store.transaction(tx)
        rules.check_claims(claims)
        self._held.judge(claims, self._stock(claims, {}))
        return self._write_claims(mine, claims)

    def release(self, tx: Tx, consumer: ConsumerId) -> None:
        self._held.release(self._store.transaction(tx), consumer)

    def reshape(
        self, tx: Tx, inventories: Mapping[ProviderId, Reshaped], claims: Sequence[Claim]
    ) -> tuple[Allocation, ...]:
        mine = self._store.transaction(tx)
        rules.check_reshape(inventories, claims)
        rows = {p: self._expect(p, inventories[p].generation) for p in inventories}
        self._held.judge(claims, self._stock(claims, inventories))
        check_given_up(
            claims,
            (
                (p, name)
                for p, row in rows.items()
                for name in sorted(row.provider.inventories.keys() - inventories[p].inventories)
            ),
            self._held.holders,
        )
        for p, row in rows.items():
            after = attrs.evolve(
                row.provider,
                inventories=inventories[p].inventories,
            )
            self._learn(mine, (after,))
            self._write(mine, row, after, raised_by=2 if after.inventories else 1)
        return self._write_claims(mine, claims)

    def _write_claims(self, tx: MemoryTx, claims: Sequence[Claim]) -> tuple[Allocation, ...]:
        for provider in sorted(named(claims, self._held.holds)):
            if tx.first(("claimed", provider)):
                row = self._uses.rows[provider]
                self._write(tx, row, row.provider)
        now_s = self._clock.wall_s()
        return tuple(self._held.write(tx, claim, now_s) for claim in claims)

    def _stock(
        self, claims: Sequence[Claim], inventories: Mapping[ProviderId, Reshaped]
    ) -> dict[Key, tuple[Inventory, int]]:
        stock: dict[Key, tuple[Inventory, int]] = {}
        for provider in {p for claim in claims for p in claim.allocation.resources}:
            row = self._uses.rows.get(provider)
            if row is None:
                continue
            there: Mapping[ResourceClass, Inventory] = row.provider.inventories
            if provider in inventories:
                there = {**there, **inventories[provider].inventories}
            for name, inventory in there.items():
                stock[provider, name] = inventory, row.used.get(name, 0)
        return stock

    # Parts

    @property
    def _known_traits(self) -> MemoryNames[Trait]:
        if self._traits is None:  # the standard ones are many, and few ask for them
            self._traits = MemoryNames("trait", TRAIT_CHANGED, standard_traits())
        return self._traits

    def _learn(self, tx: MemoryTx, written: Iterable[Provider]) -> None:
        now_s = self._clock.wall_s()
        classes = {name for provider in written for name in provider.inventories}
        self._classes.add(tx, classes, now_s)
        if traits := {name for provider in written for name in provider.traits}:
            self._known_traits.add(tx, traits, now_s)

    def _there(self, provider: ProviderId) -> ProviderUse:
        row = self._uses.rows.get(provider)
        if row is None:
            raise NotFound("provider", provider)
        return row

    def _below(self, root: ProviderId, top: ProviderId) -> tuple[ProviderId, ...]:
        """Return `top` and all below it, parents first."""
        found = {top: None}
        for provider in self._members.rows[root]:
            if self._uses.rows[provider].provider.parent in found:
                found[provider] = None
        return tuple(found)

    def _arrange(self, tx: MemoryTx, root: ProviderId, members: tuple[ProviderId, ...]) -> None:
        """Write who is in a tree, by depth and name."""
        if not members:
            self._members.remove(tx, root)
            return

        def place(member: ProviderId) -> tuple[int, str]:
            provider, depth = self._uses.rows[member].provider, 0
            above = provider.parent
            while above is not None:
                depth, above = depth + 1, self._uses.rows[above].provider.parent
            return depth, provider.name

        self._members.put(tx, root, tuple(sorted(members, key=place)))

    def _tree_rows(self, root: ProviderId) -> tuple[Provider, ...]:
        return tuple(self._uses.rows[p].provider for p in self._members.rows.get(root, ()))

    def _named(self, name: str) -> ProviderUse | None:
        provider = self._names.rows.get(name)
        return None if provider is None else self._uses.rows[provider]

    def _expect(self, provider: ProviderId, generation: int) -> ProviderUse:
        row = self._there(provider)
        if row.provider.generation != generation:
            raise GenerationConflict("provider", provider, generation, row.provider.generation)
        return row

    def _write(self, tx: MemoryTx, row: ProviderUse, provider: Provider, raised_by: int = 1) -> int:
        if provider is not row.provider:
            self._learn(tx, (provider,))
        raised = attrs.evolve(provider, generation=row.provider.generation + raised_by)
        now_s = self._clock.wall_s()
        self._uses.put(tx, provider.id, ProviderUse(raised, row.root, row.used, now_s))
        tx.changed(PROVIDER_CHANGED, provider.id)
        return raised.generation

    def _check_unused(self, inventories: Iterable[Key]) -> None:
        for provider, name in inventories:
            if name in self._uses.rows[provider].used:
                holder = min(self._held.holders((provider, name)))
                raise InUse("inventory", f"{name} of {provider}", f"consumer {holder}")
