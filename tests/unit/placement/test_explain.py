"""What an explanation tells, in words and numbers."""

from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import ProviderIndex, ProviderUse

FAST = Trait("CUSTOM_FAST")
DEVICE = ResourceClass("CUSTOM_DEVICE")


def use(
    name: str,
    root: str = "",
    *,
    traits: tuple[Trait, ...] = (),
    aggregates: tuple[str, ...] = (),
    used: dict[ResourceClass, int] | None = None,
    **totals: Inventory | int,
) -> ProviderUse:
    held = {
        ResourceClass(n): Inventory(of) if isinstance(of, int) else of for n, of in totals.items()
    }
    provider = Provider(
        ProviderId(name),
        name,
        ProviderId(root) if root else None,
        FrozenMap(held),
        frozenset(traits),
        frozenset(map(AggregateId, aggregates)),
    )
    return ProviderUse(provider, ProviderId(root or name), FrozenMap(used or {}))


def asking(*traits: Trait, **amounts: int) -> PlacementRequest:
    required = frozenset(frozenset({trait}) for trait in traits)
    resources = FrozenMap({ResourceClass(n): amount for n, amount in amounts.items()})
    return PlacementRequest((RequestGroup("_a", resources, required),))


def told(index: ProviderIndex, request: PlacementRequest, root: str) -> list[str]:
    return [o.text for o in index.explain_tree(request, ProviderId(root)).obstacles]


def test_every_constraint_that_is_not_met_is_told_asked_against_there() -> None:
    index = ProviderIndex.of([use("h", VCPU=8, MEMORY_MB=64, used={MEMORY_MB: 60})])
    request = asking(FAST, VCPU=4, MEMORY_MB=16, DISK_GB=1)
    assert told(index, request, "h") == [
        "inventory DISK_GB (group _a); h: none",
        "amount 16 MEMORY_MB (group _a); h: 4 left of 64",
        "required CUSTOM_FAST (group _a); h: lacks it",
    ]
    report = index.explain_tree(request, ProviderId("h"))
    assert report.first == report.obstacles[0]
    assert report.would_fit == (
        "without DISK_GB in group _a",
        "with 12 MEMORY_MB less in group _a",
        "without CUSTOM_FAST in group _a",
    )


def test_a_change_is_told_only_if_the_tree_fits_with_it() -> None:
    index = ProviderIndex.of([use("h", VCPU=8, used={VCPU: 8})])
    assert index.explain_tree(asking(VCPU=4), ProviderId("h")).would_fit == ()


def test_units_are_told_by_their_rule() -> None:
    stepped = Inventory(16, min_unit=4, step_size=4)
    index = ProviderIndex.of([use("h", VCPU=stepped)])
    report = index.explain_tree(asking(VCPU=6), ProviderId("h"))
    assert [o.text for o in report.obstacles] == [
        "units 6 VCPU at once (group _a); h: step_size is 4"
    ]
    assert report.would_fit == ("with 2 VCPU less in group _a",)
    small = index.explain_tree(asking(VCPU=2), ProviderId("h"))
    assert small.would_fit == ("with 2 VCPU more in group _a",)


def test_the_provider_that_comes_closest_speaks_for_its_tree() -> None:
    index = ProviderIndex.of(
        [
            use("h", DISK_GB=10),
            use("numa0", "h", traits=(FAST,), VCPU=4, used={VCPU: 3}),
            use("numa1", "h", VCPU=4, used={VCPU: 4}),
        ]
    )
    assert told(index, asking(FAST, VCPU=2), "h") == [
        "amount 2 VCPU (group _a); numa0: 1 left of 4"
    ]


def test_groups_that_fit_alone_but_not_together_name_the_rule_between_them() -> None:
    one = [RequestGroup(f"_{n}", FrozenMap({DEVICE: 1})) for n in range(3)]
    two_devices = [use("h"), use("d0", "h", CUSTOM_DEVICE=1), use("d1", "h", CUSTOM_DEVICE=1)]
    index = ProviderIndex.of(two_devices)
    assert told(index, PlacementRequest(tuple(one), "none"), "h") == [
        "together 3 CUSTOM_DEVICE; each group fits alone, not together"
    ]
    both = ProviderIndex.of([use("h", CUSTOM_DEVICE=9)])
    assert told(both, PlacementRequest(tuple(one), "isolate"), "h") == [
        "isolate a provider for each group; each group fits alone, not together"
    ]
    near = PlacementRequest(tuple(one[:2]), "isolate", same_subtree=(frozenset({"_0", "_1"}),))
    roomy = [use("h"), use("d0", "h", CUSTOM_DEVICE=2), use("d1", "h", CUSTOM_DEVICE=2)]
    assert told(ProviderIndex.of(roomy), near, "h") == [
        "isolate a provider for each group; each group fits alone, not together",
        "same_subtree _0, _1; each group fits alone, not together",
    ]


