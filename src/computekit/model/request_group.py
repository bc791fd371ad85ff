"""What is asked of placement: groups of resources with what their provider must be like."""

from collections.abc import Iterable, Mapping
from typing import Literal

import attrs

from computekit.ids import AggregateId, ProviderId
from computekit.model.frozen_map import FrozenMap
from computekit.model.resources import ResourceClass, Resources
from computekit.model.traits import Trait

__all__ = ["PlacementRequest", "RequestGroup"]


def _resources(given: Mapping[ResourceClass, int]) -> Resources:
    return given if isinstance(given, FrozenMap) else Resources(given)


@attrs.frozen
class RequestGroup:
    """Resources that belong together (Placement API, granular resource requests).

    Attributes:
        suffix: "" for the unsuffixed group, whose resources may come from several providers of one
            tree; any other group is served by one provider.
        resources: amounts by class; a plain mapping is taken too.
        required: each set must be met by at least one of its traits (a plain required trait is a
            set of one).
        forbidden: traits that the providers must not have.
        member_of: each set must be met by at least one of its aggregates.
        not_member_of: aggregates that the providers must not belong to.
        in_tree: only providers of the tree that this provider is in.
    """

    suffix: str = ""
    resources: Resources = attrs.field(default=Resources(), converter=_resources)
    required: frozenset[frozenset[Trait]] = frozenset()
    forbidden: frozenset[Trait] = frozenset()
    member_of: frozenset[frozenset[AggregateId]] = frozenset()
    not_member_of: frozenset[AggregateId] = frozenset()
    in_tree: ProviderId | None = None


def _groups(given: Iterable[RequestGroup]) -> tuple[RequestGroup, ...]:
    return tuple(given)


@attrs.frozen(cache_hash=True)
class PlacementRequest:
    """All groups of one request, and what holds between them.

    Attributes:
        groups: at most one for each suffix.
        group_policy: whether suffixed groups may share a provider; needed with two or more.
        root_required: traits of the tree's root.
        root_forbidden: traits that the root must not have.
        same_subtree: sets of suffixes; in each, one provider is ancestor-or-self of the others.
    """

    groups: tuple[RequestGroup, ...] = attrs.field(converter=_groups)
    group_policy: Literal["none", "isolate"] | None = None
    root_required: frozenset[Trait] = frozenset()
    root_forbidden: frozenset[Trait] = frozenset()
    same_subtree: tuple[frozenset[str], ...] = ()
