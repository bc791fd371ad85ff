"""Make, list, show and delete server groups."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import state_option
from computekit.display import Table
from computekit.model import GROUP_POLICIES, ServerGroup, encode, group_words
from computekit_daemons.commands.instance import PROJECT, USER
from computekit_daemons.commands.named import group_named
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.output import json_option, say
from computekit_daemons.views import instances_table

__all__ = ["groups"]


@click.group(invoke_without_command=True)
@state_option
@json_option
@click.pass_context
def groups(ctx: click.Context, state: Path, as_json: bool) -> None:
    """List server groups, or change them.

    The members of a group lie apart, or together, as its rules say: create an instance with
    --hint group=NAME to make it one.
    """
    ctx.obj = state
    if ctx.invoked_subcommand is None:
        _list(state, as_json)


@groups.command(name="list")
@json_option
@click.pass_obj
def list_groups(state: Path, as_json: bool) -> None:
    """List server groups."""
    _list(state, as_json)


def _list(state: Path, as_json: bool) -> None:
    with opened(state) as wired:
        rows = wired.services.slots.groups.groups()
        if as_json:
            click.echo(encode(rows))
            return
        say(_table(rows))


@groups.command()
@click.argument("name")
@click.option("--policy", required=True, help=f"One of {', '.join(GROUP_POLICIES)}.")
@click.option(
    "--rule",
    "rules",
    metavar="KEY=VALUE",
    multiple=True,
    help="max_server_per_LEVEL, max_skew_LEVEL, min_LEVELs, or level; LEVEL is host, az ...",
)
@click.pass_obj
def create(state: Path, name: str, policy: str, rules: tuple[str, ...]) -> None:
    """Make a group called NAME; it stays as it is made."""
    words: dict[str, int | str] = {}
    for rule in rules:
        key, equals, value = rule.partition("=")
        if not equals:
            raise click.UsageError(f"--rule is KEY=VALUE, not {rule!r}")
        words[key] = value
    with opened(state) as wired:
        made = compute.create_group(
            wired.services, name=name, policy=policy, rules=words, project=PROJECT, user=USER
        )
        click.echo(made.id)


@groups.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(state: Path, name: str, as_json: bool) -> None:
    """Show a group and its members."""
    with opened(state) as wired:
        found = compute.group_members(wired.services, group_named(wired, name).id)
        if as_json:
            click.echo(encode(found))
            return
        say(_table((found.group,)))
        say(instances_table(found.members, {}))


@groups.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.pass_obj
def delete(state: Path, names: tuple[str, ...]) -> None:
    """Delete groups; their members stay, and go where they like from then on."""
    with opened(state) as wired:
        for row in [group_named(wired, name) for name in names]:
            compute.delete_group(wired.services, row.id)
            click.echo(f"{row.name} deleted")


def _table(rows: tuple[ServerGroup, ...]) -> Table:
    return Table(
        ("name", "policy", "rules", "id"),
        tuple((row.name, _policy(row), _rules(row), row.id) for row in rows),
    )


def _policy(row: ServerGroup) -> str:
    words = group_words(row.rules)
    return "-" if words is None else words.policy


def _rules(row: ServerGroup) -> str:
    return "; ".join(
        rule.words if rule.hard else f"{rule.words}, if possible" for rule in row.rules
    )
