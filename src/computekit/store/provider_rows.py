"""Providers and their parts as rows: reading them whole, writing what differs."""

from collections import defaultdict
from collections.abc import Iterable

import attrs
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    String,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    true,
    union_all,
    update,
)

from computekit.ids import AggregateId, ProviderId
from computekit.model import FrozenMap, Inventory, Provider, ResourceClass, Trait
from computekit.placement import ProviderUse
from computekit.store.chunks import chunks
from computekit.store.quick import Quick, QuickSelect, run_together
from computekit.store.sql_store import Raced
from computekit.store.tables import INVENTORY, PROVIDER, PROVIDER_AGGREGATE, PROVIDER_TRAIT
from computekit.units import Seconds

__all__ = ["read_all", "read_generations", "read_one", "read_some", "read_tree", "write_parts"]

_MAX_CAPACITY = 2**62
"""No sum of amounts gets there, so a capacity beyond it is no limit."""


@attrs.frozen
class _Queries:
    """What makes providers of the rows that a condition picks."""

    providers: Select[str, str, str | None, str, int, int, Seconds]
    inventories: Select[str, str, int, int, int, int, int, float, int]
    traits: Select[str, str]
    aggregates: Select[str, str]

    @classmethod
    def where(cls, condition: ColumnElement[bool]) -> "_Queries":
        p, i, t, a = PROVIDER.c, INVENTORY.c, PROVIDER_TRAIT.c, PROVIDER_AGGREGATE.c
        return cls(
            select(p.id, p.name, p.parent_id, p.root_id, p.depth, p.generation, p.updated_s).where(
                condition
            ),
            select(
                i.provider_id,
                i.resource_class,
                i.total,
                i.reserved,
                i.min_unit,
                i.max_unit,
                i.step_size,
                i.allocation_ratio,
                i.used,
            )
            .join(PROVIDER, i.provider_id == p.id)
            .where(condition),
            select(t.provider_id, t.trait).join(PROVIDER, t.provider_id == p.id).where(condition),
            select(a.provider_id, a.aggregate_id)
            .join(PROVIDER, a.provider_id == p.id)
            .where(condition),
        )


_MEMBER = PROVIDER.alias("member")
_ROOT = select(_MEMBER.c.root_id).where(_MEMBER.c.id == bindparam("member")).scalar_subquery()
_GENERATIONS = select(PROVIDER.c.id, PROVIDER.c.generation).where(
    PROVIDER.c.id.in_(bindparam("ids", expanding=True))
)
_ALL = _Queries.where(true())
_TREE = _Queries.where(PROVIDER.c.root_id == _ROOT)
_SOME = _Queries.where(PROVIDER.c.id.in_(bindparam("ids", expanding=True)))

_PROVIDER, _INVENTORY, _TRAIT, _AGGREGATE = range(4)
_NO_TEXT = literal_column("''", String)
_NO_NUMBER = literal_column("0", BigInteger)
_NO_REAL = literal_column("0.0", Double)


def _kind(kind: int) -> ColumnElement[int]:
    return literal_column(str(kind), Integer)


def _one() -> QuickSelect[int, str, str | None, str, int, int, int, int, int, int, float]:
    """Return what reads one provider with all its parts by one statement."""
    p, i, t, a = PROVIDER.c, INVENTORY.c, PROVIDER_TRAIT.c, PROVIDER_AGGREGATE.c
    of = bindparam("of", type_=String)
    numbers = (_NO_NUMBER,) * 5
    return QuickSelect(
        union_all(
            select(
                _kind(_PROVIDER),
                p.name,
                p.parent_id,
                p.root_id,
                p.generation,
                *numbers,
                p.updated_s,
            ).where(p.id == of),
            select(
                _kind(_INVENTORY),
                i.resource_class,
                _NO_TEXT,
                _NO_TEXT,
                i.used,
                i.total,
                i.reserved,
                i.min_unit,
                i.max_unit,
                i.step_size,
                i.allocation_ratio,
            ).where(i.provider_id == of),
            select(
                _kind(_TRAIT), t.trait, _NO_TEXT, _NO_TEXT, _NO_NUMBER, *numbers, _NO_REAL
            ).where(t.provider_id == of),
            select(
                _kind(_AGGREGATE),
                a.aggregate_id,
                _NO_TEXT,
                _NO_TEXT,
                _NO_NUMBER,
                *numbers,
                _NO_REAL,
            ).where(a.provider_id == of),
        )
    )


