"""What instances make of a host's figures: how many there are, how many are being built."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from computekit.ids import HostName
from computekit.model import Image, InstanceState
from computekit.placement import FleetIndex
from computekit.work import Tx

__all__ = [
    "LOAD_CHANGED",
    "LoadReader",
    "image_property_figure",
    "load_changed",
    "load_figures",
    "write_loads",
]

LOAD_CHANGED = "load"
"""`Change.kind` of a host whose instances came, went, or are in another state."""

_IMAGE = "image "
_NOT_KNOWN = float("nan")


class LoadReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def loads(
        self, hosts: frozenset[HostName] | None = None
    ) -> Mapping[HostName, Mapping[str, float]]:
        """Return figures of these hosts (all, with None); a host without instances is left out."""
        ...


def image_property_figure(key: str, value: str) -> str:
    """Return the name of the figure: how many instances of a host have an image with this."""
    return f"{_IMAGE}{key}={value}"


def load_figures(counts: Iterable[tuple[InstanceState, Image, int]]) -> dict[str, float]:
    """Return the figures of a host with so many instances in each state, of each image."""
    found = {"instances": 0.0, "io_ops": 0.0}
    for state, image, count in counts:
        if state is InstanceState.DELETED:
            continue
        found["instances"] += count
        if state is InstanceState.BUILDING:
            found["io_ops"] += count
        for key, value in image.properties.items():
            figure = image_property_figure(key, value)
            found[figure] = found.get(figure, 0.0) + count
    return found


def load_changed(
    tx: Tx,
    before: tuple[HostName | None, InstanceState] | None,
    after: tuple[HostName | None, InstanceState] | None,
) -> None:
    """Tell replicas that an instance was here, in this state, and is there, in that one."""
    if before == after:
        return
    for place in (before, after):
        if place is not None and place[0] is not None:
            tx.changed(LOAD_CHANGED, place[0])


def write_loads(
    index: FleetIndex,
    hosts: Iterable[HostName],
    loads: Mapping[HostName, Mapping[str, float]],
) -> None:
    """Write what was read of hosts into an index; those that it does not have are passed over."""
    with index.lock:
        for host in hosts:
            row = index.row(host)
            if row is None:
                continue
            known = index.figures.values(row)
            stale = {name: _NOT_KNOWN for name in known if name.startswith(_IMAGE)}
            now = {"instances": 0.0, "io_ops": 0.0, **stale, **loads.get(host, {})}
            if any(known.get(name) != number for name, number in now.items()):
                index.set_figures(host, now)
