"""What a known defect of the peer does not excuse."""

import attrs
import pytest

from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement import Candidate, CandidatePage, ProviderUse
from tests.parity.differential_judge import known_defect, unlike_reference

ROOT, CHILD, OTHER = ProviderId("root"), ProviderId("child"), ProviderId("other")
RED, RACK = Trait("CUSTOM_RED"), AggregateId("rack")
FOREST = (
    ProviderUse(
        Provider(
            ROOT,
            "root",
            inventories=FrozenMap({VCPU: Inventory(8), MEMORY_MB: Inventory(8)}),
            traits=frozenset({RED}),
            aggregates=frozenset({RACK}),
        ),
        ROOT,
    ),
    ProviderUse(Provider(CHILD, "child", ROOT, FrozenMap({VCPU: Inventory(8)})), ROOT),
    ProviderUse(
        Provider(
            OTHER,
            "other",
            inventories=FrozenMap({VCPU: Inventory(8, max_unit=3), MEMORY_MB: Inventory(8)}),
        ),
        OTHER,
    ),
)

PLAIN = RequestGroup(resources=Resources({VCPU: 2}))
PAIR = (RequestGroup("_a", Resources({VCPU: 1})), RequestGroup("_b", Resources({VCPU: 1})))


def way(root: ProviderId, *parts: tuple[str, ProviderId, ResourceClass, int]) -> Candidate:
    held: dict[ProviderId, dict[ResourceClass, int]] = {}
    mappings: dict[str, tuple[ProviderId, ...]] = {}
    for suffix, provider, name, amount in parts:
        of = held.setdefault(provider, {})
        of[name] = of.get(name, 0) + amount
        mappings[suffix] = (*mappings.get(suffix, ()), provider)
    given = {provider: FrozenMap(of) for provider, of in held.items()}
    return Candidate(root, FrozenMap(given), FrozenMap(mappings))


def page(*candidates: Candidate) -> CandidatePage:
    return CandidatePage(candidates, FrozenMap())


ON_ROOT = way(ROOT, ("", ROOT, VCPU, 2))
ON_CHILD = way(ROOT, ("", CHILD, VCPU, 2))
ON_OTHER = way(OTHER, ("", OTHER, VCPU, 2))
ACROSS = way(OTHER, ("_a", CHILD, VCPU, 1), ("_b", OTHER, VCPU, 1))


def one(group: RequestGroup) -> PlacementRequest:
    return PlacementRequest((group,))


WRONG = {
    "member_of": (
        one(attrs.evolve(PLAIN, member_of=frozenset({frozenset({RACK})}))),
        (ON_ROOT, ON_CHILD),
        ON_OTHER,
    ),
    "in_tree": (one(attrs.evolve(PLAIN, in_tree=OTHER)), (ON_OTHER,), ON_ROOT),
    "traits of the unsuffixed group": (
        one(attrs.evolve(PLAIN, required=frozenset({frozenset({RED})}))),
        (ON_ROOT,),
        ON_OTHER,
    ),
    "root_required": (
        PlacementRequest((PLAIN,), root_required=frozenset({RED})),
        (ON_ROOT, ON_CHILD),
        ON_OTHER,
    ),
    "max_unit": (
        one(RequestGroup(resources=Resources({VCPU: 4}))),
        (way(ROOT, ("", ROOT, VCPU, 4)), way(ROOT, ("", CHILD, VCPU, 4))),
        way(OTHER, ("", OTHER, VCPU, 4)),
    ),
    "same_subtree": (
        PlacementRequest(PAIR, "isolate", same_subtree=(frozenset({"_a", "_b"}),)),
        (
            way(ROOT, ("_a", ROOT, VCPU, 1), ("_b", CHILD, VCPU, 1)),
            way(ROOT, ("_a", CHILD, VCPU, 1), ("_b", ROOT, VCPU, 1)),
        ),
        ACROSS,
    ),
}


@pytest.mark.parametrize("rule", sorted(WRONG))
def test_what_breaks_a_rule_is_no_way(rule: str) -> None:
    asked, right, wrong = WRONG[rule]
    assert unlike_reference(FOREST, asked, page(*right)) == []
    (fault,) = unlike_reference(FOREST, asked, page(*right, wrong))
    assert fault.startswith("not a way")
    (fault,) = unlike_reference(FOREST, asked, page(*right[1:]))
    assert fault.startswith("lacks a way")


def test_the_shape_of_a_request_excuses_what_the_reference_does_not() -> None:
    asked, right, wrong = WRONG["same_subtree"]
    ours = page(*right, wrong)
    assert known_defect(asked, page(*right), ours) == "amount-aliasing"
    assert unlike_reference(FOREST, asked, ours)
