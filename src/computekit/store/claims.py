"""Claims as rows: judged by the rules of placement, written by conditional statements.

All in one order: the consumers, their (provider, class) ascending, the providers, the counters by
(scope, name). A condition that fails although the rules were content means that a row changed in
between, and the transaction runs again; with one writer at a time that does not happen.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import attrs
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from computekit.ids import ConsumerId, ProviderId
from computekit.model import Allocation, Inventory, ResourceClass
from computekit.placement import PROVIDER_CHANGED, Claim
from computekit.placement.judging import (
    check_generations,
    difference,
    judge_amounts,
    judge_counters,
    named,
)
from computekit.store.claim_view import Amounts, Before, Counts, look
from computekit.store.quick import Quick
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

_CONSUMER_COLUMNS = ("project_id", "user_id", "type", "generation", "updated_s")

_NEW_CONSUMER = Quick(insert(CONSUMER))
_SET_CONSUMER = Quick(
    update(CONSUMER)
    .where(CONSUMER.c.id == bindparam("who"))
    .values({name: bindparam(name) for name in _CONSUMER_COLUMNS})
)
_DROP_CONSUMER = Quick(delete(CONSUMER).where(CONSUMER.c.id == bindparam("who")))

_HOLD = Quick(insert(ALLOCATION))
_DROP_HELD = Quick(delete(ALLOCATION).where(ALLOCATION.c.consumer_id == bindparam("who")))

_USE = Quick(
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
_RAISE = Quick(
    update(PROVIDER)
    .where(PROVIDER.c.id == bindparam("of"))
    .values(generation=PROVIDER.c.generation + 1, updated_s=bindparam("now_s"))
)

_HOLD_COUNT = Quick(insert(COUNTER_HOLD))
_DROP_COUNTS = Quick(delete(COUNTER_HOLD).where(COUNTER_HOLD.c.consumer_id == bindparam("who")))
_THIS_COUNTER = (COUNTER.c.scope == bindparam("of"), COUNTER.c.name == bindparam("what"))
_COUNT = select(COUNTER.c.used).where(*_THIS_COUNTER)
_NEW_COUNTER = Quick(insert(COUNTER))
_DROP_COUNTER = Quick(delete(COUNTER).where(*_THIS_COUNTER, COUNTER.c.used == 0))
_SET_COUNTER = Quick(
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


@attrs.frozen
class ClaimPlan:
    """Claims that fit, and how it was before them."""

    claims: Sequence[Claim]
    before: Mapping[ConsumerId, Before]
    counters: Counts


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
    view = look(
        connection,
        [claim.allocation.consumer.id for claim in claims],
        {p for claim in claims for p in claim.allocation.resources},
        {(c.scope, c.name) for claim in claims for c in claim.counters},
    )
    before, stock = view.before, view.stock
    check_generations(claims, {who: row.generation for who, row in before.items()})
    held: Amounts = {}
    held_counts: Counts = {}
    for row in before.values():
        for key, amount in row.amounts.items():
            held[key] = held.get(key, 0) + amount
        for counter, amount in row.counts.items():
            held_counts[counter] = held_counts.get(counter, 0) + amount
    for provider, inventories in (changed or {}).items():
        for name, inventory in inventories.items():
            _, used = stock.get((provider, name), (inventory, 0))
            stock[provider, name] = inventory, used
    judge_amounts(claims, held, stock)
    judge_counters(claims, held_counts, view.counters)
    return ClaimPlan(claims, before, view.counters)


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
    _RAISE.run(connection, *rows)
    _count(
        connection,
        {who: row.counts for who, row in plan.before.items()},
        {who: counts for who, (_, counts) in after.items()},
        {(c.scope, c.name): c.bound for claim in plan.claims for c in claim.counters},
        plan.counters,
    )
    _drop_consumers(
        connection,
        [a.consumer.id for a in granted if not a.consumer.generation and a.consumer.id in after],
    )
    return tuple(granted)


def release(connection: Connection, tx: Tx, consumer: ConsumerId) -> None:
    """Do what `PlacementWriter.release` says."""
    before = look(connection, (consumer,)).before
    if before:
        _book(connection, tx, {consumer: before[consumer].amounts}, {})
        _count(connection, {consumer: before[consumer].counts}, {}, {}, {})
        _drop_consumers(connection, (consumer,))


def read_counter(connection: Connection, scope: str, name: str) -> int:
    """Return how much of a counter is used."""
    return connection.execute(_COUNT, {"of": scope, "what": name}).scalar_one_or_none() or 0


def _granted(claim: Claim, before: Mapping[ConsumerId, Before], now_s: Seconds) -> Allocation:
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
    before: Mapping[ConsumerId, Before],
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
    _NEW_CONSUMER.run(connection, *new)
    _SET_CONSUMER.run(connection, *known)


def _drop_consumers(connection: Connection, ids: Sequence[ConsumerId]) -> None:
    _DROP_CONSUMER.run(connection, *({"who": who} for who in ids))


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
    if _USE.run(connection, *moves) != len(moves):
        raise Raced("an inventory was taken in between")
    consumers = dict.fromkeys((*before, *after))
    other = [who for who in consumers if before.get(who, {}) != after.get(who, {})]
    _DROP_HELD.run(connection, *({"who": who} for who in other if before.get(who)))
    _HOLD.run(
        connection,
        *(
            {"consumer_id": who, "provider_id": of, "resource_class": name, "amount": amount}
            for who in other
            for (of, name), amount in after.get(who, {}).items()
        ),
    )
    touched = {of for amounts in (*before.values(), *after.values()) for of, _ in amounts}
    for provider in sorted(touched):
        tx.changed(PROVIDER_CHANGED, provider)


def _count(
    connection: Connection,
    before: Mapping[ConsumerId, Counts],
    after: Mapping[ConsumerId, Counts],
    bounds: Counts,
    there: Counts,
) -> None:
    """Write what consumers hold of counters; `there` are those asked for that are in use."""
    known = _sum(before)
    for key, more in sorted(difference(known, _sum(after)).items()):
        scope, name = key
        here: dict[str, object] = {"of": scope, "what": name}
        if key not in there and key not in known:
            _NEW_COUNTER.run(connection, {"scope": scope, "name": name, "used": more})
            continue
        here |= {"more": more, "bound": bounds.get(key, 0)}
        if _SET_COUNTER.run(connection, here) != 1:
            raise Raced("a counter was taken in between")
        if more < 0:
            _DROP_COUNTER.run(connection, {"of": scope, "what": name})
    consumers = dict.fromkeys((*before, *after))
    other = [who for who in consumers if before.get(who, {}) != after.get(who, {})]
    _DROP_COUNTS.run(connection, *({"who": who} for who in other if before.get(who)))
    _HOLD_COUNT.run(
        connection,
        *(
            {"consumer_id": who, "scope": scope, "name": name, "amount": amount}
            for who in other
            for (scope, name), amount in after.get(who, {}).items()
        ),
    )


def _sum(held: Mapping[ConsumerId, Mapping[K, int]]) -> dict[K, int]:
    sums: dict[K, int] = {}
    for amounts in held.values():
        for key, amount in amounts.items():
            sums[key] = sums.get(key, 0) + amount
    return sums
