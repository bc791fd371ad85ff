"""What every `PlacementWriter` keeps of claims of several consumers, and of a reshape."""

from collections.abc import Mapping

import attrs

from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    CounterFull,
    GenerationConflict,
    InUse,
    InvalidInput,
    NoInventory,
    NotFound,
)
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Allocation,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
)
from computekit.placement import Claim, CounterClaim, Reshaped, Usage
from computekit.testing.placement_bench import (
    PlacementBench,
    PlacementSuite,
    example_claim,
    example_tree,
)

__all__ = ["PlacementGroupLaws"]

Wants = Mapping[str, Mapping[ResourceClass, int]]


def claim_all(bench: PlacementBench, *claims: tuple[str, Wants, int]) -> tuple[Allocation, ...]:
    """Claim for several (consumer, wants, generation) at once."""
    return bench.write(bench.placement.claim, wanted(*claims))


def wanted(*claims: tuple[str, Wants, int]) -> tuple[Claim, ...]:
    """Return claims of (consumer, wants, generation)."""
    return tuple(Claim(example_claim(c, wants, generation=g)) for c, wants, g in claims)


def small(name: str, **inventories: int) -> ProviderTree:
    """Return a provider with these totals."""
    offers = FrozenMap({ResourceClass(n): Inventory(total) for n, total in inventories.items()})
    return ProviderTree((Provider(ProviderId(name), name, inventories=offers),))


