"""A runner over a memory journal, and steps that are told what to do."""

import random
from collections.abc import Callable

import attrs

from computekit.errors import ComputekitError
from computekit.ids import ExecutorId, OperationId
from computekit.journal import (
    Context,
    Done,
    MemoryJournal,
    Operation,
    OperationKind,
    Outcome,
    Progress,
    Runner,
    Step,
    Wait,
    new_operation,
)
from computekit.model import decode_error
from computekit.testing.clock import ManualClock
from computekit.units import Seconds
from computekit.work import MemoryStore

__all__ = ["Bench", "Nothing", "do_nothing", "script", "undo_nothing"]


@attrs.frozen
class Nothing:
    pass


def do_nothing(_ctx: Context[Nothing]) -> Outcome:
    return Done()


def undo_nothing(_ctx: Context[Nothing]) -> Done | Wait:
    return Done()


def script(*acts: Outcome | BaseException) -> Callable[[Context[Nothing]], Outcome]:
    """A step that does one act after the other, the last one again and again."""
    left = list(acts)

    def do(_ctx: Context[Nothing]) -> Outcome:
        act = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(act, BaseException):
            raise act
        return act

    return do


class Bench:
    def __init__(
        self,
        *steps: Step[Nothing],
        kind: OperationKind[Nothing] | None = None,
        store: MemoryStore | None = None,
    ) -> None:
        self.clock = ManualClock(Seconds(1000.0))
        self.store = store or MemoryStore()
        self.journal = MemoryJournal(self.store)
        self.kind = kind or OperationKind("test", Nothing, steps)
        self.runner = self.executor("a")

    def executor(self, name: str, lease_s: float = 300.0) -> Runner:
        return Runner(
            self.store,
            self.journal,
            (self.kind,),
            clock=self.clock,
            source=random.Random(name),
            executor=ExecutorId(name),
            lease_s=Seconds(lease_s),
        )

    def submit(self, name: str = "1", subject: str = "it", preempt: str | None = None) -> Operation:
        row = new_operation(self.kind, Nothing(), subject, OperationId(name), self.clock.wall_s())
        return self.store.write(lambda tx: self.journal.submit(tx, row, preempt))

    def cancel(self, reason: str, name: str = "1") -> None:
        self.store.write(lambda tx: self.journal.request_cancel(tx, OperationId(name), reason))

    def row(self, name: str = "1") -> Operation:
        row = self.journal.operation(OperationId(name))
        assert row is not None
        return row

    def error(self, name: str = "1") -> ComputekitError | None:
        text = self.row(name).error
        return None if text is None else decode_error(text)

    def step(self) -> Progress:
        progress = self.runner.step()
        assert progress is not None
        return progress

    def finish(self, name: str = "1", rounds: int = 200) -> Operation:
        for _ in range(rounds):
            if self.row(name).ended:
                return self.row(name)
            if self.runner.step() is None:
                due_s = self.runner.next_due_s()
                assert due_s is not None
                self.clock.advance(Seconds(due_s - self.clock.wall_s()))
        raise AssertionError(f"does not end: {self.row(name)}")
