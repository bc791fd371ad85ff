"""What request filters add to a request: values that are merged once, and say whose they are.

A request filter (Nova, request filters) looks at what an instance is to be and at what is known
beside it, before any host is looked at. What several add holds together, in whatever order.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import attrs

from computekit.ids import AggregateId
from computekit.model import Aggregate, PlacementRequest, RequestGroup, Trait, is_custom_name

if TYPE_CHECKING:
    from computekit.scheduler.request import PlacementIntent

__all__ = ["FilterContext", "Prefilter", "RequestDelta", "SegmentAggregates", "merged"]


def _is_known(trait: Trait) -> bool:
    import os_traits  # it costs as much as all else here, and most requests need none of it

    return is_custom_name(trait) or trait in os_traits.get_traits()


@attrs.frozen
class SegmentAggregates:
    """Where a network that an instance asks for can be had.

    Attributes:
        network: its name, for people.
        aggregates: of its segments' hosts; none: everywhere. None: that could not be found out.
    """

    network: str
    aggregates: frozenset[AggregateId] | None = frozenset()


@attrs.frozen
class FilterContext:
    """What is known beside the intent.

    Attributes:
        aggregates: of hosts.
        required: traits that the request requires already, of whatever provider.
        networks: that the instance asks for.
        remote_managed_ports: whether one of its ports is managed from afar (a DPU's).
        root_on_volume: whether its root disk is no matter of the host.
        knows: whether there is a trait.
    """

    aggregates: tuple[Aggregate, ...] = ()
    required: frozenset[Trait] = frozenset()
    networks: tuple[SegmentAggregates, ...] = ()
    remote_managed_ports: bool = False
    root_on_volume: bool = False
    knows: Callable[[Trait], bool] = _is_known


@attrs.frozen
class RequestDelta:
    """What one filter adds.

    Attributes:
        by: the filter's name.
        required: traits of the root.
        forbidden: traits that the root must not have.
        any_of: of each set the host must be in one aggregate.
        none_of: aggregates that the host must not be in.
        groups: further groups of resources.
        refusal: why no host may be chosen at all.
        notes: what was passed over, and why.
    """

    by: str
    required: frozenset[Trait] = frozenset()
    forbidden: frozenset[Trait] = frozenset()
    any_of: frozenset[frozenset[AggregateId]] = frozenset()
    none_of: frozenset[AggregateId] = frozenset()
    groups: tuple[RequestGroup, ...] = ()
    refusal: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def requiring(
        cls, by: str, traits: Iterable[Trait], knows: Callable[[Trait], bool]
    ) -> "RequestDelta":
        """Return what requires some traits; one that there is not costs only itself."""
        wanted = frozenset(traits)
        known = frozenset(trait for trait in wanted if knows(trait))
        notes = tuple(f"there is no trait {trait}" for trait in sorted(wanted - known))
        return cls(by, required=known, notes=notes)

    def without(self, other: "RequestDelta") -> "RequestDelta":
        """Return this with what `other` says taken out."""
        return attrs.evolve(
            self,
            required=self.required - other.required,
            forbidden=self.forbidden - other.forbidden,
            any_of=self.any_of - other.any_of,
            none_of=self.none_of - other.none_of,
            refusal=None if self.refusal == other.refusal else self.refusal,
        )


class Prefilter(Protocol):
    """A request filter; a value, so that policies can be compared."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def delta(self, intent: "PlacementIntent", context: FilterContext, /) -> RequestDelta:
        """Return what it adds: the same for the same intent and context."""
        ...


def merged(placement: PlacementRequest, deltas: Iterable[RequestDelta]) -> PlacementRequest:
    """Return a placement request with what deltas add; in whatever order, with the same result."""
    found = tuple(deltas)
    groups = {group.suffix: group for delta in found for group in delta.groups}
    suffixes = {group.suffix for group in placement.groups}
    further = (groups[suffix] for suffix in sorted(groups.keys() - suffixes))
    return attrs.evolve(
        placement,
        groups=(*placement.groups, *further),
        root_required=placement.root_required.union(*(delta.required for delta in found)),
        root_forbidden=placement.root_forbidden.union(*(delta.forbidden for delta in found)),
    )
