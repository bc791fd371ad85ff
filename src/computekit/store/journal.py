"""Operations as rows."""

from collections.abc import Callable

import attrs
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from computekit.errors import LeaseLost, NotFound, OperationInProgress
from computekit.ids import ExecutorId, OperationId
from computekit.journal import KindKey, Operation, OperationState, Result, transitions
from computekit.store.sql_store import SqlStore
from computekit.store.tables import OPERATION, RESULT
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["SqlJournal"]

_Values = dict[str, object]

_COL = OPERATION.c
_ALL = select(
    _COL.id,
    _COL.kind,
    _COL.version,
    _COL.subject,
    _COL.number,
    _COL.params,
    _COL.state,
    _COL.created_s,
    _COL.direction,
    _COL.position,
    _COL.back_to,
    _COL.attempt,
    _COL.retries,
    _COL.entered_s,
    _COL.wake_s,
    _COL.doing,
    _COL.error,
    _COL.undo_error,
    _COL.cancel,
    _COL.executor,
    _COL.fence,
    _COL.lease_until_s,
    _COL.ended_s,
    _COL.deaths,
)

_ONE = _COL.id == bindparam("operation")
_OF = _COL.subject == bindparam("of")
_LIVE = _COL.state == OperationState.LIVE
_QUEUED = _COL.state == OperationState.QUEUED
_LEASED = and_(_COL.executor == bindparam("by"), _COL.fence == bindparam("under"), _LIVE)
_HISTORY = _ALL.where(_OF).order_by(_COL.number)
_NUMBER = select(func.coalesce(func.max(_COL.number), 0) + 1).where(_OF)
_KNOWN = and_(_LIVE, tuple_(_COL.kind, _COL.version).in_(bindparam("kinds", expanding=True)))
_UNLEASED = or_(_COL.executor.is_(None), _COL.executor == bindparam("by"))
_DUE = (
    _ALL.where(
        _KNOWN,
        _COL.wake_s <= bindparam("now_s"),
        or_(_UNLEASED, _COL.lease_until_s <= bindparam("now_s")),
    )
    .order_by(_COL.wake_s, _COL.created_s, _COL.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_NEXT_DUE_S = select(
    func.min(
        case(
            (or_(_UNLEASED, _COL.lease_until_s <= _COL.wake_s), _COL.wake_s),
            else_=_COL.lease_until_s,
        )
    )
).where(_KNOWN)
_ENDED = (
    _ALL.where(
        _COL.kind.in_(bindparam("names", expanding=True)),
        _COL.ended_s < bindparam("before_s"),
    )
    .order_by(_COL.ended_s, _COL.id)
    .limit(bindparam("most"))
)
_INSERT = insert(OPERATION)
_UPDATE = update(OPERATION).where(_ONE)
_SAVE = _UPDATE.where(_LEASED)
_FORGET = delete(OPERATION).where(_OF)

_RESULTS = (
    select(RESULT.c.step, RESULT.c.n, RESULT.c.value, RESULT.c.at_s)
    .where(RESULT.c.operation_id == bindparam("operation"))
    .order_by(RESULT.c.at_s, RESULT.c.step, RESULT.c.n)
)
_INSERT_RESULT = insert(RESULT)
_DROP_RESULT = delete(RESULT).where(
    RESULT.c.operation_id == bindparam("operation"),
    RESULT.c.step == bindparam("of_step"),
    RESULT.c.n == bindparam("of_n"),
)
_FORGET_RESULTS = delete(RESULT).where(RESULT.c.operation_id.in_(select(_COL.id).where(_OF)))


class SqlJournal:
    """A `Journal` in a database.

    That a subject has one live operation, and that its operations are counted, is kept by unique
    indexes: who loses a race for one is run again by the store, and then finds the winner.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._rings: tuple[Callable[[], None], ...] = ()

    def operation(self, operation: OperationId) -> Operation | None:
        return self._read({"operation": operation}, _ONE)

    def live(self, subject: str) -> Operation | None:
        return self._read({"of": subject}, _OF, _LIVE)

    def history(self, subject: str) -> tuple[Operation, ...]:
        with self._store.reading() as connection:
            return tuple(Operation(*row) for row in connection.execute(_HISTORY, {"of": subject}))

    def operations(
        self,
        states: frozenset[OperationState] | None = None,
        after: Operation | None = None,
        limit: int = 1000,
    ) -> tuple[Operation, ...]:
        query = _ALL.order_by(_COL.created_s, _COL.id).limit(limit)
        if states is not None:
            query = query.where(_COL.state.in_(states))
        if after is not None:
            query = query.where(tuple_(_COL.created_s, _COL.id) > tuple_(after.created_s, after.id))
        with self._store.reading() as connection:
            return tuple(Operation(*row) for row in connection.execute(query))

    def ended(self, kinds: frozenset[str], before_s: Seconds, limit: int) -> tuple[Operation, ...]:
        values = {"names": list(kinds), "before_s": before_s, "most": limit}
        with self._store.reading() as connection:
            return tuple(Operation(*row) for row in connection.execute(_ENDED, values))

    def results(self, operation: OperationId) -> tuple[Result, ...]:
        with self._store.reading() as connection:
            rows = connection.execute(_RESULTS, {"operation": operation})
            return tuple(Result(*row) for row in rows)

    def next_due_s(self, executor: ExecutorId, kinds: frozenset[KindKey]) -> Seconds | None:
        with self._store.reading() as connection:
            return connection.execute(_NEXT_DUE_S, {"by": executor, "kinds": list(kinds)}).scalar()

    def submit(self, tx: Tx, operation: Operation, preempt: str | None = None) -> Operation:
        connection = self._store.connection(tx)
        known = _locked(connection, {"operation": operation.id}, _ONE)
        if known is not None:
            return transitions.same_submission(known, operation)
        live = _locked(connection, {"of": operation.subject}, _OF, _LIVE)
        if live is not None:
            if preempt is None:
                raise OperationInProgress(operation.subject, live.id)
            self._put_due(tx, transitions.cancelled(live, preempt))
        number = connection.execute(_NUMBER, {"of": operation.subject}).scalar_one()
        stored = transitions.submitted(operation, number, live)
        connection.execute(_INSERT, _values(stored))
        self._ring_after(tx)
        return stored

    def request_cancel(self, tx: Tx, operation: OperationId, reason: str) -> Operation:
        row = _locked(self._store.connection(tx), {"operation": operation}, _ONE)
        if row is None:
            raise NotFound("operation", operation)
        row = transitions.cancelled(row, reason)
        self._put_due(tx, row)
        return row

    def wake(self, tx: Tx, subject: str) -> None:
        row = _locked(self._store.connection(tx), {"of": subject}, _OF, _LIVE)
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
        connection = self._store.connection(tx)
        due = connection.execute(_DUE, {"by": executor, "kinds": list(kinds), "now_s": now_s})
        found = due.first()
        if found is None:
            return None
        row = transitions.leased(Operation(*found), executor, now_s, lease_s)
        _put(connection, row)
        return row

    def held(self, tx: Tx, operation: Operation) -> Operation:
        row = _locked(self._store.connection(tx), _lease_of(operation), _ONE, _LEASED)
        if row is None:
            raise LeaseLost(operation.id)
        return row

    def save(
        self, tx: Tx, before: Operation, after: Operation, results: tuple[Result, ...] = ()
    ) -> None:
        connection = self._store.connection(tx)
        saved = connection.execute(_SAVE, {**_values(after), **_lease_of(before)})
        if saved.rowcount != 1:
            raise LeaseLost(before.id)
        for result in results:
            key = {"operation": after.id, "of_step": result.step, "of_n": result.n}
            connection.execute(_DROP_RESULT, key)
            row = {"operation_id": after.id, **attrs.asdict(result)}
            connection.execute(_INSERT_RESULT, row)
        if after.ended_s is not None:
            queued = _locked(connection, {"of": after.subject}, _OF, _QUEUED)
            if queued is not None:
                self._put_due(tx, transitions.promoted(queued, after.ended_s))

    def adopt(self, tx: Tx, keep: frozenset[ExecutorId] = frozenset()) -> int:
        connection = self._store.connection(tx)
        held = _ALL.where(_LIVE, _COL.executor.is_not(None), _COL.executor.not_in(keep))
        rows = [Operation(*row) for row in connection.execute(held.with_for_update())]
        for row in rows:
            self._put_due(tx, transitions.adopted(row))
        return len(rows)

    def forget(self, tx: Tx, subject: str) -> None:
        connection = self._store.connection(tx)
        connection.execute(_FORGET_RESULTS, {"of": subject})
        connection.execute(_FORGET, {"of": subject})

    def watch(self, ring: Callable[[], None]) -> None:
        self._rings = (*self._rings, ring)

    def _read(self, values: _Values, *where: ColumnElement[bool]) -> Operation | None:
        with self._store.reading() as connection:
            row = connection.execute(_ALL.where(*where), values).first()
        return None if row is None else Operation(*row)

    def _put_due(self, tx: Tx, row: Operation) -> None:
        _put(self._store.connection(tx), row)
        self._ring_after(tx)

    def _ring_after(self, tx: Tx) -> None:
        for ring in self._rings:
            tx.after_commit(ring)


def _locked(
    connection: Connection, values: _Values, *where: ColumnElement[bool]
) -> Operation | None:
    """Read the first of these that nobody else can write until the transaction ends."""
    query = _ALL.where(*where).order_by(_COL.number).limit(1).with_for_update()
    row = connection.execute(query, values).first()
    return None if row is None else Operation(*row)


def _put(connection: Connection, row: Operation) -> None:
    connection.execute(_UPDATE, {**_values(row), "operation": row.id})


def _lease_of(row: Operation) -> _Values:
    return {"operation": row.id, "by": row.executor, "under": row.fence}


def _values(row: Operation) -> _Values:
    """Return the columns, which have the names of the fields."""
    return attrs.asdict(row, recurse=False)
