"""The group of all commands."""

from importlib.metadata import entry_points

import click

from computekit import __version__
from computekit.cli.pci import pci
from computekit.cli.place import place
from computekit.cli.placement import placement
from computekit.cli.sim import sim
from computekit.errors import ComputekitError, InvalidInput

__all__ = ["main"]

GROUP = "computekit.commands"


class _Commands(click.Group):
    """Finds commands of other distributions when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        added = {point.name for point in entry_points(group=GROUP)}
        return sorted({*super().list_commands(ctx), *added})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for point in entry_points(group=GROUP, name=cmd_name):
            found = point.load()
            if isinstance(found, click.Command):
                return found
        return None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            lines = "\n".join(f"  {fault}" for fault in error.faults)
            raise click.ClickException(f"this input breaks rules:\n{lines}") from error
        except ComputekitError as error:
            raise click.ClickException(f"{error.message} [{error.code}]") from error
        except (OSError, UnicodeError) as error:  # a path or a word that the system does not take
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Place, account for and run virtual servers."""


main.add_command(pci)
main.add_command(place)
main.add_command(placement)
main.add_command(sim)
