"""What every `PlacementWriter` keeps of providers and their trees."""

from collections.abc import Callable

import attrs

from computekit.errors import (
    AlreadyExists,
    GenerationConflict,
    InUse,
    NotFound,
)
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    VCPU,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import PROVIDER_CHANGED
from computekit.testing.placement_bench import (
    CHILD_CLASS,
    PlacementBench,
    PlacementSuite,
    example_claim,
    example_tree,
    with_root,
)
from computekit.work import Tx

__all__ = ["PlacementTreeLaws"]


class PlacementTreeLaws(PlacementSuite):
    """Trees, and single providers."""

    # ---- trees

    def test_a_tree_is_read_as_it_was_written(self, bench: PlacementBench) -> None:
        tree = example_tree("h")
        assert bench.put(tree) == tree
        assert bench.placement.tree(ProviderId("h")) == tree
        assert bench.placement.tree(ProviderId("h-dev1")) == tree
        assert bench.placement.provider(ProviderId("h-dev0")) == tree.providers[1]
        assert bench.placement.tree(ProviderId("other")) is None
        assert bench.placement.provider(ProviderId("other")) is None

    def test_a_new_provider_has_generation_0(self, bench: PlacementBench) -> None:
        tree = example_tree("h")
        raised = ProviderTree(tuple(attrs.evolve(p, generation=7) for p in tree))
        assert bench.put(raised) == tree

    def test_uses_come_parents_first(self, bench: PlacementBench) -> None:
        deep = ProviderTree(
            (
                Provider(ProviderId("z"), "z"),
                Provider(ProviderId("b"), "b", ProviderId("z")),
                Provider(ProviderId("a"), "a", ProviderId("b")),
            )
        )
        bench.put(deep)
        bench.put(example_tree("h"))
        order = ["h", "h-dev0", "h-dev1", "z", "b", "a"]
        uses = bench.placement.uses()
        assert [use.provider.id for use in uses] == order
        assert [use.root for use in uses] == ["h"] * 3 + ["z"] * 3
        some = frozenset({ProviderId("a"), ProviderId("z"), ProviderId("h"), ProviderId("gone")})
        assert [use.provider.id for use in bench.placement.uses(some)] == ["h", "z", "a"]
        assert bench.placement.uses(frozenset()) == ()
        assert bench.placement.uses(frozenset({ProviderId("gone")})) == ()

    def test_many_providers_are_asked_for_at_once(self, bench: PlacementBench) -> None:
        tree = example_tree("h", children=1500)
        bench.put(tree)
        ids = frozenset(provider.id for provider in tree)
        assert {use.provider.id for use in bench.placement.uses(ids)} == ids
        assert len(bench.placement.uses()) == len(ids)

    def test_only_what_differs_goes_up(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h"))
        head = bench.store.head()
        assert bench.put(tree) == tree
        assert bench.store.head() == head
        root = tree.root
        for n, changed in enumerate(
            (
                attrs.evolve(root, inventories=root.inventories.without(VCPU)),
                attrs.evolve(root, traits=frozenset()),
                attrs.evolve(root, aggregates=frozenset({AggregateId("rack-2")})),
            ),
            start=1,
        ):
            stored = bench.put(with_root(tree, changed))
            assert stored == bench.placement.tree(root.id)
            assert [provider.generation for provider in stored] == [n, 0, 0]
            news = bench.store.changes(head + n - 1)
            assert news is not None
            assert {(c.kind, c.key) for c in news.changes} == {(PROVIDER_CHANGED, "h")}

    def test_a_name_or_a_parent_changes_without_generation(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h"))
        root, first, second = tree
        turned = ProviderTree(
            (
                attrs.evolve(root, name="renamed"),
                attrs.evolve(second, name=first.name),
                attrs.evolve(first, name=second.name, parent=second.id),
            )
        )
        head = bench.store.head()
        assert bench.put(turned) == turned
        assert bench.placement.tree(first.id) == turned
        news = bench.store.changes(head)
        assert news is not None
        assert {change.key for change in news.changes} == {"h", "h-dev0", "h-dev1"}

    def test_providers_come_and_go(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h", children=3))
        root, first, second, third = tree
        below = attrs.evolve(third, parent=second.id)
        heir = Provider(ProviderId("new"), first.name, second.id)
        wanted = ProviderTree((root, second, heir, below))
        head = bench.store.head()
        assert bench.put(wanted) == wanted
        assert bench.placement.provider(first.id) is None
        news = bench.store.changes(head)
        assert news is not None
        assert {change.key for change in news.changes} == {"h-dev0", "h-dev2", "new"}
        again = ProviderTree((root, first))
        assert bench.put(again) == again
        assert [use.provider.id for use in bench.placement.uses()] == ["h", "h-dev0"]

    def test_names_and_ids_belong_to_one_tree(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        for provider, kind, key in (
            (Provider(ProviderId("x"), "host h"), "provider name", "host h"),
            (Provider(ProviderId("h-dev0"), "x"), "provider", "h-dev0"),
        ):
            tree = ProviderTree((provider,))
            error = bench.refused(AlreadyExists, bench.placement.put_tree, tree)
            assert (error.kind, error.id) == (kind, key)
        above = ProviderTree(
            (Provider(ProviderId("x"), "x"), Provider(ProviderId("h"), "y", ProviderId("x")))
        )
        taken = bench.refused(AlreadyExists, bench.placement.put_tree, above)
        assert taken.id == "h"

    def test_what_is_held_stays(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h"))
        bench.claim(example_claim("c2", {"h": {VCPU: 1}}))
        bench.claim(example_claim("c1", {"h-dev1": {CHILD_CLASS: 1}}))
        (root, first, _), placement = tree, bench.placement
        less = attrs.evolve(root, inventories=root.inventories.without(VCPU))
        none: FrozenMap[ResourceClass, Inventory] = FrozenMap()
        for error, item, holder in (
            (bench.refused(InUse, placement.put_tree, ProviderTree((root, first))), "h-dev1", "c1"),
            (bench.refused(InUse, placement.delete_tree, root.id), "h-dev1", "c1"),
            (bench.refused(InUse, placement.put_tree, with_root(tree, less)), "VCPU of h", "c2"),
            (bench.refused(InUse, placement.set_inventories, root.id, 1, none), "VCPU of h", "c2"),
        ):
            assert item in error.id
            assert holder in error.by
        bench.release("c1")
        bench.release("c2")
        bench.put(ProviderTree((less, first)))
        bench.write(placement.delete_tree, root.id)
        assert placement.uses() == ()

    def test_a_tree_is_deleted_whole(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.put(example_tree("other"))
        head = bench.store.head()
        bench.write(bench.placement.delete_tree, ProviderId("h"))
        assert {use.root for use in bench.placement.uses()} == {"other"}
        news = bench.store.changes(head)
        assert news is not None
        assert {change.key for change in news.changes} == {"h", "h-dev0", "h-dev1"}
        bench.write(bench.placement.delete_tree, ProviderId("h"))
        bench.write(bench.placement.delete_tree, ProviderId("other-dev0"))
        assert bench.store.head() == head + 1
        assert bench.put(example_tree("h")) == example_tree("h")

    def test_an_inventory_may_shrink_below_its_use(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 6}}))
        root = attrs.evolve(
            tree.root, inventories=tree.root.inventories.replace(VCPU, Inventory(total=4))
        )
        bench.put(with_root(tree, root))
        assert bench.used("h") == {VCPU: 6}
        bench.check()

    # ---- one provider

    def test_inventories_always_go_up(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h"))
        inventories = tree.root.inventories
        for n in range(2):
            assert (
                bench.write(bench.placement.set_inventories, tree.root.id, n, inventories) == n + 1
            )
        fewer = FrozenMap({VCPU: Inventory(total=3, allocation_ratio=1.5)})
        bench.write(bench.placement.set_inventories, tree.root.id, 2, fewer)
        row = bench.placement.provider(tree.root.id)
        assert row == attrs.evolve(tree.root, inventories=fewer, generation=3)

    def test_traits_go_up_when_they_differ(self, bench: PlacementBench) -> None:
        root = bench.put(example_tree("h")).root
        traits = frozenset({Trait("CUSTOM_GOLD"), Trait("HW_CPU_X86_SSE")})
        for given, seen, result in ((root.traits, 0, 0), (traits, 0, 1), (traits, 1, 1)):
            assert bench.write(bench.placement.set_traits, root.id, seen, given) == result
        assert bench.placement.provider(root.id) == attrs.evolve(root, traits=traits, generation=1)

    def test_aggregates_always_go_up(self, bench: PlacementBench) -> None:
        root = bench.put(example_tree("h")).root
        aggregates = frozenset({AggregateId("rack-1"), AggregateId("rack-2")})
        for n in range(2):
            assert bench.write(bench.placement.set_aggregates, root.id, n, aggregates) == n + 1
        row = bench.placement.provider(root.id)
        assert row == attrs.evolve(root, aggregates=aggregates, generation=2)

    def test_aggregates_without_a_generation_leave_it(self, bench: PlacementBench) -> None:
        root = bench.put(example_tree("h")).root
        for aggregates in (frozenset({AggregateId("rack-1")}), frozenset[AggregateId]()):
            assert bench.write(bench.placement.set_aggregates, root.id, None, aggregates) == 0
            row = bench.placement.provider(root.id)
            assert row == attrs.evolve(root, aggregates=aggregates)

    def test_a_past_generation_conflicts(self, bench: PlacementBench) -> None:
        root = bench.put(example_tree("h")).root
        bench.write(bench.placement.set_aggregates, root.id, 0, root.aggregates)
        for fn in self._setters(bench, root.id, 0):
            error = bench.refused(GenerationConflict, fn)
            assert (error.kind, error.id) == ("provider", "h")
            assert (error.expected, error.actual) == (0, 1)

    def test_an_unknown_provider_is_not_found(self, bench: PlacementBench) -> None:
        for fn in self._setters(bench, ProviderId("gone"), 0):
            error = bench.refused(NotFound, fn)
            assert (error.kind, error.id) == ("provider", "gone")

    @staticmethod
    def _setters(
        bench: PlacementBench, provider: ProviderId, generation: int
    ) -> tuple[Callable[[Tx], int], ...]:
        placement = bench.placement
        return (
            lambda tx: placement.set_inventories(tx, provider, generation, FrozenMap()),
            lambda tx: placement.set_traits(tx, provider, generation, frozenset()),
            lambda tx: placement.set_aggregates(tx, provider, generation, frozenset()),
        )
