"""Commands on a state directory: they write rows, a running all-in-one carries them out."""

from computekit_daemons.commands.aggregate import aggregates, pin, unpin
from computekit_daemons.commands.consoles import console, console_text
from computekit_daemons.commands.group import groups
from computekit_daemons.commands.host import hosts
from computekit_daemons.commands.images import image
from computekit_daemons.commands.instance import PROJECT, USER, create, delete, instances, show
from computekit_daemons.commands.operation import ops
from computekit_daemons.commands.power import reboot, start, stop
from computekit_daemons.commands.waiting import wait_for

__all__ = [
    "PROJECT",
    "USER",
    "aggregates",
    "console",
    "console_text",
    "create",
    "delete",
    "groups",
    "hosts",
    "image",
    "instances",
    "ops",
    "pin",
    "reboot",
    "show",
    "start",
    "stop",
    "unpin",
    "wait_for",
]
