"""Claims as rows: written by conditional statements.

A condition that fails although the rules were content means that a row changed in between, and
the transaction runs again; with one writer at a time that does not happen.
"""

import attrs
from sqlalchemy import Connection, bindparam, delete, insert, or_, update

from computekit.ids import ConsumerId, ProviderId
from computekit.model import Consumer
from computekit.placement.judging import Key
from computekit.store.quick import Quick, run_together
from computekit.store.sql_store import Raced
from computekit.store.tables import ALLOCATION, CONSUMER, INVENTORY, PROVIDER
from computekit.units import Seconds

__all__ = ["ClaimRows", "drop_consumers", "write_rows"]

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


@attrs.define
class ClaimRows:
    """What a claim writes.

    Attributes:
        new: consumers that come.
        known: consumers that change.
        gone: consumers that go, once nothing refers to them.
        moves: by how much the use of inventories rises, in their order.
        emptied: consumers that lose all that they hold, before they get what is in `held`.
        held: who gets how much of what.
        raised: providers that go up one generation.
        now_s: when that is, in seconds since the Unix epoch.
    """

    new: list[Consumer] = attrs.field(factory=list)
    known: list[Consumer] = attrs.field(factory=list)
    gone: list[ConsumerId] = attrs.field(factory=list)
    moves: list[tuple[Key, int]] = attrs.field(factory=list)
    emptied: list[ConsumerId] = attrs.field(factory=list)
    held: list[tuple[ConsumerId, Key, int]] = attrs.field(factory=list)
    raised: list[ProviderId] = attrs.field(factory=list)
    now_s: Seconds = Seconds(0.0)


def write_rows(connection: Connection, rows: ClaimRows) -> None:
    """Write all but `gone`.

    Raises:
        Raced: an inventory has less left than was read.
    """
    moves = [{"of": of, "what": name, "more": more} for (of, name), more in rows.moves]
    held = [
        {"consumer_id": who, "provider_id": of, "resource_class": name, "amount": amount}
        for who, (of, name), amount in rows.held
    ]
    _, _, moved, _, _, _ = run_together(
        connection,
        (_NEW_CONSUMER, [{"id": c.id, **_columns(c)} for c in rows.new]),
        (_SET_CONSUMER, [{"who": c.id, **_columns(c)} for c in rows.known]),
        (_USE, moves),
        (_DROP_HELD, [{"who": who} for who in rows.emptied]),
        (_HOLD, held),
        (_RAISE, [{"of": of, "now_s": rows.now_s} for of in rows.raised]),
    )
    if moved != len(moves):
        raise Raced("an inventory was taken in between")


def drop_consumers(connection: Connection, rows: ClaimRows) -> None:
    """Remove the consumers that go."""
    _DROP_CONSUMER.run(connection, *({"who": who} for who in rows.gone))


def _columns(consumer: Consumer) -> dict[str, object]:
    return {
        "project_id": consumer.project,
        "user_id": consumer.user,
        "type": consumer.type or "",
        "generation": consumer.generation,
        "updated_s": consumer.updated_s,
    }