_ONE = _one()

_OF, _WHAT = bindparam("of", type_=String), bindparam("what", type_=String)
_NEW_INVENTORY = Quick(insert(INVENTORY))
_NEW_TRAIT = Quick(insert(PROVIDER_TRAIT))
_NEW_AGGREGATE = Quick(insert(PROVIDER_AGGREGATE))
_SET_INVENTORY = Quick(
    update(INVENTORY)
    .where(INVENTORY.c.provider_id == _OF, INVENTORY.c.resource_class == _WHAT)
    .values(
        {
            name: bindparam(f"new_{name}", type_=INVENTORY.c[name].type)
            for name in (
                "total",
                "reserved",
                "min_unit",
                "max_unit",
                "step_size",
                "allocation_ratio",
                "capacity",
            )
        }
    )
)
_DROP_INVENTORY = Quick(
    delete(INVENTORY).where(
        INVENTORY.c.provider_id == _OF,
        INVENTORY.c.resource_class == _WHAT,
        INVENTORY.c.used == 0,
    )
)
_DROP_TRAIT = Quick(
    delete(PROVIDER_TRAIT).where(
        PROVIDER_TRAIT.c.provider_id == _OF, PROVIDER_TRAIT.c.trait == _WHAT
    )
)
_DROP_AGGREGATE = Quick(
    delete(PROVIDER_AGGREGATE).where(
        PROVIDER_AGGREGATE.c.provider_id == _OF, PROVIDER_AGGREGATE.c.aggregate_id == _WHAT
    )
)


def read_all(connection: Connection) -> tuple[ProviderUse, ...]:
    """Return all providers, in the order of `PlacementReader.uses`."""
    return _read(connection, _ALL, ({},))


def read_some(connection: Connection, ids: Iterable[ProviderId]) -> tuple[ProviderUse, ...]:
    """Return those of these providers that are there, in the order of `PlacementReader.uses`."""
    return _read(connection, _SOME, ({"ids": some} for some in chunks(ids)))


def read_generations(connection: Connection, ids: Iterable[ProviderId]) -> dict[ProviderId, int]:
    """Return the generations of those of these providers that are there."""
    found: dict[ProviderId, int] = {}
    for some in chunks(ids):
        rows = connection.execute(_GENERATIONS, {"ids": some})
        found.update((ProviderId(of), generation) for of, generation in rows)
    return found


def read_one(connection: Connection, provider: ProviderId) -> ProviderUse | None:
    """Return a provider, by one statement; None if it is not there."""
    inventories: dict[ResourceClass, Inventory] = {}
    used: dict[ResourceClass, int] = {}
    traits: list[Trait] = []
    aggregates: list[AggregateId] = []
    found: tuple[str, str | None, str, int, float] | None = None
    for row in _ONE.rows(connection, {"of": provider}):
        kind, text, parent, root, number = row[:5]
        if kind == _INVENTORY:
            name = ResourceClass(text)
            inventories[name] = Inventory(*row[5:11])
            if number:
                used[name] = number
        elif kind == _TRAIT:
            traits.append(Trait(text))
        elif kind == _AGGREGATE:
            aggregates.append(AggregateId(text))
        else:
            found = text, parent, root, number, row[10]
    if found is None:
        return None
    name_, parent, root, generation, updated_s = found
    return ProviderUse(
        Provider(
            provider,
            name_,
            None if parent is None else ProviderId(parent),
            FrozenMap(inventories),
            frozenset(traits),
            frozenset(aggregates),
            generation,
        ),
        ProviderId(root),
        FrozenMap(used),
        Seconds(updated_s),
    )


def read_tree(connection: Connection, member: ProviderId) -> tuple[ProviderUse, ...]:
    """Return the tree that `member` is in, by depth and name; empty if there is none."""
    return _read(connection, _TREE, ({"member": member},))


