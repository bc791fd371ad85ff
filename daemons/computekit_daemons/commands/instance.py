"""Create, list, show and delete instances."""

from pathlib import Path

import click

from computekit import compute
from computekit.cli import flavor_from, flavor_options, state_option
from computekit.ids import ProjectId, UserId
from computekit.model import FrozenMap, encode
from computekit_daemons.commands.named import (
    group_named,
    image_named,
    instance_named,
    names_of,
)
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.output import json_option, say
from computekit_daemons.commands.waiting import finish, progress, timeout_option, wait_option
from computekit_daemons.state import Wired
from computekit_daemons.views import instance_table, instances_table, operations_table

__all__ = ["PROJECT", "USER", "create", "delete", "instances", "show"]

PROJECT, USER = ProjectId("default"), UserId("default")
"""Whose instances these are until there are users."""


@click.command()
@state_option
@click.argument("name")
@flavor_options
@click.option("--image", required=True, help="Name or id of an image.")
@click.option("--zone", help="Availability zone.")
@click.option(
    "--hint",
    "hints",
    metavar="KEY=VALUE",
    multiple=True,
    help="Scheduler hint: group, same_host, different_host; repeatable.",
)
@wait_option
@timeout_option
def create(
    state: Path,
    name: str,
    flavor: str,
    vcpus: int | None,
    memory_mib: int | None,
    disk_gib: int | None,
    extra_specs: tuple[str, ...],
    image: str,
    zone: str | None,
    hints: tuple[str, ...],
    wait: bool,
    timeout_s: float,
) -> None:
    """Create an instance called NAME."""
    size = flavor_from(flavor, vcpus, memory_mib, disk_gib, extra_specs)
    with opened(state) as wired:
        instance, operation = compute.create(
            wired.services,
            name=name,
            flavor=size,
            image=image_named(wired, image).id,
            project=PROJECT,
            user=USER,
            zone=zone,
            hints=_hints(wired, hints),
        )
        finish(wired, operation, wait, timeout_s)
        say(instance_table(wired.services.existing(instance.id), None))


def _hints(wired: Wired, words: tuple[str, ...]) -> FrozenMap[str, tuple[str, ...]]:
    """Return scheduler hints; groups and instances may be called by their names."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"--hint is KEY=VALUE, not {word!r}")
        if key == "group":
            value = group_named(wired, value).id
        elif key in {"same_host", "different_host"}:
            value = instance_named(wired, value).id
        found[key] = (*found.get(key, ()), value)
    return FrozenMap(found)


@click.command(name="list")
@state_option
@click.option("--deleted", is_flag=True, help="Deleted ones too.")
@json_option
def instances(state: Path, deleted: bool, as_json: bool) -> None:
    """List instances."""
    with opened(state) as wired:
        rows = wired.services.instances.instances(deleted=deleted)
        if as_json:
            click.echo(encode(rows))
            return
        live = {row.id: wired.services.journal.live(row.id) for row in rows}
        doing = {id: progress(wired, row) for id, row in live.items() if row is not None}
        say(instances_table(rows, doing))


@click.command()
@state_option
@click.argument("name")
@json_option
def show(state: Path, name: str, as_json: bool) -> None:
    """Show an instance and what was done to it."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        if as_json:
            click.echo(encode(row))
            return
        live = wired.services.journal.live(row.id)
        say(instance_table(row, None if live is None else progress(wired, live)))
        say(operations_table(wired.services.journal.history(row.id), names_of(wired)))


@click.command()
@state_option
@click.argument("names", nargs=-1, required=True)
@wait_option
@timeout_option
def delete(state: Path, names: tuple[str, ...], wait: bool, timeout_s: float) -> None:
    """Delete instances."""
    with opened(state) as wired:
        rows = [instance_named(wired, name) for name in names]
        operations = [compute.delete(wired.services, row.id) for row in rows]
        for row, operation in zip(rows, operations, strict=True):
            finish(wired, operation, wait, timeout_s)
            click.echo(f"{row.name} {'deleted' if wait else 'is being deleted'}")
