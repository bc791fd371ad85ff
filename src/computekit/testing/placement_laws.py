"""What every `PlacementWriter` keeps, as tests to subclass (semantics: Placement API)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import attrs
import pytest

from computekit.errors import (
    AlreadyExists,
    AmountNotAllowed,
    CapacityExceeded,
    ClaimRefused,
    ComputekitError,
    CounterFull,
    GenerationConflict,
    InUse,
    InvalidInput,
    NoInventory,
    NotFound,
)
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import PROVIDER_CHANGED, CounterClaim, PlacementWriter, ProviderUse
from computekit.testing.store_laws import run_threads
from computekit.work import Store, Tx

__all__ = ["PlacementBench", "PlacementLaws", "example_claim", "example_tree"]

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=ComputekitError)

CHILD_CLASS = ResourceClass("CUSTOM_FPGA")


@attrs.frozen
class PlacementBench:
    """An empty implementation and the store that it writes in."""

    store: Store
    placement: PlacementWriter

    def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a port's method in a transaction of its own."""
        return self.store.write(lambda tx: fn(tx, *args, **kwargs))

    def put(self, tree: ProviderTree) -> ProviderTree:
        """Write a tree in a transaction of its own."""
        return self.write(self.placement.put_tree, tree)

    def claim(self, allocation: Allocation, *counters: CounterClaim) -> Allocation:
        """Claim in a transaction of its own."""
        return self.write(self.placement.claim, allocation, counters)

    def release(self, consumer: str) -> None:
        """Release in a transaction of its own."""
        self.write(self.placement.release, ConsumerId(consumer))

    def generation(self, provider: str) -> int:
        """Return the generation of a provider that is there."""
        row = self.placement.provider(ProviderId(provider))
        assert row is not None
        return row.generation

    def used(self, provider: str) -> Mapping[ResourceClass, int]:
        """Return what is used of a provider that is there."""
        (use,) = self.placement.uses(frozenset({ProviderId(provider)}))
        return use.used

    def refused(
        self,
        kind: type[E],
        fn: Callable[Concatenate[Tx, P], object],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> E:
        """Return the error that `fn` raises; it has written nothing, though it is committed."""
        head = self.store.head()
        before = self.placement.uses()

        def write(tx: Tx) -> E:
            with pytest.raises(kind) as raised:
                fn(tx, *args, **kwargs)
            return raised.value

        error = self.store.write(write)
        assert type(error) is kind
        assert self.store.head() == head
        assert self.placement.uses() == before
        return error

    def check(self) -> None:
        """Assert that what is used is what allocations hold."""
        for use in self.placement.uses():
            held: dict[ResourceClass, int] = {}
            for allocation in self.placement.allocations(use.provider.id):
                for name, amount in allocation.resources[use.provider.id].items():
                    held[name] = held.get(name, 0) + amount
            assert held == use.used, use.provider.id


def example_tree(name: str, *, vcpu: int = 8, children: int = 2) -> ProviderTree:
    """Return a host with memory and CPUs, and devices below it."""
    root = Provider(
        id=ProviderId(name),
        name=f"host {name}",
        inventories=FrozenMap(
            {
                VCPU: Inventory(total=vcpu),
                MEMORY_MB: Inventory(total=1000, reserved=100, allocation_ratio=1.5),
                DISK_GB: Inventory(total=100, min_unit=10, max_unit=50, step_size=10),
            }
        ),
        traits=frozenset({Trait("HW_CPU_X86_AVX2"), Trait("CUSTOM_GOLD")}),
        aggregates=frozenset({AggregateId("rack-1")}),
    )
    devices = (
        Provider(
            id=ProviderId(f"{name}-dev{n}"),
            name=f"device {n} of {name}",
            parent=root.id,
            inventories=FrozenMap({CHILD_CLASS: Inventory(total=1)}),
        )
        for n in range(children)
    )
    return ProviderTree((root, *devices))


def example_claim(
    consumer: str, wants: Mapping[str, Mapping[ResourceClass, int]], *, generation: int = 0
) -> Allocation:
    """Return an allocation by provider and class."""
    return Allocation(
        Consumer(ConsumerId(consumer), ProjectId("project"), UserId("user"), generation=generation),
        FrozenMap({ProviderId(p): FrozenMap(amounts) for p, amounts in wants.items()}),
    )


def with_root(tree: ProviderTree, root: Provider) -> ProviderTree:
    """Return the tree with another root of the same id."""
    return ProviderTree((root, *tree.providers[1:]))


class PlacementLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[PlacementBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[PlacementBench]:
        with self.open(tmp_path) as bench:
            yield bench

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

    # ---- claims

    def test_a_claim_is_read_as_it_was_granted(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        wanted = example_claim("c", {"h": {VCPU: 2, MEMORY_MB: 5}, "h-dev0": {CHILD_CLASS: 1}})
        granted = bench.claim(wanted)
        consumer = attrs.evolve(wanted.consumer, generation=1)
        assert granted == attrs.evolve(wanted, consumer=consumer)
        assert bench.placement.allocation(consumer.id) == granted
        assert bench.placement.allocation(ConsumerId("other")) is None
        assert bench.used("h") == {VCPU: 2, MEMORY_MB: 5}
        assert bench.used("h-dev0") == {CHILD_CLASS: 1}
        other = bench.claim(example_claim("a", {"h": {VCPU: 1}}))
        assert bench.placement.allocations(ProviderId("h")) == (other, granted)
        assert bench.placement.allocations(ProviderId("h-dev1")) == ()
        bench.check()

    def test_a_claim_replaces_what_was_held(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.put(example_tree("k"))
        bench.claim(example_claim("c", {"h": {VCPU: 8, MEMORY_MB: 5}}))
        bench.claim(example_claim("c", {"h": {VCPU: 7}, "k": {VCPU: 8}}, generation=1))
        assert (bench.used("h"), bench.used("k")) == ({VCPU: 7}, {VCPU: 8})
        moved = example_claim("c", {"k": {VCPU: 1, MEMORY_MB: 7}}, generation=2)
        other = attrs.evolve(
            moved.consumer, project=ProjectId("p2"), user=UserId("u2"), type="MIGRATION"
        )
        granted = bench.claim(attrs.evolve(moved, consumer=other))
        assert granted.consumer == attrs.evolve(other, generation=3)
        assert bench.placement.allocation(other.id) == granted
        assert (bench.used("h"), bench.used("k")) == ({}, {VCPU: 1, MEMORY_MB: 7})
        bench.check()

    def test_claims_raise_generations(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.put(example_tree("k"))
        names = ("h", "h-dev0", "k")
        bench.claim(example_claim("c", {"h": {VCPU: 1, MEMORY_MB: 1}, "h-dev0": {CHILD_CLASS: 1}}))
        assert [bench.generation(name) for name in names] == [1, 1, 0]
        bench.claim(example_claim("c", {"k": {VCPU: 1}}, generation=1))
        assert [bench.generation(name) for name in names] == [1, 1, 1]

        def two(tx: Tx) -> None:
            for consumer in ("d", "e"):
                bench.placement.claim(tx, example_claim(consumer, {"k": {VCPU: 1}}))

        bench.store.write(two)
        assert bench.generation("k") == 2
        assert bench.used("k") == {VCPU: 3}
        bench.release("d")
        assert bench.generation("k") == 2
        bench.claim(example_claim("e", {}, generation=1))
        assert bench.generation("k") == 3

    def test_an_empty_claim_forgets_the_consumer(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 1}}), CounterClaim("group", "g", 1, 5))
        assert bench.claim(example_claim("c", {}, generation=1)) == example_claim("c", {})
        assert bench.placement.allocation(ConsumerId("c")) is None
        assert bench.used("h") == {}
        assert bench.placement.counter("group", "g") == 0
        head = bench.store.head()
        assert bench.claim(example_claim("unknown", {})) == example_claim("unknown", {})
        assert bench.store.head() == head
        bench.claim(example_claim("c", {"h": {VCPU: 1}}))

    def test_a_release_gives_all_back(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(
            example_claim("c", {"h": {VCPU: 1, MEMORY_MB: 1}, "h-dev0": {CHILD_CLASS: 1}}),
            CounterClaim("group", "g", 2, 5),
        )
        bench.claim(example_claim("d", {"h": {VCPU: 1}}), CounterClaim("group", "g", 1, 5))
        head = bench.store.head()
        bench.release("c")
        assert bench.placement.allocation(ConsumerId("c")) is None
        assert bench.used("h") == {VCPU: 1}
        assert bench.used("h-dev0") == {}
        assert bench.placement.counter("group", "g") == 1
        news = bench.store.changes(head)
        assert news is not None
        assert {change.key for change in news.changes} == {"h", "h-dev0"}
        bench.release("c")
        assert bench.store.head() == head + 1
        bench.check()

    def test_a_past_consumer_generation_conflicts(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 1}}))
        for name, seen, actual in (("c", 0, 1), ("c", 2, 1), ("new", 1, 0)):
            wanted = example_claim(name, {"h": {VCPU: 1}}, generation=seen)
            error = bench.refused(GenerationConflict, bench.placement.claim, wanted)
            assert (error.kind, error.id) == ("consumer", name)
            assert (error.expected, error.actual) == (seen, actual)

    def test_capacity_is_what_is_not_reserved_times_the_ratio(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {MEMORY_MB: 1000}}))
        error = bench.refused(
            CapacityExceeded,
            bench.placement.claim,
            example_claim("d", {"h": {MEMORY_MB: 351}}),
        )
        assert (error.provider, error.resource_class) == ("h", MEMORY_MB)
        assert (error.asked, error.used, error.capacity) == (351, 1000, 1350)
        bench.claim(example_claim("d", {"h": {MEMORY_MB: 350}}))
        odd = ProviderTree(
            (
                Provider(
                    ProviderId("odd"),
                    "odd",
                    inventories=FrozenMap({VCPU: Inventory(total=3, allocation_ratio=1.5)}),
                ),
            )
        )
        bench.put(odd)
        bench.claim(example_claim("e", {"odd": {VCPU: 4}}))
        bench.check()

    def test_a_huge_ratio_is_no_limit(self, bench: PlacementBench) -> None:
        huge = Inventory(total=2**31 - 1, allocation_ratio=3.4e38)
        bench.put(
            ProviderTree((Provider(ProviderId("h"), "h", inventories=FrozenMap({VCPU: huge})),))
        )
        for n in range(3):
            bench.claim(example_claim(f"c{n}", {"h": {VCPU: 2**31 - 1}}))
        row = bench.placement.provider(ProviderId("h"))
        assert row is not None
        assert row.inventories[VCPU] == huge
        bench.check()

    def test_unit_rules_are_named(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        for amount, rule in ((5, "min_unit"), (60, "max_unit"), (15, "step_size")):
            wanted = example_claim("c", {"h": {DISK_GB: amount}})
            error = bench.refused(AmountNotAllowed, bench.placement.claim, wanted)
            assert rule in error.rule
            assert (error.provider, error.resource_class, error.asked) == ("h", DISK_GB, amount)

    def test_a_missing_inventory_is_named(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        for provider, name in (("h", CHILD_CLASS), ("gone", VCPU)):
            wanted = example_claim("c", {provider: {name: 1}})
            error = bench.refused(NoInventory, bench.placement.claim, wanted)
            assert (error.provider, error.resource_class) == (provider, name)

    def test_the_first_that_does_not_fit_is_raised(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        wanted = example_claim(
            "c",
            {"z": {VCPU: 1}, "h-dev0": {CHILD_CLASS: 2}, "h": {VCPU: 9, MEMORY_MB: 1, DISK_GB: 5}},
        )
        full = (CounterClaim("s", "n", 1, 0),)
        for kind, provider, name in (
            (AmountNotAllowed, "h", DISK_GB),
            (CapacityExceeded, "h", VCPU),
            (CapacityExceeded, "h-dev0", CHILD_CLASS),
            (NoInventory, "z", VCPU),
            (CounterFull, "", ""),
        ):
            bench.refused(kind, bench.placement.claim, wanted, full)
            if provider:
                here = ProviderId(provider)
                rest = wanted.resources[here].without(ResourceClass(name))
                wanted = attrs.evolve(
                    wanted,
                    resources=wanted.resources.replace(here, rest)
                    if rest
                    else wanted.resources.without(here),
                )

    def test_an_overcommitted_provider_lets_go(self, bench: PlacementBench) -> None:
        tree = bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 4}}))
        bench.claim(example_claim("d", {"h": {VCPU: 4}}))
        small = FrozenMap({VCPU: Inventory(total=2), MEMORY_MB: Inventory(total=10)})
        bench.write(bench.placement.set_inventories, tree.root.id, 2, small)
        error = bench.refused(
            CapacityExceeded,
            lambda tx: bench.placement.claim(
                tx, example_claim("c", {"h": {VCPU: 5}}, generation=1)
            ),
        )
        assert (error.asked, error.used, error.capacity) == (5, 4, 2)
        bench.claim(example_claim("c", {"h": {VCPU: 4, MEMORY_MB: 1}}, generation=1))
        bench.claim(example_claim("c", {"h": {VCPU: 3}}, generation=2))
        assert bench.used("h") == {VCPU: 7}
        bench.check()

    def test_a_consumer_may_use_what_it_holds(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 6}}), CounterClaim("s", "n", 3, 3))
        bench.claim(
            example_claim("c", {"h": {VCPU: 8}}, generation=1), CounterClaim("s", "n", 3, 3)
        )
        bench.check()

    def test_a_refused_claim_lets_the_transaction_go_on(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h", vcpu=1))
        bench.put(example_tree("k"))

        def first_that_fits(tx: Tx) -> str:
            for name in ("h", "k"):
                try:
                    bench.placement.claim(
                        tx,
                        example_claim("c", {f"{name}-dev0": {CHILD_CLASS: 1}, name: {VCPU: 2}}),
                        (CounterClaim("s", name, 1, 1),),
                    )
                except ClaimRefused:
                    continue
                return name
            return ""

        assert bench.store.write(first_that_fits) == "k"
        assert (bench.used("h"), bench.used("h-dev0")) == ({}, {})
        assert (bench.generation("h"), bench.generation("k")) == (0, 1)
        assert bench.placement.counter("s", "h") == 0
        bench.check()

    def test_a_rolled_back_claim_leaves_nothing(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 1}}), CounterClaim("s", "n", 1, 9))
        before = bench.placement.uses(), bench.placement.allocation(ConsumerId("c"))

        def write(tx: Tx) -> None:
            placement = bench.placement
            placement.claim(
                tx,
                example_claim("c", {"h-dev0": {CHILD_CLASS: 1}}, generation=1),
                (CounterClaim("s", "n", 2, 9), CounterClaim("s", "m", 2, 9)),
            )
            placement.claim(tx, example_claim("d", {"h": {VCPU: 1}}))
            placement.release(tx, ConsumerId("c"))
            placement.set_traits(tx, ProviderId("h"), 2, frozenset())
            placement.set_aggregates(tx, ProviderId("h"), 3, frozenset())
            placement.put_tree(tx, example_tree("k"))
            placement.put_tree(tx, ProviderTree((Provider(ProviderId("n"), "n"),)))
            placement.delete_tree(tx, ProviderId("k"))
            placement.release(tx, ConsumerId("d"))
            placement.delete_tree(tx, ProviderId("h"))
            assert [use.provider.id for use in placement.uses()] == ["n"]
            raise NotFound("thing", "x")

        with pytest.raises(NotFound):
            bench.store.write(write)
        assert (bench.placement.uses(), bench.placement.allocation(ConsumerId("c"))) == before
        assert bench.placement.counter("s", "n") == 1
        assert bench.placement.counter("s", "m") == 0
        bench.check()
        bench.put(example_tree("k"))

    # ---- counters

    def test_counters_ride_along(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        one = CounterClaim("group:g", "host", 1, 2)
        assert bench.placement.counter("group:g", "host") == 0
        bench.claim(example_claim("a", {"h": {VCPU: 1}}), one, CounterClaim("limit", "p", 3, 10))
        bench.claim(example_claim("b", {"h": {VCPU: 1}}), one)
        assert bench.placement.counter("group:g", "host") == 2
        assert bench.placement.counter("limit", "p") == 3
        error = bench.refused(
            CounterFull,
            bench.placement.claim,
            example_claim("c", {"h": {VCPU: 1}}),
            (one,),
        )
        assert (error.scope, error.name, error.asked) == ("group:g", "host", 1)
        assert (error.used, error.bound) == (2, 2)
        bench.claim(
            example_claim("a", {"h": {VCPU: 1}}, generation=1), CounterClaim("limit", "p", 4, 10)
        )
        assert bench.placement.counter("group:g", "host") == 1
        assert bench.placement.counter("limit", "p") == 4
        bench.claim(example_claim("c", {"h": {VCPU: 1}}), one)

    def test_a_consumer_may_hold_counters_alone(self, bench: PlacementBench) -> None:
        granted = bench.claim(example_claim("a", {}), CounterClaim("s", "n", 1, 1))
        assert granted.consumer.generation == 1
        assert bench.placement.allocation(ConsumerId("a")) == granted
        bench.release("a")
        assert bench.placement.counter("s", "n") == 0

    def test_a_lowered_bound_lets_go(self, bench: PlacementBench) -> None:
        bench.claim(example_claim("a", {}), CounterClaim("s", "n", 5, 5))
        bench.claim(example_claim("a", {}, generation=1), CounterClaim("s", "n", 4, 2))
        assert bench.placement.counter("s", "n") == 4

    # ---- bad input

    def test_every_fault_of_a_tree_is_reported(self, bench: PlacementBench) -> None:
        nan, infinite = float("nan"), float("inf")
        bad = ProviderTree(
            (
                Provider(
                    ProviderId("h"),
                    "x" * 201,
                    inventories=FrozenMap(
                        {
                            VCPU: Inventory(total=0, allocation_ratio=nan),
                            MEMORY_MB: Inventory(total=5, reserved=6, allocation_ratio=0.0),
                            DISK_GB: Inventory(5, min_unit=9, max_unit=8, step_size=0),
                            ResourceClass("CUSTOM_x"): Inventory(
                                2**31, reserved=-1, allocation_ratio=infinite
                            ),
                            ResourceClass("NO_SUCH"): Inventory(1, min_unit=0, max_unit=2**31),
                        }
                    ),
                    traits=frozenset({Trait("NO_SUCH"), Trait("CUSTOM_" + "X" * 249)}),
                    aggregates=frozenset({AggregateId("")}),
                ),
                Provider(ProviderId("a\0"), "same", ProviderId("h")),
                Provider(ProviderId("b"), "same", ProviderId("h")),
                Provider(ProviderId("c"), "", ProviderId("h")),
                Provider(ProviderId("d"), "half \ud800", ProviderId("h")),
            )
        )
        error = bench.refused(InvalidInput, bench.placement.put_tree, bad)
        found = {(fault.path.removeprefix("providers"), fault.code) for fault in error.faults}
        long_trait = "CUSTOM_" + "X" * 249
        assert found == {
            ("[0].name", "length"),
            ("[0].inventories[VCPU].total", "range"),
            ("[0].inventories[VCPU].allocation_ratio", "range"),
            ("[0].inventories[MEMORY_MB].reserved", "order"),
            ("[0].inventories[MEMORY_MB].allocation_ratio", "range"),
            ("[0].inventories[DISK_GB].min_unit", "order"),
            ("[0].inventories[DISK_GB].step_size", "range"),
            ("[0].inventories[CUSTOM_x]", "name"),
            ("[0].inventories[CUSTOM_x].total", "range"),
            ("[0].inventories[CUSTOM_x].reserved", "range"),
            ("[0].inventories[CUSTOM_x].allocation_ratio", "range"),
            ("[0].inventories[NO_SUCH]", "name"),
            ("[0].inventories[NO_SUCH].min_unit", "range"),
            ("[0].inventories[NO_SUCH].max_unit", "range"),
            ("[0].traits[NO_SUCH]", "name"),
            (f"[0].traits[{long_trait}]", "name"),
            ("[0].aggregates[]", "length"),
            ("[1].id", "text"),
            ("[2].name", "duplicate"),
            ("[3].name", "length"),
            ("[4].name", "text"),
        }

    def test_every_fault_of_a_claim_is_reported(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bad = Allocation(
            Consumer(ConsumerId(""), ProjectId("p\0"), UserId("u" * 256), type="lower"),
            FrozenMap(
                {
                    ProviderId("h"): FrozenMap({VCPU: 0, MEMORY_MB: -1, DISK_GB: 2**31}),
                    ProviderId("k"): FrozenMap(),
                }
            ),
        )
        counters = (
            CounterClaim("s", "n", 0, 1),
            CounterClaim("s", "n", 1, -1),
            CounterClaim("", "n", 1, 1),
        )
        error = bench.refused(InvalidInput, bench.placement.claim, bad, counters)
        assert {(fault.path, fault.code) for fault in error.faults} == {
            ("consumer.id", "length"),
            ("consumer.project", "text"),
            ("consumer.user", "length"),
            ("consumer.type", "name"),
            ("resources[h][VCPU]", "range"),
            ("resources[h][MEMORY_MB]", "range"),
            ("resources[h][DISK_GB]", "range"),
            ("resources[k]", "empty"),
            ("counters[0].amount", "range"),
            ("counters[1].bound", "range"),
            ("counters[1]", "duplicate"),
            ("counters[2].scope", "length"),
        }

    def test_bad_parts_of_a_provider_are_refused(self, bench: PlacementBench) -> None:
        root = bench.put(example_tree("h")).root.id
        placement = bench.placement
        bad: FrozenMap[ResourceClass, Inventory] = FrozenMap({ResourceClass("X"): Inventory(0)})
        bench.refused(InvalidInput, placement.set_inventories, root, 0, bad)
        bench.refused(InvalidInput, placement.set_traits, root, 0, frozenset({Trait("X")}))
        long = frozenset({AggregateId("a" * 65)})
        bench.refused(InvalidInput, placement.set_aggregates, root, 0, long)

    # ---- many at once

    def test_threads_take_exactly_what_is_there(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h", vcpu=50, children=0))
        granted: list[str] = []

        def body(who: int) -> None:
            for n in range(20):
                name = f"c{who}-{n}"
                try:
                    bench.claim(example_claim(name, {"h": {VCPU: 1, MEMORY_MB: 1}}))
                except CapacityExceeded:
                    continue
                granted.append(name)

        run_threads(*[partial(body, who) for who in range(8)])
        bench.check()
        assert bench.used("h") == {VCPU: 50, MEMORY_MB: 50}
        assert [a.consumer.id for a in bench.placement.allocations(ProviderId("h"))] == sorted(
            granted
        )

    def test_the_books_stay_right_while_threads_claim_move_and_release(
        self, bench: PlacementBench
    ) -> None:
        for name in ("h", "k"):
            bench.put(example_tree(name, vcpu=12, children=0))

        def body(who: int) -> None:
            for n in range(30):
                wants = {("h", "k")[(n + who) % 2]: {VCPU: 1 + n % 3}}
                known = bench.placement.allocation(ConsumerId(f"c{n}"))
                seen = 0 if known is None else known.consumer.generation
                claim = example_claim(f"c{n}", wants, generation=seen)
                try:
                    bench.claim(claim, CounterClaim("limit", "p", 1, 10))
                except (CapacityExceeded, CounterFull, GenerationConflict):
                    bench.release(f"c{(n * 7 + who) % 30}")

        run_threads(*[partial(body, who) for who in range(8)])
        bench.check()
        uses: tuple[ProviderUse, ...] = bench.placement.uses()
        assert all(use.used.get(VCPU, 0) <= 12 for use in uses)
        holders = {
            a.consumer.id for use in uses for a in bench.placement.allocations(use.provider.id)
        }
        assert bench.placement.counter("limit", "p") == len(holders) <= 10
