"""The summaries of trees, each kept until one of its providers changes."""

from computekit.model import FrozenMap, ResourceClass
from computekit.placement.found import TreeSummary
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.service import ProviderSummary

__all__ = ["TreeSummaries"]

_KEPT = 200_000


class TreeSummaries:
    """Summaries by tree.

    Args:
        rows: the providers.
    """

    def __init__(self, rows: ProviderRows) -> None:
        self._rows = rows
        self._kept: dict[int, TreeSummary] = {}
        self._version = rows.version

    def of(self, root: int) -> TreeSummary:
        """Return the summary of the tree of a root's row."""
        self._catch_up()
        found = self._kept.get(root)
        if found is None:
            rows = self._rows
            members, _ancestors = rows.tree(root)
            found = TreeSummary(rows.id(root), tuple(self._summary(row) for row in members))
            self._kept[root] = found
        return found

    def _catch_up(self) -> None:
        rows = self._rows
        if self._version == rows.version:
            return
        stale = rows.changed_since(self._version)
        if stale is None or len(self._kept) > _KEPT:
            self._kept.clear()
        else:
            for row in stale:
                self._kept.pop(row, None)
                self._kept.pop(int(rows.root[row]), None)
        self._version = rows.version

    def _summary(self, row: int) -> ProviderSummary:
        rows = self._rows
        capacity: dict[ResourceClass, int] = {}
        used: dict[ResourceClass, int] = {}
        for name in rows.classes[row]:
            column = rows.inventories[name]
            inventory = column[row]
            assert inventory is not None
            capacity[name] = inventory.capacity
            used[name] = int(column.used[row])
        return ProviderSummary(
            rows.id(row),
            rows.id(int(rows.root[row])),
            rows.parents[row],
            FrozenMap(capacity),
            FrozenMap(used),
            rows.traits[row],
        )
