"""What every `PlacementService` keeps, as tests to subclass (semantics: Placement API, 1.39).

The service may be a server that others use too: the tests name what is theirs and look at nothing
else. So an implementation is opened once for all of them.
"""

from computekit.errors import AlreadyExists, GenerationConflict, InUse, InvalidInput, NotFound
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.testing.placement_service_bench import ServiceBench, ServiceSuite, group
from computekit.testing.placement_service_claim_laws import PlacementServiceClaimLaws
from computekit.testing.placement_service_search_laws import PlacementServiceSearchLaws

__all__ = ["PlacementServiceLaws"]

AVX2 = Trait("HW_CPU_X86_AVX2")


class PlacementServiceNameLaws(ServiceSuite):
    """Classes and traits."""

    def test_standard_names_are_known(self, bench: ServiceBench) -> None:
        assert bench.service.resource_classes()[:3] == (VCPU, MEMORY_MB, DISK_GB)
        assert AVX2 in bench.service.traits()
        assert bench.service.traits("HW_CPU_X86_AVX2") == (AVX2,)

    def test_a_custom_class_comes_and_goes(self, bench: ServiceBench) -> None:
        name = ResourceClass(bench.custom())
        assert bench.service.create_resource_class(name)
        assert not bench.service.create_resource_class(name)
        assert bench.service.resource_classes()[-1] == name
        bench.service.delete_resource_class(name)
        assert name not in bench.service.resource_classes()
        bench.refused(NotFound, bench.service.delete_resource_class, name)

    def test_a_class_of_an_inventory_stays(self, bench: ServiceBench) -> None:
        name = ResourceClass(bench.custom())
        bench.provider({name: 1})
        assert name in bench.service.resource_classes()
        bench.refused(InUse, bench.service.delete_resource_class, name)

    def test_a_custom_trait_comes_and_goes(self, bench: ServiceBench) -> None:
        name = Trait(bench.custom())
        assert bench.service.create_trait(name)
        assert not bench.service.create_trait(name)
        assert bench.service.traits(name) == (name,)
        assert bench.service.traits(name, associated=True) == ()
        assert bench.service.traits(name, associated=False) == (name,)
        bench.service.delete_trait(name)
        assert bench.service.traits(name) == ()
        bench.refused(NotFound, bench.service.delete_trait, name)

    def test_a_trait_of_a_provider_stays(self, bench: ServiceBench) -> None:
        name = Trait(bench.custom())
        bench.provider(traits=(name,))
        assert bench.service.traits(name, associated=True) == (name,)
        bench.refused(InUse, bench.service.delete_trait, name)

    def test_names_that_cannot_be_are_refused(self, bench: ServiceBench) -> None:
        for bad in ("lower", "CUSTOM_", "CUSTOM_a", "CUSTOM_" + "X" * 249, "NO_SUCH"):
            bench.refused(InvalidInput, bench.service.create_resource_class, ResourceClass(bad))
            bench.refused(InvalidInput, bench.service.create_trait, Trait(bad))

    def test_standard_names_cannot_be_deleted(self, bench: ServiceBench) -> None:
        bench.refused(InvalidInput, bench.service.delete_resource_class, VCPU)
        bench.refused(InvalidInput, bench.service.delete_trait, AVX2)


