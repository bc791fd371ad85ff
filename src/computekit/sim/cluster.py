"""A cluster that demands are packed on: columns, and the best host for each shape of demand.

It knows hosts, amounts and devices, and nothing else of a fleet: what a replay of ten thousand
decisions needs. Scores are kept and followed as the scheduler does it, by the same kernel.
"""

from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from computekit.ids import HostName
from computekit.model import MEMORY_MB, VCPU, ResourceClass
from computekit.placement import BoolArray, FleetIndex, IntArray
from computekit.scheduler.blocks import NEVER, BlockScores, FloatArray
from computekit.scheduler.packing import BoundPacking, Demand, HostColumns, Packing, RandomFit

__all__ = ["Cluster", "Packed", "Packer", "cluster_of"]

_RowArray: TypeAlias = npt.NDArray[np.intp]


@attrs.frozen(eq=False)
class Cluster:
    """Hosts as they are when nothing runs on them.

    Attributes:
        names: in ascending order; the first of equals is the first by name.
        resources: what the rows of `capacity` are: `cpu_milli`, `memory_mib` ...; CPU first.
        capacity: shape (resources, hosts).
        devices: what each device has, shape (hosts, devices); 0 where there is none.
        whole: what a whole device has.
        models: the names of the models.
        model_of: the number of each host's model.
    """

    names: tuple[HostName, ...]
    resources: tuple[str, ...]
    capacity: IntArray
    devices: IntArray
    whole: int = 1_000
    models: tuple[str, ...] = ("",)
    model_of: IntArray = attrs.field()

    @model_of.default
    def _one_model(self) -> IntArray:
        return np.zeros(len(self.names), dtype=np.int64)

    @property
    def device_total(self) -> int:
        """What all devices have together."""
        return int(self.devices.sum())

    def columns(self) -> HostColumns:
        """Return all hosts, empty."""
        ends = np.full(len(self.names), NEVER)
        idle = self.devices.sum(axis=1)
        capacity = tuple(self.capacity)
        return HostColumns(capacity, capacity, self.devices, idle, self.model_of, ends)

    def usable(self, demand: Demand) -> BoolArray:
        """Return which hosts have a model that the demand names; all if it names none."""
        if not demand.models:
            return np.ones(len(self.names), dtype=np.bool_)
        usable = np.array([name in demand.models for name in self.models])
        found: BoolArray = usable[self.model_of]
        return found


def cluster_of(
    fleet: FleetIndex, resources: tuple[ResourceClass, ...] = (VCPU, MEMORY_MB)
) -> Cluster:
    """Return the hosts of a fleet, with what is free on each, as a cluster to pack on.

    What is taken already stays taken. Hosts that are disabled or down are left out.

    Args:
        fleet: read while its lock is held.
        resources: the columns of the cluster; CPU first.
    """
    with fleet.lock:
        usable = fleet.up & fleet.disabled.where("enabled", lambda why: why is None, slice(None))
        rows = np.flatnonzero(usable)
        free = np.zeros((len(resources), len(rows)), dtype=np.int64)
        for at, name in enumerate(resources):
            column = fleet.resources.get(name)
            if column is not None:
                free[at] = np.maximum(column.free.value[rows], 0)
        names = tuple(fleet.names[row] for row in rows.tolist())
    return Cluster(names, resources, free, np.zeros((len(rows), 1), dtype=np.int64))


@attrs.frozen
class Packed:
    """Where a demand went.

    Attributes:
        row: the host.
        demand: what it took.
        devices: which devices it takes of.
    """

    row: int
    demand: Demand
    devices: tuple[int, ...]


class _Kept:
    """The scores of one demand."""

    __slots__ = ("bound", "demand", "nowhere", "part", "scores", "usable", "version")

    def __init__(self, demand: Demand, bound: BoundPacking, cluster: Cluster) -> None:
        self.demand = demand
        self.bound = bound
        self.part = demand.devices == 1 and demand.each < cluster.whole
        self.usable = cluster.usable(demand) if demand.models else None
        self.version = -1
        # Nothing fits anywhere, and will not before something is given back.
        self.nowhere = False
        self.scores = BlockScores()


