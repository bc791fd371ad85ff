"""What every operation must do, whatever happens to it.

Each law is a function of an `OperationCase`, and a test of `OperationLaws`, which is subclassed
with a fixture `case`. A law runs the case again and again, each time in a new world that is
disturbed at another place, and compares what remains with the undisturbed world.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Never

from computekit.errors import Cancelled, DeadlineExceeded, Overloaded
from computekit.journal import Done, Fail, Operation, OperationState, Outcome, Step, Wait
from computekit.model import decode_error
from computekit.testing import operation_crash_laws as crash_laws
from computekit.testing.operation_world import (
    INJECTED,
    LEASE_S,
    Do,
    OperationCase,
    Snapshot,
    Trial,
    Undo,
    as_undo_is,
    fails_after,
    finished,
    turning,
    undisturbed,
)
from computekit.units import Seconds

__all__ = [
    "OperationLaws",
    "check_cancel_at_a_boundary",
    "check_cancel_during_a_run",
    "check_deadlines",
    "check_each_step_failing",
    "check_each_step_twice",
    "check_each_undo_failing_once",
    "check_each_undo_twice",
    "check_late_executor",
    "check_late_run",
    "check_lost_lease",
    "check_same_again",
]

Real = Callable[[], Outcome]
RealUndo = Callable[[], Done | Wait]


class OperationLaws:
    """Subclass it with a fixture `case` that gives an `OperationCase`; it may have parameters."""

    def test_same_again(self, case: OperationCase) -> None:
        check_same_again(case)

    def test_each_step_twice(self, case: OperationCase) -> None:
        check_each_step_twice(case)

    def test_each_undo_twice(self, case: OperationCase) -> None:
        check_each_undo_twice(case)

    def test_each_step_failing(self, case: OperationCase) -> None:
        check_each_step_failing(case)

    def test_each_undo_failing_once(self, case: OperationCase) -> None:
        check_each_undo_failing_once(case)

    def test_crashes(self, case: OperationCase) -> None:
        crash_laws.check_crashes(case)

    def test_crashes_while_undoing(self, case: OperationCase) -> None:
        crash_laws.check_crashes_while_undoing(case)

    def test_second_crash(self, case: OperationCase) -> None:
        crash_laws.check_second_crash(case)

    def test_deadly_steps(self, case: OperationCase) -> None:
        crash_laws.check_deadly_steps(case)

    def test_deadly_undos(self, case: OperationCase) -> None:
        crash_laws.check_deadly_undos(case)

    def test_late_run(self, case: OperationCase) -> None:
        check_late_run(case)

    def test_lost_lease(self, case: OperationCase) -> None:
        check_lost_lease(case)

    def test_late_executor(self, case: OperationCase) -> None:
        check_late_executor(case)

    def test_cancel_at_a_boundary(self, case: OperationCase) -> None:
        check_cancel_at_a_boundary(case)

    def test_cancel_during_a_run(self, case: OperationCase) -> None:
        check_cancel_during_a_run(case)

    def test_deadlines(self, case: OperationCase) -> None:
        check_deadlines(case)


def check_same_again(case: OperationCase) -> None:
    """Undisturbed, the operation is done, and two new worlds come out equal."""
    first, second = undisturbed(case), undisturbed(case)
    assert first.before == second.before, "two new worlds are not equal"
    assert first.points == second.points, "two undisturbed runs take different ways"
    second.expect_world(first.outcome)


def check_each_step_twice(case: OperationCase) -> None:
    """A step may have its effect, be forgotten, and be run again."""
    plain = undisturbed(case)
    for step, run in plain.runs:
        trial = finished(Trial(case, f"{step} run twice", do=_at(step, run, _twice)))
        trial.expect(OperationState.DONE, plain.outcome)


def check_each_undo_twice(case: OperationCase) -> None:
    """So may an undo."""
    for failing in turning(case):
        label = f"{failing.name} failed, each undo run twice"
        trial = finished(Trial(case, label, do=fails_after(failing), undo=_undo_twice))
        trial.expect(OperationState.UNDONE, trial.undone)


def check_each_step_failing(case: OperationCase) -> None:
    """A step that fails, before or after its effect, is undone with all before it.

    One that fails for now is run again, which makes no difference; so is, past the point of no
    return, any that fails.
    """
    plain = undisturbed(case)
    for step, run in plain.runs:
        for label, turns, disturbed in _FAILURES:
            trial = finished(Trial(case, f"{step} {label}", do=_at(step, run, disturbed)))
            if turns and trial.kind.index(step) < trial.kind.no_return:
                trial.expect(OperationState.UNDONE, trial.undone)
            else:
                trial.expect(OperationState.DONE, plain.outcome)


def check_each_undo_failing_once(case: OperationCase) -> None:
    """An undo that fails, before or after its effect, is run again until it is done."""
    steps = turning(case)
    for last, failing in enumerate(steps):
        for step in steps[: last + 1]:
            for label, disturbed in _UNDO_FAILURES:
                trial = Trial(
                    case,
                    f"{failing.name} failed, the undo of {step.name} {label}",
                    do=fails_after(failing),
                    undo=_first_undo(step.name, disturbed),
                )
                finished(trial).expect(OperationState.UNDONE, trial.undone)


def check_lost_lease(case: OperationCase) -> None:
    """Who has lost the lease during a run writes nothing; another finishes."""
    plain = undisturbed(case)
    for step, run in plain.runs:
        _lose_lease(Trial(case, f"lease lost during {step}"), step, run).expect(
            OperationState.DONE, plain.outcome
        )


def check_late_executor(case: OperationCase) -> None:
    """An effect that comes after another executor has finished, or undone, changes nothing."""
    for step, run in undisturbed(case).runs:
        for cancel in (False, True):
            label = f"{step} run late, after the operation was {'cancelled' if cancel else 'done'}"
            _be_late(Trial(case, label), step, run, cancel=cancel)


def check_late_run(case: OperationCase) -> None:
    """An effect that comes late in its own executor's time, after an undo, changes nothing.

    A call that hangs is given up; the operation turns, and its undos run under the same lease.
    Then the call wakes up.
    """
    for step in turning(case):
        for wakes_in_undo in (False, True):
            _wake_late(case, step, wakes_in_undo=wakes_in_undo)


def check_cancel_at_a_boundary(case: OperationCase) -> None:
    """A cancel between two runs undoes, unless the point of no return was entered."""
    plain = Trial(case)
    runner, rounds = plain.executor("a"), 0
    while not plain.row().ended:
        plain.forward(runner)
        rounds += 1
    done = plain.world.snapshot()
    for count in range(rounds):
        trial = Trial(case, f"cancelled after {count} rounds")
        runner = trial.executor("a")
        for _ in range(count):
            trial.forward(runner)
        turns = trial.row().position < trial.kind.no_return
        _cancel(trial)
        trial.finish(runner)
        _expect_cancelled(trial, turns, done)


def check_cancel_during_a_run(case: OperationCase) -> None:
    """So does one that comes while a step runs."""
    plain = undisturbed(case)
    for step, run in plain.runs:
        for when, disturbed in (("before", _cancel_before), ("after", _cancel_after)):
            label = f"cancelled {when} the effect of {step}"
            trial = finished(Trial(case, label, do=_at(step, run, disturbed)))
            turns = trial.kind.index(step) < trial.kind.no_return
            _expect_cancelled(trial, turns, plain.outcome)


def check_deadlines(case: OperationCase) -> None:
    """A step that is never done, with or without its effect, is undone when its time is over.

    Past the point of no return it may take longer.
    """
    plain = undisturbed(case)
    for position, step in enumerate(plain.kind.steps):
        for effect in (False, True):
            label = f"{step.name} is never done{', though it has its effect' if effect else ''}"
            turns = position < plain.kind.no_return
            trial = finished(Trial(case, label, do=_dawdles(step, effect=effect, ever=not turns)))
            if turns:
                trial.expect(OperationState.UNDONE, trial.undone)
                _expect_error(trial, DeadlineExceeded)
            else:
                trial.expect(OperationState.DONE, plain.outcome)


def _at(step: str, run: int, disturbed: Callable[[Trial, Real], Outcome]) -> Do:
    def do(trial: Trial, name: str, count: int, real: Real) -> Outcome:
        return disturbed(trial, real) if (name, count) == (step, run) else real()

    return do


def _twice(_trial: Trial, real: Real) -> Outcome:
    real()
    return real()


def _undo_twice(_trial: Trial, _step: str, _run: int, real: RealUndo) -> Done | Wait:
    real()
    return real()


def _fails_before(_trial: Trial, _real: Real) -> Outcome:
    return Fail(INJECTED)


def _fails_with_effect(_trial: Trial, real: Real) -> Outcome:
    real()
    return Fail(INJECTED)


def _breaks_before(_trial: Trial, _real: Real) -> Outcome:
    raise RuntimeError("a law wants it to break")


def _breaks_with_effect(_trial: Trial, real: Real) -> Outcome:
    real()
    raise RuntimeError("a law wants it to break")


def _not_now(_trial: Trial, _real: Real) -> Outcome:
    raise Overloaded("this law")


def _not_now_with_effect(_trial: Trial, real: Real) -> Outcome:
    real()
    raise Overloaded("this law")


_FAILURES = (
    ("fails before its effect", True, _fails_before),
    ("fails after its effect", True, _fails_with_effect),
    ("breaks before its effect", True, _breaks_before),
    ("breaks after its effect", True, _breaks_with_effect),
    ("fails for now before its effect", False, _not_now),
    ("fails for now after its effect", False, _not_now_with_effect),
)


def _first_undo(step: str, disturbed: Callable[[RealUndo], Done | Wait]) -> Undo:
    def undo(_trial: Trial, name: str, run: int, real: RealUndo) -> Done | Wait:
        return disturbed(real) if (name, run) == (step, 0) else real()

    return undo


def _undo_fails_before(_real: RealUndo) -> Done | Wait:
    raise INJECTED


def _undo_breaks_after(real: RealUndo) -> Done | Wait:
    real()
    raise RuntimeError("a law wants it to break")


_UNDO_FAILURES = (
    ("fails before its effect", _undo_fails_before),
    ("breaks after its effect", _undo_breaks_after),
)


def _lose_lease(trial: Trial, step: str, run: int) -> Trial:
    taken: list[Operation] = []

    def taken_over(trial: Trial, real: Real) -> Outcome:
        outcome = real()
        trial.world.clock.advance(Seconds(2 * LEASE_S))
        trial.executor("other").step()
        taken.append(trial.row())
        return outcome

    trial.disturb(_at(step, run, taken_over))
    slow = trial.executor("slow")
    progress = trial.forward(slow)
    while not taken:
        progress = trial.forward(slow)
    assert progress is not None, trial.label
    assert progress.after is None, f"{trial.label}: the loser has written {progress.after}"
    assert trial.row() == taken[0], f"{trial.label}: the loser has changed the row"
    trial.finish(trial.executor("other"))
    return trial


def _be_late(trial: Trial, step: str, run: int, *, cancel: bool) -> None:
    ended: list[Snapshot] = []

    def overtaken(trial: Trial, real: Real) -> Outcome:
        if cancel:
            _cancel(trial)
        trial.world.clock.advance(Seconds(2 * LEASE_S))
        trial.finish(trial.executor("other"))
        ended.append(trial.world.snapshot())
        return real()

    trial.disturb(_at(step, run, overtaken))
    slow = trial.executor("slow")
    while not ended:
        trial.forward(slow)
    if not (trial.kind.yields and trial.row().state is OperationState.UNDONE):
        trial.expect_world(ended[0])  # of one that yielded, whatever was done stays, late or not


def _wake_late(case: OperationCase, step: Step[Never], *, wakes_in_undo: bool) -> None:
    late: list[Real] = []

    def wake() -> None:
        """Let the call go on whose caller has gone; nobody hears what comes of it."""
        if late:
            with suppress(Exception):
                late.pop()()

    def hangs(_trial: Trial, name: str, _run: int, real: Real) -> Outcome:
        if name != step.name:
            return real()
        late.append(real)
        return Fail(INJECTED)

    def wakes(_trial: Trial, _name: str, _run: int, real: RealUndo) -> Done | Wait:
        outcome = real()
        wake()
        return outcome

    label = f"{step.name} hung until {'an undo' if wakes_in_undo else 'the end'} was over"
    undo = wakes if wakes_in_undo else as_undo_is
    trial = finished(Trial(case, label, do=hangs, undo=undo))
    wake()
    trial.expect(OperationState.UNDONE, trial.undone)


def _cancel(trial: Trial) -> None:
    journal, operation = trial.world.journal, trial.operation
    trial.world.store.write(lambda tx: journal.request_cancel(tx, operation, "a law wants it"))


def _cancel_before(trial: Trial, real: Real) -> Outcome:
    _cancel(trial)
    return real()


def _cancel_after(trial: Trial, real: Real) -> Outcome:
    outcome = real()
    _cancel(trial)
    return outcome


def _expect_cancelled(trial: Trial, turns: bool, done: Snapshot) -> None:
    if turns:
        trial.expect(OperationState.UNDONE, trial.undone)
        _expect_error(trial, Cancelled)
    elif trial.kind.yields and trial.row().state is OperationState.UNDONE:
        _expect_error(trial, Cancelled)
    else:
        trial.expect(OperationState.DONE, done)


def _expect_error(trial: Trial, kind: type[Cancelled | DeadlineExceeded]) -> None:
    error = trial.row().error
    assert error is not None, f"{trial.label}: no error is shown"
    assert isinstance(decode_error(error), kind), f"{trial.label}: the wrong error is shown"


def _dawdles(step: Step[Never], *, effect: bool, ever: bool) -> Do:
    """Let a step wait for good, or (ever) until it is late."""
    quarter_s = Seconds(step.timeout_s / 4)

    def do(_trial: Trial, name: str, run: int, real: Real) -> Outcome:
        if name != step.name or (ever and run > 5):
            return real()
        if effect:
            real()
        return Wait(quarter_s, "a law wants it")

    return do
