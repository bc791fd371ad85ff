"""How the row of an operation changes: pure functions, the same for every journal.

A step runs outside of any transaction. What came of it is applied to the row as it is when the
result is written, so that a cancel which arrived in the meantime is honoured.
"""

from typing import Never, TypeVar, assert_never

import attrs

from computekit.errors import AlreadyExists, Cancelled, ComputekitError, DeadlineExceeded
from computekit.ids import ExecutorId, OperationId
from computekit.journal.operation import (
    Back,
    Direction,
    Done,
    Fail,
    Operation,
    OperationKind,
    OperationState,
    Outcome,
    Wait,
)
from computekit.model import encode, encode_error
from computekit.units import Seconds

__all__ = [
    "GiveUp",
    "Retry",
    "adopted",
    "after",
    "cancelled",
    "due_s",
    "is_ending",
    "leased",
    "may_turn",
    "new_operation",
    "promoted",
    "same_submission",
    "submitted",
    "woken",
]

P = TypeVar("P")

_HINT_S = Seconds(0.0)
"""The `wake_s` of an operation that has got a hint which no run has seen yet."""


@attrs.frozen
class Retry:
    """What came of a run that failed for now; steps do not return it, the runner makes it."""

    error: ComputekitError


@attrs.frozen
class GiveUp:
    """What came of a run that may not be tried again, nor taken back; the runner makes it."""

    error: ComputekitError


def new_operation(
    kind: OperationKind[P], params: P, subject: str, operation: OperationId, now_s: Seconds
) -> Operation:
    """Return the row of an operation that is to be submitted; the journal gives it its number."""
    return Operation(
        id=operation,
        kind=kind.name,
        version=kind.version,
        subject=subject,
        number=0,
        params=encode(params),
        state=OperationState.QUEUED,
        created_s=now_s,
        entered_s=now_s,
        wake_s=now_s,
    )


def same_submission(stored: Operation, submitted: Operation) -> Operation:
    """Return `stored` if `submitted` is the same operation, submitted again.

    Raises:
        AlreadyExists: another operation has this id.
    """
    for row in (stored, submitted):
        content = (row.kind, row.version, row.subject, row.params)
        if content != (stored.kind, stored.version, stored.subject, stored.params):
            raise AlreadyExists("operation", stored.id)
    return stored


def submitted(row: Operation, number: int, live: Operation | None) -> Operation:
    """Return a new operation as it is stored: live, or queued behind the live one."""
    state = OperationState.LIVE if live is None else OperationState.QUEUED
    return attrs.evolve(row, number=number, state=state)


def promoted(row: Operation, now_s: Seconds) -> Operation:
    """Return a queued operation as live: nobody is before it."""
    return attrs.evolve(row, state=OperationState.LIVE, entered_s=now_s, wake_s=now_s)


def cancelled(row: Operation, reason: str) -> Operation:
    """Return the row with a cancel asked for; the first reason stays; an ended row stays."""
    if row.ended or row.cancel is not None:
        return row
    return woken(attrs.evolve(row, cancel=reason))


def woken(row: Operation) -> Operation:
    """Return the row with a hint: run it now, or at once again if it is running and waits."""
    return attrs.evolve(row, wake_s=_HINT_S)


def due_s(row: Operation, executor: ExecutorId) -> Seconds:
    """Return when `executor` may take a live operation; its own lease does not hold it back."""
    if row.executor is None or row.executor == executor:
        return row.wake_s
    return max(row.wake_s, row.lease_until_s)


def leased(row: Operation, executor: ExecutorId, now_s: Seconds, lease_s: Seconds) -> Operation:
    """Return the row as taken by `executor`, who will see all hints that came before."""
    return attrs.evolve(
        row,
        executor=executor,
        fence=row.fence + 1,
        lease_until_s=Seconds(now_s + lease_s),
        wake_s=now_s,
        deaths=row.deaths + (row.executor not in {None, executor}),
    )


