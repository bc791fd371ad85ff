"""A state directory, opened for one command."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from computekit.runtime import Runtime
from computekit.units import Seconds
from computekit_daemons.state import StateDirectory, Wired, open_state

__all__ = ["opened"]


@contextmanager
def opened(state: Path) -> Iterator[Wired]:
    """Open a state directory for one command."""
    if not StateDirectory(state).database.exists():
        raise click.ClickException(
            f"there is no all-in-one in {state}; "
            f"start one with: computekit-allinone --state {state}"
        )
    runtime = Runtime()
    wired = open_state(state, runtime, random.SystemRandom())
    try:
        yield wired
    finally:
        wired.store.close()
        runtime.drain(Seconds(5.0))
