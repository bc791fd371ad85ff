"""Commands on a state directory: they write operations, a running all-in-one carries them out."""

import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console

from computekit import compute
from computekit.agent import HostLock
from computekit.cli import flavor_from, flavor_options, state_option
from computekit.clock import Deadline
from computekit.compute import ConsoleOutput
from computekit.display import Table
from computekit.errors import ComputekitError, DeadlineExceeded, NotFound, OperationInProgress
from computekit.ids import ImageId, InstanceId, OperationId, ProjectId, UserId
from computekit.journal import Operation, OperationState
from computekit.model import Image, Instance, decode, decode_error, encode
from computekit.runtime import Runtime
from computekit.units import Seconds
from computekit_daemons.state import StateDirectory, Wired, default_cache, open_state
from computekit_daemons.views import (
    host_text,
    hosts_table,
    images_table,
    instance_table,
    instances_table,
    operation_page,
    operations_table,
)

__all__ = [
    "console",
    "create",
    "delete",
    "hosts",
    "image",
    "instances",
    "ops",
    "reboot",
    "show",
    "start",
    "stop",
    "wait_for",
]

PROJECT, USER = ProjectId("default"), UserId("default")
"""Whose instances these are until there are users."""

ABSENT_S = Seconds(5.0)
"""How long an all-in-one may be away, to be started anew, before waiting for it makes no sense."""

