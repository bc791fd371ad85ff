"""Operations and their steps: what an operation is made of, and its row."""

from collections.abc import Callable
from enum import Enum
from typing import Generic, Protocol, TypeVar

import attrs

from computekit.errors import ComputekitError
from computekit.ids import ExecutorId, OperationId
from computekit.units import Seconds
from computekit.work import Tx

__all__ = [
    "Back",
    "Context",
    "Direction",
    "Done",
    "Ending",
    "Fail",
    "Operation",
    "OperationKind",
    "OperationState",
    "Outcome",
    "Step",
    "Wait",
]

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")


@attrs.frozen
class Done:
    """The step has had its effect.

    Attributes:
        out: a frozen value for later steps to read, or None.
        commit: what to write in the same transaction as "this step is done". If it raises a
            retryable error, nothing is written and the step is run again.
    """

    out: object = None
    commit: Callable[[Tx], None] | None = None


@attrs.frozen
class Wait:
    """The effect is under way; run the step again when `for_s` has passed or a doorbell rings.

    Attributes:
        for_s: seconds.
        doing: what is waited for, for people.
    """

    for_s: Seconds
    doing: str = ""


@attrs.frozen
class Fail:
    """The step cannot be done; the operation turns round and undoes.

    Past the point of no return it does not turn: the step is retried until it succeeds.
    """

    error: ComputekitError


@attrs.frozen
class Back:
    """Undo back to the step `to` and go forward again from there, with the next alternative.

    Attributes:
        to: name of an earlier step.
        note: a frozen value that the step reads in `Context.notes` when it runs again.
    """

    to: str
    note: object


Outcome = Done | Wait | Fail | Back


class Context(Protocol[P_co]):
    """What a step may know while it runs."""

    @property
    def operation(self) -> OperationId:
        """The operation."""
        ...

    @property
    def subject(self) -> str:
        """What the operation works on: an instance's id, mostly."""
        ...

    @property
    def params(self) -> P_co:
        """What the operation was submitted with."""
        ...

    @property
    def order(self) -> tuple[int, int]:
        """Return the operation's number and the fence of its lease.

        It only grows over the life of a subject: who gets a message with a smaller one than seen
        before refuses it.
        """
        ...

    @property
    def attempt(self) -> int:
        """How often this step was run before since it was entered; 0 the first time."""
        ...

    @property
    def since_entered_s(self) -> Seconds:
        """Wall seconds since this step was first entered."""
        ...

    def out(self, step: str, kind: type[T]) -> T:
        """Return the `out` of an earlier step.

        Raises:
            KeyError: that step has not been done, or gave nothing.
        """
        ...

    def out_if_done(self, step: str, kind: type[T]) -> T | None:
        """Return the `out` of a step, or None if it was not done (an undo needs to know)."""
        ...

    def notes(self, kind: type[T]) -> tuple[T, ...]:
        """Return the notes that `Back` has left for this step, oldest first."""
        ...


@attrs.frozen
class Step(Generic[P]):
    """One step of an operation.

    Attributes:
        name: a short word, unique in the operation; kept stable, for rows name it.
        do: has the effect, or finds that it was had before; run again at any time.
        undo: takes the effect back, whether `do` was finished, begun or never run; run again at
            any time; may return `Wait`. None: there is nothing to take back.
        timeout_s: the longest from first entering to `Done`; then the step fails.
        point_of_no_return: from the entering of this step on the operation only goes forward.
    """

    name: str
    do: Callable[[Context[P]], Outcome]
    undo: Callable[[Context[P]], Done | Wait] | None = None
    timeout_s: Seconds = Seconds(60.0)
    point_of_no_return: bool = False


class Ending(Enum):
    """How an operation ended."""

    DONE = "done"
    UNDONE = "undone"


@attrs.frozen
class OperationKind(Generic[P]):
    """A kind of operation: an ordered tuple of steps.

    Attributes:
        name: `instance.create` ...; rows name it.
        version: raised when steps change their meaning; an operation keeps the version that it
            was submitted with.
        params: the type of its parameters: a frozen value.
        steps: in order.
        on_end: what to write in the transaction that ends the operation; the error is None when
            it is done.
    """

    name: str
    params: type[P]
    steps: tuple[Step[P], ...]
    on_end: Callable[[Tx, Context[P], Ending, ComputekitError | None], None] | None = None
    version: int = 1


class OperationState(Enum):
    """Where an operation is in its life.

    At most one operation of a subject is LIVE; others of that subject may be QUEUED behind it.
    """

    QUEUED = "queued"
    LIVE = "live"
    DONE = "done"
    UNDONE = "undone"


class Direction(Enum):
    """Which way a live operation goes."""

    FORWARD = "forward"
    UNDO = "undo"


@attrs.frozen
class Operation:
    """The row of one operation; times are wall seconds since the Unix epoch.

    Attributes:
        id: UUID.
        kind: name of its kind.
        version: of its kind.
        subject: what it works on.
        number: counts the operations of a subject, from 1.
        params: as JSON text.
        state: where it is in its life.
        direction: which way it goes.
        position: index of the step that is begun.
        back_to: with direction UNDO: index of the step to go forward from again; None: undo all.
        attempt: runs of this step since it was entered.
        entered_s: when this step was entered.
        wake_s: not to be run before this.
        doing: what is waited for, for people.
        error: the last error as JSON text; kept when an operation is undone.
        cancel: why it shall end, or None.
        executor: who runs it, or None.
        fence: raised with each lease; every write of an executor names it.
        lease_until_s: when another may take it.
        created_s: when it was submitted.
        ended_s: when it ended, or None.
    """

    id: OperationId
    kind: str
    version: int
    subject: str
    number: int
    params: str
    state: OperationState
    created_s: Seconds
    direction: Direction = Direction.FORWARD
    position: int = 0
    back_to: int | None = None
    attempt: int = 0
    entered_s: Seconds = Seconds(0.0)
    wake_s: Seconds = Seconds(0.0)
    doing: str = ""
    error: str | None = None
    cancel: str | None = None
    executor: ExecutorId | None = None
    fence: int = 0
    lease_until_s: Seconds = Seconds(0.0)
    ended_s: Seconds | None = None
