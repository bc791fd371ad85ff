"""What the runner makes of each outcome, error and cancel."""

import logging
import random
import threading
from collections.abc import Callable
from typing import TypeVar

import attrs
import pytest
from typing_extensions import override

from computekit.clock import SystemClock
from computekit.errors import (
    Cancelled,
    ComputekitError,
    DeadlineExceeded,
    Overloaded,
    StoreUnavailable,
    Unexpected,
    Unsupported,
)
from computekit.ids import ExecutorId, OperationId
from computekit.journal import (
    Back,
    Context,
    Direction,
    Done,
    Ending,
    Fail,
    OperationKind,
    OperationState,
    Outcome,
    Result,
    Runner,
    Step,
    Wait,
)
from computekit.journal.runner import RETRY_FIRST_S, RETRY_LONGEST_S
from computekit.model import decode_error
from computekit.runtime import Faults, Runtime
from computekit.units import Seconds
from computekit.work import MemoryStore, Tx
from tests.unit.journal.bench import Bench, Nothing, do_nothing, script, undo_nothing

R = TypeVar("R")

NO = Unsupported("this", "the test wants it")


@attrs.frozen
class Parcel:
    weight_kg: int
    tags: tuple[str, ...] = ()


def test_nothing_to_do() -> None:
    bench = Bench(Step("one", do_nothing))
    assert bench.runner.step() is None
    assert bench.runner.next_due_s() is None


def test_steps_run_in_order_under_one_lease() -> None:
    ran: list[str] = []

    def named(name: str) -> Step[Nothing]:
        def do(_ctx: Context[Nothing]) -> Outcome:
            ran.append(name)
            return Done()

        return Step(name, do)

    bench = Bench(named("one"), named("two"), named("three"))
    bench.submit()
    first = bench.step()
    assert first.after == bench.row()
    assert (bench.row().position, bench.row().fence, bench.row().executor) == (1, 1, "a")
    assert bench.runner.next_due_s() == 1000.0
    bench.step()
    last = bench.step()
    assert ran == ["one", "two", "three"]
    assert (first.before.position, last.before.position) == (0, 2)
    row = bench.row()
    assert (row.state, row.fence, row.executor, row.ended_s) == (
        OperationState.DONE, 1, None, 1000.0,
    )  # fmt: skip
    assert bench.runner.step() is None


def test_each_write_renews_the_lease() -> None:
    def one(_ctx: Context[Nothing]) -> Outcome:
        bench.clock.advance(Seconds(50.0))
        return Done()

    bench = Bench(Step("one", one), Step("two", do_nothing))
    bench.submit()
    bench.step()
    assert bench.row().lease_until_s == 1350.0


def test_a_held_lease_that_has_lapsed_is_taken_again() -> None:
    bench = Bench(Step("one", do_nothing), Step("two", do_nothing))
    bench.submit()
    bench.step()
    bench.clock.advance(Seconds(300.0))
    assert bench.step().before.fence == 2


def test_a_held_lease_that_was_lost_between_steps_is_noticed_before_the_step() -> None:
    bench = Bench(Step("one", do_nothing), Step("two", do_nothing))
    bench.submit()
    bench.step()
    bench.store.write(bench.journal.adopt)
    assert bench.step().before.fence == 2


def test_outs_reach_later_steps_and_undos() -> None:
    seen: list[object] = []

    def read(ctx: Context[Nothing]) -> Outcome:
        seen.append(ctx.out("make", Parcel))
        seen.append(ctx.out_if_done("read", int))
        with pytest.raises(KeyError):
            ctx.out("plain", int)
        return Fail(NO)

    def unmake(ctx: Context[Nothing]) -> Done | Wait:
        seen.append(ctx.out_if_done("make", Parcel))
        return Done()

    bench = Bench(
        Step("make", script(Done(Parcel(3, ("heavy",)))), unmake),
        Step("plain", do_nothing),
        Step("read", read),
    )
    bench.submit()
    bench.finish()
    parcel = Parcel(3, ("heavy",))
    assert seen == [parcel, None, parcel]
    assert [(r.step, r.value) for r in bench.journal.results(OperationId("1"))] == [
        ("make", None),
        ("plain", None),
        ("read", None),
    ]


