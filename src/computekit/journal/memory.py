"""A journal in dictionaries."""

from collections.abc import Callable

from computekit.errors import LeaseLost, NotFound, OperationInProgress
from computekit.ids import ExecutorId, OperationId
from computekit.journal import transitions
from computekit.journal.context import merged
from computekit.journal.operation import KindKey, Operation, OperationState, Result
from computekit.units import Seconds
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = ["MemoryJournal"]


class MemoryJournal:
    """A `Journal` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._table = MemoryTable[OperationId, Operation]()
        self._by_subject = MemoryTable[str, tuple[OperationId, ...]]()
        self._live = MemoryTable[str, OperationId]()
        self._results = MemoryTable[OperationId, tuple[Result, ...]]()
        self._rings: tuple[Callable[[], None], ...] = ()

    def operation(self, operation: OperationId) -> Operation | None:
        with self._store.lock:
            return self._table.rows.get(operation)

    def live(self, subject: str) -> Operation | None:
        with self._store.lock:
            operation = self._live.rows.get(subject)
            return None if operation is None else self._table.rows[operation]

    def history(self, subject: str) -> tuple[Operation, ...]:
        with self._store.lock:
            ids = self._by_subject.rows.get(subject, ())
            return tuple(self._table.rows[operation] for operation in ids)

    def operations(
        self,
        states: frozenset[OperationState] | None = None,
        after: Operation | None = None,
        limit: int = 1000,
    ) -> tuple[Operation, ...]:
        with self._store.lock:
            rows = [
                row for row in self._table.rows.values() if states is None or row.state in states
            ]
        rows.sort(key=_page_key)
        if after is not None:
            rows = [row for row in rows if _page_key(row) > _page_key(after)]
        return tuple(rows[:limit])

    def ended(self, kinds: frozenset[str], before_s: Seconds, limit: int) -> tuple[Operation, ...]:
        with self._store.lock:
            rows = [
                (row.ended_s, row.id, row)
                for row in self._table.rows.values()
                if row.kind in kinds and row.ended_s is not None and row.ended_s < before_s
            ]
        return tuple(row for _, _, row in sorted(rows)[:limit])

    def results(self, operation: OperationId) -> tuple[Result, ...]:
        with self._store.lock:
            found = self._results.rows.get(operation, ())
        return tuple(sorted(found, key=lambda result: (result.at_s, result.step, result.n)))

    def next_due_s(self, executor: ExecutorId, kinds: frozenset[KindKey]) -> Seconds | None:
        with self._store.lock:
            times = [transitions.due_s(row, executor) for row in self._known(kinds)]
        return min(times, default=None)

    def submit(self, tx: Tx, operation: Operation, preempt: str | None = None) -> Operation:
        known = self._table.rows.get(operation.id)
        if known is not None:
            return transitions.same_submission(known, operation)
        live = self.live(operation.subject)
        if live is not None:
            if preempt is None:
                raise OperationInProgress(operation.subject, live.id)
            self._put_due(tx, transitions.cancelled(live, preempt))
        ids = self._by_subject.rows.get(operation.subject, ())
        stored = transitions.submitted(operation, 1 + len(ids), live)
        self._by_subject.put(self._store.transaction(tx), operation.subject, (*ids, operation.id))
        self._put_due(tx, stored)
        return stored

    def request_cancel(self, tx: Tx, operation: OperationId, reason: str) -> Operation:
        row = self._table.rows.get(operation)
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
        due = [row for row in self._known(kinds) if transitions.due_s(row, executor) <= now_s]
        if not due:
            return None
        row = min(due, key=lambda row: (row.wake_s, row.created_s, row.id))
        row = transitions.leased(row, executor, now_s, lease_s)
        self._put(tx, row)
        return row

    def held(self, tx: Tx, operation: Operation) -> Operation:
        self._store.transaction(tx)
        row = self._table.rows.get(operation.id)
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
        if results:
            known = merged(self._results.rows.get(after.id, ()), results)
            self._results.put(self._store.transaction(tx), after.id, known)
        if after.ended_s is not None:
            queue = [r for r in self.history(after.subject) if r.state is OperationState.QUEUED]
            if queue:
                self._put_due(tx, transitions.promoted(queue[0], after.ended_s))

    def adopt(self, tx: Tx, keep: frozenset[ExecutorId] = frozenset()) -> int:
        live = [self._table.rows[operation] for operation in self._live.rows.values()]
        rows = [row for row in live if row.executor is not None and row.executor not in keep]
        for row in rows:
            self._put_due(tx, transitions.adopted(row))
        return len(rows)

    def forget(self, tx: Tx, subject: str) -> None:
        memory = self._store.transaction(tx)
        for operation in self._by_subject.rows.get(subject, ()):
            self._table.remove(memory, operation)
            self._results.remove(memory, operation)
        self._live.remove(memory, subject)
        self._by_subject.remove(memory, subject)

    def watch(self, ring: Callable[[], None]) -> None:
        with self._store.lock:
            self._rings = (*self._rings, ring)

    def _known(self, kinds: frozenset[KindKey]) -> list[Operation]:
        live = (self._table.rows[operation] for operation in self._live.rows.values())
        return [row for row in live if row.key in kinds]

    def _put(self, tx: Tx, row: Operation) -> None:
        memory = self._store.transaction(tx)
        self._table.put(memory, row.id, row)
        if row.state is OperationState.LIVE:
            self._live.put(memory, row.subject, row.id)
        elif self._live.rows.get(row.subject) == row.id:
            self._live.remove(memory, row.subject)

    def _put_due(self, tx: Tx, row: Operation) -> None:
        self._put(tx, row)
        for ring in self._rings:
            tx.after_commit(ring)


def _page_key(row: Operation) -> tuple[float, str]:
    return (row.created_s, row.id)
