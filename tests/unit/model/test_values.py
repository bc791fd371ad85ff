import pytest

from computekit.ids import ProviderId
from computekit.model import FrozenMap, Inventory, Provider, ProviderTree, is_custom_name


def test_a_frozen_map_is_a_value() -> None:
    one = FrozenMap({"a": 1, "b": 2})
    assert one == FrozenMap([("b", 2), ("a", 1)])
    assert hash(one) == hash(FrozenMap([("b", 2), ("a", 1)]))
    assert one.replace("a", 3)["a"] == 3
    assert one["a"] == 1
    assert dict(one.without("a")) == {"b": 2}


@pytest.mark.parametrize(
    ("inventory", "capacity"),
    [
        (Inventory(3, allocation_ratio=1.5), 4),
        (Inventory(10, reserved=10), 0),
        (Inventory(16, reserved=4, allocation_ratio=4.0), 48),
    ],
)
def test_capacity_is_what_is_left_times_the_ratio(inventory: Inventory, capacity: int) -> None:
    assert inventory.capacity == capacity


def test_unit_rules_are_named() -> None:
    inventory = Inventory(100, min_unit=10, max_unit=50, step_size=10)
    assert inventory.broken_rule(20) is None
    assert inventory.broken_rule(5) == "min_unit is 10"
    assert inventory.broken_rule(60) == "max_unit is 50"
    assert inventory.broken_rule(25) == "step_size is 10"


def test_a_tree_has_one_root_and_parents_first() -> None:
    root = Provider(ProviderId("r"), "r")
    child = Provider(ProviderId("c"), "c", ProviderId("r"))
    tree = ProviderTree((root, child))
    assert tree.root is root
    assert tree.children(root.id) == (child,)
    stranger = Provider(ProviderId("x"), "x")
    for wrong in ((child,), (child, root), (root, root), (root, stranger)):
        with pytest.raises(ValueError, match="one tree"):
            ProviderTree(wrong)
    with pytest.raises(ValueError, match="at least its root"):
        ProviderTree(())


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("CUSTOM_A1", True),
        ("CUSTOM_", False),
        ("CUSTOM_a", False),
        ("VCPU", False),
        ("CUSTOM_" + "A" * 248, True),
        ("CUSTOM_" + "A" * 249, False),
        ("CUSTOM_A\n", False),
    ],
)
def test_custom_names(name: str, good: bool) -> None:
    assert is_custom_name(name) is good
