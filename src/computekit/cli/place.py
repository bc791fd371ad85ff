"""`computekit place`: where would it go, and why?"""

import random
from pathlib import Path
from urllib.parse import quote

import click

from computekit.cli.options import flavor_from, flavor_options, state_option
from computekit.clock import SystemClock
from computekit.guest import HostDefaults, resolve
from computekit.ids import HostName, ImageId
from computekit.model import Image, Trait, encode
from computekit.placement import FleetIndex
from computekit.scheduler import (
    FleetFollower,
    PlacementIntent,
    Request,
    Scheduler,
    SchedulingRun,
    Unplaced,
    translate,
)
from computekit.units import Bytes

__all__ = ["place"]

NOT_PLACED = 3

_ANY_IMAGE = Image(ImageId(""), "any", "raw", Bytes(0), Bytes(0), "")
"""Asks for nothing: what the flavor says is all."""


@click.command()
@state_option
@flavor_options
@click.option("--trait", "traits", multiple=True, help="A trait that the host must have.")
@click.option("--zone", help="Availability zone.")
@click.option("--host", help="The only host that may be chosen.")
@click.option("--explain", is_flag=True, help="Say why, for each rule and host.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def place(
    state: Path,
    flavor: str,
    vcpus: int | None,
    memory_mib: int | None,
    disk_gib: int | None,
    extra_specs: tuple[str, ...],
    traits: tuple[str, ...],
    zone: str | None,
    host: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Say which host would take an instance of a flavor; nothing is claimed.

    Ends with exit code 3 if no host can take it.
    """
    from computekit.store import SqlAggregates, SqlHosts, SqlPlacement, SqlStore

    size = flavor_from(flavor, vcpus, memory_mib, disk_gib, extra_specs)
    database = state / "computekit.sqlite"
    if not database.exists():
        raise click.ClickException(f"there is no fleet in {state}: start computekit-allinone there")
    guest = resolve(size, _ANY_IMAGE, HostDefaults())
    intent = PlacementIntent(zone=zone, required_traits=frozenset(Trait(t) for t in traits))
    run = SchedulingRun(host=None if host is None else HostName(host))
    store = SqlStore(f"sqlite:///{quote(str(database))}", SystemClock(), random.Random())
    try:
        placement = SqlPlacement(store, SystemClock())
        follower = FleetFollower(store, placement, SqlHosts(store), SqlAggregates(store))
        scheduler = Scheduler(FleetIndex(follower))
        request = Request(translate(guest, intent), intent, run, guest.machine_type)
        decision = scheduler.place(request)
        chosen = None if isinstance(decision, Unplaced) else decision.host
        if as_json:
            click.echo(encode({"host": chosen}))
        elif chosen is not None:
            click.echo(chosen)
        if not as_json and (explain or chosen is None):
            click.echo(decision.explain().text())
    finally:
        store.close()
    if chosen is None:
        raise click.exceptions.Exit(NOT_PLACED)
