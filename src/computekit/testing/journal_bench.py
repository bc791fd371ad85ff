"""An empty journal, and the moves that its laws are made of."""

from collections.abc import Callable
from typing import TypeVar

import attrs

from computekit.ids import ExecutorId, OperationId
from computekit.journal import (
    Done,
    Journal,
    KindKey,
    Operation,
    OperationKind,
    OperationState,
    Result,
    Step,
    new_operation,
)
from computekit.units import Seconds
from computekit.work import Store, Tx

__all__ = ["KINDS", "A", "B", "JournalBench", "new_row", "resting"]

R = TypeVar("R")

A, B = ExecutorId("a"), ExecutorId("b")
_LEASE_S = Seconds(10.0)


@attrs.frozen
class _Paint:
    colour: str


_PAINT = OperationKind("paint", _Paint, (Step("brush", lambda _: Done()),), version=2)
KINDS: frozenset[KindKey] = frozenset({_PAINT.key})


@attrs.frozen
class JournalBench:
    """An empty journal and the store that it writes in, with the moves of the laws."""

    store: Store
    journal: Journal

    def write(self, fn: Callable[[Tx], R]) -> R:
        return self.store.write(fn)

    def submit(
        self, name: str, subject: str = "wall", now_s: float = 100.0, preempt: str | None = None
    ) -> Operation:
        row = new_row(name, subject, now_s)
        return self.write(lambda tx: self.journal.submit(tx, row, preempt))

    def lease(
        self,
        executor: ExecutorId = A,
        now_s: float = 100.0,
        kinds: frozenset[KindKey] = KINDS,
    ) -> Operation | None:
        return self.write(
            lambda tx: self.journal.lease(tx, executor, kinds, Seconds(now_s), _LEASE_S)
        )

    def leased(self, executor: ExecutorId = A, now_s: float = 100.0) -> Operation:
        row = self.lease(executor, now_s)
        assert row is not None
        return row

    def held(self, row: Operation) -> Operation:
        return self.write(lambda tx: self.journal.held(tx, row))

    def save(self, before: Operation, after: Operation, *results: Result) -> None:
        self.write(lambda tx: self.journal.save(tx, before, after, results))

    def end(self, row: Operation, at_s: float = 100.0) -> Operation:
        ended = attrs.evolve(
            row,
            state=OperationState.DONE,
            executor=None,
            lease_until_s=Seconds(0.0),
            ended_s=Seconds(at_s),
        )
        self.save(row, ended)
        return ended

    def cancel(self, name: str, reason: str) -> Operation:
        return self.write(lambda tx: self.journal.request_cancel(tx, OperationId(name), reason))

    def row(self, name: str) -> Operation:
        row = self.journal.operation(OperationId(name))
        assert row is not None
        return row


def new_row(name: str, subject: str, now_s: float) -> Operation:
    """Return a submission."""
    return new_operation(_PAINT, _Paint("red"), subject, OperationId(name), Seconds(now_s))


def resting(row: Operation, wake_s: float) -> Operation:
    """Return the row as it rests."""
    return attrs.evolve(
        row, executor=None, lease_until_s=Seconds(0.0), wake_s=Seconds(wake_s), attempt=1
    )
