"""Custom resource classes and traits as rows."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from computekit.errors import AlreadyExists, InUse, NotFound
from computekit.model import ResourceClass, Trait
from computekit.placement import CLASS_CHANGED, PROVIDER_CHANGED, TRAIT_CHANGED, rules
from computekit.placement.names import standard_classes, standard_traits
from computekit.store.chunks import chunks
from computekit.store.quick import QuickSelect
from computekit.store.tables import (
    ALLOCATION,
    INVENTORY,
    PROVIDER_TRAIT,
    RESOURCE_CLASS,
    TRAIT,
)
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["CLASSES", "TRAITS", "associated_traits", "learn", "rename_class"]

N = TypeVar("N", bound=str)


class _Names(Generic[N]):
    """Custom names of one kind, in the order they came."""

    def __init__(self, kind: str, change: str, *, traits: bool) -> None:
        self._kind = kind
        self._change = change
        table = TRAIT if traits else RESOURCE_CLASS
        there = table.c.name == bindparam("which")
        self._all = select(table.c.name, table.c.since_s).order_by(table.c.number)
        self._one = QuickSelect(select(table.c.name, table.c.since_s).where(there))
        self._some = select(table.c.name).where(
            table.c.name.in_(bindparam("names", expanding=True))
        )
        self._new = insert(table)
        self._set = update(table).where(there)
        self._drop = delete(table).where(there)
        self._last = select(func.coalesce(func.max(table.c.number), 0))
        used = PROVIDER_TRAIT.c if traits else INVENTORY.c
        column = PROVIDER_TRAIT.c.trait if traits else INVENTORY.c.resource_class
        self._user = (
            select(used.provider_id)
            .where(column == bindparam("which"))
            .order_by(used.provider_id)
            .limit(1)
        )

    def custom(self, connection: Connection) -> list[tuple[str, Seconds]]:
        """Return the names, and since when they are known."""
        return [(name, Seconds(since_s)) for name, since_s in connection.execute(self._all)]

    def since(self, connection: Connection, name: N) -> Seconds | None:
        """Return since when a custom name is known; None if it is not."""
        for _, since_s in self._one.rows(connection, {"which": name}):
            return Seconds(since_s)
        return None

    def add(self, connection: Connection, tx: Tx, names: Iterable[str], now_s: Seconds) -> bool:
        """Make custom names known; return whether one is new."""
        wanted = sorted(names)
        known = self._known(connection, wanted)
        new = [name for name in wanted if name not in known]
        if new:
            last = connection.execute(self._last).scalar_one()
            connection.execute(
                self._new,
                [
                    {"name": name, "number": number, "since_s": now_s}
                    for number, name in enumerate(new, start=last + 1)
                ],
            )
        for name in new:
            tx.changed(self._change, name)
        return bool(new)

    def rename(self, connection: Connection, tx: Tx, old: N, new: N, now_s: Seconds) -> None:
        self.check_there(connection, old)
        rules.check_custom_name(new)
        if self.since(connection, new) is not None:
            raise AlreadyExists(self._kind, new)
        connection.execute(self._set, {"which": old, "name": new, "since_s": now_s})
        tx.changed(self._change, old)
        tx.changed(self._change, new)

    def remove(self, connection: Connection, tx: Tx, name: N) -> None:
        self.check_there(connection, name)
        user = connection.execute(self._user, {"which": name}).scalar_one_or_none()
        if user is not None:
            raise InUse(self._kind, name, f"provider {user}")
        connection.execute(self._drop, {"which": name})
        tx.changed(self._change, name)

    def check_there(self, connection: Connection, name: N) -> None:
        """Raise `NotFound` unless it is a custom name that is known."""
        rules.check_custom_name(name)
        if self.since(connection, name) is None:
            raise NotFound(self._kind, name)

    def _known(self, connection: Connection, names: Sequence[str]) -> set[str]:
        if len(names) == 1:
            return {name for name, _ in self._one.rows(connection, {"which": names[0]})}
        known: set[str] = set()
        for some in chunks(names):
            known.update(connection.execute(self._some, {"names": some}).scalars())
        return known


CLASSES: _Names[ResourceClass] = _Names("resource class", CLASS_CHANGED, traits=False)
TRAITS: _Names[Trait] = _Names("trait", TRAIT_CHANGED, traits=True)

_ASSOCIATED = select(PROVIDER_TRAIT.c.trait).distinct()
_OFFERING = select(INVENTORY.c.provider_id).where(INVENTORY.c.resource_class == bindparam("old"))
_COPY = insert(INVENTORY).from_select(
    [column.name for column in INVENTORY.c],
    select(
        *(
            bindparam("new").label("resource_class")
            if column is INVENTORY.c.resource_class
            else column
            for column in INVENTORY.c
        )
    ).where(INVENTORY.c.resource_class == bindparam("old")),
)
_HOLD = (
    update(ALLOCATION)
    .where(ALLOCATION.c.resource_class == bindparam("old"))
    .values(resource_class=bindparam("new"))
)
_FORGET = delete(INVENTORY).where(INVENTORY.c.resource_class == bindparam("old"))


def associated_traits(connection: Connection) -> frozenset[str]:
    """Return the traits that some provider has."""
    return frozenset(connection.execute(_ASSOCIATED).scalars())


def learn(
    connection: Connection,
    tx: Tx,
    classes: Iterable[ResourceClass],
    traits: Iterable[Trait],
    now_s: Seconds,
) -> None:
    """Make known what is custom of these."""
    if custom := {name for name in classes if name not in standard_classes()}:
        CLASSES.add(connection, tx, custom, now_s)
    if own := {name for name in traits if name not in standard_traits()}:
        TRAITS.add(connection, tx, own, now_s)


def rename_class(
    connection: Connection, tx: Tx, old: ResourceClass, new: ResourceClass, now_s: Seconds
) -> None:
    """Give a class another name, in inventories and allocations too."""
    CLASSES.rename(connection, tx, old, new, now_s)
    for provider in connection.execute(_OFFERING, {"old": old}).scalars():
        tx.changed(PROVIDER_CHANGED, provider)
    # An allocation refers to its inventory at every moment, so there are both for a while.
    both = {"old": old, "new": new}
    connection.execute(_COPY, both)
    connection.execute(_HOLD, both)
    connection.execute(_FORGET, {"old": old})
