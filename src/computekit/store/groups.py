"""Server groups as rows."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from computekit.errors import AlreadyExists
from computekit.ids import ProjectId, ServerGroupId, UserId
from computekit.model import PlacementRule, ServerGroup, decode, encode
from computekit.scheduler.groups import GROUP_CHANGED
from computekit.store.chunks import chunks
from computekit.store.sql_store import SqlStore
from computekit.store.tables import SERVER_GROUP
from computekit.work import Tx

__all__ = ["SqlGroups"]

_ALL = select(
    SERVER_GROUP.c.id,
    SERVER_GROUP.c.name,
    SERVER_GROUP.c.project_id,
    SERVER_GROUP.c.user_id,
    SERVER_GROUP.c.rules,
).order_by(SERVER_GROUP.c.id)
_ONE = _ALL.where(SERVER_GROUP.c.id == bindparam("group"))
_LOCK = _ONE.with_for_update()
_SOME = _ALL.where(SERVER_GROUP.c.id.in_(bindparam("groups", expanding=True)))
_INSERT = insert(SERVER_GROUP)
_DELETE = delete(SERVER_GROUP).where(SERVER_GROUP.c.id == bindparam("group"))


class SqlGroups:
    """A `GroupWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def group(self, group: ServerGroupId) -> ServerGroup | None:
        with self._store.reading(one_statement=True) as connection:
            row = connection.execute(_ONE, {"group": group}).first()
        return None if row is None else _parse(*row)

    def groups(
        self,
        groups: frozenset[ServerGroupId] | None = None,
        *,
        project: ProjectId | None = None,
    ) -> tuple[ServerGroup, ...]:
        query = _ALL if groups is None else _SOME
        if project is not None:
            query = query.where(SERVER_GROUP.c.project_id == project)
        with self._store.reading() as connection:
            if groups is None:
                return tuple(_parse(*row) for row in connection.execute(query))
            found = [
                _parse(*row)
                for some in chunks(sorted(groups))
                for row in connection.execute(query, {"groups": some})
            ]
        return tuple(found)

    def add_group(self, tx: Tx, group: ServerGroup) -> None:
        connection = self._store.connection(tx)
        if _locked(connection, group.id) is not None:
            raise AlreadyExists("server group", group.id)
        row = {
            "id": group.id,
            "name": group.name,
            "project_id": group.project,
            "user_id": group.user,
            "rules": encode(group.rules),
        }
        connection.execute(_INSERT, row)
        tx.changed(GROUP_CHANGED, group.id)

    def delete_group(self, tx: Tx, group: ServerGroupId) -> None:
        if self._store.connection(tx).execute(_DELETE, {"group": group}).rowcount:
            tx.changed(GROUP_CHANGED, group)

    def lock_group(self, tx: Tx, group: ServerGroupId) -> ServerGroup | None:
        return _locked(self._store.connection(tx), group)


def _locked(connection: Connection, group: ServerGroupId) -> ServerGroup | None:
    row = connection.execute(_LOCK, {"group": group}).first()
    return None if row is None else _parse(*row)


def _parse(id: str, name: str, project: str, user: str | None, rules: str) -> ServerGroup:
    return ServerGroup(
        ServerGroupId(id),
        name,
        ProjectId(project),
        decode(rules, tuple[PlacementRule, ...]),
        None if user is None else UserId(user),
    )