def test_what_is_committed_is_committed_with_the_step() -> None:
    rows: list[int] = []

    def commit(_tx: Tx) -> None:
        rows.append(bench.row().position)

    bench = Bench(Step("one", script(Done(commit=commit))), Step("two", do_nothing))
    bench.submit()
    bench.step()
    assert rows == [0]
    assert bench.row().position == 1


def test_commit_that_fails_for_now_runs_the_step_again() -> None:
    runs: list[int] = []

    def commit(_tx: Tx) -> None:
        if len(runs) < 3:
            raise Overloaded("books")

    def do(ctx: Context[Nothing]) -> Outcome:
        runs.append(ctx.attempt)
        return Done(commit=commit)

    bench = Bench(Step("one", do))
    bench.submit()
    bench.step()
    assert isinstance(bench.error(), Overloaded)
    assert bench.finish().state is OperationState.DONE
    assert runs == [0, 1, 2]


@pytest.mark.parametrize("error", [NO, ValueError("oh")])
def test_commit_that_fails_for_good_turns(error: Exception) -> None:
    def commit(_tx: Tx) -> None:
        raise error

    bench = Bench(Step("one", script(Done(commit=commit)), undo_nothing))
    bench.submit()
    bench.step()
    assert bench.row().direction is Direction.UNDO
    assert isinstance(bench.error(), Unsupported | Unexpected)
    assert bench.finish().state is OperationState.UNDONE


def test_wait_rests_without_a_lease() -> None:
    bench = Bench(Step("one", script(Wait(Seconds(7.0), "for paint"), Done())))
    bench.submit()
    bench.step()
    row = bench.row()
    assert (row.executor, row.wake_s, row.doing, row.attempt) == (None, 1007.0, "for paint", 1)
    assert bench.runner.step() is None
    assert bench.runner.next_due_s() == 1007.0
    bench.clock.advance(Seconds(7.0))
    bench.step()
    assert (bench.row().state, bench.row().doing) == (OperationState.DONE, "")


def test_a_hint_ends_a_rest() -> None:
    bench = Bench(Step("one", script(Wait(Seconds(7.0)), Done())))
    bench.submit()
    bench.step()
    bench.store.write(lambda tx: bench.journal.wake(tx, "it"))
    bench.step()
    assert bench.row().state is OperationState.DONE


def test_a_hint_during_a_run_is_not_lost() -> None:
    def hinted(ctx: Context[Nothing]) -> Outcome:
        if ctx.attempt > 0:
            return Wait(Seconds(7.0)) if ctx.attempt == 1 else Done()
        bench.store.write(lambda tx: bench.journal.wake(tx, "it"))
        return Wait(Seconds(7.0))

    bench = Bench(Step("one", hinted))
    bench.submit()
    bench.step()
    assert bench.row().attempt == 1
    bench.step()
    assert bench.row().attempt == 2
    assert bench.runner.step() is None


def test_steps_know_how_long_they_take() -> None:
    seen: list[float] = []

    def do(ctx: Context[Nothing]) -> Outcome:
        seen.append(ctx.since_entered_s)
        return Wait(Seconds(5.0)) if ctx.attempt < 2 else Done()

    bench = Bench(Step("zero", script(Wait(Seconds(3.0)), Done())), Step("one", do))
    bench.submit()
    bench.finish()
    assert seen == [0.0, 5.0, 10.0]


def test_failing_undoes_from_this_step_on() -> None:
    undone: list[str] = []

    def undo(name: str) -> Step[Nothing]:
        def take_back(_ctx: Context[Nothing]) -> Done | Wait:
            undone.append(name)
            return Done()

        return Step(name, script(Fail(NO)) if name == "three" else do_nothing, take_back)

    bench = Bench(undo("one"), Step("two", do_nothing), undo("three"), undo("four"))
    bench.submit()
    row = bench.finish()
    assert undone == ["three", "one"]
    assert row.state is OperationState.UNDONE
    error = bench.error()
    assert isinstance(error, Unsupported)
    assert error.feature == "this"


