"""All that a claim looks at, read by one statement."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import TypeVar

import attrs
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
    union_all,
)

from computekit.ids import ConsumerId, ProviderId
from computekit.model import Inventory, ResourceClass
from computekit.placement.judging import Key
from computekit.store.chunks import chunks
from computekit.store.quick import QuickSelect
from computekit.store.tables import ALLOCATION, CONSUMER, COUNTER, COUNTER_HOLD, INVENTORY

__all__ = ["Amounts", "Before", "ClaimView", "Counts", "look", "total"]

K = TypeVar("K")

Amounts = dict[Key, int]
Counts = dict[tuple[str, str], int]

_Columns = Select[int, str, str, str, int, int, int, int, int, int, float]

_CONSUMER, _HELD, _COUNTED, _STOCK, _COUNTER = range(5)
_MOST_COUNTERS = 250
"""A condition each, joined by OR: SQLite takes no expression that is deeper than 1000."""
_NO_TEXT = literal_column("''", String)
_NO_AMOUNT = literal_column("0", BigInteger)
_NO_RATIO = literal_column("0.0", Double)


@attrs.frozen
class Before:
    """What a consumer is and holds before it claims.

    Attributes:
        type: None if it is unknown.
        generation: as stored.
        amounts: what it holds.
        counts: the counters that it holds.
    """

    type: str | None
    generation: int
    amounts: Amounts
    counts: Counts


@attrs.frozen
class ClaimView:
    """What claims are judged by.

    Attributes:
        before: of the consumers that are known.
        stock: each inventory of the providers, and what all consumers hold of it.
        counters: what all consumers hold of them; unused ones are left out.
    """

    before: dict[ConsumerId, Before] = attrs.field(factory=dict)
    stock: dict[Key, tuple[Inventory, int]] = attrs.field(factory=dict)
    counters: Counts = attrs.field(factory=dict)


def look(
    connection: Connection,
    consumers: Iterable[ConsumerId],
    providers: Iterable[ProviderId] = (),
    counters: Iterable[tuple[str, str]] = (),
) -> ClaimView:
    """Read what these consumers are and hold, and what there is."""
    view = ClaimView()
    # Nearly always one portion of each, and so one statement.
    portions = zip_longest(chunks(consumers), chunks(providers), chunks(counters, _MOST_COUNTERS))
    for who, of, keys in portions:
        _look(connection, view, who or (), of or (), keys or ())
    return view


def total(held: Mapping[ConsumerId, Mapping[K, int]]) -> dict[K, int]:
    """Return what several consumers hold together."""
    sums: dict[K, int] = {}
    for amounts in held.values():
        for key, amount in amounts.items():
            sums[key] = sums.get(key, 0) + amount
    return sums


def _look(
    connection: Connection,
    view: ClaimView,
    consumers: Sequence[ConsumerId],
    providers: Sequence[ProviderId],
    counters: Sequence[tuple[str, str]],
) -> None:
    values: dict[str, object] = {f"c{n}": who for n, who in enumerate(consumers)}
    values.update((f"p{n}", of) for n, of in enumerate(providers))
    values.update((f"s{n}", scope) for n, (scope, _) in enumerate(counters))
    values.update((f"n{n}", name) for n, (_, name) in enumerate(counters))
    statement = _statement(len(consumers), len(providers), len(counters))
    held: list[tuple[int, str, str, str, int]] = []
    for row in statement.rows(connection, values):
        kind, first, second, third, number = row[:5]
        if kind == _STOCK:
            key = ProviderId(first), ResourceClass(second)
            view.stock[key] = Inventory(*row[5:11]), number
        elif kind == _CONSUMER:
            view.before[ConsumerId(first)] = Before(second or None, number, {}, {})
        elif kind == _COUNTER:
            view.counters[first, second] = number
        else:
            held.append((kind, first, second, third, number))
    for kind, who, second, third, number in held:
        before = view.before[ConsumerId(who)]
        if kind == _HELD:
            before.amounts[ProviderId(second), ResourceClass(third)] = number
        else:
            before.counts[second, third] = number


@lru_cache(maxsize=256)
def _statement(
    consumers: int, providers: int, counters: int
) -> QuickSelect[int, str, str, str, int, int, int, int, int, int, float]:
    parts: list[_Columns] = []
    if consumers:
        who = _parameters("c", consumers)
        parts += (
            _part(_CONSUMER, CONSUMER.c.id, CONSUMER.c.type, _NO_TEXT, CONSUMER.c.generation).where(
                CONSUMER.c.id.in_(who)
            ),
            _part(
                _HELD,
                ALLOCATION.c.consumer_id,
                ALLOCATION.c.provider_id,
                ALLOCATION.c.resource_class,
                ALLOCATION.c.amount,
            ).where(ALLOCATION.c.consumer_id.in_(who)),
            _part(
                _COUNTED,
                COUNTER_HOLD.c.consumer_id,
                COUNTER_HOLD.c.scope,
                COUNTER_HOLD.c.name,
                COUNTER_HOLD.c.amount,
            ).where(COUNTER_HOLD.c.consumer_id.in_(who)),
        )
    if providers:
        parts.append(
            select(
                _kind(_STOCK),
                INVENTORY.c.provider_id,
                INVENTORY.c.resource_class,
                _NO_TEXT,
                INVENTORY.c.used,
                INVENTORY.c.total,
                INVENTORY.c.reserved,
                INVENTORY.c.min_unit,
                INVENTORY.c.max_unit,
                INVENTORY.c.step_size,
                INVENTORY.c.allocation_ratio,
            ).where(INVENTORY.c.provider_id.in_(_parameters("p", providers)))
        )
    if counters:
        these = [
            and_(COUNTER.c.scope == bindparam(f"s{n}"), COUNTER.c.name == bindparam(f"n{n}"))
            for n in range(counters)
        ]
        parts.append(
            _part(_COUNTER, COUNTER.c.scope, COUNTER.c.name, _NO_TEXT, COUNTER.c.used).where(
                or_(*these)
            )
        )
    return QuickSelect(parts[0] if len(parts) == 1 else union_all(*parts))


def _kind(kind: int) -> ColumnElement[int]:
    return literal_column(str(kind), Integer)


def _part(
    kind: int,
    first: ColumnElement[str],
    second: ColumnElement[str],
    third: ColumnElement[str],
    number: ColumnElement[int],
) -> _Columns:
    nothing = (_NO_AMOUNT, _NO_AMOUNT, _NO_AMOUNT, _NO_AMOUNT, _NO_AMOUNT)
    return select(_kind(kind), first, second, third, number, *nothing, _NO_RATIO)


def _parameters(letter: str, count: int) -> list[BindParameter[str]]:
    return [bindparam(f"{letter}{n}", type_=String) for n in range(count)]
