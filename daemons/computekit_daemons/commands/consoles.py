"""Print what instances write on their serial consoles."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import state_option
from computekit.clock import Deadline
from computekit.compute import ConsoleOutput
from computekit.errors import DeadlineExceeded, NotFound, OperationInProgress
from computekit.ids import InstanceId
from computekit.model import decode
from computekit.units import Seconds
from computekit_daemons.commands.named import instance_named
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.waiting import timeout_option, wait_for
from computekit_daemons.state import Wired

__all__ = ["console", "console_text"]


@click.command()
@state_option
@click.argument("name")
@click.option("--bytes", "tail_bytes", default=65536, show_default=True, help="From its end.")
@click.option("--until", metavar="TEXT", help="Wait until the console says TEXT.")
@timeout_option
def console(state: Path, name: str, tail_bytes: int, until: str | None, timeout_s: float) -> None:
    """Print what an instance wrote on its serial console."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        clock = wired.services.clock
        deadline = Deadline(clock, Seconds(timeout_s))
        while True:
            text = console_text(wired, row.id, tail_bytes, timeout_s)
            if until is None or until in text:
                break
            if deadline.passed:
                click.echo(text, nl=False)
                raise DeadlineExceeded(f"console of {name}: {until!r}", timeout_s)
            clock.sleep(Seconds(0.2))
        click.echo(text, nl=False)


def console_text(wired: Wired, instance: InstanceId, tail_bytes: int, timeout_s: float) -> str:
    """Return the end of what an instance wrote, read by the all-in-one."""
    clock = wired.services.clock
    deadline = Deadline(clock, Seconds(timeout_s))
    while True:
        try:
            operation = compute.read_console(wired.services, instance, tail_bytes)
            wait_for(wired, operation.id, timeout_s)
        except (OperationInProgress, NotFound) as error:
            # Somebody else reads it, or has read it since.
            if deadline.passed or (isinstance(error, NotFound) and error.kind != "operation"):
                raise
            clock.sleep(Seconds(0.05))
            continue
        for result in wired.services.journal.results(operation.id):
            if result.value is not None:
                return decode(result.value, ConsoleOutput).text
        if deadline.passed:
            raise NotFound("reading of the console of instance", instance)
