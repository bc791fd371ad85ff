"""Two executors, crashes, jumping clocks, cancels: whatever the order, nothing is lost."""

import random
from collections.abc import Callable
from typing import TypeVar

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from computekit.errors import OperationInProgress, Overloaded, Unsupported
from computekit.ids import ExecutorId, OperationId
from computekit.journal import (
    Back,
    Context,
    Direction,
    Done,
    Fail,
    MemoryJournal,
    Operation,
    OperationKind,
    OperationState,
    Outcome,
    Runner,
    Step,
    Wait,
    new_operation,
)
from computekit.testing.clock import ManualClock
from computekit.testing.operation_world import Crash
from computekit.units import Seconds
from computekit.work import ChangeSet, MemoryStore, MemoryTable, Tx
from tests.property.effort import examples

R = TypeVar("R")

STEPS = ("zero", "one", "two", "three")
NO_RETURN = 2
LEASE_S = Seconds(10.0)

ACTS = ("done", "wait", "fail", "back", "not now", "break", "bad commit")
DEATHS = (None, None, None, "in the run", "before the commit", "after the commit")
MEANWHILE = (*["nothing"] * 3, "other", "late", "namesake", "cancel", "hint", "adopt")


@attrs.frozen
class Nothing:
    pass


class DyingStore:
    """Commits, and dies when it is told."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.death: str | None = None

    def write(self, fn: Callable[[Tx], R]) -> R:
        def dying(tx: Tx) -> R:
            result = fn(tx)
            if self.death == "before the commit":
                raise Crash(self.death)
            return result

        result = self._store.write(dying)
        if self.death == "after the commit":
            raise Crash(self.death)
        return result

    def head(self) -> int:
        return self._store.head()

    def changes(self, since: int) -> ChangeSet | None:
        return self._store.changes(since)


class Interleavings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.journal = MemoryJournal(self.store)
        self.effects = MemoryTable[tuple[OperationId, str], int]()
        self.kind = OperationKind("k", Nothing, tuple(self._step(name) for name in STEPS))
        self.acting = "a"
        self.act = "done"
        self.death: str | None = None
        self.meanwhile = "nothing"
        self.stores = {name: DyingStore(self.store) for name in "ab"}
        self.runners = {name: self._runner(name) for name in "ab"}
        self.submitted = 0
        self.seen: dict[OperationId, Operation] = {}

    def _runner(self, name: str) -> Runner:
        return Runner(
            self.stores[name],
            self.journal,
            (self.kind,),
            clock=self.clock,
            source=random.Random(name),
            executor=ExecutorId(name),
            lease_s=LEASE_S,
        )

    def _step(self, name: str) -> Step[Nothing]:
        return Step(
            name,
            lambda ctx: self._do(name, ctx),
            lambda ctx: self._undo(name, ctx),
            Seconds(20.0),
            point_of_no_return=name == STEPS[NO_RETURN],
        )

    def _do(self, name: str, ctx: Context[Nothing]) -> Outcome:
        self._disturb(ctx)
        match self.act:
            case "wait":
                return Wait(Seconds(3.0))
            case "fail":
                return Fail(Unsupported("step", "it is random"))
            case "back":
                return Back(STEPS[max(0, STEPS.index(name) - 1)], 1)
            case "not now":
                raise Overloaded("step")
            case "break":
                raise ValueError("it is random")
        return Done(ctx.attempt, self._commit(name, ctx, present=True))

    def _undo(self, name: str, ctx: Context[Nothing]) -> Done | Wait:
        self._disturb(ctx)
        match self.act:
            case "wait" | "back":
                return Wait(Seconds(3.0))
            case "not now" | "fail":
                raise Overloaded("undo")
            case "break":
                raise ValueError("it is random")
        return Done(commit=self._commit(name, ctx, present=False))

    def _commit(self, name: str, ctx: Context[Nothing], *, present: bool) -> Callable[[Tx], None]:
        def commit(tx: Tx) -> None:
            memory = self.store.transaction(tx)
            if present:
                self.effects.put(memory, (ctx.operation, name), ctx.order[1])
            else:
                self.effects.remove(memory, (ctx.operation, name))
            if self.act == "bad commit":
                raise Unsupported("commit", "it is random")

        return commit

    def _disturb(self, ctx: Context[Nothing]) -> None:
        """Let things happen while a step runs; the other executor runs undisturbed."""
        meanwhile, self.meanwhile = self.meanwhile, "nothing"
        death, self.death = self.death, None
        act, self.act = self.act, "done"
        if meanwhile == "late":
            self.clock.advance(Seconds(2 * LEASE_S))
        if meanwhile in {"other", "late"}:
            for runner in (self._runner("a"), self._runner("b")):
                if runner.executor != self.acting:
                    runner.step()
        elif meanwhile == "namesake":
            self._runner(self.acting).step()
        elif meanwhile == "cancel":
            self._cancel(ctx.operation)
        elif meanwhile == "hint":
            self.store.write(lambda tx: self.journal.wake(tx, ctx.subject))
        elif meanwhile == "adopt":
            self.store.write(self.journal.adopt)
        self.act = act
        if death == "in the run":
            raise Crash(death)

    def _cancel(self, operation: OperationId) -> None:
        self.store.write(lambda tx: self.journal.request_cancel(tx, operation, "random"))

    @rule(
        who=st.sampled_from("ab"),
        act=st.sampled_from(ACTS),
        death=st.sampled_from(DEATHS),
        meanwhile=st.sampled_from(MEANWHILE),
    )
    def step(self, who: str, act: str, death: str | None, meanwhile: str) -> None:
        self.acting, self.act, self.death, self.meanwhile = who, act, death, meanwhile
        self.stores[who].death = death
        try:
            self.runners[who].step()
        except Crash:
            self.stores[who].death = None
            self.runners[who] = self._runner(who)
        finally:
            self.stores[who].death = None
            self.act, self.death, self.meanwhile = "done", None, "nothing"

    @rule(who=st.sampled_from("ab"), count=st.integers(1, 6))
    def go_on(self, who: str, count: int) -> None:
        self.acting = who
        for _ in range(count):
            self.runners[who].step()

    @rule(subject=st.sampled_from(["x", "y"]), preempt=st.sampled_from([None, "random"]))
    def submit(self, subject: str, preempt: str | None) -> None:
        self.submitted += 1
        id = OperationId(f"{self.submitted:04}")
        row = new_operation(self.kind, Nothing(), subject, id, self.clock.wall_s())
        live = self.journal.live(subject)
        if live is None or preempt is not None:
            self.store.write(lambda tx: self.journal.submit(tx, row, preempt))
        else:
            with pytest.raises(OperationInProgress):
                self.store.write(lambda tx: self.journal.submit(tx, row))

    @rule(pick=st.integers(0, 50))
    def cancel(self, pick: int) -> None:
        rows = self.journal.operations()
        if rows:
            self._cancel(rows[pick % len(rows)].id)

    @rule(by_s=st.sampled_from([0.5, 3.0, 11.0, 40.0]))
    def advance(self, by_s: float) -> None:
        self.clock.advance(Seconds(by_s))

    @rule(by_s=st.sampled_from([-60.0, -5.0, 5.0, 60.0]))
    def jump(self, by_s: float) -> None:
        self.clock.jump_wall(Seconds(by_s))

    @invariant()
    def rows_are_sound(self) -> None:
        rows = {row.id: row for row in self.journal.operations()}
        for subject in ("x", "y"):
            history = self.journal.history(subject)
            assert [row.number for row in history] == list(range(1, len(history) + 1))
            live = [row for row in history if row.state is OperationState.LIVE]
            queued = [row for row in history if row.state is OperationState.QUEUED]
            assert len(live) <= 1
            assert live or not queued, "somebody waits for nobody"
            assert all(row.number > live[0].number for row in queued)
        for id, before in self.seen.items():
            row = rows[id]
            assert row.fence >= before.fence
            if before.ended:
                assert row == before
        for row in rows.values():
            self._check_effects(row)
        self.seen = rows

    def _check_effects(self, row: Operation) -> None:
        present = {step for id, step in self.effects.rows if id == row.id}
        if row.ended and row.undo_error is not None:
            return  # given up: too many executors were lost, and what was done stays
        match row.state:
            case OperationState.QUEUED | OperationState.UNDONE:
                assert present == set()
            case OperationState.DONE:
                assert present == set(STEPS)
            case OperationState.LIVE:
                certain = set(STEPS[: row.position])
                if row.direction is Direction.FORWARD:
                    assert present == certain
                else:
                    assert row.position < NO_RETURN
                    assert certain <= present <= certain | {STEPS[row.position]}

    def teardown(self) -> None:
        """Left alone, everything ends."""
        runner = self._runner("a")
        self.acting = "a"
        for _ in range(2_000):
            if runner.step() is None:
                due_s = runner.next_due_s()
                if due_s is None:
                    break
                self.clock.jump_wall(Seconds(max(0.0, due_s - self.clock.wall_s())))
        self.rows_are_sound()
        assert all(row.ended for row in self.journal.operations())


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=examples(150), stateful_step_count=40, deadline=None
)
