"""Flavors as rows."""

from sqlalchemy import bindparam, delete, insert, or_, select, update

from computekit.errors import AlreadyExists
from computekit.ids import FlavorId
from computekit.model import OfferedFlavor, decode, encode
from computekit.store.catalogue_tables import FLAVOR
from computekit.store.sql_store import SqlStore
from computekit.work import Tx

__all__ = ["SqlFlavors"]

_ALL = select(FLAVOR.c.offered).order_by(FLAVOR.c.id)
_ONE = select(FLAVOR.c.offered).where(FLAVOR.c.id == bindparam("flavor"))
_TAKEN = select(FLAVOR.c.id).where(
    or_(FLAVOR.c.id == bindparam("flavor"), FLAVOR.c.name == bindparam("named"))
)
_INSERT = insert(FLAVOR)
_UPDATE = update(FLAVOR).where(FLAVOR.c.id == bindparam("flavor"))
_DELETE = delete(FLAVOR).where(FLAVOR.c.id == bindparam("flavor"))


class SqlFlavors:
    """A `FlavorWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def flavor(self, flavor: FlavorId) -> OfferedFlavor | None:
        with self._store.reading(one_statement=True) as connection:
            text = connection.execute(_ONE, {"flavor": flavor}).scalar_one_or_none()
        return None if text is None else decode(text, OfferedFlavor)

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        with self._store.reading(one_statement=True) as connection:
            texts = connection.execute(_ALL).scalars().all()
        return tuple(decode(text, OfferedFlavor) for text in texts)

    def add_flavor(self, tx: Tx, flavor: OfferedFlavor) -> None:
        connection = self._store.connection(tx)
        mine = flavor.flavor
        taken = connection.execute(_TAKEN, {"flavor": mine.id, "named": mine.name}).scalars().all()
        if taken:
            what, id = ("flavor", mine.id) if mine.id in taken else ("flavor name", mine.name)
            raise AlreadyExists(what, id)
        row = {"id": mine.id, "name": mine.name, "offered": encode(flavor)}
        connection.execute(_INSERT, row)

    def put_flavor(self, tx: Tx, flavor: OfferedFlavor) -> None:
        row = {"name": flavor.flavor.name, "offered": encode(flavor)}
        self._store.connection(tx).execute(_UPDATE.values(row), {"flavor": flavor.flavor.id})

    def delete_flavor(self, tx: Tx, flavor: FlavorId) -> None:
        self._store.connection(tx).execute(_DELETE, {"flavor": flavor})
