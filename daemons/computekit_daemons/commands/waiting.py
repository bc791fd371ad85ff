"""Wait for what the all-in-one does."""

import click
from rich.console import Console

from computekit import compute
from computekit.agent import HostLock
from computekit.clock import Deadline
from computekit.errors import ComputekitError, NotFound
from computekit.ids import OperationId
from computekit.journal import Operation, OperationState
from computekit.model import decode_error
from computekit.units import Seconds
from computekit_daemons.state import Wired

__all__ = ["finish", "progress", "timeout_option", "wait_for", "wait_option"]

ABSENT_S = Seconds(5.0)
"""How long an all-in-one may be away, to be started anew, before waiting for it makes no sense."""


timeout_option = click.option(
    "--timeout", "timeout_s", default=300.0, show_default=True, help="Seconds to wait."
)
wait_option = click.option("--wait/--no-wait", default=True, help="Wait for the end of it.")


def wait_for(wired: Wired, operation: OperationId, timeout_s: float) -> Operation:
    """Wait until an operation has ended and return it.

    Raises:
        ComputekitError: why it was undone.
        click.ClickException: it has not ended in time.
    """
    clock = wired.services.clock
    deadline = Deadline(clock, Seconds(timeout_s))
    absent = Deadline(clock, ABSENT_S)
    with Console().status("queued") as status:
        while True:
            row = wired.services.journal.operation(operation)
            if row is None:
                raise NotFound("operation", operation)
            if row.state is OperationState.DONE:
                return row
            if row.state is OperationState.UNDONE:
                raise _why_undone(row)
            if HostLock.holder(wired.state.path) is not None:
                absent = Deadline(clock, ABSENT_S)
            if absent.passed:
                raise click.ClickException(
                    f"no all-in-one runs on {wired.state.path}; the operation waits for: "
                    f"computekit-allinone --state {wired.state.path}"
                )
            if deadline.passed:
                raise click.ClickException(
                    f"operation {operation} has not ended after {timeout_s:g} s; it goes on: "
                    f"see computekit ops show {operation[:8]}"
                )
            status.update(f"{row.kind}: {progress(wired, row)}")
            clock.sleep(Seconds(0.1))


def progress(wired: Wired, row: Operation) -> str:
    """Return what an operation does now, for people."""
    kinds = {kind.key: kind for kind in compute.operation_kinds(wired.services)}
    kind = kinds.get(row.key)
    if kind is None or row.state is OperationState.QUEUED or row.ended:
        return row.state.value
    step = kind.step(row.position)
    if step is None:
        return "ending"
    where = f"{step.name} ({row.position + 1}/{len(kind.steps)})"
    way = "" if row.direction.value == "forward" else "undoing "
    doing = f": {row.doing}" if row.doing else ""
    return f"{way}{where}{doing}"


def _why_undone(row: Operation) -> ComputekitError:
    if row.error is None:
        return NotFound("error of operation", row.id)
    return decode_error(row.error)


def finish(wired: Wired, operation: Operation, wait: bool, timeout_s: float) -> None:
    """Wait for the end of an operation, or name it."""
    if wait:
        wait_for(wired, operation.id, timeout_s)
    else:
        click.echo(f"operation {operation.id}")
