"""The query of `GET /allocation_candidates`, in each microversion, into a `PlacementRequest`."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import attrs

from computekit.api import Microversion
from computekit.http.placement.body import bad_request
from computekit.http.placement.groups import (
    Aggregates,
    Traits,
    parse_aggregates,
    parse_resources,
    parse_traits,
    parse_tree,
)
from computekit.http.placement.query import TEXT, Query, QuerySchema, version_table
from computekit.ids import ProviderId
from computekit.model import PlacementRequest, RequestGroup, Resources, Trait

__all__ = ["CandidatesQuery", "parse_candidates"]

MISSING_VALUE = "placement.query.missing_value"
BAD_VALUE = "placement.query.bad_value"
DUPLICATE_KEY = "placement.query.duplicate_key"

_LIMIT: Mapping[str, object] = {
    "type": ["integer", "string"],
    "pattern": "^[1-9][0-9]*$",
    "minimum": 1,
    "minLength": 1,
}
_POLICY: Mapping[str, object] = {"type": "string", "enum": ["none", "isolate"]}
_NUMBER = "([1-9][0-9]*)?$"
_WORD = "([a-zA-Z0-9_-]{1,64})?$"
_PARAMETER = re.compile(r"(resources|required|member_of|in_tree)([a-zA-Z0-9_-]{0,64})\Z")


def _patterns(suffix: str, *names: str) -> Mapping[str, Mapping[str, object]]:
    return {f"^{name}{suffix}": TEXT for name in names}


def _schemas() -> Mapping[int, QuerySchema]:
    plain = {"resources": TEXT}
    limited = {**plain, "limit": _LIMIT}
    traits = {**limited, "required": TEXT}
    free = {"limit": _LIMIT, "group_policy": _POLICY}
    rooted = {**free, "root_required": TEXT}
    needs = ("resources",)
    three = ("resources", "required", "member_of")
    four = _patterns(_WORD, *three, "in_tree")
    return version_table(
        {
            10: QuerySchema(plain, needs),
            16: QuerySchema(limited, needs),
            17: QuerySchema(traits, needs),
            21: QuerySchema({**traits, "member_of": TEXT}, needs),
            25: QuerySchema(free, (), _patterns(_NUMBER, *three)),
            31: QuerySchema(free, (), _patterns(_NUMBER, *three, "in_tree")),
            33: QuerySchema(free, (), four),
            35: QuerySchema(rooted, (), four),
            36: QuerySchema({**rooted, "same_subtree": TEXT}, (), four),
        }
    )


CANDIDATES_QUERY = _schemas()
_LIMITS = QuerySchema({"limit": _LIMIT})


@attrs.frozen
class CandidatesQuery:
    """What is asked of a candidate search.

    Attributes:
        request: the groups and what holds between them.
        limit: the most candidates that are wanted; None for all.
        order: the suffixes of the groups, as they were first named.
    """

    request: PlacementRequest
    limit: int | None = None
    order: tuple[str, ...] = attrs.field(default=(), eq=False)


@attrs.frozen
class _Group:
    resources: Resources = Resources()
    traits: Traits = attrs.field(factory=Traits)
    aggregates: Aggregates = attrs.field(factory=Aggregates)
    in_tree: ProviderId | None = None


def parse_candidates(text: str, version: Microversion) -> CandidatesQuery:
    """Return what a query string asks.

    Raises:
        Refused: it is malformed; with the words of the Placement API.
    """
    minor = version.minor
    query = CANDIDATES_QUERY[minor].parse(text)
    root = _root(query)
    groups = _groups(query, minor)
    _check_resources(groups, query, minor)
    subtrees = _subtrees(query, groups) if minor >= 36 else ()
    # Of several the first counts, and only the last must be well-formed: so it is on the wire.
    policy = next(iter(query.all("group_policy")), "")
    if not policy and sum(1 for suffix in groups if suffix) > 1:
        raise bad_request(
            'The "group_policy" parameter is required when specifying more than one '
            '"resources{N}" parameter.'
        )
    _check_conflicts(groups)
    request = PlacementRequest(
        tuple(_request_group(suffix, groups[suffix]) for suffix in sorted(groups)),
        "isolate" if policy == "isolate" else "none" if policy else None,
        frozenset(trait for one in root.required for trait in one),
        root.forbidden,
        subtrees,
    )
    return CandidatesQuery(request, _limit(query), tuple(groups))


def _limit(query: Query) -> int | None:
    """Return the first of several limits, the one that counts; each must be well-formed."""
    values = query.all("limit")
    for value in values[:-1]:
        _LIMITS.parse(f"limit={quote(value)}")
    return int(values[0][:20]) if values else None


def _request_group(suffix: str, group: _Group) -> RequestGroup:
    return RequestGroup(
        suffix,
        group.resources,
        group.traits.required,
        group.traits.forbidden,
        group.aggregates.required,
        group.aggregates.forbidden,
        group.in_tree,
    )


def _groups(query: Query, minor: int) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for name in query.last:
        if name in ("limit", "group_policy", "root_required", "same_subtree"):
            continue
        if (parameter := _PARAMETER.match(name)) is None:
            raise bad_request(f"Invalid query string parameters: {name!r} is not known")
        kind, suffix = parameter.groups()
        group = groups.get(suffix, _Group())
        values = query.all(name)
        if kind == "resources":
            # Of several the last counts, but each must be well-formed.
            group = attrs.evolve(group, resources=[parse_resources(v) for v in values][-1])
        elif kind == "required":
            # Before 1.39 the last of several silently won.
            counted = values if minor >= 39 else values[-1:]
            traits = parse_traits(counted, forbidden=minor >= 22, any_of=minor >= 39)
            group = attrs.evolve(group, traits=traits)
        elif kind == "member_of":
            aggregates = parse_aggregates(values, repeated=minor >= 24, forbidden=minor >= 32)
            group = attrs.evolve(group, aggregates=aggregates)
        else:
            group = attrs.evolve(group, in_tree=[parse_tree(value) for value in values][-1])
        groups[suffix] = group
    return groups


def _check_resources(groups: Mapping[str, _Group], query: Query, minor: int) -> None:
    """Refuse groups without resources, where they have no meaning."""
    bare = sorted(suffix for suffix, group in groups.items() if not group.resources)
    if minor >= 36:
        if len(bare) == len(groups):
            raise bad_request(
                "There must be at least one resources or resources[$S] parameter.", MISSING_VALUE
            )
        return
    traits = [f"required{suffix}" for suffix in bare if f"required{suffix}" in query.last]
    if traits:
        raise bad_request(
            "All traits parameters must be associated with resources.  "
            f"Found the following orphaned traits keys: {', '.join(traits)}"
        )
    members = [f"member_of{suffix}" for suffix in bare if f"member_of{suffix}" in query.last]
    if members:
        raise bad_request(
            "All member_of parameters must be associated with resources. "
            f"Found the following orphaned member_of keys: {', '.join(members)}"
        )
    if bare:
        raise bad_request("All request groups must specify resources.")
    if not groups:
        raise bad_request(
            "At least one request group (`resources` or `resources{$S}`) is required."
        )


def _subtrees(query: Query, groups: Mapping[str, _Group]) -> tuple[frozenset[str], ...]:
    subtrees = [
        [suffix.strip() for suffix in value.split(",")] for value in query.all("same_subtree")
    ]
    named = {suffix for subtree in subtrees for suffix in subtree}
    if "" in named:
        raise bad_request(
            "Empty string (unsuffixed group) can not be specified in `same_subtree` ", BAD_VALUE
        )
    bare = sorted(suffix for suffix, group in groups.items() if not group.resources)
    if lost := [suffix for suffix in bare if suffix not in named]:
        raise bad_request(
            "Resourceless suffixed group request should be specified in `same_subtree` query "
            f"param: bad group(s) - {lost}.",
            BAD_VALUE,
        )
    if unknown := sorted(named - groups.keys()):
        raise bad_request(
            f"Real suffixes should be specified in `same_subtree`: {unknown} not found in "
            f"{sorted(groups)}.",
            BAD_VALUE,
        )
    return tuple(dict.fromkeys(frozenset(subtree) for subtree in subtrees))


def _check_conflicts(groups: Mapping[str, _Group]) -> None:
    conflicts = {
        f"required{suffix}": group.traits.conflict
        for suffix, group in sorted(groups.items())
        if group.traits.conflict
    }
    if conflicts:
        said = ", ".join(f"{key}: ({_listed(traits)})" for key, traits in conflicts.items())
        raise bad_request(
            f"Conflicting required and forbidden traits found in the following traits keys: {said}"
        )


def _root(query: Query) -> Traits:
    values = query.all("root_required")
    if len(values) > 1:
        raise bad_request(
            "Query parameter 'root_required' may be specified only once.", DUPLICATE_KEY
        )
    traits = parse_traits(values, forbidden=True, any_of=False)
    if conflict := traits.conflict:
        raise bad_request(
            "Conflicting required and forbidden traits found in root_required: "
            f"{_listed(conflict)}",
            BAD_VALUE,
        )
    return traits


def _listed(traits: Iterable[Trait]) -> str:
    return ", ".join(traits)