timeout_option = click.option(
    "--timeout", "timeout_s", default=300.0, show_default=True, help="Seconds to wait."
)
wait_option = click.option("--wait/--no-wait", default=True, help="Wait for the end of it.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


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


def say(table: Table) -> None:
    """Print a table as wide as the terminal; into a pipe, one line a row."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    click.echo(table.text(width=width))


def names_of(wired: Wired) -> dict[str, str]:
    """Return the names of all instances by id, deleted ones too."""
    return {row.id: row.name for row in wired.services.instances.instances(deleted=True)}


def instance_named(wired: Wired, name: str) -> Instance:
    """Return the instance of this id, or the only one of this name.

    Raises:
        NotFound: there is none.
        click.ClickException: there are several.
    """
    found = wired.services.instances.instance(InstanceId(name))
    if found is not None:
        return found
    named = wired.services.instances.instances(name=name)
    if not named:
        raise NotFound("instance", name)
    if len(named) > 1:
        ids = ", ".join(one.id for one in named)
        raise click.ClickException(f"several instances are called {name}; say which: {ids}")
    return named[0]


def all_operations(
    wired: Wired, states: frozenset[OperationState] | None = None
) -> Iterator[Operation]:
    """Return operations, oldest first."""
    page = wired.services.journal.operations(states)
    while page:
        yield from page
        page = wired.services.journal.operations(states, after=page[-1])


def operation_named(wired: Wired, name: str) -> Operation:
    """Return the operation of this id, or the only one whose id begins so.

    Raises:
        NotFound: there is none, or several.
    """
    row = wired.services.journal.operation(OperationId(name))
    if row is not None:
        return row
    found = [one for one in all_operations(wired) if one.id.startswith(name)]
    if len(found) != 1:
        raise NotFound("operation" if not found else "single operation", name)
    return found[0]


def image_named(wired: Wired, name: str) -> Image:
    """Return the image of this id, or the only one of this name."""
    found = [one for one in wired.images.list() if name in {one.id, one.name}]
    if not found:
        raise NotFound("image", name)
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise click.ClickException(f"several images are called {name}; say which: {ids}")
    return found[0]


def wait_for(wired: Wired, operation: OperationId, timeout_s: float) -> Operation:
    """Wait until an operation has ended and return it.

    Raises:
        ComputekitError: why it was undone.
        click.ClickException: it has not ended in time.
    """
    clock = wired.services.clock
    deadline = Deadline(clock, Seconds(timeout_s))
    absent = Deadline(clock, ABSENT_S)
    with Console().status("queued") as status:
        while True:
            row = wired.services.journal.operation(operation)
            if row is None:
                raise NotFound("operation", operation)
            if row.state is OperationState.DONE:
                return row
            if row.state is OperationState.UNDONE:
                raise _why_undone(row)
            if HostLock.holder(wired.state.path) is not None:
                absent = Deadline(clock, ABSENT_S)
            if absent.passed:
                raise click.ClickException(
                    f"no all-in-one runs on {wired.state.path}; the operation waits for: "
                    f"computekit-allinone --state {wired.state.path}"
                )
            if deadline.passed:
                raise click.ClickException(
                    f"operation {operation} has not ended after {timeout_s:g} s; it goes on: "
                    f"see computekit ops show {operation[:8]}"
                )
            status.update(f"{row.kind}: {progress(wired, row)}")
            clock.sleep(Seconds(0.1))


def progress(wired: Wired, row: Operation) -> str:
    """Return what an operation does now, for people."""
    kinds = {kind.key: kind for kind in compute.operation_kinds(wired.services)}
    kind = kinds.get(row.key)
    if kind is None or row.state is OperationState.QUEUED or row.ended:
        return row.state.value
    step = kind.step(row.position)
    if step is None:
        return "ending"
    where = f"{step.name} ({row.position + 1}/{len(kind.steps)})"
    way = "" if row.direction.value == "forward" else "undoing "
    doing = f": {row.doing}" if row.doing else ""
    return f"{way}{where}{doing}"


def _why_undone(row: Operation) -> ComputekitError:
    if row.error is None:
        return NotFound("error of operation", row.id)
    return decode_error(row.error)


@click.command()
@state_option
@click.option("--tree", is_flag=True, help="Show the provider tree of each host.")
@json_option
def hosts(state: Path, tree: bool, as_json: bool) -> None:
    """List hosts, with what they have and what is used."""
    with opened(state) as wired:
        rows = wired.services.hosts.hosts()
        if as_json:
            click.echo(encode(rows))
            return
        uses = wired.services.placement.uses()
        say(hosts_table(rows, uses))
        for host in rows if tree else ():
            click.echo(f"\n{host_text(host, uses)}")


@click.command()
@state_option
@click.argument("name")
@flavor_options
@click.option("--image", required=True, help="Name or id of an image.")
@click.option("--zone", help="Availability zone.")
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
        )
        _finish(wired, operation, wait, timeout_s)
        say(instance_table(wired.services.existing(instance.id), None))


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
@click.argument("name")
@click.option("--bytes", "tail_bytes", default=65536, show_default=True, help="From its end.")
@click.option("--until", metavar="TEXT", help="Wait until the console says TEXT.")
@timeout_option
def console(state: Path, name: str, tail_bytes: int, until: str | None, timeout_s: float) -> None:
    """Print what an instance wrote on its serial console."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        clock = wired.services.clock
        deadline = Deadline(clock, Seconds(timeout_s))
        while True:
            text = console_text(wired, row.id, tail_bytes, timeout_s)
            if until is None or until in text:
                break
            if deadline.passed:
                click.echo(text, nl=False)
                raise DeadlineExceeded(f"console of {name}: {until!r}", timeout_s)
            clock.sleep(Seconds(0.2))
        click.echo(text, nl=False)


def console_text(wired: Wired, instance: InstanceId, tail_bytes: int, timeout_s: float) -> str:
    """Return the end of what an instance wrote, read by the all-in-one."""
    clock = wired.services.clock
    deadline = Deadline(clock, Seconds(timeout_s))
    while True:
        try:
            operation = compute.read_console(wired.services, instance, tail_bytes)
            wait_for(wired, operation.id, timeout_s)
        except (OperationInProgress, NotFound) as error:
            # Somebody else reads it, or has read it since.
            if deadline.passed or (isinstance(error, NotFound) and error.kind != "operation"):
                raise
            clock.sleep(Seconds(0.05))
            continue
        for result in wired.services.journal.results(operation.id):
            if result.value is not None:
                return decode(result.value, ConsoleOutput).text
        if deadline.passed:
            raise NotFound("reading of the console of instance", instance)


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
            _finish(wired, operation, wait, timeout_s)
            click.echo(f"{row.name} {'deleted' if wait else 'is being deleted'}")


@click.command()
@state_option
@click.argument("name")
@wait_option
@timeout_option
def start(state: Path, name: str, wait: bool, timeout_s: float) -> None:
    """Start an instance that is stopped."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        _finish(wired, compute.start(wired.services, row.id), wait, timeout_s)


@click.command()
@state_option
@click.argument("name")
@click.option("--grace", "grace_s", default=60.0, show_default=True, help="Seconds to power off.")
@wait_option
@timeout_option
def stop(state: Path, name: str, grace_s: float, wait: bool, timeout_s: float) -> None:
    """Stop an instance; its guest may power off first."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        operation = compute.stop(wired.services, row.id, Seconds(grace_s))
        _finish(wired, operation, wait, timeout_s)


@click.command()
@state_option
@click.argument("name")
@click.option("--hard", is_flag=True, help="Take the power at once.")
@click.option("--grace", "grace_s", default=60.0, show_default=True, help="Seconds to power off.")
@wait_option
@timeout_option
def reboot(
    state: Path, name: str, hard: bool, grace_s: float, wait: bool, timeout_s: float
) -> None:
    """Reboot an instance."""
    with opened(state) as wired:
        row = instance_named(wired, name)
        operation = compute.reboot(wired.services, row.id, hard=hard, grace_s=Seconds(grace_s))
        _finish(wired, operation, wait, timeout_s)


@click.group(invoke_without_command=True)
@state_option
@click.option("--all", "ended", is_flag=True, help="Ended ones too.")
@click.pass_context
def ops(ctx: click.Context, state: Path, ended: bool) -> None:
    """List operations; `ops show ID` shows one, with the explanation of a refusal."""
    ctx.obj = state
    if ctx.invoked_subcommand is not None:
        return
    states = None if ended else frozenset({OperationState.LIVE, OperationState.QUEUED})
    with opened(state) as wired:
        say(operations_table(tuple(all_operations(wired, states)), names_of(wired)))


@ops.command(name="show")
@click.argument("operation")
@click.pass_obj
def show_operation(state: Path, operation: str) -> None:
    """Show an operation, its steps and why it failed."""
    with opened(state) as wired:
        row = operation_named(wired, operation)
        kinds = {kind.key: kind for kind in compute.operation_kinds(wired.services)}
        results = wired.services.journal.results(row.id)
        click.echo(operation_page(row, kinds.get(row.key), results))


@ops.command(name="cancel")
@click.argument("operation")
@click.option("--reason", default="it was cancelled by command", show_default=True)
@click.pass_obj
def cancel_operation(state: Path, operation: str, reason: str) -> None:
    """Ask for the end of an operation; what it has done is undone, unless it is too late."""
    with opened(state) as wired:
        row = operation_named(wired, operation)
        services = wired.services
        services.store.write(lambda tx: services.journal.request_cancel(tx, row.id, reason))
        click.echo(f"{row.kind} {row.id}: asked to end")


@click.group()
def image() -> None:
    """Add, list and remove images."""


@image.command(name="add")
@state_option
@click.argument("file", type=click.File("rb"))
@click.option("--name", required=True)
@click.option("--format", "disk_format", required=True, help="raw, qcow2, aki or ari.")
@click.option("--property", "properties", multiple=True, metavar="KEY=VALUE")
def add_image(
    state: Path, file: BinaryIO, name: str, disk_format: str, properties: tuple[str, ...]
) -> None:
    """Add FILE as an image, and print its id."""
    with opened(state) as wired:
        pairs = dict(text.split("=", 1) for text in properties if "=" in text)
        if len(pairs) != len(properties):
            raise click.BadParameter("a property is KEY=VALUE, each key once")
        click.echo(wired.images.add(name, disk_format, file, properties=pairs).id)


@image.command(name="demo")
@state_option
def add_demo_image(state: Path) -> None:
    """Build a tiny guest from this distribution's kernel and busybox, and add it."""
    from computekit_daemons.demo_guest import build_demo_guest, register_demo_guest

    with opened(state) as wired:
        guest = build_demo_guest(
            default_cache() / "demo-guest", lambda text: click.echo(f"{text} ...", err=True)
        )
        added = register_demo_guest(wired.images, guest)
        click.echo(f"{added.name} {added.id}")


@image.command(name="list")
@state_option
@json_option
def list_images(state: Path, as_json: bool) -> None:
    """List images."""
    with opened(state) as wired:
        rows = wired.images.list()
        if as_json:
            click.echo(encode(rows))
        else:
            say(images_table(rows))


@image.command(name="delete")
@state_option
@click.argument("name")
def delete_image(state: Path, name: str) -> None:
    """Remove an image; instances that were made from it keep their disks."""
    with opened(state) as wired:
        wired.images.delete(ImageId(image_named(wired, name).id))


def _finish(wired: Wired, operation: Operation, wait: bool, timeout_s: float) -> None:
    if wait:
        wait_for(wired, operation.id, timeout_s)
    else:
        click.echo(f"operation {operation.id}")
