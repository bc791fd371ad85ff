"""Group hosts into aggregates, and instances' zones: pinned, unpinned."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import state_option
from computekit.display import Table
from computekit.ids import HostName
from computekit.model import Aggregate, encode
from computekit_daemons.commands.named import instance_named
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.output import json_option, say
from computekit_daemons.state import Wired

__all__ = ["aggregates", "pin", "unpin"]


@click.group(invoke_without_command=True)
@state_option
@json_option
@click.pass_context
def aggregates(ctx: click.Context, state: Path, as_json: bool) -> None:
    """List aggregates of hosts, or change them.

    Hosts of an aggregate with the key availability_zone are in that zone.
    """
    ctx.obj = state
    if ctx.invoked_subcommand is not None:
        return
    with opened(state) as wired:
        rows = wired.services.aggregates.aggregates()
        if as_json:
            click.echo(encode(rows))
            return
        say(_table(rows))


name_argument = click.argument("name")


@aggregates.command()
@name_argument
@click.option("--zone", help="Availability zone of its hosts.")
@click.option("--set", "words", metavar="KEY=TEXT", multiple=True, help="Metadata; repeatable.")
@click.pass_obj
def create(state: Path, name: str, zone: str | None, words: tuple[str, ...]) -> None:
    """Make an aggregate without hosts."""
    with opened(state) as wired:
        made = compute.create_aggregate(wired.services, name, zone=zone, metadata=_words(words))
        click.echo(f"{made.name} created, number {made.id}")


@aggregates.command()
@name_argument
@click.argument("hosts", metavar="HOST...", nargs=-1, required=True)
@click.pass_obj
def add(state: Path, name: str, hosts: tuple[str, ...]) -> None:
    """Let hosts belong to an aggregate."""
    with opened(state) as wired:
        row = _named(wired, name)
        for host in hosts:
            compute.add_host_to_aggregate(wired.services, row.uuid, HostName(host))
            click.echo(f"{host} is in {name}")


@aggregates.command()
@name_argument
@click.argument("hosts", metavar="HOST...", nargs=-1, required=True)
@click.pass_obj
def remove(state: Path, name: str, hosts: tuple[str, ...]) -> None:
    """Let hosts no longer belong to an aggregate."""
    with opened(state) as wired:
        row = _named(wired, name)
        for host in hosts:
            compute.remove_host_from_aggregate(wired.services, row.uuid, HostName(host))
            click.echo(f"{host} is no longer in {name}")


@aggregates.command(name="set")
@name_argument
@click.argument("words", metavar="KEY=TEXT...", nargs=-1)
@click.option("--unset", multiple=True, metavar="KEY", help="Take a key out; repeatable.")
@click.option("--rename", metavar="NAME", help="Give it another name.")
@click.pass_obj
def set_words(
    state: Path, name: str, words: tuple[str, ...], unset: tuple[str, ...], rename: str | None
) -> None:
    """Write an aggregate's metadata; text of availability_zone is the zone of its hosts."""
    if not (words or unset or rename):
        raise click.UsageError("say what to write: KEY=TEXT, --unset KEY or --rename NAME")
    with opened(state) as wired:
        uuid = _named(wired, name).uuid
        if words or unset:
            changes: dict[str, str | None] = {**_words(words), **dict.fromkeys(unset)}
            compute.describe_aggregate(wired.services, uuid, changes)
        if rename is not None:
            compute.rename_aggregate(wired.services, uuid, rename)
        click.echo(f"{rename or name} changed")


@aggregates.command()
@name_argument
@click.pass_obj
def delete(state: Path, name: str) -> None:
    """Remove an aggregate that has no hosts."""
    with opened(state) as wired:
        compute.delete_aggregate(wired.services, _named(wired, name).uuid)
        click.echo(f"{name} deleted")


@click.command()
@state_option
@name_argument
@click.argument("zone")
def pin(state: Path, name: str, zone: str) -> None:
    """Pin an instance to the availability zone that it is in."""
    with opened(state) as wired:
        compute.pin_instance(wired.services, instance_named(wired, name).id, zone)
        click.echo(f"{name} pinned to zone {zone}")


@click.command()
@state_option
@name_argument
def unpin(state: Path, name: str) -> None:
    """Let an instance be moved to any availability zone; it stays where it is now."""
    with opened(state) as wired:
        compute.pin_instance(wired.services, instance_named(wired, name).id, None)
        click.echo(f"{name} not pinned")


def _named(wired: Wired, name: str) -> Aggregate:
    for row in wired.services.aggregates.aggregates():
        if name in {row.name, row.uuid}:
            return row
    raise click.ClickException(f"there is no aggregate {name!r}")


def _words(words: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise click.BadParameter(f"{word!r} is not KEY=TEXT")
        found[key] = text
    return found


def _table(rows: tuple[Aggregate, ...]) -> Table:
    return Table(
        ("number", "name", "hosts", "metadata"),
        tuple(
            (
                str(row.id),
                row.name,
                ", ".join(sorted(row.hosts)) or "-",
                ", ".join(f"{key}={text}" for key, text in sorted(row.metadata.items())) or "-",
            )
            for row in rows
        ),
    )
