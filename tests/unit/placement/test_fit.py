"""Groups on one provider tree: device trees, subtrees, and what makes no sense."""

from typing import Literal

import pytest

from computekit.errors import InvalidInput
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
from computekit.placement import ProviderUse, check_request, fits, no_fit
from computekit.placement.fit import MOST_NEEDS

ROOT = ProviderId("root")
DEVICE = ResourceClass("CUSTOM_DEVICE")
FAST = Trait("CUSTOM_FAST")


def use(
    name: str,
    parent: str | None = "root",
    *,
    traits: tuple[Trait, ...] = (),
    aggregates: tuple[str, ...] = (),
    used: dict[ResourceClass, int] | None = None,
    **totals: int,
) -> ProviderUse:
    provider = Provider(
        id=ProviderId(name),
        name=name,
        parent=None if parent is None else ProviderId(parent),
        inventories=FrozenMap({ResourceClass(n): Inventory(t) for n, t in totals.items()}),
        traits=frozenset(traits),
        aggregates=frozenset(map(AggregateId, aggregates)),
    )
    return ProviderUse(provider, ROOT, FrozenMap(used or {}))


def group(suffix: str = "", *required: Trait, **amounts: int) -> RequestGroup:
    return RequestGroup(
        suffix,
        FrozenMap({ResourceClass(name): amount for name, amount in amounts.items()}),
        frozenset(frozenset({trait}) for trait in required),
    )


def devices(count: int) -> tuple[ProviderUse, ...]:
    return (use("root", None), *(use(f"d{n}", CUSTOM_DEVICE=1) for n in range(count)))


@pytest.mark.parametrize("policy", ["none", "isolate"])
def test_alike_groups_on_alike_devices_are_one_way(
    policy: Literal["none", "isolate"],
) -> None:
    groups = tuple(group(f"_{n}", CUSTOM_DEVICE=1) for n in range(8))
    request = PlacementRequest(groups, policy)
    (way,) = fits(devices(8), request)
    assert way.allocation == {ProviderId(f"d{n}"): FrozenMap({DEVICE: 1}) for n in range(8)}


def test_too_many_alike_groups_are_refused_without_trying_all_orders() -> None:
    groups = tuple(group(f"_{n}", CUSTOM_DEVICE=1) for n in range(12))
    request = PlacementRequest(groups, "none")
    assert next(fits(devices(11), request), None) is None
    assert "not all together" in no_fit(devices(11), request)


def test_each_class_of_the_unsuffixed_group_may_come_from_another_provider() -> None:
    tree = (use("root", None, DISK_GB=100), use("cell0", VCPU=4), use("cell1", MEMORY_MB=64))
    (way,) = fits(tree, PlacementRequest((group(VCPU=2, MEMORY_MB=64, DISK_GB=10),)))
    assert way.allocation == {
        ROOT: FrozenMap({DISK_GB: 10}),
        ProviderId("cell0"): FrozenMap({VCPU: 2}),
        ProviderId("cell1"): FrozenMap({MEMORY_MB: 64}),
    }
    assert set(way.mappings[""]) == {ROOT, ProviderId("cell0"), ProviderId("cell1")}


def test_one_class_of_a_group_is_never_split() -> None:
    tree = (use("root", None), use("cell0", VCPU=4), use("cell1", VCPU=4))
    assert list(fits(tree, PlacementRequest((group(VCPU=5),)))) == []


def test_traits_of_the_unsuffixed_group_are_met_by_its_providers_together() -> None:
    slow = Trait("CUSTOM_SLOW")
    tree = (use("root", None, traits=(FAST,), VCPU=4), use("cell0", traits=(slow,), MEMORY_MB=64))
    both = group("", FAST, slow, VCPU=1, MEMORY_MB=1)
    assert next(fits(tree, PlacementRequest((both,))), None) is not None
    assert next(fits(tree, PlacementRequest((group("", slow, VCPU=1),))), None) is None


def test_a_suffixed_group_looks_at_its_own_providers_aggregates_only() -> None:
    tree = (use("root", None, aggregates=("a",)), use("cell0", VCPU=4))
    rack = frozenset({frozenset({AggregateId("a")})})
    unsuffixed = RequestGroup("", FrozenMap({VCPU: 1}), member_of=rack)
    suffixed = RequestGroup("_1", FrozenMap({VCPU: 1}), member_of=rack)
    assert next(fits(tree, PlacementRequest((unsuffixed,))), None) is not None
    assert next(fits(tree, PlacementRequest((suffixed,))), None) is None