def test_an_error_that_may_pass_is_retried_ever_more_slowly() -> None:
    bench = Bench(Step("one", script(Overloaded("door")), timeout_s=Seconds(1e6)))
    bench.submit()
    rests: list[float] = []
    for _ in range(12):
        bench.step()
        rests.append(bench.row().wake_s - bench.clock.wall_s())
        assert isinstance(bench.error(), Overloaded)
        bench.clock.advance(Seconds(rests[-1]))
    for count, rest_s in enumerate(rests):
        whole_s = min(RETRY_LONGEST_S, RETRY_FIRST_S * 2**count)
        assert whole_s / 2 <= rest_s <= whole_s
    assert len(set(rests)) == len(rests)
    assert bench.row().retries == 12


def test_waiting_starts_the_retries_anew() -> None:
    busy = [Overloaded("door")] * 6
    do = script(*busy, Wait(Seconds(1.0)), Overloaded("door"))
    bench = Bench(Step("one", do, timeout_s=Seconds(1e6)))
    bench.submit()
    for _ in range(8):
        bench.step()
        bench.clock.advance(Seconds(30.0))
    assert (bench.row().attempt, bench.row().retries) == (8, 1)


def test_an_error_that_does_not_pass_in_time_fails_the_step() -> None:
    bench = Bench(Step("one", script(Overloaded("door")), timeout_s=Seconds(60.0)))
    bench.submit()
    row = bench.finish()
    assert row.state is OperationState.UNDONE
    assert row.ended_s == 1060.0
    assert isinstance(bench.error(), Overloaded)


def test_a_step_that_waits_too_long_fails() -> None:
    bench = Bench(Step("one", script(Wait(Seconds(50.0))), timeout_s=Seconds(60.0)))
    bench.submit()
    row = bench.finish()
    assert row.state is OperationState.UNDONE
    assert row.ended_s == 1060.0
    error = bench.error()
    assert isinstance(error, DeadlineExceeded)
    assert error.timeout_s == 60.0


def test_late_but_done_is_done() -> None:
    bench = Bench(Step("one", script(Wait(Seconds(50.0)), Done()), timeout_s=Seconds(60.0)))
    bench.submit()
    bench.step()
    bench.clock.advance(Seconds(9999.0))
    bench.step()
    assert bench.row().state is OperationState.DONE


