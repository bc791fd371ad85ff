"""The books of placement as rows."""

from collections.abc import Iterable

import attrs
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from computekit.errors import AlreadyExists, GenerationConflict, InUse, NotFound
from computekit.ids import AggregateId, ConsumerId, ProviderId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import PROVIDER_CHANGED, CounterClaim, ProviderUse, rules
from computekit.placement.tree_plan import TreePlan, depths, plan_tree
from computekit.store import claims
from computekit.store.chunks import chunks
from computekit.store.provider_rows import read_all, read_some, read_tree, write_parts
from computekit.store.sql_store import SqlStore
from computekit.store.tables import ALLOCATION, PROVIDER
from computekit.work import Tx

__all__ = ["SqlPlacement"]

_NEW = insert(PROVIDER)
_SET = update(PROVIDER).where(PROVIDER.c.id == bindparam("of"))
_DROP = delete(PROVIDER).where(PROVIDER.c.id == bindparam("of"))
_SAME = select(PROVIDER.c.id, PROVIDER.c.name, PROVIDER.c.root_id).where(
    or_(
        PROVIDER.c.id.in_(bindparam("ids", expanding=True)),
        PROVIDER.c.name.in_(bindparam("names", expanding=True)),
    )
)
_HOLDER = (
    select(ALLOCATION.c.consumer_id)
    .where(
        ALLOCATION.c.provider_id == bindparam("of"),
        ALLOCATION.c.resource_class == bindparam("what"),
    )
    .order_by(ALLOCATION.c.consumer_id)
    .limit(1)
)


