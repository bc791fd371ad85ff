"""Making the schema, and bringing it from one version to another (Alembic revisions)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from computekit.errors import StoreUnavailable
from computekit.store.engine import Database

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, RevisionStep
    from alembic.script import ScriptDirectory

__all__ = ["NEWEST", "migrate", "prepare", "revision"]

NEWEST = "0009"
"""The revision that this version of computekit works with."""

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32)))


def prepare(database: Database) -> None:
    """Make the database ready for use: an empty one gets the schema, an older one the newest.

    Raises:
        StoreUnavailable: the database is of a newer version of computekit.
    """
    with database.engine.connect() as connection:
        if database.has_data_version:
            mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one()
            if mode != "wal":
                raise StoreUnavailable(f"SQLite cannot keep a write-ahead log there ({mode})")
        if revision(connection) == NEWEST:
            return
        connection.exec_driver_sql(database.begin_write)
        try:
            migrate(connection, NEWEST)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            if database.in_transaction(connection):
                connection.exec_driver_sql("ROLLBACK")
            raise


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema; None if the database is empty."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def migrate(connection: Connection, target: str | None) -> None:
    """Bring the schema to the revision `target`, up or down; with None, remove it.

    Part of the transaction that is open on `connection`.

    Raises:
        StoreUnavailable: the database is of a revision that is not known here.
    """
    # Imported here: nothing else needs Alembic, and most processes find all done.
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent))
    current = revision(connection)
    if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
        raise StoreUnavailable(f"the database is of revision {current}, newer than {NEWEST}")

    def steps(_heads: object, context: "MigrationContext") -> "Sequence[RevisionStep]":
        return _steps(scripts, current, target)

    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()


def _steps(
    scripts: "ScriptDirectory", current: str | None, target: str | None
) -> "list[RevisionStep]":
    from alembic.runtime.migration import MigrationStep

    order = [None, *(script.revision for script in reversed(list(scripts.walk_revisions())))]
    if order.index(current) <= order.index(target):
        up = reversed(list(scripts.iterate_revisions(target, current or "base")))
        return [MigrationStep.upgrade_from_script(scripts.revision_map, script) for script in up]
    down = scripts.iterate_revisions(current, target or "base")
    return [MigrationStep.downgrade_from_script(scripts.revision_map, script) for script in down]
