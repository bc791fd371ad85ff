"""All providers of a placement in columns; a replica that follows the rows."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from computekit.ids import AggregateId, ProviderId
from computekit.model import Inventory, ResourceClass, Trait
from computekit.placement.ports import PROVIDER_CHANGED, PlacementReader, ProviderUse
from computekit.placement.provider_rows import ProviderRows
from computekit.work import Store

__all__ = ["ProviderReplica"]


class ProviderReplica:
    """The providers of a placement, as they are committed.

    Every method may be called by several threads, but not inside `Store.write`.

    Args:
        store: whose commits are followed; None: follows nothing.
        books: where the rows are read.

    Attributes:
        lock: held while rows are read or written; re-entrant.
        rows: the providers; read under `lock`.
    """

    def __init__(self, store: Store | None = None, books: PlacementReader | None = None) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.rows: ProviderRows = ProviderRows()
        self._store = store
        self._books = books
        self._head: int | None = None

    @classmethod
    def of(cls, uses: Iterable[ProviderUse]) -> Self:
        """Return one of these providers, parents first, that follows nothing."""
        index = cls()
        index.rows.put(tuple(uses))
        return index

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[ProviderId],
        names: Sequence[str],
        inventories: Mapping[ResourceClass, tuple[Sequence[Inventory], npt.ArrayLike]],
        *,
        used: Mapping[ResourceClass, npt.ArrayLike] | None = None,
        traits: tuple[Sequence[frozenset[Trait]], npt.ArrayLike] | None = None,
        aggregates: tuple[Sequence[frozenset[AggregateId]], npt.ArrayLike] | None = None,
    ) -> Self:
        """Return one of trees of one provider each that follows nothing.

        What many providers share is given once: as distinct values, and an array that has for
        each provider the position of its own among them.

        Args:
            ids: of the providers.
            names: of the providers.
            inventories: by class, the distinct ones and which of them each provider has.
            used: by class, what is allocated of each provider.
            traits: distinct sets, and which of them each provider has.
            aggregates: distinct sets, and which of them each provider has.
        """
        index = cls()
        none = np.zeros(len(ids), dtype=np.int32)
        index.rows.fill(
            ids,
            names,
            inventories,
            used or {},
            traits or ([frozenset()], none),
            aggregates or ([frozenset()], none),
        )
        return index

    def refresh(self) -> None:
        """Read what was committed meanwhile; what follows nothing stays as it is.

        Raises:
            StoreUnavailable: the rows cannot be read; all is as it was.
        """
        if self._store is None or self._books is None:
            return
        head = self._store.head()
        if head == self._head:
            return
        with self.lock:
            if self._head is not None and head <= self._head:
                return
            news = None if self._head is None else self._store.changes(self._head)
            if news is None:
                uses = self._books.uses()
                self.start_anew()
                self.rows.put(uses)
                self._head = head
                return
            changed = frozenset(
                ProviderId(change.key) for change in news.changes if change.kind == PROVIDER_CHANGED
            )
            if changed:
                ids, read = self._as_now(changed)
                self.rows.put(read)
                self.rows.remove(ids - {use.provider.id for use in read})
            self._head = news.head

    def put(self, uses: Sequence[ProviderUse]) -> None:
        """Write providers, parents first, into what follows nothing."""
        with self.lock:
            self.rows.put(uses)

    def remove(self, providers: Iterable[ProviderId]) -> None:
        """Forget providers of what follows nothing; none is left without its parent."""
        with self.lock:
            self.rows.remove(providers)

    def start_anew(self) -> None:
        """Forget all providers; who keeps something of `rows` forgets it too."""
        self.rows = ProviderRows()

    def provider(self, provider: ProviderId) -> ProviderUse | None:
        """Return a provider with what is used of it, or None if there is none."""
        with self.lock:
            self.refresh()
            row = self.rows.row(provider)
            return None if row is None else self.rows.use(row)

    def root_of(self, provider: ProviderId) -> ProviderId | None:
        """Return the root of the tree that a provider is in, or None if there is none."""
        with self.lock:
            row = self.rows.row(provider)
            return None if row is None else self.rows.id(int(self.rows.root[row]))

    def _as_now(
        self, changed: frozenset[ProviderId]
    ) -> tuple[set[ProviderId], tuple[ProviderUse, ...]]:
        """Read what has changed, and all whose place that makes untrue; return what was looked for.

        Rows may be newer than the changes that were seen: a parent may have come, moved or gone
        since, and what was below it with it. Those are then read once more, with the same result.
        """
        assert self._books is not None
        ids = set(changed)
        while True:
            read = self._books.uses(frozenset(ids))
            root_now = {use.provider.id: use.root for use in read}
            more = {
                above
                for use in read
                for above in (use.provider.parent, use.root)
                if above is not None and self.root_of(above) != use.root
            }
            for provider in ids:
                row = self.rows.row(provider)
                if row is not None and self.root_of(provider) != root_now.get(provider):
                    more.update(map(self.rows.id, self.rows.members(int(self.rows.root[row]))))
            if more <= ids:
                return ids, read
            ids |= more
