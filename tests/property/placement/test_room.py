"""How many more fit, against placing one after the other."""

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.model import FrozenMap, PlacementRequest
from computekit.placement import ProviderIndex, ProviderUse
from tests.property.effort import examples
from tests.property.placement.forests import SHARES, Forest, answers, forests, requests


@st.composite
def cases(draw: st.DrawFn) -> tuple[Forest, PlacementRequest]:
    forest = draw(forests(most=4))
    return forest, draw(requests(forest))


def most(forest: Forest, request: PlacementRequest, *, best: bool) -> int:
    """Return how many fit one after the other: the first way each time, or the best sequence."""
    found = {(a.allocation, a.mappings): a for a in answers(forest, request)}
    if not found:
        return 0
    counts: list[int] = []
    for answer in {a.allocation: a for a in found.values()}.values():
        after: list[ProviderUse] = []
        for use in forest:
            taken = answer.allocation.get(use.provider.id, FrozenMap())
            used = {n: use.used.get(n, 0) + amount for n, amount in taken.items()}
            after.append(attrs.evolve(use, used=FrozenMap({**use.used, **used})))
        counts.append(1 + most(tuple(after), request, best=best))
        if not best:
            break
    return max(counts)


@settings(max_examples=examples(100), deadline=None)
@given(cases())
def test_room_is_a_number_that_fits(case: tuple[Forest, PlacementRequest]) -> None:
    forest, request = case
    index = ProviderIndex.of(forest)
    room = index.room(request)
    assert room.complete
    assert (room.count == 0) == (not index.page(request, limit=1).candidates)
    assert sum(tree.count for tree in room.largest) == room.count
    held = {use.provider.id: use for use in forest}
    placed = 0
    while placed < room.count:
        # Placing them on the trees that were told takes no more than what is there.
        found = index.page(request, limit=1).candidates
        if not found:
            break
        for provider, amounts in found[0].allocation.items():
            use = held[provider]
            used = {n: use.used.get(n, 0) + amount for n, amount in amounts.items()}
            held[provider] = attrs.evolve(use, used=FrozenMap({**use.used, **used}))
            index.put([held[provider]])
        placed += 1
    if room.exact:
        assert placed == room.count
        assert not index.page(request, limit=1).candidates


@settings(max_examples=examples(60), deadline=None)
@given(forests(most=3), st.data())
def test_room_on_single_providers_is_exact(forest: Forest, data: st.DataObject) -> None:
    flat = tuple(
        attrs.evolve(
            use,
            provider=attrs.evolve(use.provider, parent=None, traits=use.provider.traits - {SHARES}),
            root=use.provider.id,
        )
        for use in forest
    )
    request = data.draw(requests(flat))
    room = ProviderIndex.of(flat).room(request)
    assert room.exact
    assert room.count == most(flat, request, best=False)


@settings(max_examples=examples(30), deadline=None)
@given(cases())
def test_room_is_never_more_than_the_best_sequence(case: tuple[Forest, PlacementRequest]) -> None:
    forest, request = case
    # Small amounts left, so that all sequences can be tried.
    tight = tuple(
        attrs.evolve(
            use,
            used=FrozenMap(
                {
                    n: max(0, inventory.capacity - 2)
                    for n, inventory in use.provider.inventories.items()
                }
            ),
        )
        for use in forest
    )
    assert ProviderIndex.of(tight).room(request).count <= most(tight, request, best=True)
