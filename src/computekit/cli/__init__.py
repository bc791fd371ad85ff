"""The `computekit` command: what needs only the library, and what others add to it.

Another distribution adds a command by an entry point of the group `computekit.commands`; what its
commands share with these is exported here.
"""

from computekit.cli.main import main
from computekit.cli.options import (
    STANDARD_FLAVORS,
    default_state,
    flavor_from,
    flavor_options,
    state_option,
)

__all__ = [
    "STANDARD_FLAVORS",
    "default_state",
    "flavor_from",
    "flavor_options",
    "main",
    "state_option",
]
