"""Where operations are kept."""

from collections.abc import Callable
from typing import Protocol

from computekit.ids import ExecutorId, OperationId
from computekit.journal.operation import KindKey, Operation, OperationState, Result
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["Journal", "JournalReader"]


class JournalReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def operation(self, operation: OperationId) -> Operation | None:
        """Return an operation, or None."""
        ...

    def live(self, subject: str) -> Operation | None:
        """Return the live operation of a subject, or None."""
        ...

    def history(self, subject: str) -> tuple[Operation, ...]:
        """Return all operations of a subject, oldest first."""
        ...

    def operations(
        self,
        states: frozenset[OperationState] | None = None,
        after: Operation | None = None,
        limit: int = 1000,
    ) -> tuple[Operation, ...]:
        """Return one page of operations, by time of submission and id.

        Args:
            states: only those in one of these; None: all.
            after: the last one of the page before.
            limit: the most that a page holds.
        """
        ...

    def ended(self, kinds: frozenset[str], before_s: Seconds, limit: int) -> tuple[Operation, ...]:
        """Return operations of these kinds that have ended before then, the first one first.

        Args:
            kinds: names, of whatever version.
            before_s: wall seconds since the Unix epoch.
            limit: the most that are returned.
        """
        ...

    def results(self, operation: OperationId) -> tuple[Result, ...]:
        """Return what the steps of an operation have left, by time, then step and `n`."""
        ...

    def next_due_s(self, executor: ExecutorId, kinds: frozenset[KindKey]) -> Seconds | None:
        """Return when `lease` will next have something, wall seconds; None: never, as it looks."""
        ...


class Journal(JournalReader, Protocol):
    """Writes; each belongs to a transaction."""

    def submit(self, tx: Tx, operation: Operation, preempt: str | None = None) -> Operation:
        """Store an operation that `new_operation` made, and return it as stored.

        It is live if its subject has no other live one. An id that is stored already, with the
        same kind, subject and parameters, changes nothing.

        Args:
            tx: the transaction.
            operation: the operation.
            preempt: why the live operation of the subject, if any, shall end; the new one is
                queued behind it. None: a live operation is not disturbed.

        Raises:
            OperationInProgress: the subject has a live operation, and `preempt` is None.
            AlreadyExists: another operation has this id.
        """
        ...

    def request_cancel(self, tx: Tx, operation: OperationId, reason: str) -> Operation:
        """Ask for the end of an operation and return it; one that has ended stays as it is.

        It is undone, unless it has passed its point of no return.

        Raises:
            NotFound: there is no such operation.
        """
        ...

    def wake(self, tx: Tx, subject: str) -> None:
        """Let the live operation of a subject, if it waits, be run now: a hint has come."""
        ...

    def lease(
        self,
        tx: Tx,
        executor: ExecutorId,
        kinds: frozenset[KindKey],
        now_s: Seconds,
        lease_s: Seconds,
    ) -> Operation | None:
        """Take the live operation that has been due longest, and return it with its new fence.

        Due are those of these kinds whose `wake_s` has come and that nobody has a lease on; a
        lease that has lapsed, or is the executor's own, counts as none.
        """
        ...

    def held(self, tx: Tx, operation: Operation) -> Operation:
        """Return the operation as it is now, and keep it so until the transaction ends.

        Raises:
            LeaseLost: it no longer has the executor and the fence that `operation` shows.
        """
        ...

    def save(
        self, tx: Tx, before: Operation, after: Operation, results: tuple[Result, ...] = ()
    ) -> None:
        """Replace a live operation, and the results with these steps and numbers.

        If it ends thereby, the next one in the subject's queue becomes live.

        Args:
            tx: the transaction.
            before: shows the executor and the fence that the stored one must have.
            after: what to store.
            results: what to store beside it.

        Raises:
            LeaseLost: the stored one has another executor or fence, or is not live.
        """
        ...

    def adopt(self, tx: Tx, keep: frozenset[ExecutorId] = frozenset()) -> int:
        """End the leases of all executors but `keep` and return how many there were.

        For a process that starts and knows that it is the only one.
        """
        ...

    def forget(self, tx: Tx, subject: str) -> None:
        """Remove all operations of a subject: they live as long as what they work on."""
        ...

    def watch(self, ring: Callable[[], None]) -> None:
        """Call `ring` after each commit of this process that lets an operation become due."""
        ...
