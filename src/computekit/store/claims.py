"""Claims as rows: judged by the rules of placement, written by conditional statements.

All in one order: the consumers, their (provider, class) ascending, the providers, the counters by
(scope, name). A condition that fails although the rules were content means that a row changed in
between, and the transaction runs again; with one writer at a time that does not happen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import attrs
from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, or_, select, update

from computekit.ids import ConsumerId, ProviderId
from computekit.model import Allocation, Inventory, ResourceClass
from computekit.placement import PROVIDER_CHANGED, Claim
from computekit.placement.judging import (
    Key,
    check_generations,
    difference,
    judge_amounts,
    judge_counters,
    named,
)
from computekit.store.chunks import chunks
from computekit.store.sql_store import Raced
from computekit.store.tables import (
    ALLOCATION,
    CONSUMER,
    COUNTER,
    COUNTER_HOLD,
    INVENTORY,
    PROVIDER,
)
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["plan_claims", "read_counter", "release", "write_claims"]

K = TypeVar("K")

_IDS: BindParameter[str] = bindparam("ids", expanding=True)

_KNOWN = select(CONSUMER.c.id, CONSUMER.c.generation, CONSUMER.c.type).where(
    CONSUMER.c.id.in_(_IDS)
)
_NEW_CONSUMER = insert(CONSUMER)
_SET_CONSUMER = update(CONSUMER).where(CONSUMER.c.id == bindparam("who"))
_DROP_CONSUMER = delete(CONSUMER).where(CONSUMER.c.id == bindparam("who"))

_HELD = select(
    ALLOCATION.c.consumer_id,
    ALLOCATION.c.provider_id,
    ALLOCATION.c.resource_class,
    ALLOCATION.c.amount,
).where(ALLOCATION.c.consumer_id.in_(_IDS))
_HOLD = insert(ALLOCATION)
_DROP_HELD = delete(ALLOCATION).where(ALLOCATION.c.consumer_id == bindparam("who"))

_INVENTORIES = select(
    INVENTORY.c.provider_id,
    INVENTORY.c.resource_class,
    INVENTORY.c.total,
    INVENTORY.c.reserved,
    INVENTORY.c.min_unit,
    INVENTORY.c.max_unit,
    INVENTORY.c.step_size,
    INVENTORY.c.allocation_ratio,
    INVENTORY.c.used,
).where(INVENTORY.c.provider_id.in_(_IDS))
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
    .values(generation=PROVIDER.c.generation + 1, updated_s=bindparam("now_s"))
)

_HELD_COUNTS = select(
    COUNTER_HOLD.c.consumer_id, COUNTER_HOLD.c.scope, COUNTER_HOLD.c.name, COUNTER_HOLD.c.amount
).where(COUNTER_HOLD.c.consumer_id.in_(_IDS))
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

Amounts = dict[Key, int]
Counts = dict[tuple[str, str], int]


@attrs.frozen
class _Before:
    """What a consumer is and holds before it claims."""

    type: str | None
    generation: int
    amounts: Amounts
    counts: Counts


@attrs.frozen
class ClaimPlan:
    """Claims that fit, and what their consumers that are known hold before."""

    claims: Sequence[Claim]
    before: Mapping[ConsumerId, _Before]


def plan_claims(
    connection: Connection,
    claims: Sequence[Claim],
    changed: Mapping[ProviderId, Mapping[ResourceClass, Inventory]] | None = None,
) -> ClaimPlan:
    """Judge claims as `PlacementWriter.claim` says; write nothing.

    Args:
        connection: of the transaction.
        claims: known to be sound.
        changed: inventories that providers will have when the claims are written.
    """
    before = _before(connection, [claim.allocation.consumer.id for claim in claims])
    check_generations(claims, {who: row.generation for who, row in before.items()})
    held: Amounts = {}
    held_counts: Counts = {}
    for row in before.values():
        for key, amount in row.amounts.items():
            held[key] = held.get(key, 0) + amount
        for counter, amount in row.counts.items():
            held_counts[counter] = held_counts.get(counter, 0) + amount
    stock = _stock(connection, {p for claim in claims for p in claim.allocation.resources})
    for provider, inventories in (changed or {}).items():
        for name, inventory in inventories.items():
            _, used = stock.get((provider, name), (inventory, 0))
            stock[provider, name] = inventory, used
    judge_amounts(claims, held, stock)
    counters = {(c.scope, c.name) for claim in claims for c in claim.counters}
    used_counts = {key: read_counter(connection, *key) for key in sorted(counters)}
    judge_counters(claims, held_counts, used_counts)
    return ClaimPlan(claims, before)


def write_claims(
    connection: Connection, tx: Tx, plan: ClaimPlan, now_s: Seconds
) -> tuple[Allocation, ...]:
    """Write claims that were judged in this transaction; return them as granted."""
    granted = [_granted(claim, plan.before, now_s) for claim in plan.claims]
    _write_consumers(connection, granted, plan.before)
    after = {
        claim.allocation.consumer.id: (_amounts(claim.allocation), _counts(claim))
        for claim in plan.claims
    }
    _book(
        connection,
        tx,
        {who: row.amounts for who, row in plan.before.items()},
        {who: amounts for who, (amounts, _) in after.items()},
    )
    raised = named(
        plan.claims,
        lambda who: {p for p, _ in plan.before[who].amounts} if who in plan.before else (),
    )
    rows: list[dict[str, object]] = [
        {"of": of, "now_s": now_s} for of in sorted(raised) if tx.first(("claimed", of))
    ]
    if rows:
        connection.execute(_RAISE, rows)
    _count(
        connection,
        {who: row.counts for who, row in plan.before.items()},
        {who: counts for who, (_, counts) in after.items()},
        {(c.scope, c.name): c.bound for claim in plan.claims for c in claim.counters},
    )
    _drop_consumers(
        connection,
        [a.consumer.id for a in granted if not a.consumer.generation and a.consumer.id in after],
    )
    return tuple(granted)


def release(connection: Connection, tx: Tx, consumer: ConsumerId) -> None:
    """Do what `PlacementWriter.release` says."""
    before = _before(connection, (consumer,))
    if before:
        _book(connection, tx, {consumer: before[consumer].amounts}, {})
        _count(connection, {consumer: before[consumer].counts}, {}, {})
        _drop_consumers(connection, (consumer,))


def read_counter(connection: Connection, scope: str, name: str) -> int:
    """Return how much of a counter is used."""
    return connection.execute(_COUNT, {"of": scope, "what": name}).scalar_one_or_none() or 0


def _before(connection: Connection, ids: Sequence[ConsumerId]) -> dict[ConsumerId, _Before]:
    found: dict[ConsumerId, _Before] = {}
    for some in chunks(ids):
        for who, generation, kind in connection.execute(_KNOWN, {"ids": some}):
            found[ConsumerId(who)] = _Before(kind or None, generation, {}, {})
    for known in chunks(found):
        for who, of, name, amount in connection.execute(_HELD, {"ids": known}):
            found[ConsumerId(who)].amounts[ProviderId(of), ResourceClass(name)] = amount
        for who, scope, counter, amount in connection.execute(_HELD_COUNTS, {"ids": known}):
            found[ConsumerId(who)].counts[scope, counter] = amount
    return found


def _stock(
    connection: Connection, providers: Iterable[ProviderId]
) -> dict[Key, tuple[Inventory, int]]:
    return {
        (ProviderId(row[0]), ResourceClass(row[1])): (Inventory(*row[2:8]), row[8])
        for some in chunks(providers)
        for row in connection.execute(_INVENTORIES, {"ids": some})
    }


def _granted(claim: Claim, before: Mapping[ConsumerId, _Before], now_s: Seconds) -> Allocation:
    consumer = claim.allocation.consumer
    known = before.get(consumer.id)
    kind = consumer.type
    if kind is None and known is not None:
        kind = known.type
    empty = not claim.allocation.resources and not claim.counters
    generation = 0 if empty else consumer.generation + 1
    after = attrs.evolve(consumer, type=kind, generation=generation, updated_s=now_s)
    return Allocation(after, claim.allocation.resources)


def _amounts(allocation: Allocation) -> Amounts:
    return {(p, c): n for p, amounts in allocation.resources.items() for c, n in amounts.items()}


def _counts(claim: Claim) -> Counts:
    return {(counter.scope, counter.name): counter.amount for counter in claim.counters}


def _write_consumers(
    connection: Connection,
    granted: Sequence[Allocation],
    before: Mapping[ConsumerId, _Before],
) -> None:
    new: list[dict[str, object]] = []
    known: list[dict[str, object]] = []
    for allocation in granted:
        consumer = allocation.consumer
        if consumer.generation:
            row: dict[str, object] = {
                "project_id": consumer.project,
                "user_id": consumer.user,
                "type": consumer.type or "",
                "generation": consumer.generation,
                "updated_s": consumer.updated_s,
            }
            if consumer.id in before:
                known.append({"who": consumer.id, **row})
            else:
                new.append({"id": consumer.id, **row})
    if new:
        connection.execute(_NEW_CONSUMER, new)
    if known:
        connection.execute(_SET_CONSUMER, known)


def _drop_consumers(connection: Connection, ids: Sequence[ConsumerId]) -> None:
    if ids:
        connection.execute(_DROP_CONSUMER, [{"who": who} for who in ids])


def _book(
    connection: Connection,
    tx: Tx,
    before: Mapping[ConsumerId, Amounts],
    after: Mapping[ConsumerId, Amounts],
) -> None:
    """Write what consumers hold instead of what they held."""
    moves = [
        {"of": of, "what": name, "more": more}
        for (of, name), more in sorted(difference(_sum(before), _sum(after)).items())
    ]
    if moves and connection.execute(_USE, moves).rowcount != len(moves):
        raise Raced("an inventory was taken in between")
    consumers = dict.fromkeys((*before, *after))
    other = [who for who in consumers if before.get(who, {}) != after.get(who, {})]
    if gone := [{"who": who} for who in other if before.get(who)]:
        connection.execute(_DROP_HELD, gone)
    if new := [
        {"consumer_id": who, "provider_id": of, "resource_class": name, "amount": amount}
        for who in other
        for (of, name), amount in after.get(who, {}).items()
    ]:
        connection.execute(_HOLD, new)
    touched = {of for amounts in (*before.values(), *after.values()) for of, _ in amounts}
    for provider in sorted(touched):
        tx.changed(PROVIDER_CHANGED, provider)


def _count(
    connection: Connection,
    before: Mapping[ConsumerId, Counts],
    after: Mapping[ConsumerId, Counts],
    bounds: Counts,
) -> None:
    for key, more in sorted(difference(_sum(before), _sum(after)).items()):
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
    consumers = dict.fromkeys((*before, *after))
    other = [who for who in consumers if before.get(who, {}) != after.get(who, {})]
    if gone := [{"who": who} for who in other if before.get(who)]:
        connection.execute(_DROP_COUNTS, gone)
    if new := [
        {"consumer_id": who, "scope": scope, "name": name, "amount": amount}
        for who in other
        for (scope, name), amount in after.get(who, {}).items()
    ]:
        connection.execute(_HOLD_COUNT, new)


def _sum(held: Mapping[ConsumerId, Mapping[K, int]]) -> dict[K, int]:
    sums: dict[K, int] = {}
    for amounts in held.values():
        for key, amount in amounts.items():
            sums[key] = sums.get(key, 0) + amount
    return sums
