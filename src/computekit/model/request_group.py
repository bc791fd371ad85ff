"""What is asked of placement: groups of resources with what their provider must be like."""

from typing import Literal

import attrs

from computekit.ids import AggregateId, ProviderId
from computekit.model.resources import Resources
from computekit.model.traits import Trait

__all__ = ["PlacementRequest", "RequestGroup"]


@attrs.frozen
class RequestGroup:
    """Resources that belong together (Placement API, granular resource requests).

    Attributes:
        suffix: "" for the unsuffixed group, whose resources may come from several providers of one
            tree; any other group is served by one provider.
        resources: amounts by class.
        required: each set must be met by at least one of its traits (a plain required trait is a
            set of one).
        forbidden: traits that the providers must not have.
        member_of: each set must be met by at least one of its aggregates.
        not_member_of: aggregates that the providers must not belong to.
        in_tree: only providers of the tree that this provider is in.
    """

    suffix: str = ""
    resources: Resources = Resources()
    required: frozenset[frozenset[Trait]] = frozenset()
    forbidden: frozenset[Trait] = frozenset()
    member_of: frozenset[frozenset[AggregateId]] = frozenset()
    not_member_of: frozenset[AggregateId] = frozenset()
    in_tree: ProviderId | None = None


@attrs.frozen
class PlacementRequest:
    """All groups of one request, and what holds between them.

    Attributes:
        groups: at most one for each suffix.
        group_policy: whether suffixed groups may share a provider; needed with two or more.
        root_required: traits of the tree's root.
        root_forbidden: traits that the root must not have.
        same_subtree: sets of suffixes; in each, one provider is ancestor-or-self of the others.
    """

    groups: tuple[RequestGroup, ...]
    group_policy: Literal["none", "isolate"] | None = None
    root_required: frozenset[Trait] = frozenset()
    root_forbidden: frozenset[Trait] = frozenset()
    same_subtree: tuple[frozenset[str], ...] = ()
