"""Claims as rows: judged by the rules of placement, written by conditional statements.

All in one order: the consumer, its (provider, class) ascending, the providers, the counters by
(scope, name). A condition that fails although the rules were content means that a row changed in
between, and the transaction runs again; with one writer at a time that does not happen.
"""

from collections.abc import Mapping
from typing import TypeVar

import attrs
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from computekit.errors import GenerationConflict
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import Allocation, Consumer, FrozenMap, Inventory, ResourceClass
from computekit.placement import PROVIDER_CHANGED, CounterClaim
from computekit.placement.rules import check_amount, check_counter
from computekit.store.sql_store import Raced
from computekit.store.tables import (
    ALLOCATION,
    CONSUMER,
    COUNTER,
    COUNTER_HOLD,
    INVENTORY,
    PROVIDER,
)
from computekit.work import Tx

__all__ = ["claim", "read_allocation", "read_allocations", "read_counter", "release"]

K = TypeVar("K")

Amounts = dict[tuple[ProviderId, ResourceClass], int]
Counts = dict[tuple[str, str], int]

_GENERATION = select(CONSUMER.c.generation).where(CONSUMER.c.id == bindparam("who"))
_NEW_CONSUMER = insert(CONSUMER)
_SET_CONSUMER = update(CONSUMER).where(CONSUMER.c.id == bindparam("who"))
_DROP_CONSUMER = delete(CONSUMER).where(CONSUMER.c.id == bindparam("who"))

_HELD = select(ALLOCATION.c.provider_id, ALLOCATION.c.resource_class, ALLOCATION.c.amount).where(
    ALLOCATION.c.consumer_id == bindparam("who")
)
_HOLD = insert(ALLOCATION)
_DROP_HELD = delete(ALLOCATION).where(ALLOCATION.c.consumer_id == bindparam("who"))

_INVENTORIES = (
    select(
        INVENTORY.c.resource_class,
        INVENTORY.c.total,
        INVENTORY.c.reserved,
        INVENTORY.c.min_unit,
        INVENTORY.c.max_unit,
        INVENTORY.c.step_size,
        INVENTORY.c.allocation_ratio,
        INVENTORY.c.used,
    )
    .where(INVENTORY.c.provider_id == bindparam("of"))
    .order_by(INVENTORY.c.resource_class)
)
_USE = (
    update(INVENTORY)
    .where(
        INVENTORY.c.provider_id == bindparam("of"),
        INVENTORY.c.resource_class == bindparam("what"),
        or_(
            bindparam("more", type_=INVENTORY.c.used.type) <= 0,
            INVENTORY.c.used + bindparam("more") <= INVENTORY.c.capacity,
        ),
    )
    .values(used=INVENTORY.c.used + bindparam("more"))
)
_RAISE = (
    update(PROVIDER)
    .where(PROVIDER.c.id == bindparam("of"))
    .values(generation=PROVIDER.c.generation + 1)
)

_HELD_COUNTS = select(COUNTER_HOLD.c.scope, COUNTER_HOLD.c.name, COUNTER_HOLD.c.amount).where(
    COUNTER_HOLD.c.consumer_id == bindparam("who")
)
_HOLD_COUNT = insert(COUNTER_HOLD)
_DROP_COUNTS = delete(COUNTER_HOLD).where(COUNTER_HOLD.c.consumer_id == bindparam("who"))
_THIS_COUNTER = (COUNTER.c.scope == bindparam("of"), COUNTER.c.name == bindparam("what"))
_COUNT = select(COUNTER.c.used).where(*_THIS_COUNTER)
_NEW_COUNTER = insert(COUNTER)
_DROP_COUNTER = delete(COUNTER).where(*_THIS_COUNTER)
_SET_COUNTER = (
    update(COUNTER)
    .where(
        *_THIS_COUNTER,
        or_(
            bindparam("more", type_=COUNTER.c.used.type) <= 0,
            COUNTER.c.used + bindparam("more") <= bindparam("bound", type_=COUNTER.c.used.type),
        ),
    )
    .values(used=COUNTER.c.used + bindparam("more"))
)

