"""What every `PlacementWriter` keeps of claims and counters."""

import attrs
import pytest

from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    ClaimRefused,
    CounterFull,
    GenerationConflict,
    NoInventory,
    NotFound,
)
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
)
from computekit.placement import COUNTERS_CHANGED, Claim, CounterClaim, CounterHold
from computekit.testing.placement_bench import (
    CHILD_CLASS,
    PlacementBench,
    PlacementSuite,
    example_claim,
    example_tree,
)
from computekit.work import Tx

__all__ = ["PlacementClaimLaws"]


class PlacementClaimLaws(PlacementSuite):
    """Claims, and the counters that go with them."""

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
                bench.placement.claim(tx, (Claim(example_claim(consumer, {"k": {VCPU: 1}})),))

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
        assert {change.key for change in news.changes} == {"h", "h-dev0", "c"}
        bench.release("c")
        assert bench.store.head() == head + 1
        bench.check()

    def test_a_past_consumer_generation_conflicts(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {VCPU: 1}}))
        for name, seen, actual in (("c", 0, 1), ("c", 2, 1), ("new", 1, 0)):
            wanted = example_claim(name, {"h": {VCPU: 1}}, generation=seen)
            error = bench.refused(GenerationConflict, bench.placement.claim, (Claim(wanted),))
            assert (error.kind, error.id) == ("consumer", name)
            assert (error.expected, error.actual) == (seen, actual)

    def test_capacity_is_what_is_not_reserved_times_the_ratio(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        bench.claim(example_claim("c", {"h": {MEMORY_MB: 1000}}))
        error = bench.refused(
            CapacityExceeded,
            bench.placement.claim,
            (Claim(example_claim("d", {"h": {MEMORY_MB: 351}})),),
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
        for amount in (2**31, 2**63, 10**30):
            wanted = Claim(example_claim("more", {"h": {VCPU: amount}}))
            error = bench.refused(AmountNotAllowed, bench.placement.claim, (wanted,))
            assert (error.asked, error.rule) == (amount, "max_unit is 2147483647")
        bench.check()

    def test_unit_rules_are_named(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        for amount, rule in ((5, "min_unit"), (60, "max_unit"), (15, "step_size")):
            wanted = example_claim("c", {"h": {DISK_GB: amount}})
            error = bench.refused(AmountNotAllowed, bench.placement.claim, (Claim(wanted),))
            assert rule in error.rule
            assert (error.provider, error.resource_class, error.asked) == ("h", DISK_GB, amount)

    def test_a_missing_inventory_is_named(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        for provider, name in (("h", CHILD_CLASS), ("gone", VCPU)):
            wanted = example_claim("c", {provider: {name: 1}})
            error = bench.refused(NoInventory, bench.placement.claim, (Claim(wanted),))
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
            bench.refused(kind, bench.placement.claim, (Claim(wanted, full),))
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
                tx, (Claim(example_claim("c", {"h": {VCPU: 5}}, generation=1)),)
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
                        (
                            Claim(
                                example_claim(
                                    "c", {f"{name}-dev0": {CHILD_CLASS: 1}, name: {VCPU: 2}}
                                ),
                                (CounterClaim("s", name, 1, 1),),
                            ),
                        ),
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
                (
                    Claim(
                        example_claim("c", {"h-dev0": {CHILD_CLASS: 1}}, generation=1),
                        (CounterClaim("s", "n", 2, 9), CounterClaim("s", "m", 2, 9)),
                    ),
                ),
            )
            placement.claim(tx, (Claim(example_claim("d", {"h": {VCPU: 1}})),))
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
            (Claim(example_claim("c", {"h": {VCPU: 1}}), (one,)),),
        )
        assert (error.scope, error.name, error.asked) == ("group:g", "host", 1)
        assert (error.used, error.bound) == (2, 2)
        bench.claim(
            example_claim("a", {"h": {VCPU: 1}}, generation=1), CounterClaim("limit", "p", 4, 10)
        )
        assert bench.placement.counter("group:g", "host") == 1
        assert bench.placement.counter("limit", "p") == 4
        bench.claim(example_claim("c", {"h": {VCPU: 1}}), one)

    def test_who_holds_a_counter_is_told(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        vcpu = {"h": {VCPU: 1}}
        bench.claim(example_claim("c", vcpu), CounterClaim("a", "x", 1, 9))
        bench.claim(
            example_claim("b", vcpu), CounterClaim("b", "x", 2, 9), CounterClaim("a", "y", 3, 9)
        )
        bench.claim(example_claim("a", vcpu))
        first, last = ConsumerId("b"), ConsumerId("c")
        b = CounterHold(first, "a", "y", 3), CounterHold(first, "b", "x", 2)
        c = CounterHold(last, "a", "x", 1)
        counted = bench.placement.counted
        assert counted() == (*b, c)
        assert counted(frozenset({first, ConsumerId("a")})) == b
        assert counted(scope="a") == (b[0], c)
        assert counted(frozenset({last}), "b") == ()
        bench.release("b")
        assert counted() == (c,)
        assert counted(scope="b") == ()

    def test_counters_of_a_scope_are_read_by_how_they_begin(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        for consumer, name in (("a", "x_=1"), ("b", "x_=2"), ("c", "xy=1"), ("d", "x_=2")):
            counters = CounterClaim("s", name, 2, 9), CounterClaim("t", name, 1, 9)
            bench.claim(example_claim(consumer, {"h": {VCPU: 1}}), *counters)
        counters_of = bench.placement.counters
        assert counters_of("s", "x_=") == {"x_=1": 2, "x_=2": 4}
        assert counters_of("t") == {"x_=1": 1, "x_=2": 2, "xy=1": 1}
        assert counters_of("s", "z") == counters_of("u") == {}
        bench.release("a")
        bench.release("b")
        assert counters_of("s", "x_=") == {"x_=2": 2}

    def test_replicas_hear_of_counters(self, bench: PlacementBench) -> None:
        def heard(since: int) -> set[str]:
            news = bench.store.changes(since)
            assert news is not None
            return {change.key for change in news.changes if change.kind == COUNTERS_CHANGED}

        bench.put(example_tree("h"))
        head = bench.store.head()
        bench.claim(example_claim("a", {"h": {VCPU: 1}}))
        assert heard(head) == set()
        bench.claim(example_claim("b", {"h": {VCPU: 1}}), CounterClaim("a", "x", 1, 9))
        assert heard(head) == {"b"}
        head = bench.store.head()
        bench.claim(
            example_claim("b", {"h": {VCPU: 2}}, generation=1), CounterClaim("a", "x", 1, 9)
        )
        bench.release("a")
        assert heard(head) == set()
        bench.release("b")
        assert heard(head) == {"b"}

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

    def test_a_claim_may_take_many_counters(self, bench: PlacementBench) -> None:
        many = tuple(CounterClaim("s", f"n{number}", 1, 1) for number in range(1100))
        bench.claim(example_claim("a", {}), *many)
        full = Claim(example_claim("b", {}), many[-1:])
        bench.refused(CounterFull, bench.placement.claim, (full,))
        assert bench.placement.counter("s", "n0") == bench.placement.counter("s", "n1099") == 1
        bench.claim(example_claim("a", {}, generation=1), *many)
        bench.release("a")
        assert bench.placement.counter("s", "n1099") == 0
