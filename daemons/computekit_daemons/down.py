"""`computekit down`: end an all-in-one and what it has started."""

import os
import shutil
import signal
from pathlib import Path

import click

from computekit.agent import HostLock
from computekit.cli import state_option
from computekit.clock import Deadline, SystemClock
from computekit.errors import DeadlineExceeded
from computekit.units import Seconds
from computekit_daemons.state import StateDirectory

__all__ = ["down"]

END_S = Seconds(60.0)


@click.command()
@state_option
@click.option("--destroy-guests", is_flag=True, help="End the guests, too.")
@click.option("--remove", is_flag=True, help="Remove the state directory; needs --destroy-guests.")
def down(state: Path, destroy_guests: bool, remove: bool) -> None:
    """End the all-in-one and its private libvirtd; guests go on unless told otherwise.

    Instances are not deleted: with the next start they are found stopped, or running. --remove
    leaves nothing of the state directory; guests of another libvirtd (--libvirt) are to be deleted
    before.
    """
    if remove and not destroy_guests:
        raise click.UsageError("--remove needs --destroy-guests")
    layout = StateDirectory(state.absolute())
    if not layout.database.exists():
        raise click.ClickException(f"{state} is not the state directory of an all-in-one")
    end_daemon(state)
    private = layout.libvirt
    if private.is_dir():
        from computekit.virt.libvirt import PrivateLibvirtd

        PrivateLibvirtd(private).stop(destroy_domains=destroy_guests)
    if remove:
        shutil.rmtree(state)


def end_daemon(state: Path) -> None:
    """Ask the all-in-one of a state directory to end, and wait for it.

    Raises:
        DeadlineExceeded: it has not ended within a minute.
    """
    clock = SystemClock()
    deadline = Deadline(clock, END_S)
    asked = None
    while (pid := HostLock.holder(state)) is not None:
        if pid != asked:
            os.kill(pid, signal.SIGTERM)
            asked = pid
        if deadline.passed:
            raise DeadlineExceeded(f"the end of process {pid}", END_S)
        clock.sleep(Seconds(0.05))