class Packer:
    """A cluster in use: packs demands and takes them away again.

    Args:
        cluster: as it is when empty.
        packing: what is preferred.
        occupied_only: whether an empty host is taken only if no other fits, the first by name.
        shapes: of how many demands scores are kept.
    """

    def __init__(
        self,
        cluster: Cluster,
        packing: Packing,
        *,
        occupied_only: bool = False,
        shapes: int = 1_024,
    ) -> None:
        self.cluster = cluster
        self.packing = packing
        self.free: IntArray = cluster.capacity.copy()
        self._free = tuple(self.free)
        self._capacity = tuple(cluster.capacity)
        self.devices: IntArray = cluster.devices.copy()
        self.idle: IntArray = cluster.devices.sum(axis=1)
        self.guests: IntArray = np.zeros(len(cluster.names), dtype=np.int64)
        self.ends_s: FloatArray = np.full(len(cluster.names), NEVER)
        self._closed: BoolArray = np.zeros(len(cluster.names), dtype=np.bool_)
        self._any_closed = False
        self._occupied_only = occupied_only
        self._bound = shapes
        self._kept: dict[Demand, _Kept] = {}
        self._log: list[int] = []
        self._given_back = 0
        self._ends: dict[int, list[float]] = {}
        self._changed_at: IntArray = np.full(len(cluster.names), -1, dtype=np.int64)
        self._draw = packing.draw if isinstance(packing, RandomFit) else None

    def place(self, demand: Demand) -> Packed | None:
        """Put a demand on the best host that it fits; None if it fits nowhere."""
        kept = self._of(demand)
        if kept.nowhere:
            return None
        row: int | None
        if self._draw is None:
            row = kept.scores.best()
        else:
            rows = kept.scores.rows()
            row = self._draw(rows) if len(rows) else None
        if row is None and self._occupied_only:
            row = self._first_empty(kept)
        if row is None:
            kept.nowhere = True
            return None
        packed = Packed(row, demand, self._choose(kept, row))
        self._change(packed, -1)
        return packed

    def put(self, packed: Packed) -> None:
        """Put a demand where it is known to go; nothing is checked."""
        self._change(packed, -1)

    def remove(self, packed: Packed) -> None:
        """Take a demand away again."""
        self._change(packed, 1)

    def close(self, row: int, *, closed: bool = True) -> None:
        """Take nothing more on a host, or (with False) again; what is there stays."""
        self._closed[row] = closed
        self._any_closed = self._any_closed or closed
        self._note(row, given_back=not closed)

    def columns(self, rows: _RowArray | slice = slice(None)) -> HostColumns:
        """Return some hosts as they are now."""
        return HostColumns(
            self._free,
            self._capacity,
            self.devices,
            self.idle,
            self.cluster.model_of,
            self.ends_s,
            rows,
        )

    def _change(self, packed: Packed, sign: int) -> None:
        row, demand = packed.row, packed.demand
        for free, amount in zip(self._free, demand.amounts, strict=True):
            free[row] += sign * amount
        for device in packed.devices:
            self.devices[row, device] += sign * demand.each
            self.idle[row] += sign * demand.each
        self.guests[row] -= sign
        if demand.ends_s is not None:
            ends = self._ends.setdefault(row, [])
            if sign < 0:
                ends.append(demand.ends_s)
            else:
                ends.remove(demand.ends_s)
            self.ends_s[row] = max(ends, default=NEVER)
        self._note(row, given_back=sign > 0)

    def _note(self, row: int, *, given_back: bool) -> None:
        """Remember that a row has changed."""
        if given_back:
            self._given_back = len(self._log)
        self._changed_at[row] = len(self._log)
        self._log.append(row)

    def _of(self, demand: Demand) -> _Kept:
        kept = self._kept.get(demand)
        if kept is None:
            kept = _Kept(demand, self.packing.bind(demand), self.cluster)
            if len(self._kept) >= self._bound:
                del self._kept[next(iter(self._kept))]
            self._kept[demand] = kept
        if kept.nowhere:
            if kept.version > self._given_back:
                return kept
            kept.nowhere = False
        version = len(self._log)
        if kept.version < 0:
            hosts = self.columns()
            kept.scores.fill(
                np.where(self._fits(kept, hosts, slice(None)), kept.bound.scores(hosts), NEVER)
            )
        elif kept.version < version:
            rows = self._stale(kept.version)
            kept.scores.write(rows, self._scored(kept, rows))
        kept.version = version
        return kept

    def _scored(self, kept: _Kept, rows: _RowArray | slice) -> FloatArray:
        hosts = self.columns(rows)
        return np.where(self._fits(kept, hosts, rows), kept.bound.scores(hosts), NEVER)

    def _stale(self, version: int) -> _RowArray:
        """Return the rows that have changed since, each once."""
        if len(self._log) - version > 32:
            return np.flatnonzero(self._changed_at >= version)
        rows = set(self._log[version:])
        return np.fromiter(rows, np.intp, len(rows))

    def _fits(self, kept: _Kept, hosts: HostColumns, rows: _RowArray | slice) -> BoolArray:
        demand = kept.demand
        fits: BoolArray = hosts.free(0) >= demand.amounts[0]
        for at in range(1, len(demand.amounts)):
            fits &= hosts.free(at) >= demand.amounts[at]
        if kept.part:
            if not kept.bound.judges_parts:
                fits &= hosts.devices.max(axis=1) >= demand.each
        elif demand.devices:
            fits &= (hosts.devices >= demand.each).sum(axis=1) >= demand.devices
        if kept.usable is not None:
            fits &= kept.usable[rows]
        if self._occupied_only:
            fits &= self.guests[rows] > 0
        if self._any_closed:
            fits &= ~self._closed[rows]
        return fits

    def _first_empty(self, kept: _Kept) -> int | None:
        """Return the first empty host that the demand fits."""
        rows = np.flatnonzero(self.guests == 0)
        hosts = self.columns(rows)
        self._occupied_only = False
        fits = self._fits(kept, hosts, rows)
        self._occupied_only = True
        found = rows[fits]
        return int(found[0]) if len(found) else None

    def _choose(self, kept: _Kept, row: int) -> tuple[int, ...]:
        """Return the devices that a demand takes on a host that it fits, the first of equals."""
        demand = kept.demand
        if kept.part:
            return (kept.bound.device(self.columns(slice(row, row + 1))),)
        if not demand.devices:
            return ()
        whole = (self.devices[row] >= demand.each).nonzero()[0]
        return tuple(whole[: demand.devices].tolist())
