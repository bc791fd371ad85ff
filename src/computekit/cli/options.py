"""Options that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from computekit.ids import FlavorId
from computekit.model import Flavor, FrozenMap
from computekit.units import Gib, Mib

__all__ = ["STANDARD_FLAVORS", "default_state", "flavor_from", "flavor_options", "state_option"]

F = TypeVar("F", bound=Callable[..., object])

STANDARD_FLAVORS = tuple(
    Flavor(FlavorId(name), name, vcpus, Mib(memory_mib), Gib(disk_gib))
    for name, vcpus, memory_mib, disk_gib in (
        ("nano", 1, 192, 1),
        ("tiny", 1, 512, 1),
        ("small", 1, 2048, 20),
        ("medium", 2, 4096, 40),
        ("large", 4, 8192, 80),
        ("xlarge", 8, 16384, 160),
    )
)


def default_state() -> Path:
    """Return where state is kept when nobody says: `$XDG_STATE_HOME/computekit`."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "computekit"


def state_option(command: F) -> F:
    """Give a command `--state DIR`."""
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        default=default_state,
        envvar="COMPUTEKIT_STATE",
        show_envvar=True,
        help="State directory of the all-in-one.",
    )(command)


def flavor_options(command: F) -> F:
    """Give a command `--flavor` and the options that make one up or change it."""
    names = ", ".join(flavor.name for flavor in STANDARD_FLAVORS)
    for option in reversed(
        (
            click.option("--flavor", default="nano", show_default=True, help=f"One of {names}."),
            click.option("--vcpus", type=click.IntRange(0), help="Instead of the flavor's."),
            click.option("--memory-mib", type=click.IntRange(0), help="Instead of the flavor's."),
            click.option("--disk-gib", type=click.IntRange(0), help="Instead of the flavor's."),
            click.option(
                "--extra-spec",
                "extra_specs",
                multiple=True,
                metavar="KEY=VALUE",
                help="An extra spec of the flavor; may be repeated.",
            ),
        )
    ):
        command = option(command)
    return command


def flavor_from(
    flavor: str,
    vcpus: int | None,
    memory_mib: int | None,
    disk_gib: int | None,
    extra_specs: tuple[str, ...],
) -> Flavor:
    """Return the flavor that the options describe.

    Raises:
        click.BadParameter: there is no such flavor, or an extra spec has no `=`.
    """
    known = {known.name: known for known in STANDARD_FLAVORS}
    if flavor not in known:
        raise click.BadParameter(f"no flavor {flavor!r}; there are {', '.join(known)}")
    base = known[flavor]
    specs: dict[str, str] = {}
    for spec in extra_specs:
        key, equals, value = spec.partition("=")
        if not equals:
            raise click.BadParameter(f"extra spec {spec!r} is not KEY=VALUE")
        specs[key] = value
    changed = not (vcpus is None and memory_mib is None and disk_gib is None and not specs)
    return Flavor(
        id=base.id,
        name=f"{base.name}+" if changed else base.name,
        vcpus=base.vcpus if vcpus is None else vcpus,
        memory_mib=base.memory_mib if memory_mib is None else Mib(memory_mib),
        disk_gib=base.disk_gib if disk_gib is None else Gib(disk_gib),
        extra_specs=FrozenMap(specs),
    )