def test_the_root_is_told_apart_from_its_providers() -> None:
    request = PlacementRequest(
        (RequestGroup("", FrozenMap({VCPU: 1})),), root_required=frozenset({FAST})
    )
    index = ProviderIndex.of([use("h", VCPU=1)])
    assert told(index, request, "h") == ["root_required CUSTOM_FAST; h: lacks it"]
    report = index.explain_tree(request, ProviderId("h"))
    assert report.would_fit == ("without CUSTOM_FAST on the root",)


def test_a_pool_that_is_too_full_is_named_beside_the_host() -> None:
    pool = use(
        "pool",
        traits=(Trait("MISC_SHARES_VIA_AGGREGATE"),),
        aggregates=("g",),
        used={DISK_GB: 95},
        DISK_GB=100,
    )
    index = ProviderIndex.of([use("h", aggregates=("g",), VCPU=4), pool])
    request = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 1, DISK_GB: 10})),))
    report = index.explain_tree(request, ProviderId("h"))
    assert [o.text for o in report.obstacles] == ["amount 10 DISK_GB; pool: 5 left of 100"]
    assert report.would_fit == ("with 5 DISK_GB less",)


def test_a_large_fleet_is_told_in_few_lines() -> None:
    hosts = [
        use(f"h{n:04}", traits=(FAST,) if n % 2 else (), VCPU=8, used={VCPU: n % 9 if n else 0})
        for n in range(2000)
    ]
    index = ProviderIndex.of(hosts)
    explanation = index.explain(asking(FAST, VCPU=9), reports=3)
    assert explanation.fitting == 0
    assert explanation.summary == "none of 2000 trees fits: 2000 fail amount 9 VCPU (group _a)"
    amount, trait = explanation.reasons
    assert (amount.trees, amount.first, amount.alone) == (2000, 2000, 1000)
    assert (trait.trees, trait.first, trait.alone) == (1000, 0, 0)
    assert amount.examples == ("h0000", "h0001", "h0002")
    assert [report.name for report in explanation.reports] == ["h0000", "h0001", "h0002"]
    assert len(explanation.near_misses) == 10
    # The nearest are those with the most left, and they would fit with one less.
    assert {miss.would_fit for miss in explanation.near_misses} == {
        ("with 1 VCPU less in group _a",)
    }
    text = explanation.text()
    assert len(text.splitlines()) < 60
    assert "<table" in explanation.html()


def test_where_it_fits_the_explanation_says_so() -> None:
    index = ProviderIndex.of([use("a", VCPU=2), use("b", VCPU=1)])
    assert index.explain(asking(VCPU=1)).summary == "fits on all of 2 trees"
    some = index.explain(asking(VCPU=2)).summary
    assert some == "fits on 1 of 2 trees: 1 fails amount 2 VCPU (group _a)"
    assert index.explain_tree(asking(VCPU=2), ProviderId("a")).fits


def test_room_says_how_sure_it_is() -> None:
    flat = ProviderIndex.of([use("a", VCPU=5, MEMORY_MB=4), use("b", VCPU=2, MEMORY_MB=9)])
    room = flat.room(asking(VCPU=2, MEMORY_MB=1))
    assert room.text() == "3 more on 2 trees"
    assert [(tree.name, tree.count) for tree in room.largest] == [("a", 2), ("b", 1)]
    nested = ProviderIndex.of([use("h"), *(use(f"d{n}", "h", CUSTOM_DEVICE=1) for n in range(5))])
    pair = tuple(RequestGroup(f"_{n}", FrozenMap({DEVICE: 1})) for n in range(2))
    assert nested.room(PlacementRequest(pair, "none")).text() == "at least 2 more on 1 tree"