def _read(
    connection: Connection, queries: _Queries, portions: Iterable[dict[str, object]]
) -> tuple[ProviderUse, ...]:
    found: list[tuple[str, int, str, ProviderUse]] = []
    for portion in portions:
        inventories: defaultdict[str, dict[ResourceClass, Inventory]] = defaultdict(dict)
        used: defaultdict[str, dict[ResourceClass, int]] = defaultdict(dict)
        for part in connection.execute(queries.inventories, portion):
            of, name, total, reserved, min_unit, max_unit, step_size, ratio, amount = part
            inventories[of][ResourceClass(name)] = Inventory(
                total, reserved, min_unit, max_unit, step_size, ratio
            )
            if amount:
                used[of][ResourceClass(name)] = amount
        traits: defaultdict[str, list[Trait]] = defaultdict(list)
        for of, trait in connection.execute(queries.traits, portion):
            traits[of].append(Trait(trait))
        aggregates: defaultdict[str, list[AggregateId]] = defaultdict(list)
        for of, aggregate in connection.execute(queries.aggregates, portion):
            aggregates[of].append(AggregateId(aggregate))
        for row in connection.execute(queries.providers, portion):
            of, name, parent, root, depth, generation, updated_s = row
            provider = Provider(
                id=ProviderId(of),
                name=name,
                parent=None if parent is None else ProviderId(parent),
                inventories=FrozenMap(inventories.get(of, {})),
                traits=frozenset(traits.get(of, ())),
                aggregates=frozenset(aggregates.get(of, ())),
                generation=generation,
            )
            use = ProviderUse(
                provider, ProviderId(root), FrozenMap(used.get(of, {})), Seconds(updated_s)
            )
            found.append((root, depth, name, use))
    found.sort(key=lambda row: row[:3])
    return tuple(use for *_, use in found)


def write_parts(
    connection: Connection, changes: Iterable[tuple[Provider | None, Provider]]
) -> None:
    """Write where inventories, traits and aggregates differ, as (before, after).

    Raises:
        Raced: an inventory that goes has come into use.
    """
    new_inventories: list[dict[str, object]] = []
    set_inventories: list[dict[str, object]] = []
    gone_inventories: list[dict[str, object]] = []
    new_traits: list[dict[str, object]] = []
    gone_traits: list[dict[str, object]] = []
    new_aggregates: list[dict[str, object]] = []
    gone_aggregates: list[dict[str, object]] = []
    for before, after in changes:
        of = after.id
        old = FrozenMap[ResourceClass, Inventory]() if before is None else before.inventories
        for name, inventory in after.inventories.items():
            if name not in old:
                new_inventories.append(
                    {"provider_id": of, "resource_class": name, "used": 0, **_columns(inventory)}
                )
            elif old[name] != inventory:
                values = {f"new_{column}": n for column, n in _columns(inventory).items()}
                set_inventories.append({"of": of, "what": name, **values})
        gone_inventories += ({"of": of, "what": n} for n in old if n not in after.inventories)
        traits = frozenset[Trait]() if before is None else before.traits
        new_traits += ({"provider_id": of, "trait": t} for t in after.traits - traits)
        gone_traits += ({"of": of, "what": t} for t in traits - after.traits)
        groups = frozenset[AggregateId]() if before is None else before.aggregates
        new_aggregates += (
            {"provider_id": of, "aggregate_id": a} for a in after.aggregates - groups
        )
        gone_aggregates += ({"of": of, "what": a} for a in groups - after.aggregates)
    dropped, *_ = run_together(
        connection,
        (_DROP_INVENTORY, gone_inventories),
        (_SET_INVENTORY, set_inventories),
        (_NEW_INVENTORY, new_inventories),
        (_DROP_TRAIT, gone_traits),
        (_NEW_TRAIT, new_traits),
        (_DROP_AGGREGATE, gone_aggregates),
        (_NEW_AGGREGATE, new_aggregates),
    )
    if dropped != len(gone_inventories):
        raise Raced("an inventory that was to go has come into use")


def _columns(inventory: Inventory) -> dict[str, object]:
    return {
        "total": inventory.total,
        "reserved": inventory.reserved,
        "min_unit": inventory.min_unit,
        "max_unit": inventory.max_unit,
        "step_size": inventory.step_size,
        "allocation_ratio": inventory.allocation_ratio,
        "capacity": min(inventory.capacity, _MAX_CAPACITY),
    }
