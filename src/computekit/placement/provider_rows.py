"""The providers of an index in columns, their trees, and the order of these."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from computekit.ids import AggregateId, ProviderId
from computekit.model import FrozenMap, Inventory, Provider, ResourceClass, Trait
from computekit.placement.columns import IntArray
from computekit.placement.ports import ProviderUse
from computekit.placement.provider_columns import (
    CodedColumn,
    InventoryColumn,
    RowNumbers,
    grown,
    room_for,
)
from computekit.placement.tree_pattern import SHARES, arranged
from computekit.units import Seconds

__all__ = ["ProviderRows", "TreeLayout"]

_LOG_LENGTH = 65_536
# From so many on, the order is made anew.
_MANY = 64

TreeLayout = tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]
"""The rows of a tree depth first, siblings by name, and for each the numbers of its ancestors."""


class ProviderRows:
    """All providers in columns.

    Attributes:
        version: raised by each change of a row.
        layout: raised when a tree came, went or got other members.
        sharing_version: raised when a provider that shares with other trees has changed.
        count: rows in use are below this number.
        ids: by row; None for a row that is free.
        names: by row.
        parents: by row.
        root: the row of the root of each row's tree; -1 for a row that is free.
        generation: by row.
        updated_s: by row, in seconds since the Unix epoch.
        classes: which inventories a row has, ascending.
        inventories: by class.
        traits: by row.
        aggregates: by row.
        sharing: the rows that share with other trees.
    """

    def __init__(self) -> None:
        self.version: int = 0
        self.layout: int = 0
        self.sharing_version: int = 0
        self.count: int = 0
        self.ids: list[ProviderId | None] = []
        self.names: list[str] = []
        self.parents: list[ProviderId | None] = []
        self.root: npt.NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self.generation: IntArray = np.zeros(0, dtype=np.int64)
        self.updated_s: npt.NDArray[np.float64] = np.zeros(0)
        self.classes: CodedColumn[tuple[ResourceClass, ...]] = CodedColumn((), 0)
        self.inventories: dict[ResourceClass, InventoryColumn] = {}
        self.traits: CodedColumn[frozenset[Trait]] = CodedColumn(frozenset(), 0)
        self.aggregates: CodedColumn[frozenset[AggregateId]] = CodedColumn(frozenset(), 0)
        self.sharing: set[int] = set()
        self._row_of: dict[ProviderId, int] = {}
        self._free: list[int] = []
        self._members: dict[int, list[int]] = {}
        self._layouts: dict[int, TreeLayout] = {}
        self._order: npt.NDArray[np.int32] | None = np.zeros(0, dtype=np.int32)
        self._sorted: list[ProviderId] = []
        self._log: list[int] = []
        self._log_start = 0

    # Reading

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def room(self) -> int:
        """How many rows the arrays have."""
        return len(self.root)

    def row(self, provider: ProviderId) -> int | None:
        """Return the row of a provider, or None."""
        return self._row_of.get(provider)

    def id(self, row: int) -> ProviderId:
        """Return the provider of a row that is in use."""
        found = self.ids[row]
        assert found is not None
        return found

    def parent_row(self, row: int) -> int | None:
        """Return the row of the provider that a row is part of, or None."""
        parent = self.parents[row]
        return None if parent is None else self._row_of.get(parent)

    def members(self, root: int) -> Sequence[int]:
        """Return the rows of a tree, in no order that means anything."""
        return self._members.get(root, (root,))

    def sizes(self, roots: RowNumbers) -> IntArray:
        """Return how many providers the tree of each root has."""
        if not self._members:
            return np.ones(len(roots), dtype=np.int64)
        found = (len(self.members(root)) for root in roots.tolist())
        return np.fromiter(found, np.int64, len(roots))

    def nested(self) -> RowNumbers:
        """Return the rows that are not roots."""
        own = np.arange(self.count)
        root = self.root[: self.count]
        return np.flatnonzero((root >= 0) & (root != own))

    def order(self) -> npt.NDArray[np.int32]:
        """Return the rows of all roots by their ids."""
        if self._order is None:
            roots = [row for row in self._row_of.values() if self.root[row] == row]
            roots.sort(key=self.id)
            self._sorted = [self.id(row) for row in roots]
            self._order = np.array(roots, dtype=np.int32)
        return self._order

    def tree(self, root: int) -> TreeLayout:
        """Return how a tree is laid out."""
        if root not in self._members:
            return (root,), ((0,),)
        found = self._layouts.get(root)
        if found is None:
            rows = self._parents_first(root)
            order, ancestors, _likeness = arranged(
                [self.id(row) for row in rows],
                [self.parents[row] for row in rows],
                [self.names[row] for row in rows],
                {},
                own=len(rows),
                twins=True,
            )
            found = self._layouts[root] = (tuple(rows[at] for at in order), ancestors)
        return found

    def use(self, row: int) -> ProviderUse:
        """Return a provider with what is used of it, put together from the columns."""
        held = {name: self.inventories[name] for name in self.classes[row]}
        inventories: dict[ResourceClass, Inventory] = {}
        for name, column in held.items():
            inventory = column[row]
            assert inventory is not None
            inventories[name] = inventory
        provider = Provider(
            id=self.id(row),
            name=self.names[row],
            parent=self.parents[row],
            inventories=FrozenMap(inventories),
            traits=self.traits[row],
            aggregates=self.aggregates[row],
            generation=int(self.generation[row]),
        )
        used = {name: int(column.used[row]) for name, column in held.items() if column.used[row]}
        return ProviderUse(
            provider,
            self.id(int(self.root[row])),
            FrozenMap(used),
            Seconds(float(self.updated_s[row])),
        )

    def changed_since(self, version: int) -> set[int] | None:
        """Return the rows changed after `version`, or None if that is no longer known."""
        if version < self._log_start:
            return None
        return set(self._log[version - self._log_start :])

    # Writing

    def put(self, uses: Sequence[ProviderUse]) -> None:
        """Write providers, new or not, parents first."""
        if len(uses) > _MANY:
            self._order = None
        for use in uses:
            self._put(use)

    def remove(self, providers: Iterable[ProviderId]) -> None:
        """Forget providers; those that are not there are passed over."""
        there = [row for provider in providers if (row := self._row_of.get(provider)) is not None]
        for row in sorted(there, key=lambda row: self.root[row] == row):  # roots last
            del self._row_of[self.id(row)]
            root = int(self.root[row])
            self._leave(row, root)
            if root != row:
                self._changed(root)
            self._write(row, {}, {})
            self.traits.codes[row] = self.aggregates.codes[row] = 0
            if row in self.sharing:
                self.sharing.discard(row)
                self.sharing_version += 1
            self.ids[row] = self.parents[row] = None
            self.names[row] = ""
            self.root[row] = -1
            self._free.append(row)
            self._changed(row)

    def fill(
        self,
        ids: Sequence[ProviderId],
        names: Sequence[str],
        inventories: Mapping[ResourceClass, tuple[Sequence[Inventory], npt.ArrayLike]],
        used: Mapping[ResourceClass, npt.ArrayLike],
        traits: tuple[Sequence[frozenset[Trait]], npt.ArrayLike],
        aggregates: tuple[Sequence[frozenset[AggregateId]], npt.ArrayLike],
    ) -> None:
        """Write empty rows with providers that are trees of their own.

        What many share is given as distinct values, and for each row the position of its own.
        """
        count = self.count = len(ids)
        self._grow(count)
        self.ids, self.names = list(ids), list(names)
        self.parents = [None] * count
        self._row_of = {provider: row for row, provider in enumerate(ids)}
        self.root[:count] = np.arange(count)
        self.classes.fill_codes([tuple(sorted(inventories))], np.zeros(count, dtype=np.int64))
        for name, (values, codes) in inventories.items():
            column = self.inventories[name] = InventoryColumn(self.room)
            column.fill_codes(values, codes)
            column.used[:count] = used.get(name, 0)
        self.traits.fill_codes(*traits)
        self.aggregates.fill_codes(*aggregates)
        shares = self.traits.where(SHARES, lambda held: SHARES in held)[self.traits.codes[:count]]
        grouped = self.aggregates.where("any", bool)[self.aggregates.codes[:count]]
        self.sharing = set(np.flatnonzero(shares & grouped).tolist())
        self._order = None
        self.layout += 1
        self.version += 1
        self._log_start = self.version
        self._log = []

    def _put(self, use: ProviderUse) -> None:
        provider = use.provider
        row = self._row_of.get(provider.id)
        if row is None:
            row = self._row_of[provider.id] = self._new_row()
            self.ids[row] = provider.id
        shared = row in self.sharing
        wide = self.aggregates[row] != provider.aggregates
        moved = self.parents[row] != provider.parent or self.names[row] != provider.name
        self.names[row], self.parents[row] = provider.name, provider.parent
        root = self._row_of.get(use.root, row)
        if self.root[row] != root:
            self._move(row, root)
        elif moved:
            self._layouts.pop(root, None)
            self.layout += root in self._members
            # Who shares may have other ancestors now.
            self.sharing_version += not self.sharing.isdisjoint(self.members(root))
        self.generation[row] = provider.generation
        self.updated_s[row] = use.updated_s
        self._write(row, provider.inventories, use.used)
        self.traits.set(row, provider.traits)
        self.aggregates.set(row, provider.aggregates)
        shares = SHARES in provider.traits and bool(provider.aggregates)
        if shares:
            self.sharing.add(row)
        elif shared:
            self.sharing.discard(row)
        self.sharing_version += shares or shared
        self._changed(row)
        if wide and root == row:  # the aggregates of a root count for its whole tree
            for member in self._members.get(root, ()):
                self._changed(member)
                self.sharing_version += member in self.sharing

    def _write(
        self,
        row: int,
        inventories: Mapping[ResourceClass, Inventory],
        used: Mapping[ResourceClass, int],
    ) -> None:
        before = self.classes[row]
        for name in before:
            if name not in inventories:
                self.inventories[name].put(row, None, 0)
        for name, inventory in inventories.items():
            column = self.inventories.get(name)
            if column is None:
                column = self.inventories[name] = InventoryColumn(self.room)
            column.put(row, inventory, used.get(name, 0))
        if len(before) != len(inventories) or any(name not in inventories for name in before):
            self.classes.set(row, tuple(sorted(inventories)))

    def _move(self, row: int, root: int) -> None:
        """Put a row, and what is known to be below it, into another tree."""
        old = int(self.root[row])
        below = [] if old < 0 else self._below(row, old)
        if old >= 0 and old != row:
            self._changed(old)
        for member in (row, *below):
            if old >= 0:
                self._leave(member, old)
            self._join(member, root)
            self.sharing_version += member in self.sharing
            if member != row:
                self._changed(member)

    def _below(self, row: int, root: int) -> list[int]:
        rows, ancestors = self.tree(root)
        number = rows.index(row) if row in rows else -1
        return [rows[at] for at, path in enumerate(ancestors) if number in path and rows[at] != row]

    def _join(self, row: int, root: int) -> None:
        self.root[row] = root
        self.layout += 1
        self._layouts.pop(root, None)
        if row == root:
            self._order_add(row)
            if row in self._members:
                self._members[row].append(row)
        else:
            self._members.setdefault(root, [root]).append(row)

    def _leave(self, row: int, root: int) -> None:
        self.layout += 1
        self._layouts.pop(root, None)
        if row == root:
            self._order_drop(row)
        members = self._members.get(root)
        if members is not None:
            members.remove(row)
            if not members or members == [root]:
                del self._members[root]

    def _order_add(self, row: int) -> None:
        if self._order is None:
            return
        name = self.id(row)
        at = bisect_left(self._sorted, name)
        self._sorted.insert(at, name)
        self._order = np.insert(self._order, at, row)

    def _order_drop(self, row: int) -> None:
        if self._order is None:
            return
        at = bisect_left(self._sorted, self.id(row))
        del self._sorted[at]
        self._order = np.delete(self._order, at)

    def _parents_first(self, root: int) -> list[int]:
        """Return the rows of a tree, the root first."""
        return sorted(self._members[root], key=lambda row: (row != root, self.id(row)))

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        row = self.count
        self.count += 1
        if self.count > self.room:
            self._grow(room_for(self.count))
        self.ids.append(None)
        self.names.append("")
        self.parents.append(None)
        self.root[row] = -1
        return row

    def _grow(self, rows: int) -> None:
        self.root, self.generation = grown(self.root, rows), grown(self.generation, rows)
        self.updated_s = grown(self.updated_s, rows)
        self.classes.grow(rows)
        self.traits.grow(rows)
        self.aggregates.grow(rows)
        for column in self.inventories.values():
            column.grow(rows)

    def _changed(self, row: int) -> None:
        self.version += 1
        self._log.append(row)
        if len(self._log) > _LOG_LENGTH:
            self._log_start += _LOG_LENGTH // 2
            del self._log[: _LOG_LENGTH // 2]
