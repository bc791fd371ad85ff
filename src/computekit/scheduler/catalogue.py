"""Every rule and preference by Nova's name, with what can be set about it."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from computekit.errors import Fault, InvalidInput
from computekit.model import Aggregate, PlacementRequest
from computekit.scheduler.aggregate_filters import (
    AggregateImagePropertiesIsolation,
    AggregateInstanceExtraSpecsFilter,
    AggregateIoOpsFilter,
    AggregateMultiTenancyIsolation,
    AggregateNumInstancesFilter,
    AggregateTypeAffinityFilter,
)
from computekit.scheduler.capability_filter import ComputeCapabilitiesFilter
from computekit.scheduler.demands import Malformed
from computekit.scheduler.hint_filters import (
    DifferentHostFilter,
    SameHostFilter,
    SimpleCIDRAffinityFilter,
)
from computekit.scheduler.image_filters import ImagePropertiesFilter, IsolatedHostsFilter
from computekit.scheduler.json_filter import JsonFilter
from computekit.scheduler.metadata_predicates import bound_of
from computekit.scheduler.multipliers import multiplier_of
from computekit.scheduler.normalised import Normalised, RangeWeigher
from computekit.scheduler.nova_filters import (
    AllHostsFilter,
    ComputeFilter,
    IoOpsFilter,
    MetricsFilter,
    NUMATopologyFilter,
    NumInstancesFilter,
    PciPassthroughFilter,
    ServerGroupAffinityFilter,
    ServerGroupAntiAffinityFilter,
)
from computekit.scheduler.nova_weighers import NOVA_WEIGHERS, MetricsWeigher
from computekit.scheduler.plain_functions import HostFilter, RequestFilter
from computekit.scheduler.policy import HostRule, OverlayRule, OverlayWeigher, Policy
from computekit.scheduler.request import PlacementIntent, Request
from computekit.scheduler.request_weighers import (
    CrossCellWeigher,
    ImagePropertiesWeigher,
    SoftAffinityWeigher,
    SoftAntiAffinityWeigher,
)

__all__ = [
    "DEFAULT_FILTERS",
    "FILTERS",
    "ONCE_PER_REQUEST",
    "WEIGHERS",
    "AnyFilter",
    "AnyWeigher",
    "filter_named",
    "intent_faults",
    "metadata_notes",
    "nova_policy",
    "weigher_named",
]

AnyFilter: TypeAlias = HostRule | OverlayRule | HostFilter | RequestFilter
AnyWeigher: TypeAlias = RangeWeigher | OverlayWeigher

_FILTERS: tuple[HostRule | OverlayRule, ...] = (
    AggregateImagePropertiesIsolation(),
    AggregateInstanceExtraSpecsFilter(),
    AggregateIoOpsFilter(),
    AggregateMultiTenancyIsolation(),
    AggregateNumInstancesFilter(),
    AggregateTypeAffinityFilter(),
    AllHostsFilter(),
    ComputeCapabilitiesFilter(),
    ComputeFilter(),
    DifferentHostFilter(),
    ImagePropertiesFilter(),
    IoOpsFilter(),
    IsolatedHostsFilter(),
    JsonFilter(),
    MetricsFilter(frozenset()),
    NUMATopologyFilter(),
    NumInstancesFilter(),
    PciPassthroughFilter(),
    SameHostFilter(),
    ServerGroupAffinityFilter(),
    ServerGroupAntiAffinityFilter(),
    SimpleCIDRAffinityFilter(),
)
FILTERS: Mapping[str, HostRule | OverlayRule] = MappingProxyType({f.name: f for f in _FILTERS})
"""Nova's filters by name, each with the defaults of its settings."""

DEFAULT_FILTERS = (
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
)
"""What Nova asks if nobody says otherwise."""

ONCE_PER_REQUEST = frozenset(
    {
        "AggregateImagePropertiesIsolation",
        "AggregateInstanceExtraSpecsFilter",
        "AggregateMultiTenancyIsolation",
        "AggregateTypeAffinityFilter",
        "AllHostsFilter",
        "ComputeCapabilitiesFilter",
        "ComputeFilter",
        "DifferentHostFilter",
        "ImagePropertiesFilter",
        "IsolatedHostsFilter",
        "SameHostFilter",
        "SimpleCIDRAffinityFilter",
    }
)
"""Filters whose answer is the same for all instances of one request, in Nova as here."""

