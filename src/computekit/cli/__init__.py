"""The `computekit` command: what needs only the library, and what others add to it.

Another distribution adds a command by an entry point of the group `computekit.commands`.
"""

from computekit.cli.main import main

__all__ = ["main"]
