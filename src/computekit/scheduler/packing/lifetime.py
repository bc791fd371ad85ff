"""Packing by when guests will leave: a slot for whoever can predict it."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

import attrs
import numpy as np

from computekit.ids import ConsumerId
from computekit.model import FrozenMap
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.packing.demand import BoundPacking, Demand, HostColumns, Packing

__all__ = ["KnownLifetimes", "LifetimeFit", "LifetimePredictor"]

_LONGEST_S = 1e9


class LifetimePredictor(Protocol):
    """Says when guests leave. It may learn: it is told of every guest that came and left."""

    def ends_s(self, consumer: ConsumerId, demand: Demand, now_s: float, /) -> float | None:
        """Return when a guest that starts now will leave, on the same clock; None: no idea."""
        ...

    def left(self, consumer: ConsumerId, demand: Demand, lived_s: float, /) -> None:
        """Hear that a guest has left after `lived_s`."""
        ...


@attrs.frozen
class KnownLifetimes:
    """Lifetimes that are known beforehand, as in a trace: the best that a predictor can do.

    Attributes:
        lifetimes_s: by consumer.
    """

    lifetimes_s: Mapping[ConsumerId, float] = FrozenMap()

    def ends_s(self, consumer: ConsumerId, _demand: Demand, now_s: float, /) -> float | None:
        found = self.lifetimes_s.get(consumer)
        return None if found is None else now_s + found

    def left(self, _consumer: ConsumerId, _demand: Demand, _lived_s: float, /) -> None:
        """Nothing is to be learnt."""


@attrs.frozen
class LifetimeFit:
    """The host that would have to stay up least longer, then what another policy prefers.

    Extensions count in steps that double: minutes matter beside minutes, not beside days. A
    demand whose end nobody knows goes by the other policy alone. As the end is part of the
    demand, demands with ends do not share what is kept for a shape: each looks at every host.

    Attributes:
        among: decides among hosts that need the same extension.
        step_s: the first step; a shorter extension is none.
    """

    among: Packing
    step_s: float = 60.0
    name: ClassVar[str] = "lifetime"

    def bind(self, demand: Demand, /) -> BoundPacking:
        return _Bound(demand, self.among.bind(demand), self.step_s)


@attrs.frozen(eq=False)
class _Bound:
    demand: Demand
    among: BoundPacking
    step_s: float

    @property
    def judges_parts(self) -> bool:
        return self.among.judges_parts

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        others = self.among.scores(hosts)
        if self.demand.ends_s is None:
            return others
        ends_s = hosts.ends_s
        # An empty host would have to stay up for the whole life of the guest: the longest.
        longer = np.where(
            np.isneginf(ends_s), _LONGEST_S, np.maximum(self.demand.ends_s - ends_s, 0)
        )
        # What the other policy says fits between two steps, in the same order.
        return np.arctan(others) / np.pi - np.floor(np.log2(1.0 + longer / self.step_s))

    def device(self, host: HostColumns, /) -> int:
        return self.among.device(host)