class SqlPlacement:
    """A `PlacementWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def provider(self, provider: ProviderId) -> Provider | None:
        found = self.uses(frozenset({provider}))
        return found[0].provider if found else None

    def tree(self, member: ProviderId) -> ProviderTree | None:
        with self._store.reading() as connection:
            rows = read_tree(connection, member)
        return ProviderTree(tuple(row.provider for row in rows)) if rows else None

    def uses(self, providers: frozenset[ProviderId] | None = None) -> tuple[ProviderUse, ...]:
        with self._store.reading() as connection:
            return read_all(connection) if providers is None else read_some(connection, providers)

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        with self._store.reading() as connection:
            return claims.read_allocation(connection, consumer)

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        with self._store.reading() as connection:
            return claims.read_allocations(connection, provider)

    def counter(self, scope: str, name: str) -> int:
        with self._store.reading() as connection:
            return claims.read_counter(connection, scope, name)

    def put_tree(self, tx: Tx, tree: ProviderTree) -> ProviderTree:
        connection = self._store.connection(tx)
        rules.check_tree(tree)
        _check_free(connection, tree)
        rows = _tree_below(connection, tree.root.id)
        plan = plan_tree(tuple(row.provider for row in rows), tree)
        _check_unused(connection, rows, plan.lost)
        _write_tree(connection, plan, {row.provider.id: row for row in rows})
        for provider in plan.written:
            tx.changed(PROVIDER_CHANGED, provider)
        return plan.tree

    def delete_tree(self, tx: Tx, root: ProviderId) -> None:
        connection = self._store.connection(tx)
        rows = _tree_below(connection, root)
        lost = ((r.provider.id, n) for r in reversed(rows) for n in sorted(r.provider.inventories))
        _check_unused(connection, rows, lost)
        _remove(connection, tuple(row.provider for row in reversed(rows)))
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
        rules.check_inventories(inventories)
        row = _expect(connection, provider, generation)
        lost = ((provider, n) for n in sorted(row.provider.inventories.keys() - inventories.keys()))
        _check_unused(connection, (row,), lost)
        return _replace(connection, tx, row, attrs.evolve(row.provider, inventories=inventories))

    def set_traits(
        self, tx: Tx, provider: ProviderId, generation: int, traits: frozenset[Trait]
    ) -> int:
        connection = self._store.connection(tx)
        rules.check_traits(traits)
        row = _expect(connection, provider, generation)
        if row.provider.traits == traits:
            return generation
        return _replace(connection, tx, row, attrs.evolve(row.provider, traits=traits))

    def set_aggregates(
        self, tx: Tx, provider: ProviderId, generation: int, aggregates: frozenset[AggregateId]
    ) -> int:
        connection = self._store.connection(tx)
        rules.check_aggregates(aggregates)
        row = _expect(connection, provider, generation)
        return _replace(connection, tx, row, attrs.evolve(row.provider, aggregates=aggregates))

    def claim(
        self, tx: Tx, allocation: Allocation, counters: tuple[CounterClaim, ...] = ()
    ) -> Allocation:
        connection = self._store.connection(tx)
        rules.check_claim(allocation, counters)
        return claims.claim(connection, tx, allocation, counters)

    def release(self, tx: Tx, consumer: ConsumerId) -> None:
        claims.release(self._store.connection(tx), tx, consumer)


def _expect(connection: Connection, provider: ProviderId, generation: int) -> ProviderUse:
    rows = read_some(connection, (provider,))
    if not rows:
        raise NotFound("provider", provider)
    if rows[0].provider.generation != generation:
        raise GenerationConflict("provider", provider, generation, rows[0].provider.generation)
    return rows[0]


def _tree_below(connection: Connection, root: ProviderId) -> tuple[ProviderUse, ...]:
    """Return the tree whose root is `root`; empty if there is none."""
    rows = read_tree(connection, root)
    return rows if rows and rows[0].root == root else ()


def _replace(connection: Connection, tx: Tx, row: ProviderUse, after: Provider) -> int:
    write_parts(connection, ((row.provider, after),))
    generation = row.provider.generation + 1
    connection.execute(_SET.values(generation=generation), {"of": after.id})
    tx.changed(PROVIDER_CHANGED, after.id)
    return generation


def _check_free(connection: Connection, tree: ProviderTree) -> None:
    """Raise `AlreadyExists` if another tree has one of the ids or names of `tree`."""
    roots_of_ids: dict[str, str] = {}
    roots_of_names: dict[str, str] = {}
    for some in chunks(tree):
        same = {"ids": [p.id for p in some], "names": [p.name for p in some]}
        for of, name, root in connection.execute(_SAME, same):
            roots_of_ids[of] = roots_of_names[name] = root
    for provider in tree:
        if roots_of_ids.get(provider.id, tree.root.id) != tree.root.id:
            raise AlreadyExists("provider", provider.id)
        if roots_of_names.get(provider.name, tree.root.id) != tree.root.id:
            raise AlreadyExists("provider name", provider.name)


def _check_unused(
    connection: Connection,
    rows: tuple[ProviderUse, ...],
    lost: Iterable[tuple[ProviderId, ResourceClass]],
) -> None:
    used = {row.provider.id: row.used for row in rows}
    for provider, name in lost:
        if name in used[provider]:
            here = {"of": provider, "what": name}
            holder = connection.execute(_HOLDER, here).scalar_one()
            raise InUse("inventory", f"{name} of {provider}", f"consumer {holder}")


def _write_tree(
    connection: Connection, plan: TreePlan, stored: dict[ProviderId, ProviderUse]
) -> None:
    depth = depths(plan.tree)
    before = depths(row.provider for row in stored.values())
    # Names that move within the tree, or go, are vacated first: each is unique at every moment.
    vacated = [*plan.removed, *(old for old, new in plan.changed if old.name != new.name)]
    if vacated:
        rows = [{"of": p.id, "name": f"\x01{p.id}"} for p in vacated]
        connection.execute(_SET, rows)
    if plan.created:
        connection.execute(
            _NEW,
            [
                {
                    "id": p.id,
                    "name": p.name,
                    "parent_id": p.parent,
                    "root_id": plan.tree.root.id,
                    "depth": depth[p.id],
                    "generation": p.generation,
                }
                for p in plan.created
            ],
        )
    changed = {new.id for _, new in plan.changed}
    moved = [
        {
            "of": p.id,
            "name": p.name,
            "parent_id": p.parent,
            "depth": depth[p.id],
            "generation": p.generation,
        }
        for p in plan.tree
        if p.id in changed or before.get(p.id, depth[p.id]) != depth[p.id]
    ]
    if moved:
        connection.execute(_SET, moved)
    write_parts(connection, (*((None, p) for p in plan.created), *plan.changed))
    _remove(connection, plan.removed)


def _remove(connection: Connection, providers: tuple[Provider, ...]) -> None:
    """Remove providers, children first."""
    if providers:
        write_parts(connection, ((p, Provider(p.id, p.name)) for p in providers))
        connection.execute(_DROP, [{"of": p.id} for p in providers])