def adopted(row: Operation) -> Operation:
    """Return the row without its executor, who is known to be gone."""
    return attrs.evolve(_released(row), deaths=row.deaths + 1)


def _released(row: Operation) -> Operation:
    """Return the row without its executor, who has written what came of the run."""
    return attrs.evolve(row, executor=None, lease_until_s=Seconds(0.0), deaths=0)


def may_turn(kind: OperationKind[Never], row: Operation) -> bool:
    """Whether the operation goes forward and could still turn round."""
    return row.direction is Direction.FORWARD and row.position < kind.no_return


def is_ending(kind: OperationKind[Never], row: Operation) -> bool:
    """Whether all steps are done, or undone, and only the end remains to be written."""
    return not 0 <= row.position < len(kind.steps)


def after(
    kind: OperationKind[Never],
    row: Operation,
    came: Outcome | Retry | GiveUp,
    now_s: Seconds,
    retry_s: Seconds,
) -> Operation:
    """Return the row after one run of its step (or of that step's undo).

    Args:
        kind: the operation's kind.
        row: as it is now.
        came: what came of the run.
        now_s: wall seconds.
        retry_s: how long to rest, should the step be run again for a failure.
    """
    if isinstance(came, GiveUp):
        return _given_up(row, came.error, now_s)
    if is_ending(kind, row):
        return _after_all(row, came, now_s, retry_s)
    if row.direction is Direction.UNDO:
        return _after_undo(kind, row, came, now_s, retry_s)
    if row.cancel is not None and may_turn(kind, row):
        return _turned(row, Cancelled(row.cancel), now_s)
    last = isinstance(came, Done) and row.position + 1 == len(kind.steps)
    if row.cancel is not None and kind.yields and not last:
        why = encode_error(Cancelled(row.cancel))
        left = attrs.evolve(_entered(row, -1, now_s), direction=Direction.UNDO, error=why)
        return _passed(kind, left, now_s)
    match came:
        case Done():
            return _passed(kind, _entered(row, row.position + 1, now_s), now_s)
        case Back(step):
            return _back(kind, row, step, now_s)
        case Fail(error) if may_turn(kind, row):
            return _turned(row, error, now_s)
        case Wait() | Retry() | Fail():
            return _again(kind, row, came, now_s, retry_s)
        case _:
            assert_never(came)


def _back(kind: OperationKind[Never], row: Operation, step: str, now_s: Seconds) -> Operation:
    """Undo from this step on, until `step` can be entered again."""
    back_to = kind.index(step)
    if back_to > row.position or not may_turn(kind, row):
        raise ValueError(f"{kind.name} cannot go back to {step}")
    return attrs.evolve(
        _entered(row, row.position, now_s),
        direction=Direction.UNDO,
        back_to=back_to,
        fence=row.fence + 1,
    )


def _again(
    kind: OperationKind[Never],
    row: Operation,
    came: Wait | Retry | Fail,
    now_s: Seconds,
    retry_s: Seconds,
) -> Operation:
    """The step is run again later, unless its time is over."""
    step = kind.steps[row.position]
    limit_s = Seconds(row.entered_s + step.timeout_s)
    late = now_s >= limit_s
    error = None if isinstance(came, Wait) else came.error
    if late and error is None:
        error = DeadlineExceeded(f"step {step.name} of {kind.name}", step.timeout_s)
    if late and error is not None and may_turn(kind, row):
        return _turned(row, error, now_s)
    rested = _resting(row, came, now_s, retry_s)
    return attrs.evolve(
        rested,
        error=None if error is None else encode_error(error),
        wake_s=rested.wake_s if late else min(rested.wake_s, limit_s),
    )


