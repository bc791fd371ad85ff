"""A journal in dictionaries."""

from collections.abc import Callable
from typing import TypeVar

from computekit.errors import LeaseLost, NotFound, OperationInProgress
from computekit.ids import ExecutorId, OperationId
from computekit.journal import transitions
from computekit.journal.operation import KindKey, Operation, OperationState, Result
from computekit.units import Seconds
from computekit.work import MemoryStore, MemoryTx, Tx

__all__ = ["MemoryJournal"]

K = TypeVar("K")
V = TypeVar("V")


class MemoryJournal:
    """A `Journal` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._rows: dict[OperationId, Operation] = {}
        self._results: dict[tuple[OperationId, str, int], Result] = {}
        self._rings: tuple[Callable[[], None], ...] = ()

    def operation(self, operation: OperationId) -> Operation | None:
        with self._store.lock:
            return self._rows.get(operation)

    def live(self, subject: str) -> Operation | None:
        for row in self.history(subject):
            if row.state is OperationState.LIVE:
                return row
        return None

    def history(self, subject: str) -> tuple[Operation, ...]:
        with self._store.lock:
            rows = [row for row in self._rows.values() if row.subject == subject]
        return tuple(sorted(rows, key=lambda row: row.number))

    def operations(
        self,
        states: frozenset[OperationState] | None = None,
        after: Operation | None = None,
        limit: int = 1000,
    ) -> tuple[Operation, ...]:
        with self._store.lock:
            rows = [row for row in self._rows.values() if states is None or row.state in states]
        rows.sort(key=_page_key)
        if after is not None:
            rows = [row for row in rows if _page_key(row) > _page_key(after)]
        return tuple(rows[:limit])

    def results(self, operation: OperationId) -> tuple[Result, ...]:
        with self._store.lock:
            found = [result for key, result in self._results.items() if key[0] == operation]
        return tuple(sorted(found, key=lambda result: (result.at_s, result.step, result.n)))

    def next_due_s(self, executor: ExecutorId, kinds: frozenset[KindKey]) -> Seconds | None:
        with self._store.lock:
            times = [
                transitions.due_s(row, executor)
                for row in self._rows.values()
                if row.state is OperationState.LIVE and row.key in kinds
            ]
        return min(times, default=None)

    def submit(self, tx: Tx, operation: Operation, preempt: str | None = None) -> Operation:
        known = self._rows.get(operation.id)
        if known is not None:
            return transitions.same_submission(known, operation)
        live = self.live(operation.subject)
        if live is not None:
            if preempt is None:
                raise OperationInProgress(operation.subject, live.id)
            self._put_due(tx, transitions.cancelled(live, preempt))
        number = 1 + max((row.number for row in self.history(operation.subject)), default=0)
        stored = transitions.submitted(operation, number, live)
        self._put_due(tx, stored)
        return stored

    def request_cancel(self, tx: Tx, operation: OperationId, reason: str) -> Operation:
        row = self._rows.get(operation)
        if row is None:
            raise NotFound("operation", operation)
        row = transitions.cancelled(row, reason)
        self._put_due(tx, row)
        return row

    def wake(self, tx: Tx, subject: str) -> None:
        row = self.live(subject)
        if row is not None:
            self._put_due(tx, transitions.woken(row))

    def lease(
        self,
        tx: Tx,
        executor: ExecutorId,
        kinds: frozenset[KindKey],
        now_s: Seconds,
        lease_s: Seconds,
    ) -> Operation | None:
        due = [
            row
            for row in self._rows.values()
            if row.key in kinds and transitions.leasable(row, executor, now_s)
        ]
        if not due:
            return None
        row = min(due, key=lambda row: (row.wake_s, row.created_s, row.id))
        row = transitions.leased(row, executor, now_s, lease_s)
        self._put(tx, row)
        return row

    def held(self, tx: Tx, operation: Operation) -> Operation:
        self._store.transaction(tx)
        row = self._rows.get(operation.id)
        if (
            row is None
            or row.state is not OperationState.LIVE
            or (row.executor, row.fence) != (operation.executor, operation.fence)
        ):
            raise LeaseLost(operation.id)
        return row

    def save(
        self, tx: Tx, before: Operation, after: Operation, results: tuple[Result, ...] = ()
    ) -> None:
        self.held(tx, before)
        self._put(tx, after)
        memory = self._store.transaction(tx)
        for result in results:
            _set(memory, self._results, (after.id, result.step, result.n), result)
        if after.ended_s is not None:
            queue = [r for r in self.history(after.subject) if r.state is OperationState.QUEUED]
            if queue:
                self._put_due(tx, transitions.promoted(queue[0], after.ended_s))

    def adopt(self, tx: Tx, keep: frozenset[ExecutorId] = frozenset()) -> int:
        rows = [
            row
            for row in self._rows.values()
            if row.executor is not None and row.executor not in keep
        ]
        for row in rows:
            self._put_due(tx, transitions.adopted(row))
        return len(rows)

    def forget(self, tx: Tx, subject: str) -> None:
        memory = self._store.transaction(tx)
        gone = {row.id for row in self.history(subject)}
        for operation in gone:
            _drop(memory, self._rows, operation)
        for key in [key for key in self._results if key[0] in gone]:
            _drop(memory, self._results, key)

    def watch(self, ring: Callable[[], None]) -> None:
        with self._store.lock:
            self._rings = (*self._rings, ring)

    def _put(self, tx: Tx, row: Operation) -> None:
        _set(self._store.transaction(tx), self._rows, row.id, row)

    def _put_due(self, tx: Tx, row: Operation) -> None:
        self._put(tx, row)
        for ring in self._rings:
            tx.after_commit(ring)


def _page_key(row: Operation) -> tuple[float, str]:
    return (row.created_s, row.id)


def _set(tx: MemoryTx, rows: dict[K, V], key: K, value: V) -> None:
    _on_rollback(tx, rows, key)
    rows[key] = value


def _drop(tx: MemoryTx, rows: dict[K, V], key: K) -> None:
    _on_rollback(tx, rows, key)
    del rows[key]


def _on_rollback(tx: MemoryTx, rows: dict[K, V], key: K) -> None:
    if key in rows:
        before = rows[key]
        tx.on_rollback(lambda: rows.__setitem__(key, before))
    else:
        tx.on_rollback(lambda: rows.__delitem__(key))
