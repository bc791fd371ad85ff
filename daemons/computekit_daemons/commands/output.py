"""How commands print, and the options about it."""

import shutil
import sys

import click

from computekit.display import Table

__all__ = ["json_option", "say"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def say(table: Table) -> None:
    """Print a table as wide as the terminal; into a pipe, one line a row."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    click.echo(table.text(width=width))
