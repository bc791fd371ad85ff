"""What every `PlacementService` keeps of consumers: claims, releases, usages, reshapes."""

from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    GenerationConflict,
    InUse,
    InvalidInput,
    NoInventory,
    NotFound,
)
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import MEMORY_MB, VCPU, FrozenMap, Inventory, ResourceClass
from computekit.placement import Reshaped, Usage
from computekit.testing.placement_service_bench import ServiceBench, ServiceSuite

__all__ = ["PlacementServiceClaimLaws"]


class PlacementServiceClaimLaws(ServiceSuite):
    """Who holds what."""

    def test_a_claim_is_held_until_it_is_released(self, bench: ServiceBench) -> None:
        a, b = bench.provider({VCPU: 4}), bench.provider({VCPU: 4, MEMORY_MB: 9})
        start = bench.generation(a)
        claim = bench.allocation({a: {VCPU: 2}, b: {VCPU: 1, MEMORY_MB: 5}}, kind="MIGRATION")
        bench.service.claim(claim)
        held = bench.held(claim.consumer.id)
        assert held.resources == claim.resources
        assert (
            held.consumer
            == bench.allocation({}, claim.consumer.id, kind="MIGRATION", generation=1).consumer
        )
        assert bench.used(b) == {VCPU: 1, MEMORY_MB: 5}
        assert bench.generation(a) == start + 1
        (part,) = bench.service.allocations(a)
        assert part.consumer == held.consumer
        assert part.resources == {a: {VCPU: 2}}
        bench.service.release(claim.consumer.id)
        assert bench.service.allocation(claim.consumer.id) is None
        assert bench.used(b) == {}
        assert bench.service.allocations(a) == ()
        assert bench.generation(a) == start + 1
        bench.service.release(claim.consumer.id)  # again, and nothing happens

    def test_a_claim_returns_what_is_held_now(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 9})
        one, two = (bench.allocation({a: {VCPU: 1}}, kind="MIGRATION") for _ in range(2))
        granted = bench.service.claim(one, two)
        assert granted == tuple(bench.held(claim.consumer.id) for claim in (one, two))
        assert [held.consumer.generation for held in granted] == [1, 1]
        who = one.consumer.id
        untyped = bench.allocation({a: {VCPU: 2}}, who, kind=None, generation=1)
        (again,) = bench.service.claim(untyped)
        assert again == bench.held(who)
        assert again.consumer.type == "MIGRATION"
        (none,) = bench.service.claim(bench.allocation({}, who, kind=None, generation=2))
        assert none.consumer.generation == 0
        assert not none.resources
        assert none.consumer.type == "MIGRATION"

    def test_a_claim_replaces_all_that_was_held(self, bench: ServiceBench) -> None:
        a, b = bench.provider({VCPU: 4, MEMORY_MB: 4}), bench.provider({VCPU: 4})
        claim = bench.allocation({a: {VCPU: 4, MEMORY_MB: 1}})
        bench.service.claim(claim)
        who = claim.consumer.id
        bench.service.claim(bench.allocation({a: {VCPU: 3}, b: {VCPU: 1}}, who, generation=1))
        assert bench.used(a) == {VCPU: 3}
        assert bench.used(b) == {VCPU: 1}
        assert bench.held(who).consumer.generation == 2

    def test_a_claim_of_another_generation_changes_nothing(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 4})
        who = ConsumerId(bench.uuid())
        late = bench.allocation({a: {VCPU: 1}}, who, generation=3)
        bench.refused(GenerationConflict, bench.service.claim, late)
        bench.service.claim(bench.allocation({a: {VCPU: 1}}, who))
        for generation in (0, 2):
            again = bench.allocation({a: {VCPU: 2}}, who, generation=generation)
            error = bench.refused(GenerationConflict, bench.service.claim, again)
            assert (error.kind, error.id) == ("consumer", who)
            assert (error.expected or 0, error.actual) == (generation, 1)
        assert bench.used(a) == {VCPU: 1}

    def test_what_does_not_fit_is_refused_with_its_numbers(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: Inventory(4, reserved=1, allocation_ratio=2.0)})
        bench.service.claim(bench.allocation({a: {VCPU: 4}}))
        claim = bench.allocation({a: {VCPU: 3}})
        error = bench.refused(CapacityExceeded, bench.service.claim, claim)
        assert (error.provider, error.resource_class) == (a, VCPU)
        assert (error.asked, error.used, error.capacity) == (3, 4, 6)
        assert bench.service.allocation(claim.consumer.id) is None
        # A consumer that was refused is still a new one.
        bench.service.claim(bench.allocation({a: {VCPU: 2}}, claim.consumer.id))
        assert bench.held(claim.consumer.id).consumer.generation >= 1

    def test_amounts_keep_the_rules_of_units(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: Inventory(20, min_unit=2, max_unit=8, step_size=2)})
        for amount, rule in ((1, "min_unit"), (10, "max_unit"), (5, "step_size")):
            claim = bench.allocation({a: {VCPU: amount}})
            error = bench.refused(AmountNotAllowed, bench.service.claim, claim)
            assert (error.provider, error.resource_class, error.asked) == (a, VCPU, amount)
            assert rule in error.rule

    def test_what_a_provider_has_not_is_refused(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 4})
        unknown = ResourceClass(bench.custom())
        for name in (MEMORY_MB, unknown):
            claim = bench.allocation({a: {name: 1}})
            error = bench.refused(NoInventory, bench.service.claim, claim)
            assert (error.provider, error.resource_class) == (a, name)
        nobody = ProviderId(bench.uuid())
        error = bench.refused(
            NoInventory, bench.service.claim, bench.allocation({nobody: {VCPU: 1}})
        )
        assert (error.provider, error.resource_class) == (nobody, VCPU)

    def test_bad_claims_are_refused(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 4})
        who = ConsumerId(bench.uuid())
        for bad in (
            bench.allocation({a: {VCPU: 0}}, who),
            bench.allocation({a: {VCPU: -1}}, who),
            bench.allocation({a: {}}, who),
            bench.allocation({a: {VCPU: 1}}, who, kind="lower"),
            bench.allocation({a: {VCPU: 1}}, who, project="p" * 256),
            bench.allocation({a: {VCPU: 1}}, who, user=""),
        ):
            bench.refused(InvalidInput, bench.service.claim, bad)
        assert bench.used(a) == {}

    def test_many_claims_are_one(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 4})
        one, two = bench.allocation({a: {VCPU: 2}}), bench.allocation({a: {VCPU: 3}})
        bench.refused(CapacityExceeded, bench.service.claim, one, two)
        assert bench.used(a) == {}
        assert bench.service.allocation(one.consumer.id) is None
        three = bench.allocation({a: {VCPU: 2}})
        bench.service.claim(one, three)
        assert bench.used(a) == {VCPU: 4}
        assert [held.consumer.id for held in bench.service.allocations(a)] == sorted(
            (one.consumer.id, three.consumer.id)
        )

    def test_a_move_needs_no_room_for_both(self, bench: ServiceBench) -> None:
        a, b = bench.provider({VCPU: 4}), bench.provider({VCPU: 4})
        instance = bench.allocation({a: {VCPU: 4}})
        bench.service.claim(instance)
        who = instance.consumer.id
        migration = bench.allocation({a: {VCPU: 4}}, kind="MIGRATION")
        bench.service.claim(bench.allocation({b: {VCPU: 4}}, who, generation=1), migration)
        assert bench.used(a) == bench.used(b) == {VCPU: 4}
        # And back: one is forgotten, the other takes its place.
        nothing = bench.allocation({}, migration.consumer.id, kind="MIGRATION", generation=1)
        bench.service.claim(bench.allocation({a: {VCPU: 4}}, who, generation=2), nothing)
        assert bench.service.allocation(migration.consumer.id) is None
        assert bench.used(a) == {VCPU: 4}
        assert bench.used(b) == {}

    def test_an_empty_claim_forgets_the_consumer(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 4})
        claim = bench.allocation({a: {VCPU: 4}})
        who = claim.consumer.id
        bench.service.claim(claim)
        bench.refused(GenerationConflict, bench.service.claim, bench.allocation({}, who))
        bench.service.claim(bench.allocation({}, who, generation=1))
        assert bench.service.allocation(who) is None
        bench.service.claim(bench.allocation({}, who))  # nothing to forget
        bench.service.claim(claim)  # a new one again
        assert bench.held(who).consumer.generation == 1

    def test_a_claim_without_a_type_keeps_it(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 4})
        claim = bench.allocation({a: {VCPU: 1}}, kind="MIGRATION")
        who = claim.consumer.id
        bench.service.claim(claim)
        bench.service.claim(bench.allocation({a: {VCPU: 2}}, who, kind=None, generation=1))
        assert bench.held(who).consumer.type == "MIGRATION"
        new = bench.allocation({a: {VCPU: 1}}, kind=None)
        bench.service.claim(new)
        assert bench.held(new.consumer.id).consumer.type is None
        bench.service.claim(bench.allocation({a: {VCPU: 1}}, new.consumer.id, generation=1))
        assert bench.held(new.consumer.id).consumer.type == "INSTANCE"

    def test_who_gave_too_much_may_lower_it(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 8})
        claim = bench.allocation({a: {VCPU: 8}})
        who = claim.consumer.id
        bench.service.claim(claim)
        shrunk = FrozenMap({VCPU: Inventory(2)})
        bench.service.set_inventories(a, bench.generation(a), shrunk)
        more = bench.allocation({a: {VCPU: 1}})
        bench.refused(CapacityExceeded, bench.service.claim, more)
        bench.service.claim(bench.allocation({a: {VCPU: 7}}, who, generation=1))
        assert bench.used(a) == {VCPU: 7}

    def test_usages_are_by_project_user_and_type(self, bench: ServiceBench) -> None:
        a = bench.provider({VCPU: 40, MEMORY_MB: 40})
        project = bench.uuid()
        for user, kind, amounts in (
            ("u1", "INSTANCE", {VCPU: 1, MEMORY_MB: 2}),
            ("u2", "INSTANCE", {VCPU: 3}),
            ("u1", "MIGRATION", {VCPU: 5}),
            ("u2", None, {VCPU: 7}),
        ):
            bench.service.claim(
                bench.allocation({a: amounts}, kind=kind, project=project, user=user)
            )
        assert bench.service.usages(ProjectId(project)) == {
            "INSTANCE": Usage(2, FrozenMap({VCPU: 4, MEMORY_MB: 2})),
            "MIGRATION": Usage(1, FrozenMap({VCPU: 5})),
            None: Usage(1, FrozenMap({VCPU: 7})),
        }
        assert bench.service.usages(ProjectId(project), UserId("u1")) == {
            "INSTANCE": Usage(1, FrozenMap({VCPU: 1, MEMORY_MB: 2})),
            "MIGRATION": Usage(1, FrozenMap({VCPU: 5})),
        }
        assert bench.service.usages(ProjectId(bench.uuid())) == {}

    def test_a_reshape_moves_inventory_with_what_is_held(self, bench: ServiceBench) -> None:
        root = bench.provider({VCPU: 4, MEMORY_MB: 9})
        cell = bench.provider(parent=root)
        claim = bench.allocation({root: {VCPU: 3, MEMORY_MB: 2}})
        who = claim.consumer.id
        bench.service.claim(claim)
        moved = {
            root: Reshaped(bench.generation(root), FrozenMap({MEMORY_MB: Inventory(9)})),
            cell: Reshaped(bench.generation(cell), FrozenMap({VCPU: Inventory(4)})),
        }
        after = bench.allocation({root: {MEMORY_MB: 2}, cell: {VCPU: 3}}, who, generation=1)
        bench.service.reshape(moved, (after,))
        assert bench.used(root) == {MEMORY_MB: 2}
        assert bench.used(cell) == {VCPU: 3}
        assert set(bench.service.provider(root).provider.inventories) == {MEMORY_MB}
        assert bench.held(who).resources == after.resources

    def test_a_reshape_that_is_refused_changes_nothing(self, bench: ServiceBench) -> None:
        root = bench.provider({VCPU: 4})
        claim = bench.allocation({root: {VCPU: 3}})
        who = claim.consumer.id
        bench.service.claim(claim)
        now = bench.generation(root)
        before = bench.service.provider(root)
        empty: FrozenMap[ResourceClass, Inventory] = FrozenMap()
        stale = {root: Reshaped(now - 1, empty)}
        error = bench.refused(GenerationConflict, bench.service.reshape, stale, ())
        assert (error.kind, error.id, error.actual) == ("provider", root, now)
        nobody = ProviderId(bench.uuid())
        bench.refused(NotFound, bench.service.reshape, {nobody: Reshaped(0, empty)}, ())
        bench.refused(InUse, bench.service.reshape, {root: Reshaped(now, empty)}, ())
        small = {root: Reshaped(now, FrozenMap({VCPU: Inventory(8)}))}
        too_much = bench.allocation({root: {VCPU: 9}}, who, generation=1)
        bench.refused(CapacityExceeded, bench.service.reshape, small, (too_much,))
        assert bench.service.provider(root) == before
