"""The candidate search against a reference that tries every assignment from every anchor."""

import random
from collections import Counter

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest
from computekit.placement import Candidate, ProviderIndex, ProviderUse
from tests.property.effort import examples
from tests.property.placement.forests import (
    Forest,
    answers,
    forests,
    look,
    plain,
    requests,
)


@st.composite
def cases(draw: st.DrawFn, most: int = 6) -> tuple[Forest, PlacementRequest]:
    forest = draw(forests(most=most))
    return forest, draw(requests(forest))


def all_of(index: ProviderIndex, request: PlacementRequest, *, twins: bool) -> list[Candidate]:
    return list(index.candidates(request, twins=twins))


@settings(max_examples=examples(600))
@given(cases())
def test_every_way_is_given_once_with_twins(case: tuple[Forest, PlacementRequest]) -> None:
    forest, request = case
    wanted = answers(forest, request)
    given_ = [plain(found) for found in all_of(ProviderIndex.of(forest), request, twins=True)]
    same = Counter((answer.allocation, answer.mappings) for answer in given_)
    assert set(same) == {(answer.allocation, answer.mappings) for answer in wanted}
    assert max(same.values(), default=1) == 1
    assert set(given_) <= set(wanted)  # the anchor, too, is one that leads there


@settings(max_examples=examples(600))
@given(cases())
def test_without_twins_each_kind_of_way_is_given(case: tuple[Forest, PlacementRequest]) -> None:
    forest, request = case
    index = ProviderIndex.of(forest)
    every = [plain(found) for found in all_of(index, request, twins=True)]
    few = [plain(found) for found in all_of(index, request, twins=False)]
    assert {(a.allocation, a.mappings) for a in few} <= {(a.allocation, a.mappings) for a in every}
    assert {look(forest, request, a) for a in few} == {look(forest, request, a) for a in every}
    assert len(few) == len(set(few))


@settings(max_examples=examples(300))
@given(cases(), st.booleans())
def test_trees_take_turns_in_the_order_of_their_roots(
    case: tuple[Forest, PlacementRequest], twins: bool
) -> None:
    forest, request = case
    shares = {
        use.provider.id for use in forest if "MISC_SHARES_VIA_AGGREGATE" in use.provider.traits
    }
    found = [
        candidate
        for candidate in all_of(ProviderIndex.of(forest), request, twins=twins)
        if not shares.issuperset(p for ps in candidate.mappings.values() for p in ps)
    ]
    turns: Counter[ProviderId] = Counter()
    order: list[tuple[int, ProviderId]] = []
    for candidate in found:
        order.append((turns[candidate.root], candidate.root))
        turns[candidate.root] += 1
    # Those that only sharing providers serve may take a turn and be told at another tree.
    if not shares:
        assert order == sorted(order)


@settings(max_examples=examples(300))
@given(cases(), st.integers(1, 5), st.booleans())
def test_a_limit_cuts_off_the_rest(
    case: tuple[Forest, PlacementRequest], limit: int, twins: bool
) -> None:
    forest, request = case
    index = ProviderIndex.of(forest)
    page = index.page(request, limit=limit, twins=twins)
    assert list(page.candidates) == all_of(index, request, twins=twins)[:limit]
    roots = {use.provider.id: use.root for use in forest}
    mentioned = {roots[p] for candidate in page.candidates for p in candidate.allocation}
    assert set(page.providers) == {p for p, root in roots.items() if root in mentioned}
    one = index.page(request, twins=twins, one_per_tree=True).candidates
    assert list(one) == [
        candidate
        for candidate in all_of(index, request, twins=twins)
        if len({roots[p] for p in candidate.allocation}) == len(candidate.allocation)
    ]


@settings(max_examples=examples(300))
@given(cases(), forests(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_does_not_depend_on_what_was_there_before(
    case: tuple[Forest, PlacementRequest], earlier: Forest, source: random.Random, twins: bool
) -> None:
    forest, request = case
    index = ProviderIndex()
    index.put(earlier)
    all_of(index, request, twins=twins)
    doomed = {use.provider.id for use in earlier} - {use.provider.id for use in forest}
    for use in forest:
        if source.random() < 0.5:
            index.put([attrs.evolve(use, used=FrozenMap())])
            index.found(request, limit=2, twins=twins)
        index.put([use])
        index.found(request, twins=twins)
    index.remove(doomed)
    index.put(forest)
    fresh = ProviderIndex.of(forest)
    assert index.page(request, twins=twins) == fresh.page(request, twins=twins)
    assert all_of(index, request, twins=twins) == all_of(fresh, request, twins=twins)


@settings(max_examples=examples(300))
@given(cases(), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6))
def test_what_is_kept_follows_what_changes(
    case: tuple[Forest, PlacementRequest], changes: list[tuple[int, int]]
) -> None:
    forest, request = case
    now = {use.provider.id: use for use in forest}
    index = ProviderIndex.of(forest)
    for which, taken in changes:
        use = forest[which % len(forest)]
        held = sorted(use.provider.inventories)
        used = {held[taken % len(held)]: taken} if held and taken else {}
        changed = ProviderUse(use.provider, use.root, FrozenMap(used))
        now[use.provider.id] = changed
        index.put([changed])
        fresh = ProviderIndex.of(tuple(now.values()))
        for twins in (True, False):
            assert index.page(request, twins=twins) == fresh.page(request, twins=twins)
