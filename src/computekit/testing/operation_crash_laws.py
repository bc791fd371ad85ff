"""What every operation must do when its process dies: once, twice, or whenever it is tried."""

import random
from collections.abc import Callable

from computekit.errors import Unexpected
from computekit.journal import Done, OperationState, Outcome, Wait
from computekit.model import decode_error
from computekit.testing.operation_world import (
    Crash,
    Do,
    OperationCase,
    Snapshot,
    Trial,
    Undo,
    as_it_is,
    as_undo_is,
    fails_after,
    finished,
    turning,
    undisturbed,
)

__all__ = [
    "check_crashes",
    "check_crashes_while_undoing",
    "check_deadly_steps",
    "check_deadly_undos",
    "check_second_crash",
]

MOST_STARTS = 20
_NEVER = 1 << 30


def check_crashes(case: OperationCase) -> None:
    """A crash anywhere makes no difference once another executor has finished."""
    plain = undisturbed(case)
    _crash_everywhere(case, as_it_is, plain, OperationState.DONE, plain.outcome)


def check_crashes_while_undoing(case: OperationCase) -> None:
    """Nor does one on the way back."""
    for failing in turning(case):
        do = fails_after(failing)
        plain = finished(Trial(case, f"{failing.name} failed", do=do))
        _crash_everywhere(case, do, plain, OperationState.UNDONE, plain.undone)


def check_second_crash(case: OperationCase) -> None:
    """Nor does a second one, while the first is recovered from.

    Tried after each first crash: one at the start of the recovery, one at any point of it.
    """
    plain = undisturbed(case)
    done = plain.outcome
    for index, point in enumerate(plain.points):
        again = _crashed(case, as_it_is, f"crash {point} (point {index})", index)
        first = len(again.points)
        again.recover(crash_after=_NEVER)
        passed = len(again.points) - first
        again.expect(OperationState.DONE, done)
        for after in {0, random.Random(index).randrange(passed)} if passed else ():
            label = f"crash {point} (point {index}), then {after} points into the recovery"
            trial = _crashed(case, as_it_is, label, index)
            try:
                trial.recover(crash_after=after)
            except Crash:
                trial.recover()
            else:
                raise AssertionError(f"{label}: this point was not passed again")
            trial.expect(OperationState.DONE, done)


def check_deadly_steps(case: OperationCase) -> None:
    """A step that kills its process each time, before or after its effect, is not tried for ever.

    It is undone with all before it; past the point of no return the operation ends as it is, and
    says so.
    """
    for step in undisturbed(case).kind.steps:
        for effect in (False, True):
            label = f"{step.name} kills {'after' if effect else 'before'} its effect"
            trial = Trial(case, label, do=_kills(step.name, effect=effect))
            _start_until_ended(trial)
            row = trial.row()
            if trial.kind.index(step.name) < trial.kind.no_return:
                trial.expect(OperationState.UNDONE, trial.undone)
            else:
                assert row.state is OperationState.UNDONE, f"{label}: is {row}"
                _expect_unexpected(label, row.undo_error)
            _expect_unexpected(label, row.error)


def check_deadly_undos(case: OperationCase) -> None:
    """Nor is an undo that does: the operation ends, and says what was not taken back."""
    for failing in turning(case):
        for step in turning(case):
            if step.undo is None:
                continue
            label = f"{failing.name} failed, the undo of {step.name} kills"
            trial = Trial(case, label, do=fails_after(failing), undo=_kills_undo(step.name))
            _start_until_ended(trial)
            row = trial.row()
            assert row.state is OperationState.UNDONE, f"{label}: is {row}"
            if trial.kind.index(step.name) <= trial.kind.index(failing.name):
                _expect_unexpected(label, row.undo_error)
                assert trial.world.journal.live(row.subject) is None, label


def _crash_everywhere(
    case: OperationCase, do: Do, plain: Trial, state: OperationState, snapshot: Snapshot
) -> None:
    for index, point in enumerate(plain.points):
        label = f"{plain.label}, crash {point} (point {index})"
        trial = _crashed(case, do, label, index)
        trial.recover()
        trial.expect(state, snapshot)


def _crashed(case: OperationCase, do: Do, label: str, index: int) -> Trial:
    trial = Trial(case, label, do=do, crash_at=index)
    try:
        finished(trial)
    except Crash:
        return trial
    raise AssertionError(f"{label}: this point was not passed again")


def _start_until_ended(trial: Trial) -> None:
    try:
        finished(trial)
    except Crash:
        for _ in range(MOST_STARTS):
            try:
                trial.recover()
            except Crash:
                continue
            return
        raise AssertionError(f"{trial.label}: it is tried for ever: {trial.row()}") from None


def _kills(step: str, *, effect: bool) -> Do:
    def do(_trial: Trial, name: str, _run: int, real: Callable[[], Outcome]) -> Outcome:
        if name != step:
            return real()
        if effect:
            real()
        raise Crash(step)

    return do


def _kills_undo(step: str) -> Undo:
    def undo(trial: Trial, name: str, run: int, real: Callable[[], Done | Wait]) -> Done | Wait:
        if name == step:
            raise Crash(step)
        return as_undo_is(trial, name, run, real)

    return undo


def _expect_unexpected(label: str, error: str | None) -> None:
    assert error is not None, f"{label}: no error is shown"
    found = decode_error(error)
    assert isinstance(found, Unexpected), f"{label}: the wrong error is shown: {found}"
