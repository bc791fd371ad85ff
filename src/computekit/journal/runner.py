"""Runs operations, one step at a time."""

import logging
import random
from typing import Never

import attrs

from computekit.clock import Clock
from computekit.errors import (
    Cancelled,
    ClaimRefused,
    ComputekitError,
    GenerationConflict,
    LeaseLost,
    Unexpected,
)
from computekit.ids import ExecutorId
from computekit.journal import transitions
from computekit.journal.context import context, left_by, merged
from computekit.journal.operation import (
    Direction,
    Done,
    Ending,
    Fail,
    Operation,
    OperationKind,
    OperationState,
    Outcome,
    Result,
)
from computekit.journal.ports import Journal
from computekit.journal.transitions import GiveUp, Retry
from computekit.model import decode_error
from computekit.runtime import Doorbell, Faults, Runtime
from computekit.units import Seconds
from computekit.work import Store, Tx

__all__ = ["Progress", "Runner"]

_log = logging.getLogger(__name__)

RETRY_FIRST_S = Seconds(0.5)
RETRY_LONGEST_S = Seconds(30.0)
"""A step that fails for now is run again after the first, twice the first ... up to the longest,
each time less a random part of up to a half."""

RACES_AT_ONCE = 5
"""A step that has lost a race is run again at once, so many times in a row: what it had read was
old, and what it will read is not."""


MOST_DEATHS = 5
"""A step that so many executors in a row have not survived is not run again: it fails, or, where
it cannot be taken back, ends its operation as it is."""

_RACES = (ClaimRefused, GenerationConflict)


@attrs.frozen
class Progress:
    """What one `Runner.step` has done.

    Attributes:
        before: the operation as it was when its step was run.
        after: as it was written; None if the lease was lost, and so nothing was written.
    """

    before: Operation
    after: Operation | None