@pytest.mark.parametrize(
    ("error", "shown"),
    [(NO, Unsupported), (ValueError("oh"), Unexpected), (KeyError("x"), Unexpected)],
)
def test_other_errors_fail_the_step(
    error: Exception, shown: type[ComputekitError], caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(Step("one", script(error), undo_nothing))
    bench.submit()
    bench.step()
    assert isinstance(bench.error(), shown)
    assert bench.row().direction is Direction.UNDO
    assert ("Traceback" in caplog.text) is (shown is Unexpected)


def test_an_out_that_no_row_can_hold_is_a_broken_step() -> None:
    bench = Bench(Step("one", script(Done(object()))))
    bench.submit()
    bench.finish()
    assert isinstance(bench.error(), Unexpected)


def test_a_step_that_returns_nothing_is_broken() -> None:
    bench = Bench(Step("one", lambda _: None))  # type: ignore[arg-type,return-value]  # the fault
    bench.submit()
    bench.finish()
    assert isinstance(bench.error(), Unexpected)


def test_undo_that_fails_is_retried_for_ever_and_seen() -> None:
    tries: list[int] = []

    def undo(ctx: Context[Nothing]) -> Done | Wait:
        tries.append(ctx.attempt)
        if len(tries) < 40:
            raise NO if len(tries) % 2 else ValueError("oh")
        return Done()

    bench = Bench(Step("one", script(Fail(Overloaded("door"))), undo, timeout_s=Seconds(1.0)))
    bench.submit()
    bench.step()
    bench.step()
    row = bench.row()
    assert row.undo_error is not None
    assert isinstance(decode_error(row.undo_error), Unsupported)
    assert isinstance(bench.error(), Overloaded)
    bench.finish()
    assert tries == list(range(40))
    assert bench.row().state is OperationState.UNDONE
    assert bench.row().undo_error is None
    assert isinstance(bench.error(), Overloaded)


def test_undo_may_wait() -> None:
    waits = [Wait(Seconds(5.0), "for the paint to dry")]
    bench = Bench(Step("one", script(Fail(NO)), lambda _: waits.pop() if waits else Done()))
    bench.submit()
    bench.step()
    bench.step()
    assert (bench.row().doing, bench.row().wake_s) == ("for the paint to dry", 1005.0)
    assert isinstance(bench.error(), Unsupported)
    assert bench.finish().state is OperationState.UNDONE


def test_back_undoes_and_goes_forward_with_notes() -> None:
    trace: list[object] = []

    def choose(ctx: Context[Nothing]) -> Outcome:
        tried = ctx.notes(int)
        trace.append(("choose", tried))
        return Done(len(tried))

    def unchoose(ctx: Context[Nothing]) -> Done | Wait:
        trace.append(("unchoose", ctx.out("choose", int)))
        return Done()

    def use(ctx: Context[Nothing]) -> Outcome:
        assert ctx.notes(int) == ()
        choice = ctx.out("choose", int)
        return Back("choose", choice) if choice < 2 else Done()

    bench = Bench(
        Step("first", do_nothing, lambda _: pytest.fail("before the step gone back to")),
        Step("choose", choose, unchoose),
        Step("between", do_nothing),
        Step("use", use),
    )
    bench.submit()
    assert bench.finish().state is OperationState.DONE
    assert trace == [
        ("choose", ()),
        ("unchoose", 0),
        ("choose", (0,)),
        ("unchoose", 1),
        ("choose", (0, 1)),
    ]
    assert Result("choose", 2, "1", Seconds(1000.0)) in bench.journal.results(OperationId("1"))


def test_back_to_itself() -> None:
    bench = Bench(
        Step("one", lambda ctx: Done() if ctx.notes(str) else Back("one", "again"), undo_nothing)
    )
    bench.submit()
    assert bench.finish().state is OperationState.DONE


def test_cancel_while_going_back_undoes_all() -> None:
    undone: list[str] = []

    def undo(name: str) -> Step[Nothing]:
        def take_back(_ctx: Context[Nothing]) -> Done | Wait:
            undone.append(name)
            if name == "three":
                bench.cancel("enough")
            return Done()

        return Step(name, script(Back("two", 1)) if name == "three" else do_nothing, take_back)

    bench = Bench(undo("one"), undo("two"), undo("three"))
    bench.submit()
    assert bench.finish().state is OperationState.UNDONE
    assert undone == ["three", "two", "one"]
    assert isinstance(bench.error(), Cancelled)


@pytest.mark.parametrize("to", ["later", "nowhere"])
def test_back_to_where_one_cannot_go_is_a_broken_step(to: str) -> None:
    bench = Bench(Step("one", script(Back(to, 1)), undo_nothing), Step("later", do_nothing))
    bench.submit()
    assert bench.finish().state is OperationState.UNDONE
    assert isinstance(bench.error(), Unexpected)
    assert {result.n for result in bench.journal.results(OperationId("1"))} == {0}


@pytest.mark.parametrize(
    "act", [Fail(NO), NO, ValueError("oh"), Overloaded("door"), Back("one", 1)]
)
def test_nothing_turns_past_the_point_of_no_return(act: Outcome | Exception) -> None:
    bench = Bench(
        Step("one", do_nothing, lambda _: pytest.fail("it turned")),
        Step("two", do_nothing, lambda _: pytest.fail("it turned"), point_of_no_return=True),
        Step("three", script(*[act] * 20, Done()), timeout_s=Seconds(1.0)),
    )
    bench.submit()
    for _ in range(3):
        bench.step()
    bench.cancel("enough")
    assert bench.row().direction is Direction.FORWARD
    assert bench.error() is not None
    assert bench.finish().state is OperationState.DONE
    assert bench.row().error is None


def test_waiting_past_the_point_of_no_return_shows_that_it_is_late() -> None:
    do = script(*[Wait(Seconds(40.0))] * 5, Done())
    bench = Bench(Step("one", do, point_of_no_return=True, timeout_s=Seconds(60.0)))
    bench.submit()
    bench.step()
    assert bench.error() is None
    bench.clock.advance(Seconds(60.0))
    bench.step()
    assert isinstance(bench.error(), DeadlineExceeded)
    assert bench.row().wake_s == 1100.0
    assert bench.finish().state is OperationState.DONE


def test_cancel_before_the_first_step() -> None:
    bench = Bench(Step("one", lambda _: pytest.fail("it ran"), undo_nothing))
    bench.submit()
    bench.cancel("enough")
    assert bench.finish().state is OperationState.UNDONE
    error = bench.error()
    assert isinstance(error, Cancelled)
    assert error.reason == "enough"


def test_cancel_of_a_point_of_no_return_that_comes_in_time() -> None:
    def one(_ctx: Context[Nothing]) -> Outcome:
        bench.cancel("enough")
        return Done()

    bench = Bench(
        Step("one", one, undo_nothing),
        Step("two", lambda _: pytest.fail("it ran"), point_of_no_return=True),
    )
    bench.submit()
    assert bench.finish().state is OperationState.UNDONE


def test_preempted_operation_gives_way() -> None:
    bench = Bench(Step("one", script(Wait(Seconds(10.0))), undo_nothing))
    bench.submit("1")
    bench.step()
    bench.submit("2", preempt="the other comes first")
    assert bench.finish("1").state is OperationState.UNDONE
    assert bench.row("2").state is OperationState.LIVE
    assert bench.step().before.id == "2"


def test_on_end_is_written_with_the_end() -> None:
    ends: list[object] = []

    def on_end(
        _tx: Tx, ctx: Context[Nothing], ending: Ending, error: ComputekitError | None
    ) -> None:
        ends.append((ctx.subject, ending, None if error is None else error.code))
        ends.append((ctx.out_if_done("one", int), ctx.notes(str)))
        if len(ends) < 6:
            raise (Overloaded("books") if len(ends) < 4 else ValueError("oh"))

    done = Bench(kind=OperationKind("k", Nothing, (Step("one", script(Done(4))),), on_end))
    done.submit()
    assert done.finish().state is OperationState.DONE
    assert ends == [("it", Ending.DONE, None), (4, ())] * 3
    ends.clear()
    undone = Bench(kind=OperationKind("k", Nothing, (Step("one", script(Fail(NO))),), on_end))
    undone.submit()
    undone.step()
    undone.step()
    undone.step()
    assert undone.row().undo_error is not None
    assert undone.finish().state is OperationState.UNDONE
    assert ends == [("it", Ending.UNDONE, "host.unsupported"), (None, ())] * 3


def test_on_end_may_forget_the_operation() -> None:
    def on_end(
        tx: Tx, ctx: Context[Nothing], _ending: Ending, _error: ComputekitError | None
    ) -> None:
        bench.journal.forget(tx, ctx.subject)

    bench = Bench(kind=OperationKind("k", Nothing, (Step("one", do_nothing),), on_end))
    bench.submit()
    bench.step()
    assert bench.step().after is not None
    assert bench.journal.operations() == ()


def test_loser_of_a_lease_writes_nothing() -> None:
    committed: list[str] = []

    def slow(ctx: Context[Nothing]) -> Outcome:
        if ctx.order[1] == 1:
            bench.clock.advance(Seconds(301.0))
            assert bench.executor("b").step() is not None
        return Done(ctx.order[1], lambda _: committed.append(str(ctx.order)))

    bench = Bench(Step("one", slow), Step("two", do_nothing))
    bench.submit()
    assert bench.step().after is None
    assert committed == ["(1, 2)"]
    row = bench.row()
    assert (row.position, row.executor, row.fence) == (1, "b", 2)
    assert bench.journal.results(row.id)[0].value == "2"


@pytest.mark.parametrize("death", [KeyboardInterrupt(), SystemExit(1)])
def test_death_leaves_the_row_as_it_was(death: BaseException) -> None:
    bench = Bench(Step("one", script(death, Done())))
    bench.submit()
    with pytest.raises(type(death)):
        bench.runner.step()
    row = bench.row()
    assert (row.position, row.attempt, row.executor, row.fence) == (0, 0, "a", 1)
    assert bench.executor("b").step() is None
    bench.step()
    assert bench.row().state is OperationState.DONE
    assert bench.row().fence == 2


class _FailingStore(MemoryStore):
    """Fails as often as it is told."""

    failures = 0

    @override
    def write(self, fn: Callable[[Tx], R]) -> R:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("no disk")
        return super().write(fn)


def test_a_store_that_is_gone_leaves_the_row_as_it_was() -> None:
    def one(ctx: Context[Nothing]) -> Outcome:
        store.failures = 0 if ctx.order[1] == 2 else 2
        return Done()

    store = _FailingStore()
    bench = Bench(Step("one", one), store=store)
    bench.submit()
    with pytest.raises(StoreUnavailable):
        bench.runner.step()
    row = bench.row()
    assert (row.position, row.attempt, row.executor, row.fence) == (0, 0, "a", 1)
    bench.step()
    assert bench.row().state is OperationState.DONE


def test_a_store_that_fails_once_delays_the_step() -> None:
    def one(ctx: Context[Nothing]) -> Outcome:
        store.failures = 0 if ctx.attempt else 1
        return Done()

    store = _FailingStore()
    bench = Bench(Step("one", one), store=store)
    bench.submit()
    bench.step()
    assert isinstance(bench.error(), StoreUnavailable)
    assert bench.finish().state is OperationState.DONE


def test_unknown_kinds_are_left_alone_and_listed() -> None:
    bench = Bench(Step("one", do_nothing))
    later = attrs.evolve(bench.kind, version=2)
    other = Bench(kind=later)
    mine = bench.submit("1", subject="mine")
    row = attrs.evolve(mine, id=OperationId("2"), subject="theirs", version=2)
    bench.store.write(lambda tx: bench.journal.submit(tx, row))
    assert [op.id for op in bench.runner.unknown()] == ["2"]
    bench.step()
    assert bench.runner.step() is None
    assert bench.row("2").fence == 0
    assert other.runner.unknown() == ()


def test_kinds_that_cannot_be() -> None:
    one = Step("one", do_nothing)
    for steps in ((), (one, one), (attrs.evolve(one, point_of_no_return=True),) * 2):
        with pytest.raises(ValueError, match="k:"):
            OperationKind("k", Nothing, steps)
    twice = (
        Step("one", do_nothing, point_of_no_return=True),
        Step("two", do_nothing, point_of_no_return=True),
    )
    with pytest.raises(ValueError, match="point of no return"):
        OperationKind("k", Nothing, twice)


def test_run_works_on_a_thread_until_the_runtime_is_drained() -> None:
    ended = threading.Event()

    def on_end(_tx: Tx, _c: Context[Nothing], _e: Ending, _f: ComputekitError | None) -> None:
        ended.set()

    bench = Bench(
        kind=OperationKind(
            "k", Nothing, (Step("one", script(Wait(Seconds(0.01)), Done())),), on_end
        )
    )
    bench.clock.jump_wall(Seconds(SystemClock().wall_s() - bench.clock.wall_s()))
    runner = Runner(
        bench.store,
        bench.journal,
        (bench.kind,),
        clock=SystemClock(),
        source=random.Random(1),
        executor=ExecutorId("thread"),
    )
    runtime = Runtime()
    runner.run(runtime, poll_s=Seconds(30.0))
    try:
        bench.submit()
        assert ended.wait(10.0)
    finally:
        assert runtime.drain(Seconds(10.0))


def test_a_fault_that_stays_is_said_once_by_all_and_passes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, met = threading.Event(), threading.Event()
    failing: list[str] = []

    def results(operation: OperationId) -> tuple[Result, ...]:
        if len(failing) < 12:
            failing.append(operation)
            raise StoreUnavailable("no disk")
        met.set()
        return ()

    def one(_ctx: Context[Nothing]) -> Outcome:
        ended.set()
        return Done()

    bench = Bench(Step("one", one))
    monkeypatch.setattr(bench.journal, "results", results)
    log, source = logging.getLogger("computekit.test"), random.Random(1)
    faults = Faults(log, "operations", source, first_s=Seconds(0.001), longest_s=Seconds(0.01))
    runtime = Runtime()
    with caplog.at_level(logging.INFO):
        for name in ("x", "y", "z"):
            Runner(
                bench.store,
                bench.journal,
                (bench.kind,),
                clock=bench.clock,
                source=source,
                executor=ExecutorId(name),
                faults=faults,
            ).run(runtime, poll_s=Seconds(0.01))
        try:
            bench.submit()
            assert ended.wait(10.0)
            assert met.is_set()
        finally:
            assert runtime.drain(Seconds(10.0))
    lines = [record.getMessage() for record in caplog.records if record.name == log.name]
    assert lines == [
        "operations: the store cannot be used: no disk [store_unavailable]",
        "operations: all is well again, after 12 faults",
    ]
