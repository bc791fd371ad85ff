"""What an explanation says is what the search does."""

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.ids import ProviderId
from computekit.model import PlacementRequest
from computekit.placement import ProviderIndex
from tests.property.effort import examples
from tests.property.placement.forests import Forest, answers, forests, requests


@st.composite
def cases(draw: st.DrawFn) -> tuple[Forest, PlacementRequest]:
    forest = draw(forests(most=5))
    return forest, draw(requests(forest))


@settings(max_examples=examples(400), deadline=None)
@given(cases())
def test_a_tree_is_explained_exactly_if_it_has_no_candidate(
    case: tuple[Forest, PlacementRequest],
) -> None:
    forest, request = case
    index = ProviderIndex.of(forest)
    fitting = {answer.anchor for answer in answers(forest, request)}
    roots = {use.root for use in forest}
    for root in roots:
        report = index.explain_tree(request, root)
        assert report.fits == (root in fitting)
        assert report.fits == (not report.obstacles)
        assert not (report.fits and report.would_fit)
    whole = index.explain(request, reports=len(roots))
    assert (whole.trees, whole.fitting) == (len(roots), len(fitting))
    assert {report.root for report in whole.reports} == roots - fitting
    assert sum(count.first for count in whole.reasons) == len(roots - fitting)
    assert list(whole.reports) == [
        index.explain_tree(request, root) for root in sorted(roots - fitting)
    ]
    for count in whole.reasons:
        having = [
            report
            for report in whole.reports
            if count.reason in {obstacle.reason for obstacle in report.obstacles}
        ]
        assert count.trees == len(having)
        assert count.alone == sum(1 for report in having if len(report.obstacles) == 1)
        assert count.first == sum(
            1 for report in having if report.first and report.first.reason == count.reason
        )
    assert whole.text()
    assert whole.html()


@settings(max_examples=examples(200), deadline=None)
@given(cases())
def test_what_is_named_as_missing_is_missing_on_every_provider(
    case: tuple[Forest, PlacementRequest],
) -> None:
    forest, request = case
    index = ProviderIndex.of(forest)
    uses = {use.provider.id: use for use in forest}
    for root in {use.root for use in forest}:
        for obstacle in index.explain_tree(request, root).obstacles:
            if obstacle.provider is None:
                continue
            use = uses[ProviderId(obstacle.provider)]
            if obstacle.reason.rule == "amount":
                amount, name = obstacle.reason.asked.split(" ")
                (held,) = (i for n, i in use.provider.inventories.items() if n == name)
                left = held.capacity - {str(n): u for n, u in use.used.items()}.get(name, 0)
                assert left < int(amount)
                assert obstacle.there == f"{left} left of {held.capacity}"
            if obstacle.reason.rule == "inventory":
                assert obstacle.reason.asked not in {str(n) for n in use.provider.inventories}


@settings(max_examples=examples(100), deadline=None)
@given(cases())
def test_a_request_without_its_wishes_is_explained_by_amounts_only(
    case: tuple[Forest, PlacementRequest],
) -> None:
    forest, request = case
    groups = tuple(
        attrs.evolve(
            group,
            required=frozenset(),
            forbidden=frozenset(),
            member_of=frozenset(),
            not_member_of=frozenset(),
            in_tree=None,
        )
        for group in request.groups
        if group.resources
    )
    plain = PlacementRequest(groups, "none")
    told = ProviderIndex.of(forest).explain(plain)
    rules = {count.reason.rule for count in told.reasons}
    assert rules <= {"inventory", "amount", "units", "together"}