class Runner:
    """One executor: takes operations that are due and runs their steps.

    Everything is done by `step`, on the caller's thread; a process that wants several threads
    makes several runners. Any exception that is not an `Exception` passes through and leaves the
    row as it was, as a crash would.

    Args:
        store: what the journal writes in.
        journal: where the operations are.
        kinds: those that this process knows; others are left alone.
        clock: tells the time of leases, timeouts and rests.
        source: of randomness, for the rests between retries.
        executor: unique among all runners of the journal, now; a restarted process may use the
            name that it had, and then takes its own operations up again at once.
        faults: where `run` notes what keeps it from writing; several runners may share one.
        lease_s: when others may take over from this runner; longer than the longest run of any
            step. If it is not, both run the step, but only one can write.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        kinds: tuple[OperationKind[Never], ...],
        *,
        clock: Clock,
        source: random.Random,
        executor: ExecutorId,
        faults: Faults | None = None,
        lease_s: Seconds = Seconds(300.0),
    ) -> None:
        self.executor = executor
        self._store = store
        self._journal = journal
        self._kinds = {kind.key: kind for kind in kinds}
        self._keys = frozenset(self._kinds)
        self._clock = clock
        self._source = source
        self._faults = faults or Faults(_log, "operations", source)
        self._lease_s = lease_s
        self._holds: Operation | None = None

    def step(self) -> Progress | None:
        """Run one step, or the undo of one, of an operation that is due; None if none is.

        Raises:
            StoreUnavailable: nothing was written; the step will be run again.
        """
        operation = self._take()
        if operation is None:
            return None
        kind = self._kinds[operation.key]
        results = self._journal.results(operation.id)
        came = self._run(kind, operation, results)
        try:
            after = self._record(kind, operation, results, came)
        except LeaseLost:
            return Progress(operation, None)
        if after.executor is not None:
            self._holds = after
        return Progress(operation, after)

    def next_due_s(self) -> Seconds | None:
        """Return when `step` will next have something to do, wall seconds; None: unknown."""
        if self._holds is not None:
            return self._clock.wall_s()
        return self._journal.next_due_s(self.executor, self._keys)

    def run(self, runtime: Runtime, poll_s: Seconds = Seconds(1.0)) -> Doorbell:
        """Call `step` on a thread of `runtime` until it is drained.

        Args:
            runtime: owns the thread.
            poll_s: the longest rest, for what other processes submit.

        Returns:
            The bell that ends a rest; the journal rings it, too.
        """

        def rest_s() -> Seconds:
            if self.step() is not None:
                self._faults.passed()
                return Seconds(0.0)
            due_s = self.next_due_s()
            if due_s is None:
                return poll_s
            return Seconds(min(poll_s, max(0.0, due_s - self._clock.wall_s())))

        bell = runtime.loop(f"journal-{self.executor}", rest_s, self._faults.came)
        self._journal.watch(bell.ring)
        return bell

    def unknown(self) -> tuple[Operation, ...]:
        """Return the operations that have not ended and whose kind or version is not known."""
        states = frozenset({OperationState.LIVE, OperationState.QUEUED})
        found: list[Operation] = []
        page = self._journal.operations(states)
        while page:
            found += [row for row in page if row.key not in self._keys]
            page = self._journal.operations(states, after=page[-1])
        return tuple(found)

    def _take(self) -> Operation | None:
        """Go on with the operation that this runner holds, as it is now, or lease one."""
        holds, self._holds = self._holds, None
        now_s = self._clock.wall_s()
        if holds is not None and now_s < holds.lease_until_s:
            row = self._journal.operation(holds.id)
            if row is not None and (row.executor, row.fence) == (holds.executor, holds.fence):
                return row
        due_s = self._journal.next_due_s(self.executor, self._keys)
        if due_s is None or due_s > now_s:
            return None
        return self._store.write(
            lambda tx: self._journal.lease(tx, self.executor, self._keys, now_s, self._lease_s)
        )

    def _run(
        self, kind: OperationKind[Never], operation: Operation, results: tuple[Result, ...]
    ) -> Outcome | Retry | GiveUp:
        """Run the step outside of any transaction; what it raises becomes an outcome."""
        step = kind.step(operation.position)
        if operation.deaths >= MOST_DEATHS:
            return _deadly(kind, operation)
        if step is None:
            return Done()
        forward = operation.direction is Direction.FORWARD
        stops = kind.yields or transitions.may_turn(kind, operation)
        if forward and operation.cancel is not None and stops:
            return Fail(Cancelled(operation.cancel))
        run = step.do if forward else step.undo
        if run is None:
            return Done()
        try:
            return run(context(kind, operation, results, self._clock.wall_s()))
        except Exception as error:  # noqa: BLE001  a broken step turns its operation, not the runner
            return _trouble(kind, operation, error)

    def _record(
        self,
        kind: OperationKind[Never],
        operation: Operation,
        results: tuple[Result, ...],
        came: Outcome | Retry | GiveUp,
    ) -> Operation:
        """Write what came of a run; if that cannot be written, then that it failed."""
        try:
            return self._store.write(lambda tx: self._write(tx, kind, operation, results, came))
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  the same for what it writes
            failed = _trouble(kind, operation, error)
            return self._store.write(lambda tx: self._write(tx, kind, operation, results, failed))

    def _write(
        self,
        tx: Tx,
        kind: OperationKind[Never],
        operation: Operation,
        results: tuple[Result, ...],
        came: Outcome | Retry | GiveUp,
    ) -> Operation:
        now_s = self._clock.wall_s()
        row = self._journal.held(tx, operation)
        after = transitions.after(kind, row, came, now_s, self._retry_s(row, came))
        if after.executor is not None:
            after = attrs.evolve(after, lease_until_s=Seconds(now_s + self._lease_s))
        if isinstance(came, Done) and came.commit is not None:
            came.commit(tx)
        left = left_by(kind, row, came, results, now_s)
        self._journal.save(tx, row, after, left)
        deadly_end = isinstance(came, GiveUp) and transitions.is_ending(kind, row)
        if after.ended and kind.on_end is not None and not deadly_end:
            ending = Ending.DONE if after.state is OperationState.DONE else Ending.UNDONE
            error = None if after.error is None else decode_error(after.error)
            kind.on_end(tx, context(kind, after, merged(results, left), now_s), ending, error)
        return after

    def _retry_s(self, row: Operation, came: Outcome | Retry | GiveUp) -> Seconds:
        lost_a_race = isinstance(came, Retry) and isinstance(came.error, _RACES)
        if lost_a_race and row.retries < RACES_AT_ONCE:
            return Seconds(0.0)
        longest_s = min(RETRY_LONGEST_S, RETRY_FIRST_S * 2 ** min(row.retries, 30))
        return Seconds(longest_s * (1.0 - self._source.random() / 2))


def _trouble(kind: OperationKind[Never], operation: Operation, error: Exception) -> Fail | Retry:
    """Return what comes of a run that raised."""
    if isinstance(error, ComputekitError):
        return Retry(error) if error.retryable else Fail(error)
    where = _where(kind, operation)
    if not operation.retries:
        _log.error("%s (operation %s) is broken", where, operation.id, exc_info=error)
    return Fail(Unexpected(where, f"{type(error).__name__}: {error}"))


def _deadly(kind: OperationKind[Never], operation: Operation) -> Fail | GiveUp:
    """Return what comes of a run that is not tried any more."""
    where = _where(kind, operation)
    error = Unexpected(where, f"its process has ended {operation.deaths} times while it ran")
    _log.error("%s (operation %s) is not tried any more", where, operation.id)
    return Fail(error) if transitions.may_turn(kind, operation) else GiveUp(error)


def _where(kind: OperationKind[Never], operation: Operation) -> str:
    step = kind.step(operation.position)
    way = "undo of " if operation.direction is Direction.UNDO else ""
    return f"{operation.kind}, {'the end' if step is None else way + step.name}"
