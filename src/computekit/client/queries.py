"""Requests for resources as query strings of the Placement API at 1.39."""

from collections.abc import Iterable

import attrs

from computekit.model import PlacementRequest, RequestGroup, ResourceClass, Trait

__all__ = ["candidates_query", "contradicts_itself", "group_query", "with_known_names"]

Query = list[tuple[str, str]]


def _any_of(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ordered[0] if len(ordered) == 1 else "in:" + ",".join(ordered)


def group_query(group: RequestGroup, suffix: str = "") -> Query:
    """Return the parameters of one group, each name followed by `suffix`."""
    query: Query = []
    if group.resources:
        amounts = (f"{name}:{amount}" for name, amount in sorted(group.resources.items()))
        query.append((f"resources{suffix}", ",".join(amounts)))
    plain: list[str] = sorted(name for names in group.required if len(names) == 1 for name in names)
    plain += [f"!{name}" for name in sorted(group.forbidden)]
    if plain:
        query.append((f"required{suffix}", ",".join(plain)))
    query += [
        (f"required{suffix}", _any_of(names))
        for names in sorted(group.required, key=sorted)
        if len(names) > 1
    ]
    query += [
        (f"member_of{suffix}", _any_of(names)) for names in sorted(group.member_of, key=sorted)
    ]
    if group.not_member_of:
        query.append((f"member_of{suffix}", "!" + _any_of(group.not_member_of)))
    if group.in_tree is not None:
        query.append((f"in_tree{suffix}", group.in_tree))
    return query


def candidates_query(request: PlacementRequest, limit: int | None) -> Query:
    """Return the whole query string of a candidate search."""
    query: Query = []
    for group in request.groups:
        query += group_query(group, group.suffix)
    root = [
        *sorted(request.root_required),
        *(f"!{name}" for name in sorted(request.root_forbidden)),
    ]
    if root:
        query.append(("root_required", ",".join(root)))
    query += [("same_subtree", ",".join(sorted(names))) for names in request.same_subtree]
    if request.group_policy is not None:
        query.append(("group_policy", request.group_policy))
    if limit is not None:
        query.append(("limit", str(limit)))
    return query


def contradicts_itself(request: PlacementRequest) -> bool:
    """Return whether a request forbids what it requires: nothing can serve it.

    A server refuses such a request, where `PlacementService` finds nothing.
    """
    return not request.root_required.isdisjoint(request.root_forbidden) or any(
        names <= group.forbidden for group in request.groups for names in group.required
    )


def with_known_names(
    request: PlacementRequest, classes: frozenset[ResourceClass], traits: frozenset[Trait]
) -> PlacementRequest | None:
    """Return a request with the same answer that names only what the server knows.

    A server refuses a name that it does not know, while nothing has a trait or a class of that
    name: to forbid it changes nothing, and what requires it has no answer.

    Returns:
        None if nothing can serve the request.
    """
    if not request.root_required <= traits:
        return None
    groups: list[RequestGroup] = []
    for group in request.groups:
        required = frozenset(names & traits for names in group.required)
        if frozenset() in required or not classes.issuperset(group.resources):
            return None
        groups.append(attrs.evolve(group, required=required, forbidden=group.forbidden & traits))
    return attrs.evolve(
        request, groups=tuple(groups), root_forbidden=request.root_forbidden & traits
    )
