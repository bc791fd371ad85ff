"""A small world for one operation, run under a watch that can disturb every part of it."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Never, TypeVar

import attrs

from computekit.errors import Unsupported
from computekit.ids import ExecutorId, OperationId
from computekit.journal import (
    Context,
    Done,
    Fail,
    Journal,
    Operation,
    OperationKind,
    OperationState,
    Outcome,
    Progress,
    Runner,
    Step,
    Wait,
)
from computekit.testing.clock import ManualClock
from computekit.units import Seconds
from computekit.work import ChangeSet, Store, Tx

__all__ = [
    "Crash",
    "Do",
    "OperationCase",
    "Snapshot",
    "Trial",
    "Undo",
    "World",
    "as_it_is",
    "as_undo_is",
    "fails_after",
    "finished",
    "turning",
    "undisturbed",
]

R = TypeVar("R")

Snapshot = Mapping[str, object]
"""Everything that operations may change, beside the journal: parts that can be compared, by name.

Times, and numbers that only count changes, do not belong in it.
"""

Do = Callable[["Trial", str, int, Callable[[], Outcome]], Outcome]
"""Stands in for each run of a step: gets its name, how many runs there were, and the real run."""

Undo = Callable[["Trial", str, int, Callable[[], Done | Wait]], Done | Wait]
"""The same for an undo."""

INJECTED = Unsupported("this", "a law wants it to fail")
LEASE_S = Seconds(1.0)
MOST_ROUNDS = 2_000


class Crash(BaseException):
    """The process dies here."""


def _nothing() -> None:
    """A world that has nothing which dies with its process."""


def _same(before: Snapshot) -> Snapshot:
    return before


@attrs.frozen
class World:
    """Everything that an operation works on, before it is submitted.

    Attributes:
        store: what everything is written in.
        journal: the operations.
        kinds: those that are run.
        clock: the only source of time.
        submit: submits the operation that is under the laws.
        snapshot: returns what the world looks like now.
        undone: returns what it looks like when the operation has been undone, from what it looked
            like before it was submitted; the same, if not given.
        restart: what the death of the process and a new start do to the world, beside the new
            executor: agents that synchronise again ...
    """

    store: Store
    journal: Journal
    kinds: tuple[OperationKind[Never], ...]
    clock: ManualClock
    submit: Callable[[], OperationId]
    snapshot: Callable[[], Snapshot]
    undone: Callable[[Snapshot], Snapshot] = _same
    restart: Callable[[], None] = _nothing


OperationCase = Callable[[Callable[[str], None]], World]
"""Makes a new world, always the same; the one before it is not used any more.