_OVERLAY_WEIGHERS: tuple[OverlayWeigher, ...] = (
    CrossCellWeigher(),
    ImagePropertiesWeigher(),
    SoftAffinityWeigher(),
    SoftAntiAffinityWeigher(),
)
WEIGHERS: Mapping[str, AnyWeigher] = MappingProxyType(
    {
        **NOVA_WEIGHERS,
        "MetricsWeigher": MetricsWeigher(),
        **{weigher.name: weigher for weigher in _OVERLAY_WEIGHERS},
    }
)
"""Nova's weighers by name, each with the defaults of its settings."""

_BOUNDS = ("max_instances_per_host", "max_io_ops_per_host")


def filter_named(name: str) -> HostRule | OverlayRule:
    """Return a filter of Nova's with the defaults of its settings.

    Raises:
        InvalidInput: there is none of this name.
    """
    if name not in FILTERS:
        raise InvalidInput((_unknown("filter", name, FILTERS),))
    return FILTERS[name]


def weigher_named(name: str) -> AnyWeigher:
    """Return a weigher of Nova's with the defaults of its settings.

    Raises:
        InvalidInput: there is none of this name.
    """
    if name not in WEIGHERS:
        raise InvalidInput((_unknown("weigher", name, WEIGHERS),))
    return WEIGHERS[name]


def nova_policy(
    filters: Iterable[str | AnyFilter] = DEFAULT_FILTERS, *weighers: AnyWeigher
) -> Policy:
    """Return the policy of a Nova that is set up like this; without arguments, its defaults.

    Filters are names, or rules with settings of their own. Each of `weighers` takes the place of
    the one of its name; to switch a weigher off, give it the multiplier 0.

    Raises:
        InvalidInput: names of filters are not known; every one of them is listed.
    """
    given = tuple(filters)
    unknown = [name for name in given if isinstance(name, str) and name not in FILTERS]
    if unknown:
        raise InvalidInput(tuple(_unknown("filter", name, FILTERS) for name in unknown))
    asked = [FILTERS[found] if isinstance(found, str) else found for found in given]
    used = {**WEIGHERS, **{weigher.name: weigher for weigher in weighers}}
    return Policy(
        Normalised(
            tuple(
                weigher
                for weigher in used.values()
                if not isinstance(weigher, OverlayWeigher)
                and not (isinstance(weigher, MetricsWeigher) and not weigher.ratios)
            )
        ),
        filters=tuple(f for f in asked if isinstance(f, HostFilter | RequestFilter)),
        rules=tuple(f for f in asked if not isinstance(f, HostFilter | RequestFilter)),
        overlay_weighers=tuple(w for w in used.values() if isinstance(w, OverlayWeigher)),
    )


def intent_faults(intent: PlacementIntent, policy: Policy) -> tuple[Fault, ...]:
    """Return what the rules of a policy cannot read of a flavor, an image and hints.

    For whoever takes them from a user: a request that says such things goes nowhere.
    """
    asked = policy.predicates(Request(PlacementRequest(()), intent))
    return tuple(dict.fromkeys(found.fault for found in asked if isinstance(found, Malformed)))


def metadata_notes(aggregates: Iterable[Aggregate]) -> tuple[str, ...]:
    """Return what cannot be read of the numbers in the metadata of aggregates.

    Where a bound or a multiplier cannot be read, what is configured holds.
    """
    options = [option for w in WEIGHERS.values() if (option := getattr(w, "option", ""))]
    found: list[str] = []
    for aggregate in aggregates:
        for key, value in sorted(aggregate.metadata.items()):
            note = ""
            if key in _BOUNDS:
                note = bound_of(frozenset({value}), 0)[1]
            elif key in options:
                note = multiplier_of(frozenset({value}), 0.0)[1]
            if note:
                found.append(f"aggregate {aggregate.name}: {key} {note}; what is configured holds")
    return tuple(found)


def _unknown(kind: str, name: str, known: Iterable[str]) -> Fault:
    near = difflib.get_close_matches(name, tuple(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Fault(f"{kind}s", f"unknown_{kind}", f"there is no {kind} {name[:80]!a}{hint}")
