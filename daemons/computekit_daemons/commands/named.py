"""Find rows by the words of a command line."""

from collections.abc import Iterator

import click

from computekit.errors import NotFound
from computekit.ids import InstanceId, OperationId
from computekit.journal import Operation, OperationState
from computekit.model import Image, Instance, ServerGroup
from computekit_daemons.state import Wired

__all__ = [
    "all_operations",
    "group_named",
    "image_named",
    "instance_named",
    "names_of",
    "operation_named",
]


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


def group_named(wired: Wired, name: str) -> ServerGroup:
    """Return the server group of this id, or the only one of this name.

    Raises:
        NotFound: there is none.
        click.ClickException: there are several.
    """
    found = [row for row in wired.services.slots.groups.groups() if name in {row.id, row.name}]
    if not found:
        raise NotFound("server group", name)
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise click.ClickException(f"several server groups are called {name}; say which: {ids}")
    return found[0]


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
