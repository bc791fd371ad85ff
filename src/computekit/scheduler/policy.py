"""What is preferred among the hosts that can take a request, and which further rules hold."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import attrs
import numpy as np

from computekit.model import MEMORY_MB, PlacementRequest
from computekit.placement import Fit, FleetIndex, HostView, Rows
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.group_weigher import GroupWeigher
from computekit.scheduler.normalised import Normalised
from computekit.scheduler.overlays import Overlay
from computekit.scheduler.plain_functions import HostFilter, Refusal, RequestFilter
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request
from computekit.scheduler.request_delta import Prefilter
from computekit.scheduler.zones import DEFAULT_ZONE

__all__ = [
    "HostRule",
    "OverlayRule",
    "OverlayWeigher",
    "Policy",
    "RamWeigher",
    "ShapeWeigher",
    "WayWeigher",
    "Weigher",
]


class Weigher(Protocol):
    """A preference; a value, so that policies can be compared."""

    @property
    def name(self) -> str:
        """What is preferred, for explanations."""
        ...

    def scores(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        """Return the score of each row, higher is better.

        A score depends on the host alone, never on which other hosts there are.
        """
        ...


@runtime_checkable
class ShapeWeigher(Protocol):
    """A preference that depends on what is asked; a value, so that policies can be compared."""

    @property
    def name(self) -> str:
        """What is preferred, for explanations."""
        ...

    def of(self, placement: PlacementRequest, /) -> Weigher:
        """Return the preference for requests that ask this."""
        ...


@runtime_checkable
class WayWeigher(Protocol):
    """A preference among the ways to fit one host, beside that among hosts."""

    def way(self, fleet: FleetIndex, row: int, fit: Fit, /) -> float:
        """Return the score of one way to fit a row, higher is better."""
        ...


@attrs.frozen
class RamWeigher:
    """Prefers the host with the most free memory.

    Attributes:
        multiplier: below zero prefers the fullest host instead.
    """

    multiplier: float = 1.0

    @property
    def name(self) -> str:
        return "ram"

    def scores(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        column = fleet.resources.get(MEMORY_MB)
        if column is None:
            return np.zeros(len(fleet.up[rows]))
        found = column.free.value[rows].astype(np.float64)
        if self.multiplier != 1.0:
            found *= self.multiplier
        return found

    def weight(self, fleet: FleetIndex, row: int, /) -> float:
        column = fleet.resources.get(MEMORY_MB)
        return 0.0 if column is None else column.free.value.item(row) * self.multiplier


@runtime_checkable
class OverlayWeigher(Protocol):
    """A preference of one request for a few hosts: those of its siblings ...; a value.

    What it gives never enters a shape.
    """

    @property
    def name(self) -> str:
        """What is preferred, for explanations."""
        ...

    @property
    def multiplier(self) -> float:
        """What the weights count for; below zero less is better."""
        ...

    def weights(self, request: Request, fleet: FleetIndex, /) -> Mapping[int, float] | FloatArray:
        """Return the weight of each row that has one, all others having 0; or those of all rows.

        Under `Normalised` they are scaled over the hosts that are in the running.
        """
        ...


@runtime_checkable
class HostRule(Protocol):
    """A rule that holds under a policy, answered for all hosts at once; a value.

    It may be an `OverlayRule` too.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        """Return what it asks of a host for a request; nothing if it does not concern it."""
        ...


@runtime_checkable
class OverlayRule(Protocol):
    """A rule that holds under a policy, and is about a few hosts of each request; a value."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def overlays(self, request: Request, /) -> tuple[Overlay, ...]:
        """Return what it asks of a host for this request; nothing if it does not concern it."""
        ...


@attrs.frozen
class Policy:
    """What is preferred, and which further rules hold.

    Equal scores go to the host whose name comes first.

    Attributes:
        weighers: their scores are added; `Normalised` weighs as Nova does, each host relative to
            all others that pass (but a host that only a filter refuses counts until it is asked).
        filters: further rules, asked in this order.
        rules: further rules over columns; they are part of what a request asks.
        overlay_weighers: what one request prefers; added before all others. Without a word about
            it, the soft rules of its server group.
        prefilters: request filters: what each adds is part of what is asked.
        default_zone: the zone of hosts that no aggregate puts into one; asked for, it means them.
    """

    weighers: tuple[Weigher | ShapeWeigher, ...] | Normalised = (RamWeigher(),)
    filters: tuple[HostFilter | RequestFilter, ...] = ()
    rules: tuple[HostRule | OverlayRule, ...] = ()
    overlay_weighers: tuple[OverlayWeigher, ...] = (GroupWeigher(),)
    prefilters: tuple[Prefilter, ...] = ()
    default_zone: str = DEFAULT_ZONE
    _shaping: tuple[HostRule, ...] = attrs.field(init=False, eq=False, repr=False)
    _laid_over: tuple[OverlayRule, ...] = attrs.field(init=False, eq=False, repr=False)

    @_shaping.default
    def _find_shaping(self) -> tuple[HostRule, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, HostRule))

    @_laid_over.default
    def _find_laid_over(self) -> tuple[OverlayRule, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, OverlayRule))

    def predicates(self, request: Request) -> tuple[Predicate, ...]:
        """Return what the rules ask of a host for a request and all that are of its shape."""
        return tuple(asked for rule in self._shaping for asked in rule.predicates(request))

    def overlays(self, request: Request) -> tuple[Overlay, ...]:
        """Return what the rules ask of a host for this request alone."""
        if not self._laid_over:
            return ()
        return tuple(asked for rule in self._laid_over for asked in rule.overlays(request))

    def weighers_of(self, placement: PlacementRequest) -> tuple[Weigher, ...] | Normalised:
        """Return the weighers for requests that ask this."""
        if isinstance(self.weighers, Normalised):
            return self.weighers
        return tuple(w.of(placement) if isinstance(w, ShapeWeigher) else w for w in self.weighers)

    def refusal(self, host: HostView, request: Request) -> Refusal | None:
        """Return the first filter's refusal of a host, or None if it passes all."""
        lasting = True
        for rule in self.filters:
            lasting = lasting and rule.pure
            reason = rule.refusal(host, request)
            if reason is not None:
                return Refusal(rule.name, reason, lasting)
        return None
