"""Plain rules: random, first fit, worst fit, best fit, best fit with balance, dot product."""

import random
from typing import ClassVar

import attrs
import numpy as np

from computekit.placement import IntArray
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.packing.demand import BoundPacking, Demand, HostColumns

__all__ = ["BalancedFit", "BestFit", "DotProduct", "FirstFit", "RandomFit", "WorstFit", "tightest"]


def tightest(host: HostColumns, each: int) -> int:
    """Return the device of one host with the least left that is enough, the first of equals."""
    left = host.devices[0]
    return int(np.where(left >= each, left, np.iinfo(np.int64).max).argmin())


@attrs.frozen(eq=False)
class RandomFit:
    """Any host that fits, all equally likely; also any device.

    Attributes:
        source: of the randomness. Whoever packs draws the host itself, with `draw`.
    """

    source: random.Random
    name: ClassVar[str] = "random"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Random(demand, self.source)

    def draw(self, rows: IntArray) -> int:
        """Return one of `rows`."""
        return int(rows[self.source.randrange(len(rows))])


@attrs.frozen(eq=False)
class _Random:
    demand: Demand
    source: random.Random
    judges_parts: ClassVar[bool] = False

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        return np.zeros(len(hosts))

    def device(self, host: HostColumns, /) -> int:
        fitting = np.flatnonzero(host.devices[0] >= self.demand.each)
        return int(self.source.choice(fitting.tolist()))


@attrs.frozen
class FirstFit:
    """The first host by name."""

    name: ClassVar[str] = "first-fit"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _First(demand)


@attrs.frozen
class _First:
    demand: Demand
    judges_parts: ClassVar[bool] = False

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        return np.zeros(len(hosts))

    def device(self, host: HostColumns, /) -> int:
        return tightest(host, self.demand.each)


@attrs.frozen
class BestFit:
    """The host that is left with the least, in parts of the largest hosts.

    Attributes:
        weights: of each resource of the columns.
        scale: how much of each resource a share of 1 is, the largest host's as a rule.
        device_weight: of the devices together.
        device_scale: as `scale`.
        step: scores are rounded down to steps of so much; 0 for no rounding. With steps there
            are equals, which go to the first name.
    """

    weights: tuple[float, ...]
    scale: tuple[float, ...]
    device_weight: float = 0.0
    device_scale: float = 1.0
    step: float = 0.0
    name: ClassVar[str] = "best-fit"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Best(demand, self, 1.0)


@attrs.frozen
class WorstFit:
    """The host that is left with the most: spreads.

    Attributes:
        by: says what is much.
    """

    by: BestFit
    name: ClassVar[str] = "worst-fit"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Best(demand, self.by, -1.0)


@attrs.frozen
class _Best:
    demand: Demand
    rule: BestFit
    sign: float
    judges_parts: ClassVar[bool] = False

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        rule, demand = self.rule, self.demand
        left = np.zeros(len(hosts))
        for at, weight in enumerate(rule.weights):
            if weight:
                left += (hosts.free(at) - demand.amounts[at]) * (weight / rule.scale[at])
        if rule.device_weight:
            share = rule.device_weight / rule.device_scale
            left += (hosts.idle - demand.device_total) * share
        scores = (1.0 - left) * self.sign
        return np.floor(scores / rule.step) if rule.step else scores

    def device(self, host: HostColumns, /) -> int:
        return tightest(host, self.demand.each)


@attrs.frozen
class BalancedFit:
    """Best fit, and of hosts about as full the one whose resources stay in proportion.

    What is left is counted in parts of the host's own capacity. A host that would be left with
    much of one resource and little of another is worth less: nothing will ever fit there.

    Attributes:
        balance: how much a difference between the fullest and the emptiest resource counts
            beside the mean of what is left.
    """

    balance: float = 0.05
    name: ClassVar[str] = "balanced"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Balanced(demand, self.balance)


@attrs.frozen
class _Balanced:
    demand: Demand
    balance: float
    judges_parts: ClassVar[bool] = False

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        shares = [
            (hosts.free(at) - amount) / np.maximum(hosts.capacity(at), 1)
            for at, amount in enumerate(self.demand.amounts)
        ]
        most = least = total = shares[0]
        for share in shares[1:]:
            most, least = np.maximum(most, share), np.minimum(least, share)
            total = total + share
        return -(total / len(shares) + self.balance * (most - least))

    def device(self, host: HostColumns, /) -> int:
        return tightest(host, self.demand.each)


@attrs.frozen
class DotProduct:
    """The host whose free resources point least the way of the demand.

    The smallest product of what is free and what is asked for, each in parts of the largest
    hosts, as the baseline of that name in the FGD paper (USENIX ATC 2023).

    Attributes:
        scale: how much of each resource a share of 1 is.
        device_scale: the same for the devices together.
        step: as for `BestFit`.
    """

    scale: tuple[float, ...]
    device_scale: float = 1.0
    step: float = 0.0
    name: ClassVar[str] = "dot-product"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Dot(demand, self)


@attrs.frozen
class _Dot:
    demand: Demand
    rule: DotProduct
    judges_parts: ClassVar[bool] = False

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        rule, demand = self.rule, self.demand
        product = np.zeros(len(hosts))
        for at, amount in enumerate(demand.amounts):
            product += hosts.free(at) * (amount / rule.scale[at] ** 2)
        if demand.devices:
            product += hosts.idle * (demand.device_total / rule.device_scale**2)
        return np.floor(-product / rule.step) if rule.step else -product

    def device(self, host: HostColumns, /) -> int:
        return tightest(host, self.demand.each)
