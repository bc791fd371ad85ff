"""What a step reads from the journal, and what it leaves there."""

from typing import Generic, Never, TypeVar

import attrs

from computekit.ids import OperationId
from computekit.journal.operation import (
    Back,
    Context,
    Direction,
    Done,
    Operation,
    OperationKind,
    Outcome,
    Result,
)
from computekit.journal.transitions import GiveUp, Retry
from computekit.model import decode, encode
from computekit.units import Seconds

__all__ = ["context", "left_by", "merged"]

P = TypeVar("P")
T = TypeVar("T")

_OUT = 0
_NOTHING = encode(None)


@attrs.frozen
class StepContext(Generic[P]):
    _kind: OperationKind[P]
    _row: Operation
    _results: tuple[Result, ...]
    _now_s: Seconds

    @property
    def operation(self) -> OperationId:
        return self._row.id

    @property
    def subject(self) -> str:
        return self._row.subject

    @property
    def params(self) -> P:
        return decode(self._row.params, self._kind.params)

    @property
    def order(self) -> tuple[int, int]:
        return (self._row.number, self._row.fence)

    @property
    def attempt(self) -> int:
        return self._row.attempt

    @property
    def since_entered_s(self) -> Seconds:
        return Seconds(self._now_s - self._row.entered_s)

    def out(self, step: str, kind: type[T]) -> T:
        found = self.out_if_done(step, kind)
        if found is None:
            raise KeyError(step)
        return found

    def out_if_done(self, step: str, kind: type[T]) -> T | None:
        for result in self._results:
            if (result.step, result.n) == (step, _OUT) and result.value not in {None, _NOTHING}:
                return decode(str(result.value), kind)
        return None

    def notes(self, kind: type[T]) -> tuple[T, ...]:
        step = self._kind.step(self._row.position)
        if step is None:
            return ()
        notes = sorted(_notes(self._results, step.name), key=lambda note: note.n)
        return tuple(decode(str(note.value), kind) for note in notes)


def context(
    kind: OperationKind[P], row: Operation, results: tuple[Result, ...], now_s: Seconds
) -> Context[P]:
    """Return what the step at the row's position may know."""
    return StepContext(kind, row, results, now_s)


def _notes(results: tuple[Result, ...], step: str) -> list[Result]:
    return [result for result in results if result.step == step and result.n != _OUT]


def left_by(
    kind: OperationKind[Never],
    row: Operation,
    came: Outcome | Retry | GiveUp,
    results: tuple[Result, ...],
    now_s: Seconds,
) -> tuple[Result, ...]:
    """Return what a run leaves in the journal."""
    step = kind.step(row.position)
    if step is None:
        return ()
    match came:
        case Done(out) if row.direction is Direction.FORWARD:
            return (Result(step.name, _OUT, encode(out), now_s),)
        case Done():
            return (Result(step.name, _OUT, None, now_s),)
        case Back(to, note):
            return (Result(to, 1 + len(_notes(results, to)), encode(note), now_s),)
        case _:
            return ()


def merged(results: tuple[Result, ...], left: tuple[Result, ...]) -> tuple[Result, ...]:
    """Return `results` with those that were just left."""
    fresh = {(result.step, result.n) for result in left}
    return (*(old for old in results if (old.step, old.n) not in fresh), *left)
