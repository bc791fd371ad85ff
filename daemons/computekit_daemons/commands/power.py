"""Start, stop and reboot instances."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import state_option
from computekit.units import Seconds
from computekit_daemons.commands.named import instance_named
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.waiting import finish, timeout_option, wait_option

__all__ = ["reboot", "start", "stop"]


@click.command()
@state_option
@click.argument("name")
@wait_option
@timeout_option
def start(state: Path, name: str, wait: bool, timeout_s: float) -> None:
    """Start an instance that is stopped."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        finish(wired, compute.start(wired.services, row.id), wait, timeout_s)


@click.command()
@state_option
@click.argument("name")
@click.option("--grace", "grace_s", default=60.0, show_default=True, help="Seconds to power off.")
@wait_option
@timeout_option
def stop(state: Path, name: str, grace_s: float, wait: bool, timeout_s: float) -> None:
    """Stop an instance; its guest may power off first."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        operation = compute.stop(wired.services, row.id, Seconds(grace_s))
        finish(wired, operation, wait, timeout_s)


@click.command()
@state_option
@click.argument("name")
@click.option("--hard", is_flag=True, help="Take the power at once.")
@click.option("--grace", "grace_s", default=60.0, show_default=True, help="Seconds to power off.")
@wait_option
@timeout_option
def reboot(
    state: Path, name: str, hard: bool, grace_s: float, wait: bool, timeout_s: float
) -> None:
    """Reboot an instance."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        operation = compute.reboot(wired.services, row.id, hard=hard, grace_s=Seconds(grace_s))
        finish(wired, operation, wait, timeout_s)
