"""Providers as rows: whole trees, and one after the other."""

from collections.abc import Iterable

from sqlalchemy import Connection, String, bindparam, delete, insert, or_, select, update

from computekit.errors import AlreadyExists, GenerationConflict, InUse, NotFound
from computekit.ids import ProviderId
from computekit.model import Provider, ProviderTree
from computekit.placement import PROVIDER_CHANGED, ProviderUse
from computekit.placement.judging import Key, check_parent
from computekit.placement.tree_plan import TreePlan, depths
from computekit.store.chunks import chunks
from computekit.store.names import learn
from computekit.store.provider_rows import read_one, read_tree, write_parts
from computekit.store.quick import Quick, QuickSelect
from computekit.store.tables import ALLOCATION, PROVIDER
from computekit.units import Seconds
from computekit.work import Tx

__all__ = [
    "check_free",
    "check_unused",
    "create",
    "delete_one",
    "expect",
    "move",
    "read_generation",
    "remove",
    "replace",
    "tree_below",
    "write_tree",
]

_NEW = Quick(insert(PROVIDER))
_SET = update(PROVIDER).where(PROVIDER.c.id == bindparam("of"))
_RAISE = Quick(
    update(PROVIDER)
    .where(PROVIDER.c.id == bindparam("of", type_=String))
    .values(
        generation=bindparam("number", type_=PROVIDER.c.generation.type),
        updated_s=bindparam("at_s", type_=PROVIDER.c.updated_s.type),
    )
)
_DROP = delete(PROVIDER).where(PROVIDER.c.id == bindparam("of"))
_SAME_AS_ONE = QuickSelect(
    select(PROVIDER.c.id, PROVIDER.c.name).where(
        or_(
            PROVIDER.c.id == bindparam("of", type_=String),
            PROVIDER.c.name == bindparam("called", type_=String),
        )
    )
)
_SAME = select(PROVIDER.c.id, PROVIDER.c.name, PROVIDER.c.root_id).where(
    or_(
        PROVIDER.c.id.in_(bindparam("ids", expanding=True)),
        PROVIDER.c.name.in_(bindparam("names", expanding=True)),
    )
)
_PLACE = select(PROVIDER.c.root_id, PROVIDER.c.depth).where(PROVIDER.c.id == bindparam("of"))
_GENERATION = select(PROVIDER.c.generation).where(PROVIDER.c.id == bindparam("of"))
_CHILD = (
    select(PROVIDER.c.id)
    .where(PROVIDER.c.parent_id == bindparam("of"))
    .order_by(PROVIDER.c.id)
    .limit(1)
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


def expect(connection: Connection, provider: ProviderId, generation: int | None) -> ProviderUse:
    """Return a provider; of any generation, with None.

    Raises:
        NotFound: it is not there.
        GenerationConflict: it is of another generation.
    """
    row = _there(connection, provider)
    if generation is not None and row.provider.generation != generation:
        raise GenerationConflict("provider", provider, generation, row.provider.generation)
    return row


def read_generation(connection: Connection, provider: ProviderId) -> int:
    """Return the generation of a provider that is there."""
    return connection.execute(_GENERATION, {"of": provider}).scalar_one()


def create(
    connection: Connection,
    tx: Tx,
    provider: ProviderId,
    name: str,
    parent: ProviderId | None,
    now_s: Seconds,
) -> None:
    """Do what `PlacementWriter.create_provider` says."""
    root, depth = (provider, 0) if parent is None else _child_place(connection, parent)
    _check_name(connection, provider, name, new=True)
    _NEW.run(
        connection,
        {
            "id": provider,
            "name": name,
            "parent_id": parent,
            "root_id": root,
            "depth": depth,
            "generation": 0,
            "updated_s": now_s,
        },
    )
    tx.changed(PROVIDER_CHANGED, provider)


def move(
    connection: Connection,
    tx: Tx,
    provider: ProviderId,
    name: str,
    parent: ProviderId | None,
    now_s: Seconds,
) -> None:
    """Do what `PlacementWriter.update_provider` says."""
    row = _there(connection, provider)
    root, depth = (provider, 0) if parent is None else _child_place(connection, parent)
    if parent is not None and parent != row.provider.parent:
        around = read_tree(connection, parent)
        check_parent(provider, parent, {u.provider.id: u.provider.parent for u in around})
    if name != row.provider.name:
        _check_name(connection, provider, name, new=False)
    elif parent == row.provider.parent:
        return
    connection.execute(
        _SET, {"of": provider, "name": name, "parent_id": parent, "updated_s": now_s}
    )
    tx.changed(PROVIDER_CHANGED, provider)
    if parent == row.provider.parent:
        return
    # What is below it, as deep below it as before.
    heights = {provider: 0}
    for use in read_tree(connection, row.root):
        above = use.provider.parent
        if above in heights and use.provider.id != provider:
            heights[use.provider.id] = heights[above] + 1
    connection.execute(
        _SET,
        [{"of": p, "root_id": root, "depth": depth + height} for p, height in heights.items()],
    )
    if root != row.root:
        for one in heights:
            tx.changed(PROVIDER_CHANGED, one)


def delete_one(connection: Connection, tx: Tx, provider: ProviderId) -> None:
    """Do what `PlacementWriter.delete_provider` says."""
    row = _there(connection, provider)
    child = connection.execute(_CHILD, {"of": provider}).scalar_one_or_none()
    if child is not None:
        raise InUse("provider", provider, f"provider {child}")
    check_unused(connection, (row,), ((provider, n) for n in sorted(row.provider.inventories)))
    remove(connection, (row.provider,))
    tx.changed(PROVIDER_CHANGED, provider)


def tree_below(connection: Connection, root: ProviderId) -> tuple[ProviderUse, ...]:
    """Return the tree whose root is `root`; empty if there is none."""
    rows = read_tree(connection, root)
    return rows if rows and rows[0].root == root else ()


def replace(
    connection: Connection,
    tx: Tx,
    before: Provider,
    after: Provider,
    now_s: Seconds,
    raised_by: int = 1,
) -> int:
    """Write the parts of a provider; return its new generation."""
    learn(
        connection,
        tx,
        after.inventories.keys() - before.inventories.keys(),
        after.traits - before.traits,
        now_s,
    )
    write_parts(connection, ((before, after),))
    generation = before.generation + raised_by
    _RAISE.run(connection, {"of": after.id, "number": generation, "at_s": now_s})
    tx.changed(PROVIDER_CHANGED, after.id)
    return generation


def check_free(connection: Connection, tree: ProviderTree) -> None:
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


def check_unused(
    connection: Connection,
    rows: tuple[ProviderUse, ...],
    lost: Iterable[Key],
) -> None:
    """Raise `InUse` if somebody holds one of the inventories `lost` of the providers `rows`."""
    used = {row.provider.id: row.used for row in rows}
    for provider, name in lost:
        if name in used[provider]:
            here = {"of": provider, "what": name}
            holder = connection.execute(_HOLDER, here).scalar_one()
            raise InUse("inventory", f"{name} of {provider}", f"consumer {holder}")


def write_tree(
    connection: Connection,
    tx: Tx,
    plan: TreePlan,
    stored: dict[ProviderId, ProviderUse],
    now_s: Seconds,
) -> None:
    """Write the difference between a stored tree and a wanted one."""
    written = (*plan.created, *(new for _, new in plan.changed))
    learn(
        connection,
        tx,
        {name for provider in written for name in provider.inventories},
        {name for provider in written for name in provider.traits},
        now_s,
    )
    depth = depths(plan.tree)
    before = depths(row.provider for row in stored.values())
    # Names that move within the tree, or go, are vacated first: each is unique at every moment.
    vacated = [*plan.removed, *(old for old, new in plan.changed if old.name != new.name)]
    if vacated:
        rows = [{"of": p.id, "name": f"\x01{p.id}"} for p in vacated]
        connection.execute(_SET, rows)
    _NEW.run(
        connection,
        *(
            {
                "id": p.id,
                "name": p.name,
                "parent_id": p.parent,
                "root_id": plan.tree.root.id,
                "depth": depth[p.id],
                "generation": p.generation,
                "updated_s": now_s,
            }
            for p in plan.created
        ),
    )
    changed = {new.id for _, new in plan.changed}
    moved = [
        {
            "of": p.id,
            "name": p.name,
            "parent_id": p.parent,
            "depth": depth[p.id],
            "generation": p.generation,
            "updated_s": now_s if p.id in changed else stored[p.id].updated_s,
        }
        for p in plan.tree
        if p.id in changed or before.get(p.id, depth[p.id]) != depth[p.id]
    ]
    if moved:
        connection.execute(_SET, moved)
    write_parts(connection, (*((None, p) for p in plan.created), *plan.changed))
    remove(connection, plan.removed)


def remove(connection: Connection, providers: tuple[Provider, ...]) -> None:
    """Remove providers, children first."""
    if providers:
        write_parts(connection, ((p, Provider(p.id, p.name)) for p in providers))
        connection.execute(_DROP, [{"of": p.id} for p in providers])


def _there(connection: Connection, provider: ProviderId) -> ProviderUse:
    row = read_one(connection, provider)
    if row is None:
        raise NotFound("provider", provider)
    return row


def _child_place(connection: Connection, parent: ProviderId) -> tuple[str, int]:
    """Return the root and the depth of what is directly below `parent`."""
    place = connection.execute(_PLACE, {"of": parent}).one_or_none()
    if place is None:
        raise NotFound("provider", parent)
    root, depth = place
    return root, depth + 1


def _check_name(connection: Connection, provider: ProviderId, name: str, *, new: bool) -> None:
    same = _SAME_AS_ONE.rows(connection, {"of": provider, "called": name})
    if new and any(of == provider for of, _ in same):
        raise AlreadyExists("provider", provider)
    if any(taken == name for of, taken in same if of != provider):
        raise AlreadyExists("provider name", name)
