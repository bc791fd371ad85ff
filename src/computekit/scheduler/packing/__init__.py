"""Packing policies: scores of hosts by what a demand would leave of them.

A score depends on one host and one demand, never on other hosts, so that it can be kept and only
the rows that change are looked at again. The same objects serve the scheduler (`PackingWeigher`)
and the replays of `computekit.sim`.
"""

from computekit.scheduler.packing.demand import BoundPacking, Demand, HostColumns, Packing
from computekit.scheduler.packing.fragmentation import Fragmentation
from computekit.scheduler.packing.gradient import Fragments, GradientDescent
from computekit.scheduler.packing.lifetime import (
    KnownLifetimes,
    LifetimeFit,
    LifetimePredictor,
)
from computekit.scheduler.packing.prices import RemainderPrices, remainder_prices
from computekit.scheduler.packing.rules import (
    BalancedFit,
    BestFit,
    DotProduct,
    FirstFit,
    RandomFit,
    WorstFit,
)
from computekit.scheduler.packing.weigher import PackingWeigher

__all__ = [
    "BalancedFit",
    "BestFit",
    "BoundPacking",
    "Demand",
    "DotProduct",
    "FirstFit",
    "Fragmentation",
    "Fragments",
    "GradientDescent",
    "HostColumns",
    "KnownLifetimes",
    "LifetimeFit",
    "LifetimePredictor",
    "Packing",
    "PackingWeigher",
    "RandomFit",
    "RemainderPrices",
    "WorstFit",
    "remainder_prices",
]
