"""A packing policy as a weigher of the scheduler."""

from typing import TypeAlias
from weakref import WeakKeyDictionary

import attrs
import numpy as np
import numpy.typing as npt

from computekit.model import MEMORY_MB, VCPU, PlacementRequest, ResourceClass, Trait
from computekit.placement import Fit, FleetIndex, IntArray, Rows
from computekit.scheduler.blocks import NEVER, FloatArray
from computekit.scheduler.packing.demand import BoundPacking, Demand, HostColumns, Packing
from computekit.scheduler.shape import stale_rows

__all__ = ["PackingWeigher"]

_FleetDevices: TypeAlias = "WeakKeyDictionary[FleetIndex, _Devices]"


@attrs.frozen
class PackingWeigher:
    """Prefers what a packing policy prefers.

    A device is a provider below the host's root that has an inventory of `device`. A request asks
    for a part of one by one group with an amount of `device`; for several by several groups of the
    same amount. Which device a part is taken of is the policy's choice as well.

    Attributes:
        packing: the policy.
        resources: what the columns of the policy are; CPU first.
        device: the class that devices have; None if there are none.
        whole: what a whole device has.
        models: traits that say which model the devices of a host are; the policy must have been
            made with these names, in this order.
    """

    packing: Packing
    resources: tuple[ResourceClass, ...] = (VCPU, MEMORY_MB)
    device: ResourceClass | None = None
    whole: int = 1_000
    models: tuple[Trait, ...] = ()
    _followed: _FleetDevices = attrs.field(
        factory=WeakKeyDictionary, init=False, eq=False, repr=False
    )

    @property
    def name(self) -> str:
        """What is preferred."""
        return self.packing.name

    def of(self, placement: PlacementRequest, /) -> "_BoundWeigher":
        """Return the weigher for requests that ask this."""
        return _BoundWeigher(self, self.packing.bind(self.demand(placement)))

    def demand(self, placement: PlacementRequest) -> Demand:
        """Return what a request asks for, as the policy sees it."""
        amounts = dict.fromkeys(self.resources, 0)
        parts: list[int] = []
        named: frozenset[str] = frozenset()
        for group in placement.groups:
            for resource_class, amount in group.resources.items():
                if resource_class in amounts:
                    amounts[resource_class] += amount
                elif resource_class == self.device:
                    parts.append(amount)
            for any_of in (*group.required, *({trait} for trait in placement.root_required)):
                models = any_of & set(self.models)
                named = (named & models if named else frozenset(models)) if models else named
        each = max(parts, default=0)
        devices = -(-sum(parts) // each) if each else 0
        return Demand(tuple(amounts.values()), devices, each, named)

    def columns(self, fleet: FleetIndex, rows: Rows) -> HostColumns:
        """Return some hosts of a fleet, as the policy sees them."""
        count = len(fleet.up[rows])
        none = np.zeros(count, dtype=np.int64)
        columns = [fleet.resources.get(name) for name in self.resources]
        models = none
        for number, trait in enumerate(self.models):
            has = fleet.root_traits.vector(trait, rows) | fleet.deep_traits.vector(trait, rows)
            models = np.where(has, number, models)
        if self.device is None:
            devices = np.zeros((count, 1), dtype=np.int64)
        else:
            followed = self._followed.get(fleet)
            if followed is None:
                followed = self._followed[fleet] = _Devices(self.device)
            devices = np.clip(followed.left(fleet)[rows], 0, self.whole)
        return HostColumns(
            tuple(none if column is None else column.free.value[rows] for column in columns),
            tuple(none if column is None else column.capacity.value[rows] for column in columns),
            devices,
            devices.sum(axis=1),
            models,
            np.full(count, NEVER),
        )


@attrs.frozen(eq=False)
class _BoundWeigher:
    weigher: PackingWeigher
    bound: BoundPacking

    @property
    def name(self) -> str:
        return self.weigher.name

    def scores(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        return self.bound.scores(self.weigher.columns(fleet, rows))

    def way(self, fleet: FleetIndex, row: int, fit: Fit, /) -> float:
        """Return 1 for a fit that takes of the device that the policy would take of, else 0."""
        device = self.weigher.device
        taken = [at for at, amounts in fit.allocation.items() if device in amounts]
        if (
            device is None
            or len(taken) != 1
            or fit.allocation[taken[0]][device] >= self.weigher.whole
        ):
            return 0.0
        host = self.weigher.columns(fleet, np.array([row], dtype=np.intp))
        wanted = self.bound.device(host)
        providers = [u.provider.id for u in fleet.tree(row) if device in u.provider.inventories]
        # Providers that are alike are tried once: one with as much left is as good.
        left = host.devices[0]
        return float(left[providers.index(taken[0])] == left[wanted])


class _Devices:
    """What is left of each device of each host, followed row by row."""

    def __init__(self, device: ResourceClass) -> None:
        self._device = device
        self._layout = self._version = -1
        self._left: IntArray = np.zeros((0, 1), dtype=np.int64)

    def left(self, fleet: FleetIndex) -> IntArray:
        """Return what is left, shape (hosts, devices)."""
        if self._layout == fleet.layout and self._version == fleet.version:
            return self._left
        rows: npt.NDArray[np.intp] | None = stale_rows(fleet, self._layout, self._version)
        if rows is None:
            self._left = np.zeros((len(fleet), 1), dtype=np.int64)
            rows = np.arange(len(fleet))
        for row in rows.tolist():
            left = [
                use.provider.inventories[self._device].capacity - use.used.get(self._device, 0)
                for use in fleet.tree(row)
                if self._device in use.provider.inventories
            ]
            if len(left) > self._left.shape[1]:
                more = len(left) - self._left.shape[1]
                self._left = np.pad(self._left, ((0, 0), (0, more)))
            self._left[row] = 0
            self._left[row, : len(left)] = left
        self._layout, self._version = fleet.layout, fleet.version
        return self._left
