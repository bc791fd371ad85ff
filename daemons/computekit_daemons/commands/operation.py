"""List, show and cancel operations."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import state_option
from computekit.journal import OperationState
from computekit_daemons.commands.named import all_operations, names_of, operation_named
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.output import say
from computekit_daemons.views import operation_page, operations_table

__all__ = ["ops"]


@click.group(invoke_without_command=True)
@state_option
@click.option("--all", "ended", is_flag=True, help="Ended ones too.")
@click.pass_context
def ops(ctx: click.Context, state: Path, ended: bool) -> None:
    """List operations; `ops show ID` shows one, with the explanation of a refusal."""
    ctx.obj = state
    if ctx.invoked_subcommand is not None:
        return
    states = None if ended else frozenset({OperationState.LIVE, OperationState.QUEUED})
    with opened(state) as wired:
        say(operations_table(tuple(all_operations(wired, states)), names_of(wired)))


@ops.command(name="show")
@click.argument("operation")
@click.pass_obj
def show_operation(state: Path, operation: str) -> None:
    """Show an operation, its steps and why it failed."""
    with opened(state) as wired:
        row = operation_named(wired, operation)
        kinds = {kind.key: kind for kind in compute.operation_kinds(wired.services)}
        results = wired.services.journal.results(row.id)
        click.echo(operation_page(row, kinds.get(row.key), results))


@ops.command(name="cancel")
@click.argument("operation")
@click.option("--reason", default="it was cancelled by command", show_default=True)
@click.pass_obj
def cancel_operation(state: Path, operation: str, reason: str) -> None:
    """Ask for the end of an operation; what it has done is undone, unless it is too late."""
    with opened(state) as wired:
        row = operation_named(wired, operation)
        services = wired.services
        services.store.write(lambda tx: services.journal.request_cancel(tx, row.id, reason))
        click.echo(f"{row.kind} {row.id}: asked to end")
