"""List hosts, and say which take new instances."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import state_option
from computekit.ids import HostName
from computekit.model import encode
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.output import json_option, say
from computekit_daemons.views import host_text, hosts_table

__all__ = ["hosts"]


@click.group(invoke_without_command=True)
@state_option
@click.option("--tree", is_flag=True, help="Show the provider tree of each host.")
@json_option
@click.pass_context
def hosts(ctx: click.Context, state: Path, tree: bool, as_json: bool) -> None:
    """List hosts with what is used of them, or say which take new instances.

    A host takes new instances while it is enabled and up; an instance that asks for a zone goes
    to a host in that zone only. What is on a host is left alone.
    """
    ctx.obj = state
    if ctx.invoked_subcommand is not None:
        return
    with opened(state) as wired:
        rows = wired.services.hosts.hosts()
        if as_json:
            click.echo(encode(rows))
            return
        uses = wired.services.placement.uses()
        say(hosts_table(rows, uses))
        for host in rows if tree else ():
            click.echo(f"\n{host_text(host, uses)}")


names_argument = click.argument("names", metavar="HOST...", nargs=-1, required=True)


@hosts.command()
@names_argument
@click.pass_obj
def enable(state: Path, names: tuple[str, ...]) -> None:
    """Let new instances go to these hosts again."""
    with opened(state) as wired:
        for name in names:
            row = compute.enable_host(wired.services, HostName(name))
            click.echo(f"{row.name} enabled{'' if row.up else ', but down'}")


@hosts.command()
@names_argument
@click.option("--reason", default="by command", show_default=True, help="Shown with the host.")
@click.pass_obj
def disable(state: Path, names: tuple[str, ...], reason: str) -> None:
    """Let no new instance go to these hosts; those that are there stay."""
    with opened(state) as wired:
        for name in names:
            row = compute.disable_host(wired.services, HostName(name), reason)
            click.echo(f"{row.name} disabled: {row.disabled}")


@hosts.command()
@names_argument
@click.option("--in", "zone", metavar="ZONE", help="The zone's name.")
@click.option("--none", is_flag=True, help="Back into the default zone.")
@click.pass_obj
def zone(state: Path, names: tuple[str, ...], zone: str | None, none: bool) -> None:
    """Put these hosts, which hold no instances, into an availability zone."""
    if none == (zone is not None):
        raise click.UsageError("say either --in ZONE or --none")
    with opened(state) as wired:
        for name in names:
            row = compute.set_host_zone(wired.services, HostName(name), zone)
            click.echo(f"{row.name} in {'no zone' if row.zone is None else f'zone {row.zone}'}")
