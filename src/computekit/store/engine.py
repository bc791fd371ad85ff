"""Opening a database, and what its errors mean."""

import select
import sqlite3
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.engine import interfaces
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    OperationalError,
)
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from computekit.errors import ComputekitError, Fault, InvalidInput, StoreUnavailable
from computekit.units import Seconds

if TYPE_CHECKING:
    import psycopg

__all__ = ["Database", "Verdict", "judge", "open_database", "psycopg_of", "unavailable"]

_SQLITE_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_UNUSABLE = frozenset(
    {
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
# Serialization failure, deadlock, lock not available in time.
_POSTGRESQL_PASSING = frozenset({"40001", "40P01", "55P03"})
# Connection, authorisation, no such database, read-only, resources, stopped, system, damage.
_POSTGRESQL_UNUSABLE = ("08", "25006", "28", "3D", "42501", "53", "57P", "58", "XX")
# The advisory lock that a writing transaction keeps. Writers of several processes come one after
# the other, as on SQLite: what a function has read stays true until its commit, and those who
# share a commit, so that they hold many rows at once, never wait for each other in a circle.
_WRITERS = 7_146_521


class Verdict(Enum):
    """What an error of the database means for a transaction."""

    PASSING = "passing"
    """Others were in the way: roll back and run again."""
    RACED = "raced"
    """A row that was not there is there now: run again, but a defect looks the same."""
    UNUSABLE = "unusable"
    """The database cannot be used."""
    DEFECT = "defect"
    """The statement is wrong."""


@attrs.frozen
class Database:
    """An engine, and the words of its dialect.

    Connections commit each statement by themselves unless `begin_write` or `begin_read` came
    before it.

    Attributes:
        engine: the engine.
        begin_write: begins a transaction that will write.
        begin_read: begins a transaction that sees one state of the database.
        in_transaction: whether such a beginning has not ended yet.
        single: there is one connection only: the database lives in it.
        has_data_version: SQLite's `data_version` tells whether another connection committed.
        has_door: the database has no queue of its own for the processes that want to write.
    """

    engine: Engine
    begin_write: str
    begin_read: str
    in_transaction: Callable[[Connection], bool]
    single: bool
    has_data_version: bool
    has_door: bool


def open_database(url: str, busy_s: Seconds) -> Database:
    """Return the database of a URL; nothing is connected yet.

    Args:
        url: `sqlite://` (in memory), `sqlite:///PATH` or `postgresql://...`.
        busy_s: how long the database itself waits for a lock of somebody else.

    Raises:
        InvalidInput: this is no such URL.
        StoreUnavailable: the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is a ValueError
        raise _not_a_url() from None
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed, busy_s)
        case "postgresql" if not _is_torn(url, parsed):
            return _open_postgresql(parsed, busy_s)
        case _:
            raise _not_a_url()


def judge(error: DBAPIError) -> Verdict:
    """Return what an error of the driver means."""
    if error.connection_invalidated:
        return Verdict.PASSING
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        primary = code & 0xFF
        if primary in _SQLITE_PASSING:
            return Verdict.PASSING
        if primary in _SQLITE_UNUSABLE:
            return Verdict.UNUSABLE
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        if state in _POSTGRESQL_PASSING:
            return Verdict.PASSING
        if state.startswith(_POSTGRESQL_UNUSABLE):
            return Verdict.UNUSABLE
    elif code is None and isinstance(error, OperationalError):
        return Verdict.UNUSABLE  # there was not even a connection
    return Verdict.RACED if isinstance(error, IntegrityError) else Verdict.DEFECT


def unavailable(error: DBAPIError, what: str = "") -> StoreUnavailable:
    """Return `error` in the database's own words, without statement and parameters."""
    words = " ".join(str(error.orig).split())
    return StoreUnavailable(f"{what}: {words}" if what else words)


def _open_sqlite(url: URL, busy_s: Seconds) -> Database:
    single = url.database in {None, "", ":memory:"}
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": busy_s, "check_same_thread": False},
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        pool_reset_on_return=None,  # who begins a transaction ends it
        **({"poolclass": StaticPool} if single else {"pool_size": 8, "max_overflow": -1}),
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: interfaces.DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        # A commit is on the disk when it returns: it survives power loss, not only kill -9.
        # NORMAL would be faster and lose the last commits; grouping them pays for the sync.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    return Database(
        engine=engine,
        begin_write="BEGIN IMMEDIATE",
        begin_read="BEGIN",
        in_transaction=_sqlite_in_transaction,
        single=single,
        has_data_version=not single,
        has_door=not single,
    )


def _open_postgresql(url: URL, busy_s: Seconds) -> Database:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": max(2, round(busy_s))},
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_size=8,
            max_overflow=8,
            pool_timeout=busy_s,
        )
    except ModuleNotFoundError as error:
        raise StoreUnavailable(f"{error}; install computekit[postgres]") from error

    @event.listens_for(engine, "connect")
    def _prepare(connection: interfaces.DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        busy_ms = max(1, round(busy_s * 1000))
        cursor.execute(f"SET lock_timeout = {busy_ms}")
        # A process that stands still within a transaction would let all others wait.
        cursor.execute(f"SET idle_in_transaction_session_timeout = {2 * busy_ms}")
        cursor.close()

    @event.listens_for(engine, "checkout")
    def _check(
        connection: interfaces.DBAPIConnection,
        _entry: ConnectionPoolEntry,
        _use: PoolProxiedConnection,
    ) -> None:
        # A server says something to a connection at rest only when it ends it: told apart here,
        # the next one is made before a reader has asked anything, and no reader is refused.
        if _has_news(connection):
            raise DisconnectionError("the server ended the connection while it was at rest")

    return Database(
        engine=engine,
        begin_write=f"BEGIN; SELECT pg_advisory_xact_lock({_WRITERS}, hashtext(current_schema()))",
        begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        in_transaction=_postgresql_in_transaction,
        single=False,
        has_data_version=False,
        has_door=False,
    )


def _sqlite_in_transaction(connection: Connection) -> bool:
    driver: object = connection.connection.dbapi_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction


def _postgresql_in_transaction(connection: Connection) -> bool:
    from psycopg.pq import TransactionStatus

    if connection.invalidated:
        return False
    driver = psycopg_of(connection.connection.dbapi_connection)
    return driver.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}


def psycopg_of(connection: object) -> "psycopg.Connection[object]":
    """Return a connection of the driver as what it is."""
    from psycopg import Connection as Driver

    if not isinstance(connection, Driver):
        raise TypeError(f"psycopg is needed, not {type(connection)}")
    return connection


def _has_news(connection: interfaces.DBAPIConnection) -> bool:
    poll = select.poll()
    poll.register(psycopg_of(connection).fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _is_torn(text: str, url: URL) -> bool:
    """Return whether a part of the password may have become a host, a user or a database.

    The driver's errors name these, so that it would be told to everybody who sees them.
    """
    elsewhere = f"{url.host or ''}{url.database or ''}"
    return text.count("@") > 1 or "@" in elsewhere or "?" in (url.username or "")


def _not_a_url() -> ComputekitError:
    # Not a word of the URL itself: it may hold a password.
    message = (
        "is not a database's: sqlite://, sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME, "
        "where %40 stands for @ in a name or a password, %3A for :, %2F for / and %3F for ?"
    )
    return InvalidInput((Fault("url", "name", message),))
