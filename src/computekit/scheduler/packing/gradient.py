"""Fragmentation gradient descent (FGD), the published rule, and the measure that it descends.

Source: Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
Gradient Descent", USENIX ATC 2023. For comparison; `Fragmentation` packs better and is faster.
"""

from collections.abc import Mapping
from typing import ClassVar

import attrs
import numpy as np

from computekit.placement import BoolArray, IntArray
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.packing.demand import BoundPacking, Demand, HostColumns

__all__ = ["Fragments", "GradientDescent"]

_TYPICAL = 0.95


@attrs.frozen(eq=False)
class Fragments:
    """How much idle device the typical requests cannot use, of each host.

    Attributes:
        shares: how often each typical request comes; they add up to 1.
        cpu: what each asks for, likewise `devices` and `each`.
        devices: how many devices.
        each: how much of each.
        models: which models each may use, shape (requests, models).
    """

    shares: FloatArray
    cpu: IntArray
    devices: IntArray
    each: IntArray
    models: BoolArray

    @classmethod
    def of(cls, mix: Mapping[Demand, int], models: tuple[str, ...]) -> "Fragments":
        """Return the measure by the most frequent requests, up to 95 of 100 of all.

        Requests that differ only in memory count as one; equally frequent ones in the order of
        `mix`.
        """
        counts: dict[tuple[int, int, int, frozenset[str]], int] = {}
        for demand, count in mix.items():
            key = (demand.amounts[0], demand.devices, demand.each, demand.models)
            counts[key] = counts.get(key, 0) + count
        total, covered = sum(counts.values()), 0
        typical: dict[tuple[int, int, int, frozenset[str]], int] = {}
        for key, count in sorted(counts.items(), key=lambda item: -item[1]):
            if covered >= _TYPICAL * total:
                break
            typical[key] = count
            covered += count
        usable = [[not named or name in named for name in models] for *_, named in typical]
        return cls(
            np.array(list(typical.values())) / max(1, covered),
            np.array([key[0] for key in typical], dtype=np.int64),
            np.array([key[1] for key in typical], dtype=np.int64),
            np.array([key[2] for key in typical], dtype=np.int64),
            np.array(usable, dtype=np.bool_).reshape(len(typical), len(models)),
        )

    def measure(self, cpu: IntArray, devices: IntArray, models: IntArray) -> FloatArray:
        """Return the fragments of each row, in the unit of the devices.

        All that is idle, to a request that the host cannot serve (or that needs no device); to
        one that it can, what is left on devices that have too little for it.

        Args:
            cpu: what is left, shape (rows,).
            devices: what is left of each device, shape (rows, devices).
            models: of each row.
        """
        idle = devices.sum(axis=1)
        enough = (devices[:, None, :] >= self.each[:, None]) & (devices[:, None, :] > 0)
        served = (
            (cpu[:, None] >= self.cpu)
            & (enough.sum(axis=2) >= self.devices)
            & self.models[:, models].T
            & (self.devices > 0)
        )
        scraps = (devices[:, None, :] * ~enough).sum(axis=2)
        found: FloatArray = np.where(served, scraps, idle[:, None]) @ self.shares
        return found


@attrs.frozen(eq=False)
class GradientDescent:
    """The host whose fragments grow least, in steps of 1 in 100 of a sigmoid.

    Attributes:
        fragments: the measure.
        whole: how much a whole device has.
    """

    fragments: Fragments
    whole: int = 1_000
    name: ClassVar[str] = "fgd"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Descent(demand, self)


@attrs.frozen(eq=False)
class _Descent:
    demand: Demand
    rule: GradientDescent
    judges_parts: ClassVar[bool] = True

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        scores: FloatArray = self._choices(hosts).max(axis=1)
        return scores

    def _choices(self, hosts: HostColumns) -> FloatArray:
        """Return the score of each row by the device that is taken, shape (rows, choices)."""
        demand, measure = self.demand, self.rule.fragments.measure
        devices, models = hosts.devices, hosts.models
        before = measure(hosts.free(0), devices, models)
        cpu = hosts.free(0) - demand.amounts[0]
        after: list[FloatArray] = []
        if demand.devices == 1 and demand.each < self.rule.whole:
            for at in range(devices.shape[1]):
                taken = devices.copy()
                taken[:, at] -= demand.each
                fits = taken[:, at] >= 0
                np.maximum(taken, 0, out=taken)
                after.append(np.where(fits, measure(cpu, taken, models), np.inf))
        else:
            whole = devices == self.rule.whole
            taken = np.where(whole & (whole.cumsum(axis=1) <= demand.devices), 0, devices)
            after.append(measure(cpu, taken if demand.devices else devices, models))
        gain = (before[:, None] - np.stack(after, axis=1)) / self.rule.whole
        return np.where(np.isinf(gain), -np.inf, _percent(gain))

    def device(self, host: HostColumns, /) -> int:
        return int(self._choices(host)[0].argmax())


def _percent(gain: FloatArray) -> FloatArray:
    found: FloatArray = np.floor(100.0 / (1.0 + np.exp(-np.clip(gain, -50.0, 50.0))))
    return found
