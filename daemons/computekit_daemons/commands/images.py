"""Add, list and remove images."""

from pathlib import Path
from typing import BinaryIO

import click

from computekit.cli import state_option
from computekit.ids import ImageId
from computekit.model import encode
from computekit_daemons.commands.named import image_named
from computekit_daemons.commands.opened import opened
from computekit_daemons.commands.output import json_option, say
from computekit_daemons.state import default_cache
from computekit_daemons.views import images_table

__all__ = ["image"]


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
