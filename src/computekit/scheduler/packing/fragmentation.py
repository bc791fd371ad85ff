"""The fragmentation policy: lose as little as possible of what devices can still be used for.

A host has a potential: what of its idle devices is lost. A demand goes where the potential falls
most (or rises least). Lost is, in whole devices:

- *remainders*: the size of what is left of a device less what the mix of requests can earn in it;
- *edges*: a trifle for devices half full, so that whole ones remain for those who need several;
- *stranded*: idle devices that the host's remaining CPU can no longer serve. Where CPU is what
  will run out first, requests that need little CPU for a device and those that need much are told
  apart: what is too little for the one still serves the other.

Beside it stands a price for each model of device, from the load that requests for named models
put on it: whoever takes any model takes one that nobody asks for by name.

Everything comes from the cluster and the mix of requests, once.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import attrs
import numpy as np

from computekit.model import FrozenMap
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.packing.demand import BoundPacking, Demand, HostColumns
from computekit.scheduler.packing.prices import remainder_prices

__all__ = ["Fragmentation"]

_EDGE = 0.02
_STEPS = 200
_SHARES = 8


@attrs.frozen(eq=False)
class Fragmentation:
    """Loses as little as possible of what devices can still be used for.

    Attributes:
        lost: of a device with so much left, in devices, by remainder from 0 to the whole device.
        cpu_per_unit: how much CPU one unit of a device needs, for equal shares of what is asked
            of devices; none if devices are never stranded.
        model_prices: for a whole device of each model, by number.
        model_names: the models by number.
    """

    lost: FloatArray
    cpu_per_unit: tuple[float, ...]
    model_prices: FloatArray
    model_names: tuple[str, ...] = ()
    _gains: dict[int, FloatArray] = attrs.field(factory=dict, init=False, repr=False)
    name: ClassVar[str] = "fragmentation"

    @classmethod
    def of(
        cls,
        hosts: HostColumns,
        models: tuple[str, ...],
        mix: Mapping[Demand, float],
        *,
        whole: int = 1_000,
    ) -> "Fragmentation":
        """Return the policy for a cluster and the mix of requests that is expected.

        Args:
            hosts: all of them, empty: `free` is what there is; CPU is the first resource.
            models: the names behind the numbers of `hosts.models`.
            mix: how often each demand is expected, in any unit.
            whole: how much a whole device has.
        """
        parts: dict[int, float] = {}
        for demand, count in mix.items():
            if demand.devices == 1 and demand.each < whole:
                parts[demand.each] = parts.get(demand.each, 0.0) + count
        share = np.arange(whole + 1) / whole
        worth = remainder_prices(parts, whole).worth
        lost = share - worth + _EDGE * share * (1 - share)
        return cls(lost, _cpu_per_unit(hosts, mix), _model_prices(hosts, models, mix), models)

    @property
    def whole(self) -> int:
        """How much a whole device has."""
        return len(self.lost) - 1

    def gains(self, each: int) -> FloatArray:
        """Return what taking `each` of a device gains, by what was left of it before."""
        found = self._gains.get(each)
        if found is None:
            found = np.full(len(self.lost), -np.inf)
            found[each:] = self.lost[each:] - self.lost[: len(self.lost) - each]
            self._gains[each] = found
        return found

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Bound(demand, self)


@attrs.frozen(eq=False, slots=False)
class _Bound:
    demand: Demand
    policy: Fragmentation
    judges_parts: ClassVar[bool] = True

    @cached_property
    def _prices(self) -> FloatArray | None:
        """What a demand for any model pays on each model; None if it pays nothing."""
        prices = self.policy.model_prices
        if self.demand.models or not self.demand.devices or not prices.any():
            return None
        return prices * (self.demand.device_total / self.policy.whole)

    @cached_property
    def _stranding(self) -> tuple[FloatArray, FloatArray]:
        """The CPU that a unit needs, and what the demand takes of it beyond its devices, (n, 1)."""
        per_unit = np.array(self.policy.cpu_per_unit)[:, np.newaxis]
        return per_unit, self.demand.amounts[0] / per_unit - self.demand.device_total

    @cached_property
    def _gains(self) -> FloatArray | None:
        part = self.demand.devices == 1 and self.demand.each < self.policy.whole
        return self.policy.gains(self.demand.each) if part else None

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        policy = self.policy
        gained: FloatArray
        if policy.cpu_per_unit:
            per_unit, more = self._stranding
            unserved = hosts.idle - hosts.free(0) / per_unit
            lost = np.maximum(unserved, 0.0) - np.maximum(unserved + more, 0.0)
            gained = np.add.reduce(lost, axis=0) / (policy.whole * len(per_unit))
        else:
            gained = np.zeros(len(hosts))
        if self._gains is not None:
            gained += self._gains[hosts.devices].max(axis=1)
        if self._prices is not None:
            gained -= self._prices[hosts.models]
        # Steps make equals, and equals go to the first name: hosts are filled one by one.
        return np.rint(gained * _STEPS)

    def device(self, host: HostColumns, /) -> int:
        gains = self.policy.gains(self.demand.each)
        return int(gains[host.devices[0]].argmax())


def _cpu_per_unit(hosts: HostColumns, mix: Mapping[Demand, float]) -> tuple[float, ...]:
    """Return how much CPU goes with a unit of device, for equal shares of what is asked for.

    As a rule the mean over the requests for devices. Where CPU is what will run out first, each
    eighth of them, from those with the least CPU to those with the most.
    """
    asked = [
        (d.amounts[0] / d.device_total, d.device_total * c) for d, c in mix.items() if d.devices
    ]
    if not asked:
        return ()
    ratios, weights = np.array(sorted(asked)).T
    devices = float(weights.sum())
    cpu = sum(d.amounts[0] * count for d, count in mix.items())
    scarce = cpu * float(hosts.devices.sum()) > devices * float(hosts.free(0).sum())
    ends = np.cumsum(weights) / devices
    edges = np.linspace(0.0, 1.0, (_SHARES if scarce else 1) + 1)
    # How much of each request falls into each share.
    low, high = edges[:-1, np.newaxis], edges[1:, np.newaxis]
    within = np.minimum(ends, high) - np.maximum(np.append(0.0, ends[:-1]), low)
    parts = np.clip(within, 0.0, None)
    found = (parts @ ratios / parts.sum(axis=1)).tolist()
    return tuple(ratio for ratio in found if ratio > 0)


def _model_prices(
    hosts: HostColumns, models: tuple[str, ...], mix: Mapping[Demand, float]
) -> FloatArray:
    """Return which part of each model is asked for by name.

    A request that names several models is shared out in proportion to how many there are of each.
    """
    there = np.bincount(hosts.models, weights=hosts.idle, minlength=max(1, len(models)))
    load = np.zeros(len(there))
    number = FrozenMap({name: at for at, name in enumerate(models)})
    for demand, count in mix.items():
        named = [number[name] for name in demand.models if name in number]
        among = there[named].sum() if named else 0.0
        if among:
            load[named] += demand.device_total * count * there[named] / among
    total = sum(demand.device_total * count for demand, count in mix.items())
    # The mix says shares only: a load is what it would be if requests filled the cluster.
    scale = float(there.sum()) / total if total else 0.0
    prices: FloatArray = load * scale / np.maximum(there, 1.0)
    return prices
