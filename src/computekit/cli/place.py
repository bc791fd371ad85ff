"""`computekit place`: where would it go, and why?"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click
from click.core import ParameterSource

from computekit.cli.options import flavor_from, flavor_options, state_option
from computekit.clock import SystemClock
from computekit.errors import ComputekitError, Fault, InvalidInput
from computekit.guest import HostDefaults, resolve
from computekit.ids import HostName, ImageId
from computekit.model import FrozenMap, Image, Trait, encode, encode_error
from computekit.placement import FleetIndex
from computekit.scheduler import (
    Explanation,
    FleetFollower,
    Placed,
    PlacementIntent,
    Request,
    Scheduler,
    SchedulingRun,
    translate,
)
from computekit.scheduler.files import (
    NAMED_POLICIES,
    answer_form,
    policy_named,
    read_fleet,
    read_request,
)
from computekit.units import Bytes

__all__ = ["place"]

NOT_PLACED = 3

_ANY_IMAGE = Image(ImageId(""), "any", "raw", Bytes(0), Bytes(0), "")
"""Asks for nothing: what the flavor says is all."""

_FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)
_OF_REQUEST = frozenset(
    ("flavor", "vcpus", "memory_mib", "disk_gib", "extra_specs", "traits", "zone", "host")
)


@click.command()
@state_option
@click.option("--fleet", type=_FILE, help="JSON file of a fleet, instead of a state directory.")
@click.option("--request", type=_FILE, help="JSON file of a request, instead of a flavor.")
@flavor_options
@click.option("--trait", "traits", multiple=True, help="A trait that the host must have.")
@click.option("--zone", help="Availability zone.")
@click.option("--host", help="The only host that may be chosen.")
@click.option(
    "--policy",
    type=click.Choice(tuple(NAMED_POLICIES)),
    default="spread",
    show_default=True,
    help="What is preferred.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME",
    help="A further rule, by Nova's name; may be repeated.",
)
@click.option("--explain", is_flag=True, help="Say why, for each rule and host.")
@click.option("--why-not", metavar="HOST", help="Say why not this host, and what would help.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; faults too.")
@click.pass_context
def place(
    ctx: click.Context,
    state: Path,
    fleet: Path | None,
    request: Path | None,
    flavor: str,
    vcpus: int | None,
    memory_mib: int | None,
    disk_gib: int | None,
    extra_specs: tuple[str, ...],
    traits: tuple[str, ...],
    zone: str | None,
    host: str | None,
    policy: str,
    filters: tuple[str, ...],
    explain: bool,
    why_not: str | None,
    as_json: bool,
) -> None:
    """Say which host would take an instance; nothing is claimed.

    The fleet is that of an all-in-one (--state), or a file (--fleet); what is to be placed is a
    flavor, or a file (--request). A FILE of - is the standard input. With files neither a daemon
    nor a database is needed. Ends with exit code 3 if no host can take it.
    """
    _check_options(ctx, fleet, request)
    size = flavor_from(flavor, vcpus, memory_mib, disk_gib, extra_specs)
    required = frozenset(Trait(trait) for trait in traits)
    intent = PlacementIntent(zone=zone, required_traits=required, flavor=size)
    run = SchedulingRun(host=None if host is None else HostName(host))
    with _told(as_json), _opened(state, fleet, request) as (index, written):
        asked = written
        if asked is None:
            guest = resolve(size, _ANY_IMAGE, HostDefaults())
            placement = translate(guest, intent)
            asked = Request(placement, intent, run, guest.machine_type, guest.topology)
        scheduler = Scheduler(index, policy_named(policy, index, filters))
        about = None if why_not is None else HostName(why_not)
        placed = _say(scheduler, asked, about, explain, as_json)
    if not placed:
        raise click.exceptions.Exit(NOT_PLACED)


def _say(
    scheduler: Scheduler, request: Request, about: HostName | None, explain: bool, as_json: bool
) -> bool:
    """Decide, print, and return whether there is a place."""
    decision = scheduler.place(request)
    explanation = decision.explain()
    assert isinstance(explanation, Explanation), "nobody else writes to this index"
    placed = isinstance(decision, Placed)
    if as_json:
        form = answer_form(decision, explanation, explain=explain, host=about)
        click.echo(encode(form))
        return placed
    if isinstance(decision, Placed):
        click.echo(decision.host)
    if explain or (not placed and about is None):
        click.echo(explanation.text())
    if about is not None:
        click.echo(explanation.why_not(about).text())
    return placed


def _check_options(ctx: click.Context, fleet: Path | None, request: Path | None) -> None:
    given = {
        name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if fleet is not None and "state" in given:
        raise click.UsageError("either --state or --fleet")
    if request is not None and (both := given & _OF_REQUEST):
        names = (option.opts[0] for option in ctx.command.params if option.name in both)
        message = f"what is asked is in the file of --request; leave out {', '.join(names)}"
        raise click.UsageError(message)
    if fleet is not None and request is not None and str(fleet) == str(request) == "-":
        raise click.UsageError("only one file can be the standard input")


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Print errors as JSON, if JSON was asked for."""
    try:
        yield
    except ComputekitError as error:
        if not as_json:
            raise
        click.echo(encode_error(error))
        raise click.exceptions.Exit(1) from error


@contextmanager
def _opened(
    state: Path, fleet: Path | None, request: Path | None
) -> Iterator[tuple[FleetIndex, Request | None]]:
    """Return the fleet, and the request of a file; with all faults of both files."""
    faults: list[Fault] = []
    form = asked = None
    if fleet is not None:
        with _collected(faults):
            form = read_fleet(_read(fleet))
    if request is not None:
        with _collected(faults):
            asked = read_request(_read(request)).request(
                FrozenMap() if form is None else form.hosts_of()
            )
    if faults:
        raise InvalidInput(tuple(faults))
    if form is not None:
        yield form.index(), asked
        return
    with _following(state) as index:
        yield index, asked


@contextmanager
def _collected(faults: list[Fault]) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        faults.extend(error.faults)


@contextmanager
def _following(state: Path) -> Iterator[FleetIndex]:
    """Return the fleet of an all-in-one."""
    from computekit.store import (
        SqlAggregates,
        SqlCells,
        SqlGroups,
        SqlHosts,
        SqlInstances,
        SqlPlacement,
        SqlStore,
    )

    database = state / "computekit.sqlite"
    if not database.exists():
        raise click.ClickException(f"there is no fleet in {state}: start computekit-allinone there")
    store = SqlStore(f"sqlite:///{quote(str(database))}", SystemClock(), random.Random())
    try:
        placement = SqlPlacement(store, SystemClock())
        follower = FleetFollower(
            store,
            placement,
            SqlHosts(store),
            SqlAggregates(store),
            SqlGroups(store),
            SqlCells(store),
            loads=SqlInstances(store),
        )
        index = FleetIndex(follower)
        index.refresh()
        yield index
    finally:
        store.close()


def _read(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
