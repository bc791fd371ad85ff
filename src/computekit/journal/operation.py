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
    "KindKey",
    "Operation",
    "OperationKind",
    "OperationState",
    "Outcome",
    "Result",
    "Step",
    "Wait",
]

P_co = TypeVar("P_co", covariant=True)
P_contra = TypeVar("P_contra", contravariant=True)
T = TypeVar("T")

KindKey = tuple[str, int]
"""Name and version of a kind."""


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
class Step(Generic[P_contra]):
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
    do: Callable[[Context[P_contra]], Outcome]
    undo: Callable[[Context[P_contra]], Done | Wait] | None = None
    timeout_s: Seconds = Seconds(60.0)
    point_of_no_return: bool = False


class Ending(Enum):
    """How an operation ended."""

    DONE = "done"
    UNDONE = "undone"


@attrs.frozen
class OperationKind(Generic[P_contra]):
    """A kind of operation: an ordered tuple of steps.

    What takes any kind takes an `OperationKind[Never]`.

    Attributes:
        name: `instance.create` ...; rows name it.
        version: raised when steps change their meaning; an operation keeps the version that it
            was submitted with.
        params: the type of its parameters: a frozen value.
        steps: in order.
        on_end: what to write in the transaction that ends the operation, which follows that of
            the last step (or undo); the error is None when it is done.
        yields: whether a cancel ends it even past the point of no return, at the next boundary,
            with nothing taken back: what it has done stays, and what comes after it looks.

    Raises:
        ValueError: no steps, two of one name, or two points of no return.
    """

    name: str
    params: type[P_contra]
    steps: tuple[Step[P_contra], ...]
    on_end: Callable[[Tx, Context[P_contra], Ending, ComputekitError | None], None] | None = None
    version: int = 1
    yields: bool = False

    def __attrs_post_init__(self) -> None:
        names = {step.name for step in self.steps}
        if not names or len(names) < len(self.steps):
            raise ValueError(f"{self.name}: steps need names, each its own")
        if sum(step.point_of_no_return for step in self.steps) > 1:
            raise ValueError(f"{self.name}: there can be one point of no return")

    @property
    def key(self) -> KindKey:
        """Name and version: what a row must name for this kind to run it."""
        return (self.name, self.version)

    @property
    def no_return(self) -> int:
        """The index of the point of no return; the number of steps if there is none."""
        flags = [step.point_of_no_return for step in self.steps]
        return flags.index(True) if True in flags else len(flags)

    def step(self, position: int) -> "Step[P_contra] | None":
        """Return the step at the position of an operation, or None at its end."""
        return self.steps[position] if 0 <= position < len(self.steps) else None

    def index(self, step: str) -> int:
        """Return the index of a step.

        Raises:
            ValueError: there is no such step.
        """
        return [each.name for each in self.steps].index(step)


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
        position: index of the step that is begun; the number of steps, or -1, when all are done
            or undone and only what `on_end` writes remains.
        back_to: with direction UNDO: index of the step to go forward from again; None: undo all.
        attempt: runs of this step since it was entered.
        retries: how many of the latest runs have failed in a row.
        entered_s: when this step was entered.
        wake_s: not to be run before this.
        doing: what is waited for, for people.
        error: the last error of a step as JSON text; with direction UNDO: why it turned.
        undo_error: the last error of the undo that is begun, as JSON text; of an operation that
            has ended: why what it has done was not taken back.
        cancel: why it shall end, or None.
        executor: who runs it, or None.
        fence: raised with each lease; every write of an executor names it.
        lease_until_s: when another may take it.
        created_s: when it was submitted.
        ended_s: when it ended, or None.
        deaths: how many executors in a row have been lost while they ran this step.
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
    retries: int = 0
    entered_s: Seconds = Seconds(0.0)
    wake_s: Seconds = Seconds(0.0)
    doing: str = ""
    error: str | None = None
    undo_error: str | None = None
    cancel: str | None = None
    executor: ExecutorId | None = None
    fence: int = 0
    lease_until_s: Seconds = Seconds(0.0)
    ended_s: Seconds | None = None
    deaths: int = 0

    @property
    def key(self) -> KindKey:
        """Name and version of its kind."""
        return (self.kind, self.version)

    @property
    def ended(self) -> bool:
        """Whether it is done or undone."""
        return self.ended_s is not None


@attrs.frozen
class Result:
    """What one step has left in the journal.

    Attributes:
        step: its name.
        n: 0: what it gave when it was done; 1, 2 ...: the notes that `Back` left for it.
        value: as JSON text; None: its undo has taken it back.
        at_s: when this was written; wall seconds since the Unix epoch.
    """

    step: str
    n: int
    value: str | None
    at_s: Seconds
