"""The unit of work: everything that changes together is written by one function in one transaction.

`Store.write(fn)` is the only way to write. `fn` gets a `Tx`, the opaque token of that transaction,
and hands it to every port method that changes something: a claim, its operation row and its
instance row commit together or not at all.

Each commit that changed something a replica follows gets the next number of one gapless sequence,
in commit order. A replica keeps the number it has seen (its head) and asks for what came after.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Generic, Protocol, TypeVar

import attrs

__all__ = ["Change", "ChangeSet", "MemoryStore", "MemoryTable", "MemoryTx", "Store", "Tx"]

R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")


@attrs.frozen
class Change:
    """Something that replicas follow was written.

    Attributes:
        kind: which kind of row: `provider`, `host` ...
        key: which one.
    """

    kind: str
    key: str


@attrs.frozen
class ChangeSet:
    """What was written after a replica's head, without repetition.

    Attributes:
        head: the number of the last commit that is covered.
        changes: what to read again; the rows may have changed further, or gone, since.
    """

    head: int
    changes: frozenset[Change]


class Tx:
    """The token of one open transaction; made by a store, good only inside its `write`."""

    __slots__ = ("_after_commit", "_changes", "_seen")

    def __init__(self) -> None:
        self._after_commit: list[Callable[[], None]] = []
        self._changes: dict[Change, None] = {}
        self._seen: set[Hashable] = set()

    def changed(self, kind: str, key: str) -> None:
        """Tell replicas, with the commit, that the row `key` of `kind` is to be read again."""
        self._changes[Change(kind, key)] = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What `changed` was told so far; read by the store when it commits."""
        return tuple(self._changes)

    def first(self, what: Hashable) -> bool:
        """Return whether this is the first time that this transaction is asked about `what`.

        For effects that a transaction has once, however many of its writes call for them.
        """
        if what in self._seen:
            return False
        self._seen.add(what)
        return True

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once this transaction has been committed; never if it is rolled back.

        For doorbells only: the process may die before `action` runs.
        """
        self._after_commit.append(action)

    def take_after_commit(self) -> tuple[Callable[[], None], ...]:
        """Hand over the actions; called by the store that committed."""
        actions, self._after_commit = tuple(self._after_commit), []
        return actions


class Store(Protocol):
    """Something that can commit."""

    def write(self, fn: Callable[[Tx], R]) -> R:
        """Run `fn` in a transaction and return what it returned.

        If `fn` raises, nothing that it wrote remains and the exception is raised here.
        `fn` may be run again after a rollback that was not its own fault, so it has no effects
        beside those that go through its `Tx`. Reads inside `fn` see what it has written.
        One writes at a time, so what `fn` has read stays true until its commit.
        `fn` never calls `write` (pass the `Tx` on) and never waits for anything.

        Raises:
            StoreUnavailable: the database cannot be used; nothing was written.
            DeadlineExceeded: the commit was waited for too long; it may still happen.
        """
        ...

    def head(self) -> int:
        """Return the number of the last commit that changed something replicas follow."""
        ...

    def changes(self, since: int) -> ChangeSet | None:
        """Return what was committed after `since`, or None if that is not known (any more).

        With None, a replica reads `head()` first and then everything.
        """
        ...


class MemoryTx(Tx):
    """A transaction of a `MemoryStore`: a list of how to take everything back."""

    __slots__ = ("_undo", "open", "store")

    def __init__(self, store: "MemoryStore") -> None:
        super().__init__()
        self.store: MemoryStore = store
        self.open: bool = True
        self._undo: list[Callable[[], None]] = []

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Register how to take back a change that was just made."""
        self._undo.append(undo)

    def roll_back(self) -> None:
        """Take back all changes, latest first."""
        while self._undo:
            self._undo.pop()()


class MemoryTable(Generic[K, V]):
    """The rows of one kind, by key, of a room that keeps them in memory.

    What a transaction wrote is taken back when it is rolled back. Rows are frozen values.

    Attributes:
        rows: to read, under `MemoryStore.lock`.
    """

    __slots__ = ("_rows", "rows")

    def __init__(self) -> None:
        self._rows: dict[K, V] = {}
        self.rows: Mapping[K, V] = self._rows

    def put(self, tx: MemoryTx, key: K, row: V) -> None:
        """Write a row, new or not."""
        tx.on_rollback(partial(self._restore, key, self._rows.get(key)))
        self._rows[key] = row

    def remove(self, tx: MemoryTx, key: K) -> None:
        """Remove a row; nothing happens if there is none."""
        row = self._rows.pop(key, None)
        if row is not None:
            tx.on_rollback(partial(self._restore, key, row))

    def _restore(self, key: K, row: V | None) -> None:
        if row is None:
            del self._rows[key]
        else:
            self._rows[key] = row


class MemoryStore:
    """A store for rooms that keep their rows in dictionaries; one writer at a time.

    A room's in-memory port takes this store, writes under a `MemoryTx` that it got from
    `transaction`, and reads under `lock`.
    """

    def __init__(self, *, history: int = 10_000) -> None:
        self.lock: threading.RLock = threading.RLock()
        self._current: MemoryTx | None = None
        self._head = 0
        self._history: deque[tuple[Change, ...]] = deque(maxlen=history)

    def write(self, fn: Callable[[Tx], R]) -> R:
        """Run `fn` as `Store.write` says."""
        with self.lock:
            if self._current is not None:
                raise RuntimeError("write inside a write: pass the Tx on instead")
            tx = self._current = MemoryTx(self)
            try:
                result = fn(tx)
            except BaseException:
                tx.roll_back()
                raise
            else:
                if changes := tx.changes:
                    self._head += 1
                    self._history.append(changes)
            finally:
                tx.open = False
                self._current = None
        for action in tx.take_after_commit():
            action()
        return result

    def head(self) -> int:
        """Return what `Store.head` says."""
        with self.lock:
            return self._head

    def changes(self, since: int) -> ChangeSet | None:
        """Return what `Store.changes` says; as many commits as `history` are known."""
        with self.lock:
            missed = self._head - since
            if not 0 <= missed <= len(self._history):
                return None
            recent = list(self._history)[-missed:] if missed else []
            return ChangeSet(self._head, frozenset(c for commit in recent for c in commit))

    def transaction(self, tx: Tx) -> MemoryTx:
        """Return `tx` as this store's own open transaction.

        Raises:
            TypeError: `tx` belongs to another store or has ended.
        """
        if not isinstance(tx, MemoryTx) or tx.store is not self or not tx.open:
            raise TypeError("this Tx is not an open transaction of this store")
        return tx