class PlacementGroupLaws(PlacementSuite):
    """Several consumers at once, their types, times and sums."""

    # ---- claims of several

    def test_several_claims_are_granted_together(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.put(example_tree("k"))
        head = bench.store.head()
        granted = claim_all(
            bench, ("c", {"h": {VCPU: 2}, "k": {VCPU: 1}}, 0), ("b", {"h": {VCPU: 3}}, 0)
        )
        assert [a.consumer.id for a in granted] == ["c", "b"]
        assert [a.consumer.generation for a in granted] == [1, 1]
        assert bench.store.head() == head + 1
        assert (bench.used("h"), bench.used("k")) == ({VCPU: 5}, {VCPU: 1})
        assert (bench.generation("h"), bench.generation("k")) == (1, 1)
        assert bench.placement.allocations(ProviderId("h")) == granted[::-1]
        assert claim_all(bench) == ()
        bench.check()

    def test_a_move_needs_no_room_for_both(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("server", {"h": {VCPU: 8, MEMORY_MB: 1}}))
        moved = claim_all(
            bench, ("migration", {"h": {VCPU: 8, MEMORY_MB: 1}}, 0), ("server", {}, 1)
        )
        assert [a.consumer.generation for a in moved] == [1, 0]
        assert bench.placement.allocation(ConsumerId("server")) is None
        assert bench.used("h") == {VCPU: 8, MEMORY_MB: 1}
        swapped = claim_all(
            bench, ("a", {"h": {VCPU: 3}}, 0), ("b", {"h": {VCPU: 5}}, 0), ("migration", {}, 1)
        )
        assert len(swapped) == 3
        assert bench.used("h") == {VCPU: 8}
        bench.check()

    def test_an_overcommitted_provider_lets_move(self, bench: PlacementBench) -> None:
        root = bench.put(small("h", VCPU=8)).root
        bench.claim(example_claim("a", {"h": {VCPU: 8}}))
        bench.write(bench.placement.set_inventories, root.id, 1, FrozenMap({VCPU: Inventory(2)}))
        claim_all(bench, ("b", {"h": {VCPU: 8}}, 0), ("a", {}, 1))
        claim_all(bench, ("b", {"h": {VCPU: 3}}, 1), ("a", {"h": {VCPU: 4}}, 0))
        more = wanted(("b", {"h": {VCPU: 4}}, 2), ("a", {"h": {VCPU: 4}}, 1))
        error = bench.refused(CapacityExceeded, bench.placement.claim, more)
        assert (error.asked, error.used, error.capacity) == (8, 0, 2)
        bench.check()

    def test_what_several_ask_for_is_judged_together(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("x", {"h": {VCPU: 1}}))
        both = wanted(("a", {"h": {VCPU: 4}}, 0), ("b", {"h": {VCPU: 4}}, 0))
        error = bench.refused(CapacityExceeded, bench.placement.claim, both)
        assert (error.asked, error.used, error.capacity) == (8, 1, 8)
        units = wanted(("a", {"h": {DISK_GB: 50}}, 0), ("b", {"h": {DISK_GB: 15}}, 0))
        assert bench.refused(AmountNotAllowed, bench.placement.claim, units).asked == 15
        nowhere = wanted(("a", {"h": {VCPU: 1}}, 0), ("b", {"z": {VCPU: 1}}, 0))
        assert bench.refused(NoInventory, bench.placement.claim, nowhere).provider == "z"
        stale = wanted(("a", {"z": {VCPU: 1}}, 0), ("x", {"h": {VCPU: 1}}, 0))
        assert bench.refused(GenerationConflict, bench.placement.claim, stale).id == "x"
        slots = tuple(
            attrs.evolve(claim, counters=(CounterClaim("s", "n", 2, 3),))
            for claim in wanted(("a", {}, 0), ("b", {}, 0))
        )
        full = bench.refused(CounterFull, bench.placement.claim, slots)
        assert (full.asked, full.used, full.bound) == (4, 0, 3)

    def test_counters_move_with_claims(self, bench: PlacementBench) -> None:
        slot = (CounterClaim("s", "n", 3, 3),)
        bench.claim(example_claim("a", {}), *slot)
        bench.write(
            bench.placement.claim,
            (Claim(example_claim("b", {}), slot), Claim(example_claim("a", {}, generation=1))),
        )
        assert bench.placement.counter("s", "n") == 3
        assert bench.placement.allocation(ConsumerId("a")) is None
        bench.release("b")
        assert bench.placement.counter("s", "n") == 0

    def test_a_consumer_claims_once(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        twice = wanted(("a", {"h": {VCPU: 1}}, 0), ("a", {"h": {VCPU: 0}}, 0))
        error = bench.refused(InvalidInput, bench.placement.claim, twice)
        assert {(fault.path, fault.code) for fault in error.faults} == {
            ("claims[1].consumer.id", "duplicate"),
            ("claims[1].resources[h][VCPU]", "range"),
        }

    def test_an_empty_claim_of_an_unknown_consumer_leaves_nothing(
        self, bench: PlacementBench
    ) -> None:
        bench.put(example_tree("h"))
        head = bench.store.head()
        for _ in range(2):
            (nothing,) = claim_all(bench, ("a", {}, 0))
            assert nothing.consumer.generation == 0
        assert bench.store.head() == head
        assert bench.placement.consumers() == ()
        (first,) = claim_all(bench, ("a", {"h": {VCPU: 1}}, 0))
        assert first.consumer.generation == 1

    # ---- consumers

    def test_a_type_stays_until_another_is_given(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        generation = 0
        for given, kept in ((None, None), ("A_1", "A_1"), (None, "A_1"), ("B", "B")):
            claim = example_claim("c", {"h": {VCPU: 1}}, generation=generation)
            consumer = attrs.evolve(claim.consumer, type=given)
            granted = bench.claim(attrs.evolve(claim, consumer=consumer))
            assert granted.consumer.type == kept
            assert bench.placement.allocation(ConsumerId("c")) == granted
            generation = granted.consumer.generation

    def test_usages_are_summed_by_type(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.put(example_tree("k"))
        for name, project, user, kind, wants in (
            ("a", "p", "u", "INSTANCE", {"h": {VCPU: 1, MEMORY_MB: 5}, "k": {VCPU: 2}}),
            ("b", "p", "v", "INSTANCE", {"h": {VCPU: 1}}),
            ("c", "p", "u", "MIGRATION", {"k": {VCPU: 1}}),
            ("d", "p", "u", None, {"k": {MEMORY_MB: 3}}),
            ("e", "q", "u", None, {"k": {MEMORY_MB: 3}}),
        ):
            claim = example_claim(name, wants)
            consumer = attrs.evolve(
                claim.consumer, project=ProjectId(project), user=UserId(user), type=kind
            )
            bench.claim(attrs.evolve(claim, consumer=consumer))
        bench.claim(example_claim("f", {}), CounterClaim("s", "n", 1, 1))
        usages = bench.placement.usages
        assert usages(ProjectId("p")) == {
            "INSTANCE": Usage(2, FrozenMap({VCPU: 4, MEMORY_MB: 5})),
            "MIGRATION": Usage(1, FrozenMap({VCPU: 1})),
            None: Usage(1, FrozenMap({MEMORY_MB: 3})),
        }
        assert usages(ProjectId("p"), UserId("v")) == {"INSTANCE": Usage(1, FrozenMap({VCPU: 1}))}
        assert usages(ProjectId("p"), UserId("w")) == usages(ProjectId("r")) == {}
        assert usages(ProjectId("project")) == {}

    def test_consumers_come_page_by_page(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        granted = [bench.claim(example_claim(f"c{n}", {"h": {VCPU: 1}})) for n in range(7)]
        pages: list[Allocation] = []
        after: ConsumerId | None = None
        while page := bench.placement.consumers(after, 3):
            assert len(page) <= 3
            pages += page
            after = page[-1].consumer.id
        assert pages == granted
        assert bench.placement.consumers() == tuple(granted)

    def test_rows_say_when_they_were_written(self, bench: PlacementBench) -> None:
        before_s = bench.clock.wall_s()
        bench.put(example_tree("h"))
        granted = bench.claim(example_claim("c", {"h": {VCPU: 1}}))
        assert granted.consumer.updated_s >= before_s
        read = bench.placement.allocation(ConsumerId("c"))
        assert read is not None
        assert read.consumer.updated_s == granted.consumer.updated_s
        for use in bench.placement.uses():
            assert use.updated_s >= before_s

    # ---- reshape

    def test_a_reshape_moves_inventories_and_what_is_held(self, bench: PlacementBench) -> None:
        bench.put(small("h", VCPU=4, MEMORY_MB=100))
        bench.put(small("cell", DISK_GB=1))
        bench.claim(example_claim("a", {"h": {VCPU: 4, MEMORY_MB: 60}}))
        bench.claim(example_claim("b", {"h": {MEMORY_MB: 40}}))
        granted = bench.write(
            bench.placement.reshape,
            {
                ProviderId("h"): Reshaped(2, FrozenMap({MEMORY_MB: Inventory(200)})),
                ProviderId("cell"): Reshaped(0, FrozenMap({VCPU: Inventory(4)})),
            },
            wanted(("a", {"h": {MEMORY_MB: 160}, "cell": {VCPU: 4}}, 1)),
        )
        assert [a.consumer.generation for a in granted] == [2]
        assert (bench.used("h"), bench.used("cell")) == ({MEMORY_MB: 200}, {VCPU: 4})
        host, cell = (bench.placement.provider(ProviderId(p)) for p in ("h", "cell"))
        assert host is not None
        assert cell is not None
        assert host.inventories == {MEMORY_MB: Inventory(200)}
        assert cell.inventories == {VCPU: Inventory(4)}
        assert (host.generation, cell.generation) == (5, 3)
        bench.check()

    def test_a_reshape_that_is_refused_leaves_all_as_it_was(self, bench: PlacementBench) -> None:
        bench.put(small("h", VCPU=4))
        bench.put(small("k"))
        bench.claim(example_claim("a", {"h": {VCPU: 2}}))
        bench.claim(example_claim("b", {"h": {VCPU: 2}}))
        h, k, gone = ProviderId("h"), ProviderId("k"), ProviderId("gone")
        nothing, four = FrozenMap[ResourceClass, Inventory](), FrozenMap({VCPU: Inventory(4)})
        reshape = bench.placement.reshape
        moved = wanted(("a", {"k": {VCPU: 2}}, 1))
        both = wanted(("a", {"k": {VCPU: 2}}, 1), ("b", {"k": {VCPU: 2}}, 1))

        error = bench.refused(
            InUse, reshape, {h: Reshaped(2, nothing), k: Reshaped(0, four)}, moved
        )
        assert (error.id, error.by) == ("VCPU of h", "consumer b")
        three = FrozenMap({VCPU: Inventory(3)})
        full = bench.refused(
            CapacityExceeded, reshape, {h: Reshaped(2, nothing), k: Reshaped(0, three)}, both
        )
        assert (full.provider, full.asked, full.capacity) == ("k", 4, 3)
        bench.refused(NoInventory, reshape, {h: Reshaped(2, nothing)}, both)
        bench.refused(NotFound, reshape, {gone: Reshaped(0, four)}, ())
        old = bench.refused(GenerationConflict, reshape, {h: Reshaped(1, four)}, moved)
        assert (old.kind, old.id, old.expected, old.actual) == ("provider", "h", 1, 2)
        stale = wanted(("a", {"h": {VCPU: 2}}, 0))
        assert bench.refused(GenerationConflict, reshape, {}, stale).kind == "consumer"
        bad = {h: Reshaped(2, FrozenMap({VCPU: Inventory(0)}))}
        faults = bench.refused(InvalidInput, reshape, bad, wanted(("", {}, 0))).faults
        assert {f.path for f in faults} == {"inventories[h][VCPU].total", "claims[0].consumer.id"}

        bench.write(reshape, {h: Reshaped(2, nothing), k: Reshaped(0, four)}, both)
        assert (bench.used("h"), bench.used("k")) == ({}, {VCPU: 4})
        bench.check()

    def test_a_reshape_may_shrink_below_use(self, bench: PlacementBench) -> None:
        bench.put(small("h", VCPU=4))
        bench.claim(example_claim("a", {"h": {VCPU: 4}}))
        h, two = ProviderId("h"), FrozenMap({VCPU: Inventory(2)})
        bench.write(bench.placement.reshape, {h: Reshaped(1, two)}, ())
        assert (bench.used("h"), bench.generation("h")) == ({VCPU: 4}, 3)
        custom = FrozenMap({VCPU: Inventory(2), ResourceClass("CUSTOM_NEW"): Inventory(1)})
        bench.write(bench.placement.reshape, {h: Reshaped(3, custom)}, ())
        assert ResourceClass("CUSTOM_NEW") in bench.placement.resource_classes()
