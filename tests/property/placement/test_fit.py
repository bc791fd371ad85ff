"""Fitting groups on one tree, against a reference that tries every assignment."""

from typing import Literal

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.ids import HostName, ProviderId
from computekit.model import FrozenMap, PlacementRequest, RequestGroup, ResourceClass
from computekit.placement import Fit, ProviderUse, fits, no_fit
from computekit.scheduler import Host
from tests.property.effort import examples
from tests.property.scheduler.fleets import (
    CLASSES,
    TRAITS,
    Chosen,
    FleetHost,
    assignments,
    facts,
    holds,
    trees,
)

NAME = HostName("h0")
Tree = tuple[ProviderUse, ...]


POLICIES: tuple[Literal["none", "isolate"], ...] = ("none", "isolate")


@st.composite
def small_requests(draw: st.DrawFn) -> PlacementRequest:
    suffixes = [f"_{number}" for number in range(draw(st.integers(1, 3)))]
    subtrees: tuple[frozenset[str], ...] = ()
    if len(suffixes) > 1:
        named = st.frozensets(st.sampled_from(suffixes), min_size=2)
        subtrees = tuple(draw(st.lists(named, max_size=2)))
    found: list[RequestGroup] = []
    for suffix in (*draw(st.sampled_from(((), ("",)))), *suffixes):
        least = 0 if any(suffix in named for named in subtrees) else 1
        classes = st.sampled_from(CLASSES[:2])
        given = draw(st.dictionaries(classes, st.integers(1, 3), min_size=least, max_size=2))
        trait = frozenset({draw(st.sampled_from(TRAITS))})
        required = frozenset({trait}) if draw(st.integers(0, 3)) == 3 else frozenset()
        found.append(RequestGroup(suffix, FrozenMap(given), required))
    policy = draw(st.sampled_from(POLICIES))
    return PlacementRequest(tuple(found), policy, same_subtree=subtrees)


Amounts = dict[ProviderId, dict[ResourceClass, int]]


def signature(tree: Tree, request: PlacementRequest, amounts: Amounts) -> tuple[str, ...]:
    """Return what two ways have in common if the request cannot tell their providers apart."""
    uses = {use.provider.id: use for use in tree}
    classes = {name for group in request.groups for name in group.resources}
    traits = {t for group in request.groups for any_of in group.required for t in any_of}

    def kind(at: ProviderId | None) -> tuple[object, ...]:
        if at is None:
            return ()
        p, used = uses[at].provider, uses[at].used
        offers = sorted(
            (name, of.capacity - used.get(name, 0), of.min_unit, of.max_unit, of.step_size)
            for name, of in p.inventories.items()
            if name in classes
        )
        return (offers, sorted(traits & p.traits), *kind(p.parent))

    return tuple(sorted(str((kind(p), sorted(of.items()))) for p, of in amounts.items()))


def of_fit(tree: Tree, request: PlacementRequest, fit: Fit) -> tuple[str, ...]:
    return signature(tree, request, {p: dict(of) for p, of in fit.allocation.items()})


def of_chosen(tree: Tree, request: PlacementRequest, chosen: Chosen) -> tuple[str, ...]:
    amounts: Amounts = {}
    for picks in chosen.values():
        for use, resources in picks:
            for name, amount in resources.items():
                of = amounts.setdefault(use.provider.id, {})
                of[name] = of.get(name, 0) + amount
    return signature(tree, request, amounts)


@settings(max_examples=examples(400))
@given(trees(NAME, most=4), small_requests(), st.booleans())
def test_every_way_is_found_once_for_all_that_are_alike(
    tree: Tree, request: PlacementRequest, alike: bool
) -> None:
    if alike and len(tree) > 1:
        # Copies of one provider below the root: what symmetry is about.
        below = [
            attrs.evolve(
                use,
                provider=attrs.evolve(
                    tree[1].provider,
                    id=use.provider.id,
                    name=use.provider.name,
                    parent=tree[0].root,
                ),
                used=tree[1].used,
            )
            for use in tree[1:]
        ]
        tree = (tree[0], *below)
    of = FleetHost(Host(NAME, tree[0].root, facts(NAME)), tree)
    ways = list(fits(tree, request))
    valid = [chosen for chosen in assignments(of, request) if holds(of, request, chosen)]
    found = {of_fit(tree, request, way) for way in ways}
    assert found == {of_chosen(tree, request, chosen) for chosen in valid}
    assert len(ways) == len({(way.allocation, way.mappings) for way in ways})
    exact = {
        str(sorted((suffix, [use.provider.id for use, _r in picks]) for suffix, picks in c.items()))
        for c in valid
    }
    assert len(ways) <= len(exact)
    if not ways:
        assert no_fit(tree, request)
