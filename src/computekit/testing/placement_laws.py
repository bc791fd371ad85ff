"""What every `PlacementWriter` keeps, as tests to subclass (semantics: Placement API)."""

from functools import partial

from computekit.errors import (
    CapacityExceeded,
    CounterFull,
    GenerationConflict,
    InvalidInput,
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
from computekit.placement import Claim, CounterClaim, ProviderUse
from computekit.placement.ports import Held
from computekit.testing.placement_bench import PlacementBench, example_claim, example_tree
from computekit.testing.placement_claim_laws import PlacementClaimLaws
from computekit.testing.placement_group_laws import PlacementGroupLaws
from computekit.testing.placement_name_laws import PlacementNameLaws
from computekit.testing.placement_provider_laws import PlacementProviderLaws
from computekit.testing.placement_tree_laws import PlacementTreeLaws
from computekit.testing.store_laws import run_threads

__all__ = ["PlacementLaws"]


class PlacementLaws(
    PlacementTreeLaws,
    PlacementProviderLaws,
    PlacementNameLaws,
    PlacementClaimLaws,
    PlacementGroupLaws,
):
    """Subclass it with `open`."""

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
                            MEMORY_MB: Inventory(total=5, reserved=6, allocation_ratio=-0.5),
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
                    ProviderId("h"): FrozenMap({VCPU: 0, MEMORY_MB: -1}),
                    ProviderId("k"): FrozenMap(),
                }
            ),
        )
        counters = (
            CounterClaim("s", "n", 0, 1),
            CounterClaim("s", "n", 1, -1),
            CounterClaim("", "n", 1, 1),
        )
        error = bench.refused(InvalidInput, bench.placement.claim, (Claim(bad, counters),))
        assert {(fault.path.removeprefix("claims[0]."), fault.code) for fault in error.faults} == {
            ("consumer.id", "length"),
            ("consumer.project", "text"),
            ("consumer.user", "length"),
            ("consumer.type", "name"),
            ("resources[h][VCPU]", "range"),
            ("resources[h][MEMORY_MB]", "range"),
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

    def test_what_is_held_is_read_at_one_moment(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h", vcpu=50, children=0))
        bench.claim(example_claim("c", {"h": {VCPU: 1}}))
        last = 50

        def write() -> None:
            for n in range(1, last):
                bench.claim(example_claim("c", {"h": {VCPU: 1 + n % 7}}, generation=n))

        def read() -> None:
            while True:
                held = bench.placement.held(ConsumerId("c"))
                assert held.allocation is not None
                # Nobody else claims here, so both go up together.
                assert held.generations == {"h": held.allocation.consumer.generation}
                of = bench.placement.provider_held(ProviderId("h"))
                assert of is not None
                assert [one.resources[of.use.provider.id] for one in of.allocations] == [
                    of.use.used
                ]
                if held.allocation.consumer.generation == last:
                    return

        run_threads(write, read)
        assert bench.placement.held(ConsumerId("nobody")) == Held(None, {})
        assert bench.placement.provider_held(ProviderId("nowhere")) is None

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