It is given a function that the world may call, with a name, wherever else a crash is to be tried:
before and after what a service does.
"""


def as_it_is(_trial: "Trial", _step: str, _run: int, real: Callable[[], Outcome]) -> Outcome:
    """Run a step undisturbed."""
    return real()


def as_undo_is(
    _trial: "Trial", _step: str, _run: int, real: Callable[[], Done | Wait]
) -> Done | Wait:
    """Run an undo undisturbed."""
    return real()


class Trial:
    """One run of a case in a world of its own.

    Args:
        case: makes the world.
        label: says in failures what was tried.
        do: stands in for the runs of steps of the operation.
        undo: stands in for the runs of their undos.
        crash_at: index of the point, of those that are passed, at which the process dies.

    Attributes:
        points: the names of the points that were passed: before and after each commit, run of a
            step and undo, and those that the world has itself.
        runs: the steps that were run, in order, each with how many runs it had had.
        outcome: what the world looked like at the end, once `finished` has noted it.
    """

    def __init__(
        self,
        case: OperationCase,
        label: str = "undisturbed",
        *,
        do: Do = as_it_is,
        undo: Undo = as_undo_is,
        crash_at: int | None = None,
    ) -> None:
        self.label = label
        self.points: list[str] = []
        self.runs: list[tuple[str, int]] = []
        self._do = do
        self._undo = undo
        self._crash_at = crash_at
        self._counts: Counter[tuple[str, str]] = Counter()
        self._armed = False
        self.world: World = case(self._pass)
        self.before: Snapshot = self.world.snapshot()
        self.undone: Snapshot = self.world.undone(self.before)
        self.operation: OperationId = self.world.submit()
        self.kind: OperationKind[Never] = next(
            kind for kind in self.world.kinds if kind.key == self.row().key
        )
        self.outcome: Snapshot = self.before
        self._armed = True

    def disturb(self, do: Do) -> None:
        """Let `do` stand in for the runs of steps from now on."""
        self._do = do

    def executor(self, name: str) -> Runner:
        """Return a new executor of this world."""
        return Runner(
            _WatchedStore(self.world.store, self._pass),
            self.world.journal,
            tuple(self._watched(kind) for kind in self.world.kinds),
            clock=self.world.clock,
            source=random.Random(name),
            executor=ExecutorId(name),
            lease_s=LEASE_S,
        )

    def row(self) -> Operation:
        """Return the operation."""
        row = self.world.journal.operation(self.operation)
        assert row is not None, f"{self.label}: the operation has gone"
        return row

    def forward(self, runner: Runner) -> Progress | None:
        """Let `runner` do one step, or time pass until it can."""
        progress = runner.step()
        if progress is None:
            due_s = runner.next_due_s()
            assert due_s is not None, f"{self.label}: nothing will ever be due"
            self.world.clock.advance(Seconds(max(0.0, due_s - self.world.clock.wall_s())))
        return progress

    def finish(self, runner: Runner) -> None:
        """Let `runner` run the operation to its end."""
        for _ in range(MOST_ROUNDS):
            row = self.world.journal.operation(self.operation)
            if row is None or row.ended:
                return
            self.forward(runner)
        raise AssertionError(f"{self.label}: the operation does not end: {self.row()}")

    def recover(self, crash_after: int | None = None) -> None:
        """Start again after a crash, and run the operation to its end.

        Args:
            crash_after: how many points are passed before the process dies again; None: it lives.
        """
        self._armed = crash_after is not None
        self._crash_at = len(self.points) + (crash_after or 0)
        self.world.restart()
        self.world.store.write(self.world.journal.adopt)
        self.finish(self.executor("after the crash"))

    def expect(self, state: OperationState, snapshot: Snapshot) -> None:
        """Require that the operation has ended thus, and that the world looks like this."""
        row = self.row()
        assert row.state is state, f"{self.label}: should be {state.value}, is {row}"
        assert self.world.journal.live(row.subject) is None, f"{self.label}: something is live"
        self.expect_world(snapshot)

    def expect_world(self, snapshot: Snapshot) -> None:
        """Require that the world looks like this."""
        found = self.world.snapshot()
        wrong = [
            f"{part} should be {snapshot.get(part)!r}, is {found.get(part)!r}"
            for part in sorted({*found, *snapshot})
            if found.get(part) != snapshot.get(part)
        ]
        assert not wrong, f"{self.label}: the world is not as it should be: {'; '.join(wrong)}"

    def _pass(self, point: str) -> None:
        if not self._armed:
            return
        self.points.append(point)
        if self._crash_at == len(self.points) - 1:
            self._armed = False
            raise Crash(point)

    def _watched(self, kind: OperationKind[Never]) -> OperationKind[Never]:
        return attrs.evolve(kind, steps=tuple(self._watched_step(step) for step in kind.steps))

    def _watched_step(self, step: Step[Never]) -> Step[Never]:
        def do(ctx: Context[Never]) -> Outcome:
            if ctx.operation != self.operation:
                return step.do(ctx)
            run = self._count(step.name, "do")
            self.runs.append((step.name, run))
            self._pass(f"before {step.name}")
            outcome = self._do(self, step.name, run, lambda: step.do(ctx))
            self._pass(f"after {step.name}")
            return outcome

        undo = None if step.undo is None else self._watched_undo(step.name, step.undo)
        return attrs.evolve(step, do=do, undo=undo)

    def _watched_undo(
        self, name: str, real: Callable[[Context[Never]], Done | Wait]
    ) -> Callable[[Context[Never]], Done | Wait]:
        def undo(ctx: Context[Never]) -> Done | Wait:
            if ctx.operation != self.operation:
                return real(ctx)
            run = self._count(name, "undo")
            self._pass(f"before the undo of {name}")
            outcome = self._undo(self, name, run, lambda: real(ctx))
            self._pass(f"after the undo of {name}")
            return outcome

        return undo

    def _count(self, step: str, way: str) -> int:
        self._counts[step, way] += 1
        return self._counts[step, way] - 1


def undisturbed(case: OperationCase) -> Trial:
    """Return a run in which nothing has gone wrong."""
    trial = finished(Trial(case))
    trial.expect(OperationState.DONE, trial.outcome)
    return trial


def finished(trial: Trial) -> Trial:
    """Return the trial after one executor has run it to its end, with its outcome."""
    trial.finish(trial.executor("a"))
    trial.outcome = trial.world.snapshot()
    return trial


def turning(case: OperationCase) -> tuple[Step[Never], ...]:
    """Return the steps before the point of no return."""
    kind = undisturbed(case).kind
    return kind.steps[: kind.no_return]


def fails_after(failing: Step[Never]) -> Do:
    """Let a step fail each time that it would be done."""

    def do(_trial: Trial, name: str, _run: int, real: Callable[[], Outcome]) -> Outcome:
        outcome = real()
        return Fail(INJECTED) if name == failing.name and isinstance(outcome, Done) else outcome

    return do


class _WatchedStore:
    """A store that passes a point before and after each commit."""

    def __init__(self, store: Store, pass_: Callable[[str], None]) -> None:
        self._store = store
        self._pass = pass_

    def write(self, fn: Callable[[Tx], R]) -> R:
        def watched(tx: Tx) -> R:
            result = fn(tx)
            self._pass("before a commit")
            return result

        result = self._store.write(watched)
        self._pass("after a commit")
        return result

    def head(self) -> int:
        return self._store.head()

    def changes(self, since: int) -> ChangeSet | None:
        return self._store.changes(since)
