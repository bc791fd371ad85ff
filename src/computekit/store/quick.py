"""Statements that are compiled once and run straight on the driver.

SQLAlchemy's way from a statement to its rows costs several times what the database itself needs
for the small statements that every claim consists of. Here that way is gone once; what the
driver raises becomes what SQLAlchemy would have raised.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVarTuple

from sqlalchemy import CompoundSelect, Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.engine.interfaces import DBAPICursor, DBAPIModule
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningUpdate

from computekit.store.engine import psycopg_of

__all__ = ["Quick", "QuickSelect", "run_together", "run_words"]

Ts = TypeVarTuple("Ts")

Values = Mapping[str, object]
_NO_VALUES: Values = {}


class _Compiled:
    """A statement in the words of one dialect."""

    def __init__(self, compiled: object) -> None:
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("not a statement of data")
        self.text: str = str(compiled)
        self.order: Sequence[str] | None = compiled.positiontup
        self._constants = {k: v for k, v in compiled.params.items() if v is not None}

    def arguments(self, values: Values) -> Sequence[object] | Values:
        return self.named(values) if self.order is None else self.placed(values, self.order)

    def named(self, values: Values) -> Values:
        return {**self._constants, **values} if self._constants else values

    def placed(self, values: Values, order: Sequence[str]) -> Sequence[object]:
        values = self.named(values)
        return [values[name] for name in order]


class Quick:
    """A statement that writes; its parameters are given by name."""

    def __init__(self, statement: Insert | Update | Delete) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, *rows: Values) -> int:
        """Run it once for each of `rows`; return how many rows of the table it touched in all."""
        if not rows:
            return 0
        cursor = _cursor(connection)
        try:
            self.send(connection, cursor, rows)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _known(connection, self._for(connection).text, error) from error
        return cursor.rowcount

    def send(self, connection: Connection, cursor: DBAPICursor, rows: Sequence[Values]) -> None:
        """Run it once for each of `rows`, one at least, on a cursor of the driver."""
        compiled = self._for(connection)
        if len(rows) == 1:
            cursor.execute(compiled.text, compiled.arguments(rows[0]))
        elif compiled.order is None:
            cursor.executemany(compiled.text, [compiled.named(row) for row in rows])
        else:
            order = compiled.order
            cursor.executemany(compiled.text, [compiled.placed(row, order) for row in rows])

    def _for(self, connection: Connection) -> _Compiled:
        found = self._compiled.get(connection.dialect.name)
        if found is None:
            found = _Compiled(self._statement.compile(dialect=connection.dialect))
            self._compiled[connection.dialect.name] = found
        return found


def run_together(
    connection: Connection, *writes: tuple[Quick, Sequence[Values]]
) -> tuple[int, ...]:
    """Run each statement for its rows, one after the other; return how many rows each touched.

    Where the database is another process all is sent before an answer is waited for: while a
    writer waits, all other writers do.
    """
    if connection.dialect.driver != "psycopg":
        return tuple(statement.run(connection, *rows) for statement, rows in writes)
    driver = psycopg_of(connection.connection.dbapi_connection)
    cursors = _cursors(connection, len(writes))
    try:
        with driver.pipeline():
            for cursor, (statement, rows) in zip(cursors, writes, strict=True):
                if rows:
                    statement.send(connection, cursor, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _known(connection, "several statements", error) from error
    return tuple(
        cursor.rowcount if rows else 0 for cursor, (_, rows) in zip(cursors, writes, strict=True)
    )


class QuickSelect(Generic[*Ts]):
    """A statement that has rows; its parameters are given by name."""

    def __init__(self, statement: Select[*Ts] | CompoundSelect[*Ts] | ReturningUpdate[*Ts]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Values = _NO_VALUES) -> Sequence[tuple[*Ts]]:
        """Run it and return its rows."""
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = _Compiled(self._statement.compile(dialect=connection.dialect))
            self._compiled[connection.dialect.name] = compiled
        cursor = _cursor(connection)
        try:
            cursor.execute(compiled.text, compiled.arguments(values))
            return cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise _known(connection, compiled.text, error) from error


def run_words(connection: Connection, words: str) -> None:
    """Run a statement without parameters: a savepoint, a commit ..."""
    try:
        _cursor(connection).execute(words)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _known(connection, words, error) from error


def _cursor(connection: Connection) -> DBAPICursor:
    return _cursors(connection, 1)[0]


def _cursors(connection: Connection, count: int) -> list[DBAPICursor]:
    """Return cursors that are kept with the connection of the driver."""
    driver = connection.connection
    found: list[DBAPICursor] = driver.info.setdefault("quick", [])
    while len(found) < count:
        found.append(driver.cursor())
    return found[:count]


def _known(connection: Connection, statement: str, error: DBAPIModule.Error) -> BaseException:
    """Return what SQLAlchemy raises for an error of the driver."""
    dialect: Dialect = connection.dialect
    driver = None if connection.invalidated else connection.connection.dbapi_connection
    lost = dialect.is_disconnect(error, driver, None)
    if lost and not connection.invalidated:
        connection.invalidate(error)
    return DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