_CONSUMERS = select(
    CONSUMER.c.id,
    CONSUMER.c.project_id,
    CONSUMER.c.user_id,
    CONSUMER.c.type,
    CONSUMER.c.generation,
)
_CONSUMER = _CONSUMERS.where(CONSUMER.c.id == bindparam("who"))
_HOLDERS = select(ALLOCATION.c.consumer_id).where(ALLOCATION.c.provider_id == bindparam("of"))
_CONSUMERS_OF = _CONSUMERS.where(CONSUMER.c.id.in_(_HOLDERS)).order_by(CONSUMER.c.id)
_HELD_OF = select(
    ALLOCATION.c.consumer_id,
    ALLOCATION.c.provider_id,
    ALLOCATION.c.resource_class,
    ALLOCATION.c.amount,
).where(ALLOCATION.c.consumer_id.in_(_HOLDERS))


def read_allocation(connection: Connection, consumer: ConsumerId) -> Allocation | None:
    """Return what a consumer holds, or None if it is unknown."""
    row = connection.execute(_CONSUMER, {"who": consumer}).one_or_none()
    if row is None:
        return None
    return _allocation(_consumer(*row), _held(connection, consumer))


def read_allocations(connection: Connection, provider: ProviderId) -> tuple[Allocation, ...]:
    """Return all allocations that hold something of `provider`, by consumer id."""
    held: dict[str, Amounts] = {}
    for who, of, name, amount in connection.execute(_HELD_OF, {"of": provider}):
        held.setdefault(who, {})[ProviderId(of), ResourceClass(name)] = amount
    rows = connection.execute(_CONSUMERS_OF, {"of": provider})
    return tuple(_allocation(_consumer(*row), held[row[0]]) for row in rows)


def read_counter(connection: Connection, scope: str, name: str) -> int:
    """Return how much of a counter is used."""
    return connection.execute(_COUNT, {"of": scope, "what": name}).scalar_one_or_none() or 0


def claim(
    connection: Connection, tx: Tx, allocation: Allocation, counters: tuple[CounterClaim, ...]
) -> Allocation:
    """Do what `PlacementWriter.claim` says; the arguments are known to be sound."""
    consumer = allocation.consumer
    stored = connection.execute(_GENERATION, {"who": consumer.id}).scalar_one_or_none()
    if consumer.generation != (stored or 0):
        raise GenerationConflict("consumer", consumer.id, consumer.generation, stored or 0)
    held = _held(connection, consumer.id) if stored else {}
    held_counts = _held_counts(connection, consumer.id) if stored else {}
    wanted = {(p, c): n for p, amounts in allocation.resources.items() for c, n in amounts.items()}
    wanted_counts = {(c.scope, c.name): c.amount for c in counters}
    _check_amounts(connection, held, wanted)
    _check_counters(connection, held_counts, counters)

    empty = not wanted and not wanted_counts
    after = attrs.evolve(consumer, generation=0 if empty else consumer.generation + 1)
    if not empty:
        _write_consumer(connection, after, known=stored is not None)
    _book(connection, tx, consumer.id, held, wanted)
    _raise_generations(connection, tx, held if empty else wanted)
    _count(
        connection,
        consumer.id,
        held_counts,
        wanted_counts,
        {(c.scope, c.name): c.bound for c in counters},
    )
    if empty and stored is not None:
        connection.execute(_DROP_CONSUMER, {"who": consumer.id})
    return Allocation(after, allocation.resources)


def release(connection: Connection, tx: Tx, consumer: ConsumerId) -> None:
    """Do what `PlacementWriter.release` says."""
    if connection.execute(_GENERATION, {"who": consumer}).scalar_one_or_none() is None:
        return
    _book(connection, tx, consumer, _held(connection, consumer), {})
    _count(connection, consumer, _held_counts(connection, consumer), {}, {})
    connection.execute(_DROP_CONSUMER, {"who": consumer})


def _held(connection: Connection, consumer: ConsumerId) -> Amounts:
    rows = connection.execute(_HELD, {"who": consumer})
    return {(ProviderId(of), ResourceClass(name)): amount for of, name, amount in rows}


def _held_counts(connection: Connection, consumer: ConsumerId) -> Counts:
    rows = connection.execute(_HELD_COUNTS, {"who": consumer})
    return {(scope, name): amount for scope, name, amount in rows}