def test_a_device_is_taken_beside_the_memory_that_it_is_asked_with() -> None:
    tree = (
        use("root", None, DISK_GB=100),
        use("cell0", MEMORY_MB=64, VCPU=4, used={MEMORY_MB: 60}),
        use("cell1", MEMORY_MB=64, VCPU=4),
        use("nic0", "cell0", CUSTOM_DEVICE=1),
        use("nic1", "cell1", CUSTOM_DEVICE=1),
    )
    request = PlacementRequest(
        (group(DISK_GB=1), group("_numa", MEMORY_MB=32, VCPU=2), group("_nic", CUSTOM_DEVICE=1)),
        "none",
        same_subtree=(frozenset({"_numa", "_nic"}),),
    )
    (way,) = fits(tree, request)
    assert way.mappings == {
        "": (ROOT,),
        "_numa": (ProviderId("cell1"),),
        "_nic": (ProviderId("nic1"),),
    }


def test_a_group_without_resources_shows_in_the_mappings_only() -> None:
    tree = (
        use("root", None),
        use("switch0", traits=(FAST,)),
        use("switch1"),
        use("nic0", "switch0", CUSTOM_DEVICE=1),
        use("nic1", "switch1", CUSTOM_DEVICE=1),
    )
    request = PlacementRequest(
        (group("_switch", FAST), group("_nic", CUSTOM_DEVICE=1)),
        "none",
        same_subtree=(frozenset({"_switch", "_nic"}),),
    )
    (way,) = fits(tree, request)
    assert way.allocation == {ProviderId("nic0"): FrozenMap({DEVICE: 1})}
    assert way.mappings["_switch"] == (ProviderId("switch0"),)


def test_groups_on_one_provider_are_held_against_its_max_unit_together() -> None:
    provider = use("root", None, VCPU=8).provider
    tree = (
        ProviderUse(
            Provider(
                provider.id,
                provider.name,
                inventories=FrozenMap({VCPU: Inventory(8, max_unit=4)}),
            ),
            ROOT,
        ),
    )
    fine = PlacementRequest((group("_1", VCPU=2), group("_2", VCPU=2)), "none")
    more = PlacementRequest((group("_1", VCPU=2), group("_2", VCPU=3)), "none")
    assert next(fits(tree, fine), None) is not None
    assert next(fits(tree, more), None) is None


def test_why_nothing_fits_names_the_group_and_what_the_nearest_provider_lacks() -> None:
    tree = (use("root", None, MEMORY_MB=64), use("cell0", VCPU=4, used={VCPU: 3}))
    why = no_fit(tree, PlacementRequest((group("_1", VCPU=2), group("_2", MEMORY_MB=1)), "none"))
    assert why == "group _1: no provider can give 2 VCPU (the nearest has too little)"


def test_every_fault_of_a_request_is_named() -> None:
    request = PlacementRequest(
        (group("_1", VCPU=0), group("_1", MEMORY_MB=1), group("_2")),
        same_subtree=(frozenset({"_9", ""}),),
    )
    with pytest.raises(InvalidInput) as caught:
        check_request(request)
    assert {(fault.path, fault.code) for fault in caught.value.faults} == {
        ("groups", "duplicate"),
        ("groups[_2]", "missing"),
        ("groups[_1].resources[VCPU]", "too_small"),
        ("group_policy", "missing"),
        ("same_subtree", "unknown_group"),
    }


def test_a_request_for_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        check_request(PlacementRequest((group(),)))
    with pytest.raises(InvalidInput):
        check_request(PlacementRequest(()))


def test_as_many_groups_as_are_allowed_are_placed_and_one_more_is_refused() -> None:
    def many(count: int) -> PlacementRequest:
        return PlacementRequest(tuple(group(f"_{n}", VCPU=1) for n in range(count)), "none")

    tree = (use("root", None, VCPU=MOST_NEEDS),)
    found = next(fits(tree, many(MOST_NEEDS), twins=True))
    assert found.allocation[ROOT][VCPU] == MOST_NEEDS
    with pytest.raises(InvalidInput) as caught:
        check_request(many(MOST_NEEDS + 1))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [("groups", "too_many")]
