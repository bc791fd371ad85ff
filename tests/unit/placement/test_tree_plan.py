"""A plan names what is to be written, in an order in which it can be."""

import attrs

from computekit.model import MEMORY_MB, ProviderTree
from computekit.placement.tree_plan import depths, plan_tree
from computekit.testing.placement_bench import example_tree


def test_an_equal_tree_needs_nothing() -> None:
    tree = example_tree("h")
    plan = plan_tree(tree.providers, tree)
    assert plan.tree == tree
    assert plan.written == ()
    assert plan.lost == ()


def test_children_go_before_their_parents_and_come_after_them() -> None:
    root, first, second = example_tree("h")
    chain = ProviderTree((root, first, attrs.evolve(second, parent=first.id)))
    assert plan_tree((), chain).created == chain.providers
    gone = plan_tree(chain.providers, ProviderTree((root,)))
    assert [provider.id for provider in gone.removed] == [second.id, first.id]
    assert [provider for provider, _ in gone.lost] == [second.id, first.id]


def test_a_class_that_goes_is_lost_one_that_shrinks_is_not() -> None:
    tree = example_tree("h")
    root = tree.root
    inventories = {
        name: attrs.evolve(inventory, total=1, reserved=0)
        for name, inventory in root.inventories.items()
        if name != MEMORY_MB
    }
    wanted = attrs.evolve(root, inventories=type(root.inventories)(inventories), generation=99)
    plan = plan_tree(tree.providers, ProviderTree((wanted, *tree.providers[1:])))
    assert plan.lost == ((root.id, MEMORY_MB),)
    assert plan.changed == ((root, attrs.evolve(wanted, generation=1)),)


def test_depths_count_ancestors() -> None:
    root, first, second = example_tree("h")
    assert depths((root, first, attrs.evolve(second, parent=first.id))) == {
        root.id: 0,
        first.id: 1,
        second.id: 2,
    }