def _after_undo(
    kind: OperationKind[Never],
    row: Operation,
    came: Outcome | Retry,
    now_s: Seconds,
    retry_s: Seconds,
) -> Operation:
    if row.back_to is not None and row.cancel is not None:
        row = attrs.evolve(row, back_to=None, error=encode_error(Cancelled(row.cancel)))
    match came:
        case Done() if row.position == row.back_to:
            return attrs.evolve(
                _entered(row, row.position, now_s),
                direction=Direction.FORWARD,
                back_to=None,
                fence=row.fence + 1,
            )
        case Done():
            before = attrs.evolve(_entered(row, row.position - 1, now_s), error=row.error)
            return _passed(kind, before, now_s)
        case Wait():
            return _resting(row, came, now_s, retry_s)
        case Retry(error) | Fail(error):
            return attrs.evolve(_resting(row, came, now_s, retry_s), undo_error=encode_error(error))
        case Back():
            raise ValueError(f"an undo of {kind.name} went back")
        case _:
            assert_never(came)


def _turned(row: Operation, error: ComputekitError, now_s: Seconds) -> Operation:
    """Undo from this step on, whose effect is in doubt; what comes late of it is fenced off."""
    return attrs.evolve(
        _entered(row, row.position, now_s),
        direction=Direction.UNDO,
        error=encode_error(error),
        fence=row.fence + 1,
    )


def _entered(row: Operation, position: int, now_s: Seconds) -> Operation:
    return attrs.evolve(
        row,
        position=position,
        attempt=0,
        retries=0,
        entered_s=now_s,
        wake_s=now_s,
        doing="",
        error=None,
        undo_error=None,
        deaths=0,
    )


def _resting(
    row: Operation, came: Wait | Retry | Fail, now_s: Seconds, retry_s: Seconds
) -> Operation:
    """Nobody has to hold an operation that rests."""
    rested = attrs.evolve(_released(row), attempt=row.attempt + 1, undo_error=None)
    if isinstance(came, Wait):
        wake_s = _HINT_S if row.wake_s == _HINT_S else Seconds(now_s + came.for_s)
        return attrs.evolve(rested, retries=0, doing=came.doing, wake_s=wake_s)
    wake_s = Seconds(now_s + retry_s)
    return attrs.evolve(rested, retries=row.retries + 1, doing="", wake_s=wake_s)


def _passed(kind: OperationKind[Never], row: Operation, now_s: Seconds) -> Operation:
    """A kind with `on_end` ends in a transaction of its own, where all steps can be read."""
    if is_ending(kind, row) and kind.on_end is None:
        return _ended(row, now_s)
    return row


def _after_all(
    row: Operation, came: Outcome | Retry, now_s: Seconds, retry_s: Seconds
) -> Operation:
    """What is written at the end is tried until it can be written."""
    match came:
        case Done():
            return _ended(row, now_s)
        case Retry(error) | Fail(error):
            rested = _resting(row, came, now_s, retry_s)
            if row.direction is Direction.UNDO:
                return attrs.evolve(rested, undo_error=encode_error(error))
            return attrs.evolve(rested, error=encode_error(error))
        case Wait() | Back():
            raise ValueError("there is no step at the end")
        case _:
            assert_never(came)


def _ended(row: Operation, now_s: Seconds) -> Operation:
    undone = row.direction is Direction.UNDO
    return attrs.evolve(
        _released(row),
        state=OperationState.UNDONE if undone else OperationState.DONE,
        error=row.error if undone else None,
        doing="",
        undo_error=None,
        ended_s=now_s,
    )


def _given_up(row: Operation, error: ComputekitError, now_s: Seconds) -> Operation:
    """It ends where it is; what it has done stays, and the row says why."""
    failed = encode_error(error)
    return attrs.evolve(
        _released(row),
        state=OperationState.UNDONE,
        direction=Direction.UNDO,
        back_to=None,
        error=row.error if row.direction is Direction.UNDO and row.error else failed,
        undo_error=failed,
        doing="",
        ended_s=now_s,
    )
