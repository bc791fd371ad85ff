"""Keypairs as rows."""

from sqlalchemy import bindparam, delete, insert, select

from computekit.errors import AlreadyExists
from computekit.ids import UserId
from computekit.model import Keypair, decode, encode
from computekit.store.catalogue_tables import KEYPAIR
from computekit.store.sql_store import SqlStore
from computekit.work import Tx

__all__ = ["SqlKeypairs"]

_OF = KEYPAIR.c.user_id == bindparam("owner")
_NAMED = KEYPAIR.c.name == bindparam("named")
_ALL = select(KEYPAIR.c.keypair).where(_OF).order_by(KEYPAIR.c.name)
_ONE = select(KEYPAIR.c.keypair).where(_OF, _NAMED)
_INSERT = insert(KEYPAIR)
_DELETE = delete(KEYPAIR).where(_OF, _NAMED)


class SqlKeypairs:
    """A `KeypairWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def keypair(self, user: UserId, name: str) -> Keypair | None:
        with self._store.reading(one_statement=True) as connection:
            found = connection.execute(_ONE, {"owner": user, "named": name})
            text = found.scalar_one_or_none()
        return None if text is None else decode(text, Keypair)

    def keypairs(self, user: UserId) -> tuple[Keypair, ...]:
        with self._store.reading(one_statement=True) as connection:
            texts = connection.execute(_ALL, {"owner": user}).scalars().all()
        return tuple(decode(text, Keypair) for text in texts)

    def add_keypair(self, tx: Tx, keypair: Keypair) -> None:
        connection = self._store.connection(tx)
        key = {"owner": keypair.user, "named": keypair.name}
        if connection.execute(_ONE, key).first() is not None:
            raise AlreadyExists("keypair", keypair.name)
        row = {"user_id": keypair.user, "name": keypair.name, "keypair": encode(keypair)}
        connection.execute(_INSERT, row)

    def delete_keypair(self, tx: Tx, user: UserId, name: str) -> bool:
        key = {"owner": user, "named": name}
        return self._store.connection(tx).execute(_DELETE, key).rowcount > 0