class PlacementServiceProviderLaws(ServiceSuite):
    """Providers, and their parts."""

    def test_a_new_provider_is_empty(self, bench: ServiceBench) -> None:
        root = ProviderId(bench.uuid())
        bench.service.create_provider(root, f"root {root}", None)
        child = ProviderId(bench.uuid())
        bench.service.create_provider(child, f"child {child}", root)
        found = bench.service.provider(child)
        assert (found.provider.name, found.provider.parent, found.root) == (
            f"child {child}",
            root,
            root,
        )
        assert found.provider.generation == 0
        assert found.provider.inventories == found.used == {}
        assert not found.provider.traits
        assert not found.provider.aggregates
        (node,) = bench.service.providers(name=f"child {child}")
        assert (node.id, node.root, node.parent, node.generation) == (child, root, root, 0)

    def test_ids_and_names_are_unique(self, bench: ServiceBench) -> None:
        there = bench.provider()
        taken = bench.refused(
            AlreadyExists, bench.service.create_provider, there, f"new {there}", None
        )
        assert (taken.kind, taken.id) == ("provider", there)
        other = ProviderId(bench.uuid())
        name = f"p-{there}"
        taken = bench.refused(AlreadyExists, bench.service.create_provider, other, name, None)
        assert (taken.kind, taken.id) == ("provider name", name)
        bench.service.create_provider(other, f"p-{other}", None)
        bench.refused(AlreadyExists, bench.service.update_provider, other, name, None)

    def test_what_is_not_there_is_not_found(self, bench: ServiceBench) -> None:
        nobody = ProviderId(bench.uuid())
        service = bench.service
        bench.refused(NotFound, service.provider, nobody)
        bench.refused(NotFound, service.allocations, nobody)
        bench.refused(NotFound, service.update_provider, nobody, "x", None)
        bench.refused(NotFound, service.delete_provider, nobody)
        bench.refused(NotFound, service.set_inventories, nobody, 0, FrozenMap())
        bench.refused(NotFound, service.set_traits, nobody, 0, frozenset())
        bench.refused(NotFound, service.set_aggregates, nobody, 0, frozenset())
        bench.refused(NotFound, service.create_provider, ProviderId(bench.uuid()), "x", nobody)
        there = bench.provider()
        bench.refused(NotFound, service.update_provider, there, f"p-{there}", nobody)
        assert service.providers(name=f"no {nobody}") == ()

    def test_a_subtree_moves_with_its_root(self, bench: ServiceBench) -> None:
        a, b = bench.provider(), bench.provider()
        middle = bench.provider(parent=a)
        leaf = bench.provider(parent=middle)
        bench.service.update_provider(middle, "middle of " + b, b)
        found = bench.service.provider(leaf)
        assert (found.root, found.provider.parent) == (b, middle)
        bench.service.update_provider(middle, "middle of " + b, None)
        assert bench.service.provider(leaf).root == middle
        assert bench.service.provider(middle).provider.parent is None

    def test_a_provider_cannot_be_below_itself(self, bench: ServiceBench) -> None:
        root = bench.provider()
        leaf = bench.provider(parent=bench.provider(parent=root))
        bench.refused(InvalidInput, bench.service.update_provider, root, f"p-{root}", leaf)
        bench.refused(InvalidInput, bench.service.update_provider, root, f"p-{root}", root)
        assert bench.service.provider(leaf).root == root

    def test_what_is_used_cannot_be_deleted(self, bench: ServiceBench) -> None:
        root = bench.provider({VCPU: 1})
        leaf = bench.provider(parent=root)
        bench.refused(InUse, bench.service.delete_provider, root)
        bench.service.delete_provider(leaf)
        claim = bench.allocation({root: {VCPU: 1}})
        bench.service.claim(claim)
        bench.refused(InUse, bench.service.delete_provider, root)
        bench.service.release(claim.consumer.id)
        bench.service.delete_provider(root)
        bench.refused(NotFound, bench.service.provider, root)

    def test_parts_are_replaced_and_generations_rise(self, bench: ServiceBench) -> None:
        one = bench.provider()
        service = bench.service
        start = bench.generation(one)
        whole = Inventory(10, 1, 2, 8, 2, 1.5)
        stock = FrozenMap({VCPU: whole, MEMORY_MB: Inventory(5)})
        assert service.set_inventories(one, start, stock) == start + 1
        assert service.set_inventories(one, start + 1, stock) == start + 2  # equal, and yet
        assert service.provider(one).provider.inventories == stock
        traits = frozenset({AVX2, Trait(bench.custom())})
        assert service.set_traits(one, start + 2, traits) == start + 3
        assert service.set_traits(one, start + 3, traits) == start + 3
        assert service.provider(one).provider.traits == traits
        places = frozenset({AggregateId(bench.uuid())})
        assert service.set_aggregates(one, start + 3, places) == start + 4
        assert service.set_aggregates(one, start + 4, places) == start + 5
        found = service.provider(one).provider
        assert (found.aggregates, found.generation) == (places, start + 5)
        assert service.set_inventories(one, start + 5, FrozenMap()) == start + 6
        assert service.provider(one).provider.inventories == {}

    def test_a_write_of_another_generation_changes_nothing(self, bench: ServiceBench) -> None:
        one = bench.provider({VCPU: 1}, traits=(AVX2,))
        before = bench.service.provider(one)
        for other in (before.provider.generation - 1, before.provider.generation + 1):
            bench.refused(
                GenerationConflict, bench.service.set_inventories, one, other, FrozenMap()
            )
            bench.refused(GenerationConflict, bench.service.set_traits, one, other, frozenset())
            bench.refused(GenerationConflict, bench.service.set_aggregates, one, other, frozenset())
        assert bench.service.provider(one) == before

    def test_a_class_in_use_stays_and_may_shrink(self, bench: ServiceBench) -> None:
        one = bench.provider({VCPU: 4, MEMORY_MB: 4})
        bench.service.claim(bench.allocation({one: {VCPU: 3}}))
        now = bench.generation(one)
        less = FrozenMap({MEMORY_MB: Inventory(4)})
        error = bench.refused(InUse, bench.service.set_inventories, one, now, less)
        assert VCPU in f"{error.id} {error.by}"
        bench.service.set_inventories(one, now, FrozenMap({VCPU: Inventory(1)}))
        assert bench.used(one) == {VCPU: 3}

    def test_bad_parts_are_refused(self, bench: ServiceBench) -> None:
        one = bench.provider()
        before = bench.service.provider(one)
        now = before.provider.generation
        for bad in (
            Inventory(0),
            Inventory(1, reserved=-1),
            Inventory(1, reserved=2),
            Inventory(1, step_size=0),
            Inventory(2**31),
        ):
            stock = FrozenMap({VCPU: bad})
            bench.refused(InvalidInput, bench.service.set_inventories, one, now, stock)
        unknown: FrozenMap[ResourceClass, Inventory] = FrozenMap(
            {ResourceClass("NO_SUCH"): Inventory(1)}
        )
        bench.refused(InvalidInput, bench.service.set_inventories, one, now, unknown)
        bench.refused(
            InvalidInput, bench.service.set_traits, one, now, frozenset({Trait("NO_SUCH")})
        )
        assert bench.service.provider(one) == before

    def test_providers_are_found_by_what_they_are(self, bench: ServiceBench) -> None:
        trait = Trait(bench.custom())
        small = bench.provider({VCPU: 1}, traits=(trait,))
        large = bench.provider({VCPU: 8}, traits=(trait, AVX2))
        child = bench.provider({VCPU: 8}, traits=(trait,), parent=large)

        def found(wanted: RequestGroup) -> set[ProviderId]:
            return {node.id for node in bench.service.providers(wanted)}

        home = frozenset({frozenset({bench.home})})
        elsewhere = frozenset({frozenset({AggregateId(bench.uuid())})})
        assert found(group({}, required=(trait,))) == {small, large, child}
        assert found(group({VCPU: 2}, required=(trait,))) == {large, child}
        assert found(group({}, required=(trait,), forbidden=(AVX2,))) == {small, child}
        assert found(RequestGroup(member_of=home)) == {small, large}
        assert found(RequestGroup(member_of=elsewhere)) == set()
        assert found(group({}, in_tree=child)) == {large, child}
        nobody = Trait(bench.custom())
        assert found(group({}, required=(nobody,))) == set()
        assert found(group({}, required=(trait,), forbidden=(nobody,))) == {small, large, child}
        assert found(group({}, any_of=(nobody, AVX2), in_tree=child)) == {large}
        assert found(group({ResourceClass(bench.custom()): 1})) == set()


class PlacementServiceLaws(
    PlacementServiceNameLaws,
    PlacementServiceProviderLaws,
    PlacementServiceClaimLaws,
    PlacementServiceSearchLaws,
):
    """Subclass it with `open`."""
