"""What every `PlacementWriter` keeps of resource classes and traits."""

import pytest

from computekit.errors import AlreadyExists, InUse, InvalidInput, NotFound
from computekit.ids import ProviderId
from computekit.model import (
    VCPU,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import CLASS_CHANGED, PROVIDER_CHANGED, TRAIT_CHANGED
from computekit.testing.placement_bench import (
    PlacementBench,
    PlacementSuite,
    example_claim,
    example_tree,
)
from computekit.work import Tx

__all__ = ["PlacementNameLaws"]

ROOT = ProviderId("h")
B, A, N = (ResourceClass(f"CUSTOM_{name}") for name in ("B", "A", "N"))


def custom(bench: PlacementBench) -> list[str]:
    """Return the custom classes; the standard ones come before them."""
    known = list(bench.placement.resource_classes())
    assert known[:3] == ["VCPU", "MEMORY_MB", "DISK_GB"]
    found = [name for name in known if name.startswith("CUSTOM_")]
    assert not found or known[-len(found) :] == found
    return [str(name) for name in found]


def own_traits(bench: PlacementBench) -> list[str]:
    """Return the custom traits."""
    return [str(name) for name in bench.placement.traits("CUSTOM_")]


def told(bench: PlacementBench, since: int) -> set[tuple[str, str]]:
    """Return what replicas are told to read again."""
    news = bench.store.changes(since)
    assert news is not None
    return {(change.kind, change.key) for change in news.changes}


class PlacementNameLaws(PlacementSuite):
    """Classes and traits."""

    def test_classes_come_in_the_order_they_came(self, bench: PlacementBench) -> None:
        assert custom(bench) == []
        head = bench.store.head()
        assert bench.write(bench.placement.create_resource_class, B)
        assert told(bench, head) == {(CLASS_CHANGED, "CUSTOM_B")}
        assert bench.write(bench.placement.create_resource_class, A)
        assert not bench.write(bench.placement.create_resource_class, B)
        assert bench.store.head() == head + 2
        assert custom(bench) == ["CUSTOM_B", "CUSTOM_A"]
        bench.write(bench.placement.delete_resource_class, B)
        bench.write(bench.placement.create_resource_class, B)
        assert custom(bench) == ["CUSTOM_A", "CUSTOM_B"]

    def test_what_a_provider_has_is_known(self, bench: PlacementBench) -> None:
        head = bench.store.head()
        bench.put(example_tree("h"))
        assert {kind for kind, _ in told(bench, head)} == {
            CLASS_CHANGED,
            PROVIDER_CHANGED,
            TRAIT_CHANGED,
        }
        assert custom(bench) == ["CUSTOM_FPGA"]
        assert own_traits(bench) == ["CUSTOM_GOLD"]
        offers = FrozenMap({B: Inventory(total=1), A: Inventory(total=1)})
        bench.write(bench.placement.set_inventories, ROOT, 0, offers)
        bench.write(bench.placement.set_traits, ROOT, 1, frozenset({Trait("CUSTOM_B")}))
        assert custom(bench) == ["CUSTOM_FPGA", "CUSTOM_A", "CUSTOM_B"]
        assert own_traits(bench) == ["CUSTOM_GOLD", "CUSTOM_B"]
        bench.write(bench.placement.set_traits, ROOT, 2, frozenset())
        assert own_traits(bench) == ["CUSTOM_GOLD", "CUSTOM_B"]

    def test_only_custom_names_come_and_go(self, bench: PlacementBench) -> None:
        books = bench.placement
        for bad in ("VCPU", "CUSTOM_x", "CUSTOM_", "CUSTOM_" + "X" * 249):
            name, trait = ResourceClass(bad), Trait(bad)
            bench.refused(InvalidInput, books.create_resource_class, name)
            bench.refused(InvalidInput, books.delete_resource_class, name)
            bench.refused(InvalidInput, books.create_trait, trait)
            bench.refused(InvalidInput, books.delete_trait, trait)
        for class_error in (
            bench.refused(NotFound, books.delete_resource_class, A),
            bench.refused(NotFound, books.rename_resource_class, A, B),
        ):
            assert (class_error.kind, class_error.id) == ("resource class", "CUSTOM_A")
        error = bench.refused(NotFound, books.delete_trait, Trait("CUSTOM_T"))
        assert (error.kind, error.id) == ("trait", "CUSTOM_T")

    def test_a_name_in_use_stays(self, bench: PlacementBench) -> None:
        root = Provider(
            ROOT, "h", None, FrozenMap({A: Inventory(1)}), frozenset({Trait("CUSTOM_T")})
        )
        bench.put(ProviderTree((root,)))
        for error in (
            bench.refused(InUse, bench.placement.delete_resource_class, A),
            bench.refused(InUse, bench.placement.delete_trait, Trait("CUSTOM_T")),
        ):
            assert error.by == "provider h"
        bench.write(bench.placement.set_inventories, ROOT, 0, FrozenMap())
        bench.write(bench.placement.set_traits, ROOT, 1, frozenset())
        head = bench.store.head()
        bench.write(bench.placement.delete_resource_class, A)
        bench.write(bench.placement.delete_trait, Trait("CUSTOM_T"))
        assert told(bench, head) == {(CLASS_CHANGED, "CUSTOM_A"), (TRAIT_CHANGED, "CUSTOM_T")}
        assert (custom(bench), own_traits(bench)) == ([], [])

    def test_a_class_is_renamed_wherever_it_is(self, bench: PlacementBench) -> None:
        bench.write(bench.placement.create_resource_class, B)
        bench.write(bench.placement.create_resource_class, A)
        offers = FrozenMap({VCPU: Inventory(4), B: Inventory(8, allocation_ratio=2.0)})
        for name in ("h", "k"):
            of = ProviderId(name)
            bench.put(ProviderTree((Provider(of, name, inventories=offers),)))
        bench.claim(example_claim("c", {"h": {B: 3, VCPU: 1}, "k": {B: 1}}))
        bench.claim(example_claim("d", {"h": {B: 2}}))
        assert bench.refused(AlreadyExists, bench.placement.rename_resource_class, B, A).id == A
        bench.refused(InvalidInput, bench.placement.rename_resource_class, B, VCPU)
        head = bench.store.head()
        bench.write(bench.placement.rename_resource_class, B, N)
        assert told(bench, head) == {
            (CLASS_CHANGED, "CUSTOM_B"),
            (CLASS_CHANGED, "CUSTOM_N"),
            (PROVIDER_CHANGED, "h"),
            (PROVIDER_CHANGED, "k"),
        }
        assert custom(bench) == ["CUSTOM_N", "CUSTOM_A"]
        assert bench.used("h") == {N: 5, VCPU: 1}
        row = bench.placement.provider(ROOT)
        assert row is not None
        assert row.inventories == {VCPU: Inventory(4), N: Inventory(8, allocation_ratio=2.0)}
        assert row.generation == 2
        held = bench.placement.allocations(ROOT)
        assert [a.resources[ROOT] for a in held] == [{N: 3, VCPU: 1}, {N: 2}]
        bench.check()
        bench.claim(example_claim("d", {"h": {N: 13}}, generation=1))
        bench.check()

    def test_traits_are_picked(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.write(bench.placement.create_trait, Trait("CUSTOM_FREE"))
        books = bench.placement
        every = list(books.traits())
        assert every[-2:] == ["CUSTOM_GOLD", "CUSTOM_FREE"]
        assert every[:-2] == sorted(every[:-2])
        assert set(books.traits(associated=True)) == {"CUSTOM_GOLD", "HW_CPU_X86_AVX2"}
        assert set(books.traits(associated=False)) == set(every) - set(
            books.traits(associated=True)
        )
        assert list(books.traits("CUSTOM_", associated=False)) == ["CUSTOM_FREE"]
        assert set(books.traits("HW_CPU_X86_AVX")) > {"HW_CPU_X86_AVX2", "HW_CPU_X86_AVX"}

    def test_it_is_known_since_when(self, bench: PlacementBench) -> None:
        before_s = bench.clock.wall_s()
        bench.write(bench.placement.create_resource_class, A)
        bench.write(bench.placement.create_trait, Trait("CUSTOM_T"))
        classes, traits = bench.placement.resource_classes(), bench.placement.traits()
        assert classes[VCPU] == traits[Trait("HW_CPU_X86_AVX2")] == 0.0
        assert classes[A] >= before_s
        assert traits[Trait("CUSTOM_T")] >= before_s
        books = bench.placement
        assert books.class_since(VCPU) == books.trait_since(Trait("HW_CPU_X86_AVX2")) == 0.0
        assert books.class_since(A) == classes[A]
        assert books.class_since(B) is books.class_since(ResourceClass("VCPUS")) is None
        assert books.trait_since(Trait("CUSTOM_T")) == traits[Trait("CUSTOM_T")]
        assert books.trait_since(Trait("CUSTOM_")) is books.trait_since(Trait("HW_CPU")) is None

    def test_a_name_that_is_rolled_back_is_unknown(self, bench: PlacementBench) -> None:
        bench.write(bench.placement.create_resource_class, A)
        bench.write(bench.placement.create_resource_class, B)

        def write(tx: Tx) -> None:
            bench.placement.delete_resource_class(tx, A)
            bench.placement.create_resource_class(tx, N)
            bench.placement.put_tree(tx, example_tree("h"))
            bench.placement.rename_resource_class(tx, B, A)
            raise NotFound("thing", "x")

        head = bench.store.head()
        with pytest.raises(NotFound):
            bench.store.write(write)
        assert custom(bench) == ["CUSTOM_A", "CUSTOM_B"]
        assert own_traits(bench) == []
        assert bench.store.head() == head
