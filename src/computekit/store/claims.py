"""Claims: judged by the rules of placement, then written.

All in one order: the consumers, their (provider, class) ascending, the providers, the counters by
(scope, name).
"""

from collections.abc import Iterable, Mapping, Sequence

import attrs
from sqlalchemy import Connection

from computekit.ids import ConsumerId, ProviderId
from computekit.model import Allocation, Inventory, ResourceClass
from computekit.placement import COUNTERS_CHANGED, PROVIDER_CHANGED, Claim
from computekit.placement.judging import (
    check_generations,
    difference,
    judge_amounts,
    judge_counters,
    named,
)
from computekit.store.claim_rows import ClaimRows, drop_consumers, write_rows
from computekit.store.claim_view import Amounts, Before, Counts, look, total
from computekit.store.counters import write_counters
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["plan_claims", "release", "write_claims"]


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
    before = {who: row.amounts for who, row in plan.before.items()}
    after = {a.consumer.id: _amounts(a) for a in granted}
    raised = named(plan.claims, lambda who: {p for p, _ in before.get(who, ())})
    rows = _rows(before, after)
    rows.raised = [of for of in sorted(raised) if tx.first(("claimed", of))]
    rows.now_s = now_s
    for allocation in granted:
        consumer = allocation.consumer
        if not consumer.generation:
            rows.gone += [consumer.id] if consumer.id in before else []
        elif consumer.id in before:
            rows.known.append(consumer)
        else:
            rows.new.append(consumer)
    write_rows(connection, rows)
    counted = write_counters(
        connection,
        {who: row.counts for who, row in plan.before.items()},
        {claim.allocation.consumer.id: _counts(claim) for claim in plan.claims},
        {(c.scope, c.name): c.bound for claim in plan.claims for c in claim.counters},
        plan.counters,
    )
    _tell_counts(tx, counted)
    drop_consumers(connection, rows)
    _tell(tx, before, after)
    return tuple(granted)


def release(connection: Connection, tx: Tx, consumer: ConsumerId) -> None:
    """Do what `PlacementWriter.release` says."""
    found = look(connection, (consumer,)).before.get(consumer)
    if found is not None:
        rows = _rows({consumer: found.amounts}, {})
        rows.gone.append(consumer)
        write_rows(connection, rows)
        _tell_counts(tx, write_counters(connection, {consumer: found.counts}, {}, {}, {}))
        drop_consumers(connection, rows)
        _tell(tx, {consumer: found.amounts}, {})


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


def _rows(before: Mapping[ConsumerId, Amounts], after: Mapping[ConsumerId, Amounts]) -> ClaimRows:
    """Return what makes consumers hold one thing instead of another."""
    rows = ClaimRows()
    rows.moves = sorted(difference(total(before), total(after)).items())
    for who in dict.fromkeys((*before, *after)):
        old, new = before.get(who, {}), after.get(who, {})
        if old != new:
            rows.emptied += [who] if old else []
            rows.held += [(who, key, amount) for key, amount in new.items()]
    return rows


def _tell_counts(tx: Tx, consumers: Iterable[ConsumerId]) -> None:
    for consumer in consumers:
        tx.changed(COUNTERS_CHANGED, consumer)


def _tell(
    tx: Tx, before: Mapping[ConsumerId, Amounts], after: Mapping[ConsumerId, Amounts]
) -> None:
    touched = {of for amounts in (*before.values(), *after.values()) for of, _ in amounts}
    for provider in sorted(touched):
        tx.changed(PROVIDER_CHANGED, provider)
