"""What flavors and images ask of resource providers by name."""

from collections.abc import Mapping

import pytest

from computekit.errors import Fault
from computekit.guest import ProviderAsks
from computekit.guest.asks import provider_asks
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image, RequestGroup, ResourceClass, Trait
from computekit.units import Bytes, Mib

GPU = ResourceClass("VGPU")
ONE = frozenset({frozenset({Trait("CUSTOM_ONE")})})


def asked(
    specs: Mapping[str, str], properties: Mapping[str, str] | None = None
) -> tuple[ProviderAsks, list[tuple[str, str]]]:
    """Return what is asked, and path and code of each fault."""
    flavor = Flavor(FlavorId("f"), "f", 4, Mib(1024), extra_specs=FrozenMap(specs))
    given = FrozenMap(properties or {})
    image = Image(ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=given)
    faults: list[Fault] = []
    found = provider_asks(flavor, image, faults)
    return found, [(fault.path, fault.code) for fault in faults]


def groups(
    specs: Mapping[str, str], properties: Mapping[str, str] | None = None
) -> tuple[RequestGroup, ...]:
    found, faults = asked(specs, properties)
    assert faults == []
    return found.groups


def test_nothing_asked() -> None:
    assert groups({"ssd": "true", "hw:cpu_policy": "shared"}) == ()


def test_a_group_has_what_has_its_suffix() -> None:
    first, second = groups(
        {
            "resources1:VGPU": "2",
            "trait1:CUSTOM_ONE": "required",
            "trait1:CUSTOM_TWO": "forbidden",
            "resources_NIC-a:VGPU": "1",
            "group_policy": "none",
        }
    )
    assert first == RequestGroup(
        "1", FrozenMap({GPU: 2}), required=ONE, forbidden=frozenset({Trait("CUSTOM_TWO")})
    )
    assert second == RequestGroup("_NIC-a", FrozenMap({GPU: 1}))


def test_traits_of_an_image_are_for_the_group_without_a_suffix() -> None:
    (group,) = groups({}, {"trait:CUSTOM_ONE": "required"})
    assert group == RequestGroup(required=ONE)


def test_an_amount_of_none_is_no_ask_but_is_stated() -> None:
    found, faults = asked({"resources:VCPU": "0", "resources9:VGPU": "0"})
    assert faults == []
    assert found.groups == ()
    assert found.stated == {ResourceClass("VCPU"), GPU}


@pytest.mark.parametrize("suffix", ["", "1", "_a"])
@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", "9" * 5000, str(2**31), "0x1", "\uff11"])
def test_an_amount_that_is_none(suffix: str, value: str) -> None:
    key = f"resources{suffix}:VGPU"
    assert asked({key: value})[1] == [(f"flavor.extra_specs[{key}]", "invalid_value")]


@pytest.mark.parametrize("name", ["", "vgpu", "VGPUS", "CUSTOM_", "CUSTOM_a", "CUSTOM_A" * 40])
def test_a_class_that_there_is_not(name: str) -> None:
    ((_path, code),) = asked({f"resources:{name}": "1"})[1]
    assert code == "unknown_resource_class"


@pytest.mark.parametrize("source", [0, 1])
def test_a_trait_that_there_is_not(source: int) -> None:
    given = ({"trait:HW_CPU_X86_AVX9": "required"}, dict[str, str]())
    ((_path, code),) = asked(given[source], given[1 - source])[1]
    assert code == "unknown_trait"


@pytest.mark.parametrize("key", ["resources", "resources!:VGPU", "resources" + "a" * 65 + ":VGPU"])
def test_a_key_that_is_almost_one(key: str) -> None:
    ((_path, code),) = asked({key: "1"})[1]
    assert code == "invalid_key"


def test_an_image_cannot_forbid() -> None:
    ((_path, code),) = asked({}, {"trait:CUSTOM_ONE": "forbidden"})[1]
    assert code == "invalid_value"


def test_a_trait_cannot_be_required_and_forbidden() -> None:
    found = asked({"trait:CUSTOM_ONE": "forbidden"}, {"trait:CUSTOM_ONE": "required"})
    assert found[1] == [("flavor.extra_specs[trait:CUSTOM_ONE]", "conflict")]


@pytest.mark.parametrize("amount", [{}, {"resources1:VGPU": "0"}])
def test_traits_of_a_group_without_resources_are_not_dropped(amount: dict[str, str]) -> None:
    assert asked({"trait1:CUSTOM_ONE": "required", **amount})[1] == [
        ("flavor.extra_specs", "empty_group")
    ]


def test_with_several_groups_the_flavor_says_whether_they_may_share() -> None:
    specs = {"resources1:VGPU": "1", "resources2:VGPU": "1"}
    needed = [("flavor.extra_specs[group_policy]", "group_policy_required")]
    assert asked(specs)[1] == needed
    assert asked({"resources1:VGPU": "1", "resources2:VGPU": "0"})[1] == []
    for policy in ("none", "isolate"):
        found, faults = asked({**specs, "group_policy": policy})
        assert (found.group_policy, faults) == (policy, [])
    odd = [("flavor.extra_specs[group_policy]", "invalid_value")]
    assert asked({**specs, "group_policy": "odd"})[1] == odd + needed


def test_every_fault_at_once() -> None:
    specs = {
        "resources:FOO": "1",
        "resources1:VGPU": "-1",
        "trait2:CUSTOM_ONE": "required",
        "trait:CUSTOM_ONE": "maybe",
        "group_policy": "both",
    }
    assert len(asked(specs)[1]) == 5
