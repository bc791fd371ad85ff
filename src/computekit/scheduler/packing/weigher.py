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
from computekit.scheduler.packing.rules import BalancedFit
from computekit.scheduler.passing import stale_rows

__all__ = ["PackingWeigher"]

_BALANCED = BalancedFit()
_FleetDevices: TypeAlias = "WeakKeyDictionary[FleetIndex, _Devices]"


@attrs.frozen
class PackingWeigher:
    """Prefers what a packing policy prefers.

    A device is a provider below the host's root that has an inventory of `device`. A request asks
    for a part of one by one group with an amount of `device`; for several by several groups of the
    same amount. Which device a part is taken of is the policy's choice as well.

    Attributes:
        packing: the policy; without it best fit with balance.
        resources: what the columns of the policy are; CPU first.
        device: the class that devices have; None if there are none.
        whole: what a whole device has.
        models: traits that say which model the devices of a host are; the policy must have been
            made with these names, in this order.
    """

    packing: Packing = _BALANCED
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
        followed = self._followed.get(fleet)
        if followed is None:
            followed = self._followed[fleet] = _Devices(self)
        followed.catch_up(fleet)
        free: list[IntArray] = []
        capacity: list[IntArray] = []
        for name in self.resources:
            column = fleet.resources.get(name)
            free.append(followed.none if column is None else column.free.value)
            capacity.append(followed.none if column is None else column.capacity.value)
        return HostColumns(
            free, capacity, followed.left, followed.idle, followed.models, followed.ends_s, rows
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
    """What a policy sees beside amounts, of each host of one fleet; followed row by row.

    Attributes:
        left: what is left of each device, shape (hosts, devices).
        idle: what is left of all devices of a host.
        models: the number of each host's model.
        ends_s: when guests will leave: nobody knows.
        none: nothing.
    """

    __slots__ = (
        "_layout",
        "_standing",
        "_version",
        "_weigher",
        "ends_s",
        "idle",
        "left",
        "models",
        "none",
    )

    def __init__(self, weigher: PackingWeigher) -> None:
        self._weigher = weigher
        self._layout = self._version = self._standing = -1
        self._clear(0)

    def catch_up(self, fleet: FleetIndex) -> None:
        """Look at the rows that have changed."""
        if self._layout == fleet.layout and self._version == fleet.version:
            return
        if self._layout != fleet.layout:
            self._clear(len(fleet))
        if self._weigher.device is not None:
            self._follow(fleet, self._weigher.device)
        if self._weigher.models and self._standing != fleet.standing:
            self.models = np.zeros(len(fleet), dtype=np.int64)
            for number, trait in enumerate(self._weigher.models):
                has = fleet.root_traits.vector(trait, slice(None))
                has |= fleet.deep_traits.vector(trait, slice(None))
                self.models[has] = number
        self._layout, self._version = fleet.layout, fleet.version
        self._standing = fleet.standing

    def _clear(self, count: int) -> None:
        # Of one number each, whatever the size of the fleet.
        self.none: IntArray = np.broadcast_to(np.int64(0), (count,))
        self.ends_s: FloatArray = np.broadcast_to(np.float64(NEVER), (count,))
        self.left: IntArray = np.broadcast_to(np.int64(0), (count, 1))
        self.idle = self.models = self.none

    def _follow(self, fleet: FleetIndex, device: ResourceClass) -> None:
        rows: npt.NDArray[np.intp] | None = stale_rows(fleet, self._layout, self._version)
        if rows is None:
            self.left = np.zeros((len(fleet), 1), dtype=np.int64)
            self.idle = np.zeros(len(fleet), dtype=np.int64)
            rows = np.arange(len(fleet))
        for row in rows.tolist():
            left = [
                use.provider.inventories[device].capacity - use.used.get(device, 0)
                for use in fleet.tree(row)
                if device in use.provider.inventories
            ]
            if len(left) > self.left.shape[1]:
                self.left = np.pad(self.left, ((0, 0), (0, len(left) - self.left.shape[1])))
            self.left[row] = 0
            self.left[row, : len(left)] = np.clip(left, 0, self._weigher.whole)
            self.idle[row] = self.left[row].sum()
