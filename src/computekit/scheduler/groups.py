"""The server groups, as rows."""

from typing import Protocol

from computekit.errors import AlreadyExists
from computekit.ids import ProjectId, ServerGroupId
from computekit.model import ServerGroup
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = ["GROUP_CHANGED", "GroupReader", "GroupWriter", "MemoryGroups"]

GROUP_CHANGED = "server_group"
"""`Change.kind` of a server group whose row was written."""


class GroupReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def group(self, group: ServerGroupId) -> ServerGroup | None:
        """Return a group, or None."""
        ...

    def groups(
        self,
        groups: frozenset[ServerGroupId] | None = None,
        *,
        project: ProjectId | None = None,
    ) -> tuple[ServerGroup, ...]:
        """Return these groups (all, with None), by id; those that are not there are left out.

        Args:
            groups: which.
            project: only those of this one.
        """
        ...


class GroupWriter(GroupReader, Protocol):
    """Writes; each belongs to a transaction.

    A group stays as it was made, for members were placed by its rules.
    """

    def add_group(self, tx: Tx, group: ServerGroup) -> None:
        """Write a new group.

        Raises:
            AlreadyExists: the id is taken.
        """
        ...

    def delete_group(self, tx: Tx, group: ServerGroupId) -> None:
        """Remove a group, whoever is a member; nothing happens if there is none."""
        ...

    def lock_group(self, tx: Tx, group: ServerGroupId) -> ServerGroup | None:
        """Return a group, or None; until this transaction ends, nobody else writes its row."""
        ...


class MemoryGroups:
    """A `GroupWriter` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._rows: MemoryTable[ServerGroupId, ServerGroup] = MemoryTable()

    def group(self, group: ServerGroupId) -> ServerGroup | None:
        with self._store.lock:
            return self._rows.rows.get(group)

    def groups(
        self,
        groups: frozenset[ServerGroupId] | None = None,
        *,
        project: ProjectId | None = None,
    ) -> tuple[ServerGroup, ...]:
        with self._store.lock:
            rows = self._rows.rows
            wanted = rows.keys() if groups is None else groups & rows.keys()
            found = (rows[group] for group in sorted(wanted))
            return tuple(row for row in found if project in {None, row.project})

    def add_group(self, tx: Tx, group: ServerGroup) -> None:
        mine = self._store.transaction(tx)
        if group.id in self._rows.rows:
            raise AlreadyExists("server group", group.id)
        self._rows.put(mine, group.id, group)
        tx.changed(GROUP_CHANGED, group.id)

    def delete_group(self, tx: Tx, group: ServerGroupId) -> None:
        mine = self._store.transaction(tx)
        if group in self._rows.rows:
            self._rows.remove(mine, group)
            tx.changed(GROUP_CHANGED, group)

    def lock_group(self, tx: Tx, group: ServerGroupId) -> ServerGroup | None:
        self._store.transaction(tx)  # which is the only one that writes
        return self._rows.rows.get(group)
