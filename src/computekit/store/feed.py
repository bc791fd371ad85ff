"""The change feed: the one-row head, and what was written at each of its numbers."""

import sqlite3
import threading
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from computekit.errors import StoreUnavailable
from computekit.store.quick import Quick, QuickSelect
from computekit.store.tables import CHANGE, HEAD
from computekit.work import Change, ChangeSet

__all__ = ["HeadWatch", "advance", "changes_since", "read_head"]

PRUNE_EVERY = 64
"""Commits between two prunings of the change table."""

_ADVANCE = QuickSelect(update(HEAD).values(number=HEAD.c.number + 1).returning(HEAD.c.number))
_NUMBER = QuickSelect(select(HEAD.c.number))
_NOTE = Quick(insert(CHANGE))
_SINCE = select(HEAD.c.number, HEAD.c.pruned, CHANGE.c.kind, CHANGE.c.key).select_from(
    HEAD.outerjoin(CHANGE, CHANGE.c.number > bindparam("since"))
)
_FORGET = Quick(delete(CHANGE).where(CHANGE.c.number <= bindparam("upto")))
_PRUNED = Quick(update(HEAD).values(pruned=bindparam("upto")))


def advance(connection: Connection, changes: Iterable[Change], history: int) -> None:
    """Note `changes` under the next number; the last thing that a transaction does.

    The lock on the head's row is kept until the commit, so numbers follow the order of commits,
    without gaps.
    """
    [(number,)] = _ADVANCE.rows(connection)
    _NOTE.run(connection, *({"number": number, "kind": c.kind, "key": c.key} for c in changes))
    if number % PRUNE_EVERY == 0 and number > history:
        _FORGET.run(connection, {"upto": number - history})
        _PRUNED.run(connection, {"upto": number - history})


def read_head(connection: Connection) -> int:
    """Return the number of the last commit that changed something."""
    [(number,)] = _NUMBER.rows(connection)
    return number


def changes_since(connection: Connection, since: int) -> ChangeSet | None:
    """Return what came after `since`, or None if that is not known."""
    rows = connection.execute(_SINCE, {"since": since}).all()  # one statement: one state
    head, pruned, _, _ = rows[0]
    if not pruned <= since <= head:
        return None
    return ChangeSet(head, frozenset(Change(kind, key) for _, _, kind, key in rows if kind))


class HeadWatch:
    """Reads the head of an SQLite file, and its row only after another connection's commit.

    Args:
        engine: of the database; the watch keeps one connection, which never writes.
    """

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._connection = engine.connect()
        # Straight to the driver: every decision of a scheduler looks here first.
        self._cursor = self._connection.connection.cursor()
        self._version = -1
        self._number = 0

    def head(self) -> int:
        """Return the number of the last commit that changed something.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        with self._lock:
            try:
                # Looked at first: what is committed after that makes the next look differ.
                self._cursor.execute("PRAGMA data_version")
                [(version,)] = self._cursor.fetchall()
                if version != self._version:
                    self._number = read_head(self._connection)
                    self._version = version
            except (sqlite3.Error, DBAPIError) as error:
                raise StoreUnavailable(str(getattr(error, "orig", error))) from error
            return self._number

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._connection.close()
