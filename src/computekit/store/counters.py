"""Counters as rows."""

from collections.abc import Mapping
from operator import attrgetter

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from computekit.ids import ConsumerId
from computekit.placement import CounterHold
from computekit.placement.judging import difference
from computekit.store.chunks import chunks
from computekit.store.claim_view import Counts, total
from computekit.store.quick import Quick
from computekit.store.sql_store import Raced
from computekit.store.tables import COUNTER, COUNTER_HOLD

__all__ = ["read_counted", "read_counter", "read_counters", "write_counters"]

_COUNTED = select(
    COUNTER_HOLD.c.consumer_id,
    COUNTER_HOLD.c.scope,
    COUNTER_HOLD.c.name,
    COUNTER_HOLD.c.amount,
)
_HOLD_COUNT = Quick(insert(COUNTER_HOLD))
_DROP_COUNTS = Quick(delete(COUNTER_HOLD).where(COUNTER_HOLD.c.consumer_id == bindparam("who")))
_THIS_COUNTER = (COUNTER.c.scope == bindparam("of"), COUNTER.c.name == bindparam("what"))
_COUNT = select(COUNTER.c.used).where(*_THIS_COUNTER)
_OF_SCOPE = select(COUNTER.c.name, COUNTER.c.used).where(COUNTER.c.scope == bindparam("of"))
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


def read_counter(connection: Connection, scope: str, name: str) -> int:
    """Return how much of a counter is used."""
    return connection.execute(_COUNT, {"of": scope, "what": name}).scalar_one_or_none() or 0


def read_counters(connection: Connection, scope: str, beginning: str) -> dict[str, int]:
    """Return how much is used of each counter of a scope whose name begins so, by name."""
    query = _OF_SCOPE
    if beginning:
        query = query.where(COUNTER.c.name.startswith(beginning, autoescape=True))
    found = connection.execute(query, {"of": scope})
    return dict(sorted((name, used) for name, used in found))


def read_counted(
    connection: Connection, consumers: frozenset[ConsumerId] | None, scope: str | None
) -> tuple[CounterHold, ...]:
    """Return who holds what of counters, by consumer, scope and name."""
    query = _COUNTED if scope is None else _COUNTED.where(COUNTER_HOLD.c.scope == scope)
    if consumers is None:
        found = connection.execute(query).all()
    else:
        these = COUNTER_HOLD.c.consumer_id.in_(bindparam("who", expanding=True))
        found = [
            row
            for some in chunks(consumers)
            for row in connection.execute(query.where(these), {"who": some})
        ]
    return tuple(
        sorted(
            (CounterHold(ConsumerId(who), of, name, amount) for who, of, name, amount in found),
            key=attrgetter("consumer", "scope", "name"),
        )
    )


def write_counters(
    connection: Connection,
    before: Mapping[ConsumerId, Counts],
    after: Mapping[ConsumerId, Counts],
    bounds: Counts,
    there: Counts,
) -> list[ConsumerId]:
    """Write what consumers hold of counters; return those that hold others than before.

    `there` are the counters asked for that are in use.
    """
    known = total(before)
    for key, more in sorted(difference(known, total(after)).items()):
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
    return other