def _check_amounts(connection: Connection, held: Amounts, wanted: Amounts) -> None:
    known: dict[ProviderId, dict[str, tuple[Inventory, int]]] = {}
    for (provider, name), asked in sorted(wanted.items()):
        if provider not in known:
            known[provider] = {
                row[0]: (Inventory(row[1], row[2], row[3], row[4], row[5], row[6]), row[7])
                for row in connection.execute(_INVENTORIES, {"of": provider})
            }
        inventory, used = known[provider].get(name, (None, 0))
        check_amount(
            provider, name, inventory, asked=asked, held=held.get((provider, name), 0), used=used
        )


def _check_counters(connection: Connection, held: Counts, wanted: tuple[CounterClaim, ...]) -> None:
    for counter in sorted(wanted, key=lambda c: (c.scope, c.name)):
        here = {"of": counter.scope, "what": counter.name}
        used = connection.execute(_COUNT, here).scalar_one_or_none() or 0
        check_counter(counter, held=held.get((counter.scope, counter.name), 0), used=used)


def _write_consumer(connection: Connection, consumer: Consumer, *, known: bool) -> None:
    row: dict[str, object] = {
        "project_id": consumer.project,
        "user_id": consumer.user,
        "type": consumer.type,
        "generation": consumer.generation,
    }
    if known:
        connection.execute(_SET_CONSUMER, {"who": consumer.id, **row})
    else:
        connection.execute(_NEW_CONSUMER, {"id": consumer.id, **row})


def _book(
    connection: Connection, tx: Tx, consumer: ConsumerId, before: Amounts, after: Amounts
) -> None:
    moves = [
        {"of": of, "what": name, "more": more}
        for (of, name), more in sorted(_difference(before, after).items())
    ]
    if moves and connection.execute(_USE, moves).rowcount != len(moves):
        raise Raced("an inventory was taken in between")
    if before != after:
        if before:
            connection.execute(_DROP_HELD, {"who": consumer})
        if after:
            connection.execute(
                _HOLD,
                [
                    {"consumer_id": consumer, "provider_id": of, "resource_class": n, "amount": a}
                    for (of, n), a in after.items()
                ],
            )
    for provider in sorted({of for of, _ in (*before, *after)}):
        tx.changed(PROVIDER_CHANGED, provider)


def _raise_generations(
    connection: Connection, tx: Tx, named: Mapping[tuple[ProviderId, ResourceClass], int]
) -> None:
    rows = [{"of": of} for of in sorted({of for of, _ in named}) if tx.first(("claimed", of))]
    if rows:
        connection.execute(_RAISE, rows)


def _count(
    connection: Connection,
    consumer: ConsumerId,
    before: Counts,
    after: Counts,
    bounds: Counts,
) -> None:
    for key, more in sorted(_difference(before, after).items()):
        scope, name = key
        here: dict[str, object] = {"of": scope, "what": name}
        used = connection.execute(_COUNT, here).scalar_one_or_none()
        if used is None:
            connection.execute(_NEW_COUNTER, {"scope": scope, "name": name, "used": more})
        elif used + more == 0:
            connection.execute(_DROP_COUNTER, here)
        else:
            here |= {"more": more, "bound": bounds.get(key, 0)}
            if connection.execute(_SET_COUNTER, here).rowcount != 1:
                raise Raced("a counter was taken in between")
    if before != after:
        if before:
            connection.execute(_DROP_COUNTS, {"who": consumer})
        if after:
            connection.execute(
                _HOLD_COUNT,
                [
                    {"consumer_id": consumer, "scope": s, "name": n, "amount": amount}
                    for (s, n), amount in after.items()
                ],
            )


def _difference(before: Mapping[K, int], after: Mapping[K, int]) -> dict[K, int]:
    sums = {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}
    return {key: more for key, more in sums.items() if more}


def _consumer(who: str, project: str, user: str, kind: str, generation: int) -> Consumer:
    return Consumer(ConsumerId(who), ProjectId(project), UserId(user), kind, generation)


def _allocation(consumer: Consumer, held: Amounts) -> Allocation:
    resources: dict[ProviderId, dict[ResourceClass, int]] = {}
    for (provider, name), amount in held.items():
        resources.setdefault(provider, {})[name] = amount
    return Allocation(
        consumer, FrozenMap({p: FrozenMap(amounts) for p, amounts in resources.items()})
    )
