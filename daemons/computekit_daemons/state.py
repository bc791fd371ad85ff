"""Where an all-in-one keeps everything: one directory, and the services wired over it."""

import os
import random
from pathlib import Path
from urllib.parse import quote

import attrs

from computekit.agent import HostClient
from computekit.clock import Clock
from computekit.compute import Services
from computekit.files import storage_errors
from computekit.guest import HostDefaults
from computekit.ids import HostName
from computekit.images import KeptImages
from computekit.placement import FleetIndex
from computekit.runtime import Runtime
from computekit.scheduler import (
    FleetFollower,
    GroupSlots,
    Policy,
    Scheduler,
)
from computekit.store import (
    SqlAggregates,
    SqlCells,
    SqlGroups,
    SqlHosts,
    SqlInstances,
    SqlJournal,
    SqlPlacement,
    SqlStore,
)
from computekit.transport import InProcessWire
from computekit_daemons.levels import read_levels
from computekit_daemons.rules import STANDARD_POLICY

__all__ = ["StateDirectory", "Wired", "default_cache", "make_private", "open_state"]


@attrs.frozen
class StateDirectory:
    """The layout of a state directory.

    Attributes:
        path: the directory.
    """

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "computekit.sqlite"

    @property
    def images(self) -> Path:
        """The image store."""
        return self.path / "images"

    @property
    def libvirt(self) -> Path:
        """The private libvirtd's files."""
        return self.path / "libvirt"

    @property
    def levels(self) -> Path:
        """What declares the topology levels, if there is such a file."""
        return self.path / "levels"

    def host(self, name: HostName) -> Path:
        """One host's files: its agent's lock and fences, its instances, its cached images."""
        return self.path / "hosts" / name


@attrs.frozen
class Wired:
    """Services over a state directory, and what only the all-in-one itself needs of them."""

    state: StateDirectory
    services: Services
    images: KeptImages
    wire: InProcessWire
    store: SqlStore


def default_cache() -> Path:
    """Return where what can be made again is kept: `$XDG_CACHE_HOME/computekit`."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "computekit"


def make_private(state: Path, *, open_to_qemu: bool) -> None:
    """Make a state directory that nobody else can look into.

    Args:
        state: the directory; one that holds something already keeps its permissions.
        open_to_qemu: let other users pass through to files that are theirs, as QEMU must where a
            libvirtd of the machine runs it as a user of its own.

    Raises:
        PermissionRefused: this user may not write there.
    """
    with storage_errors(state):
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(state.iterdir()):
            state.chmod(0o711 if open_to_qemu else 0o700)
        for inner in (state / "images", state / "hosts"):
            inner.mkdir(exist_ok=True)
            inner.chmod(0o711 if open_to_qemu and inner.name == "hosts" else 0o700)


def open_state(
    path: Path, runtime: Runtime, source: random.Random, policy: Policy = STANDARD_POLICY
) -> Wired:
    """Open a state directory, made if it is not there, and wire the services over it.

    Raises:
        StoreUnavailable: its database cannot be used.
        PermissionRefused: this user may not write there.
        InvalidInput: the file of topology levels is malformed.
    """
    state = StateDirectory(path.absolute())
    levels = read_levels(state.levels)
    clock: Clock = runtime.clock
    images = KeptImages(state.images, clock, source)
    store = SqlStore(f"sqlite:///{quote(str(state.database))}", clock, source)
    placement, hosts = SqlPlacement(store, clock), SqlHosts(store)
    aggregates, groups, cells = SqlAggregates(store), SqlGroups(store), SqlCells(store)
    instances = SqlInstances(store)
    follower = FleetFollower(store, placement, hosts, aggregates, groups, cells, instances)
    wire = InProcessWire(runtime)
    services = Services(
        store=store,
        instances=instances,
        placement=placement,
        hosts=hosts,
        journal=SqlJournal(store),
        scheduler=Scheduler(FleetIndex(follower, levels=levels), policy),
        client=HostClient(wire, hosts, clock),
        images=images,
        defaults=HostDefaults(),
        clock=clock,
        random=source,
        aggregates=aggregates,
        cells=cells,
        slots=GroupSlots(groups, placement, hosts, aggregates, levels),
    )
    return Wired(state, services, images, wire, store)
