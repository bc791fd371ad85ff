"""What every `PlacementService` keeps of candidate searches.

The order of candidates is no law here: genuine Placement has none.
"""

import attrs

from computekit.errors import InvalidInput
from computekit.ids import AggregateId, ProviderId
from computekit.model import DISK_GB, MEMORY_MB, VCPU, Inventory, ResourceClass, Trait
from computekit.testing.placement_service_bench import (
    SHARING,
    ServiceBench,
    ServiceSuite,
    group,
    shown,
)

__all__ = ["PlacementServiceSearchLaws"]

VF = ResourceClass("SRIOV_NET_VF")
NUMA = Trait("HW_NUMA_ROOT")
AVX2 = Trait("HW_CPU_X86_AVX2")


def nested(bench: ServiceBench) -> tuple[ProviderId, list[ProviderId], list[ProviderId]]:
    """Return a host with two cells, and a network device below each."""
    root = bench.provider({DISK_GB: 100}, traits=(AVX2,))
    cells = [bench.provider({VCPU: 4}, traits=(NUMA,), parent=root) for _ in range(2)]
    devices = [bench.provider({VF: 2}, parent=cell) for cell in cells]
    return root, cells, devices


class PlacementServiceSearchLaws(ServiceSuite):
    """Where a request fits."""

    def test_each_host_that_fits_is_a_candidate(self, bench: ServiceBench) -> None:
        one, two = (bench.provider({VCPU: 4, MEMORY_MB: 10}) for _ in range(2))
        full = bench.provider({VCPU: 4, MEMORY_MB: 10})
        bench.provider({VCPU: 4})
        bench.service.claim(bench.allocation({full: {VCPU: 3}}))
        page = bench.find(group({VCPU: 2, MEMORY_MB: 1}))
        assert {c.root for c in page.candidates} == {one, two}
        for found in page.candidates:
            assert found.allocation == {found.root: {VCPU: 2, MEMORY_MB: 1}}
            assert found.mappings == {"": (found.root,)}
            summary = page.providers[found.root]
            assert summary.capacity == {VCPU: 4, MEMORY_MB: 10}
            assert not any(summary.used.values())
        assert set(page.providers) == {one, two}
        assert {c.root for c in bench.find(group({VCPU: 1})).candidates} > {one, two, full}

    def test_limit_is_the_most_that_come(self, bench: ServiceBench) -> None:
        for _ in range(4):
            bench.provider({VCPU: 1})
        page = bench.find(group({VCPU: 1}), limit=3)
        assert len(page.candidates) == 3
        assert set(page.providers) == {c.root for c in page.candidates}

    def test_a_candidate_can_be_claimed(self, bench: ServiceBench) -> None:
        _, _, devices = nested(bench)
        (found, _) = bench.find(group({DISK_GB: 10}), group({VF: 2}, "1")).candidates
        claim = bench.allocation(found.allocation)
        bench.service.claim(claim)
        assert bench.held(claim.consumer.id).resources == found.allocation
        (other,) = bench.find(group({DISK_GB: 10}), group({VF: 2}, "1")).candidates
        assert {*found.allocation, *other.allocation} >= set(devices)

    def test_the_unsuffixed_group_may_span_a_tree(self, bench: ServiceBench) -> None:
        root, cells, _ = nested(bench)
        page = bench.find(group({DISK_GB: 10, VCPU: 2}))
        assert shown(page.candidates) == sorted(
            ({root: {DISK_GB: 10}, cell: {VCPU: 2}} for cell in cells),
            key=lambda a: sorted((p, sorted(r.items())) for p, r in a.items()),
        )
        assert {c.root for c in page.candidates} == {root}
        assert {p for p, s in page.providers.items() if s.parent is None} == {root}
        assert len(page.providers) == 5  # what gives nothing is shown too
        assert {s.root for s in page.providers.values()} == {root}

    def test_a_suffixed_group_is_one_provider(self, bench: ServiceBench) -> None:
        nested(bench)
        assert bench.find(group({DISK_GB: 1}), group({VCPU: 1, VF: 1}, "_X")).candidates == ()
        page = bench.find(group({DISK_GB: 1}), group({VCPU: 1}, "_X"))
        for found in page.candidates:
            assert set(found.mappings) == {"", "_X"}
            (cell,) = found.mappings["_X"]
            assert found.allocation[cell] == {VCPU: 1}
        assert len(page.candidates) == 2

    def test_isolated_groups_do_not_share_a_provider(self, bench: ServiceBench) -> None:
        nested(bench)
        groups = (group({DISK_GB: 1}), group({VF: 1}, "1"), group({VF: 1}, "2"))
        assert len(bench.find(*groups, group_policy="none").candidates) == 4
        page = bench.find(*groups, group_policy="isolate")
        assert len(page.candidates) == 2
        for found in page.candidates:
            assert found.mappings["1"] != found.mappings["2"]
        assert len(bench.find(groups[0], groups[1]).candidates) == 2

    def test_groups_on_one_provider_need_room_for_their_sum(self, bench: ServiceBench) -> None:
        root = bench.provider({DISK_GB: 1})
        bench.provider({VF: 3}, parent=root)
        two = (group({VF: 2}, "1"), group({VF: 2}, "2"))
        assert bench.find(group({DISK_GB: 1}), *two, group_policy="none").candidates == ()

    def test_the_same_subtree_holds_groups_together(self, bench: ServiceBench) -> None:
        _, cells, devices = nested(bench)
        wanted = (group({DISK_GB: 1}), group({VCPU: 1}, "_C"), group({VF: 1}, "_N"))
        assert len(bench.find(*wanted, group_policy="none").candidates) == 4
        together = (frozenset({"_C", "_N"}),)
        page = bench.find(*wanted, group_policy="none", same_subtree=together)
        pairs = {(c.mappings["_C"][0], c.mappings["_N"][0]) for c in page.candidates}
        assert pairs == set(zip(cells, devices, strict=True))

    def test_a_group_without_resources_says_where(self, bench: ServiceBench) -> None:
        _, cells, devices = nested(bench)
        wanted = (
            group({DISK_GB: 1}),
            group({}, "_C", required=(NUMA,)),
            group({VF: 1}, "_N"),
        )
        together = (frozenset({"_C", "_N"}),)
        page = bench.find(*wanted, group_policy="none", same_subtree=together)
        pairs = {(c.mappings["_C"][0], c.mappings["_N"][0]) for c in page.candidates}
        assert pairs == set(zip(cells, devices, strict=True))
        assert not any(set(cells) & set(c.allocation) for c in page.candidates)

    def test_traits_are_required_forbidden_or_one_of_many(self, bench: ServiceBench) -> None:
        red, blue, nobody = (Trait(bench.custom()) for _ in range(3))
        plain = bench.provider({VCPU: 1})
        one = bench.provider({VCPU: 1}, traits=(red,))
        two = bench.provider({VCPU: 1}, traits=(blue,))
        both = bench.provider({VCPU: 1}, traits=(red, blue))

        def roots(
            required: tuple[Trait, ...] = (),
            forbidden: tuple[Trait, ...] = (),
            any_of: tuple[Trait, ...] = (),
        ) -> set[ProviderId]:
            wanted = group({VCPU: 1}, required=required, forbidden=forbidden, any_of=any_of)
            return {c.root for c in bench.find(wanted).candidates}

        assert roots() == {plain, one, two, both}
        assert roots(required=(red,)) == {one, both}
        assert roots(required=(red, blue)) == {both}
        assert roots(forbidden=(red,)) == {plain, two}
        assert roots(required=(blue,), forbidden=(red,)) == {two}
        assert roots(any_of=(red, blue)) == {one, two, both}
        assert roots(required=(nobody,)) == set()
        assert roots(forbidden=(nobody,)) == {plain, one, two, both}
        assert roots(any_of=(nobody, red)) == {one, both}

    def test_traits_of_the_root(self, bench: ServiceBench) -> None:
        root, cells, _ = nested(bench)
        where = group({VCPU: 1}, in_tree=root)
        assert len(bench.find(where, root_required=frozenset({AVX2})).candidates) == len(cells)
        assert bench.find(where, root_required=frozenset({NUMA})).candidates == ()
        assert bench.find(where, root_forbidden=frozenset({AVX2})).candidates == ()

    def test_only_one_tree(self, bench: ServiceBench) -> None:
        root, cells, _ = nested(bench)
        nested(bench)
        page = bench.find(group({VCPU: 1}, in_tree=cells[1]))
        assert {c.root for c in page.candidates} == {root}
        nobody = ProviderId(bench.uuid())
        assert bench.find(group({VCPU: 1}, in_tree=nobody)).candidates == ()

    def test_a_sharing_provider_serves_other_trees(self, bench: ServiceBench) -> None:
        elsewhere = AggregateId(bench.uuid())
        near = bench.provider({VCPU: 4})
        bench.provider({VCPU: 4}, aggregates=(elsewhere,))
        pool = bench.provider({DISK_GB: 100}, traits=(SHARING,))
        either = frozenset({frozenset({bench.home, elsewhere})})
        wanted = attrs.evolve(group({VCPU: 1, DISK_GB: 5}), member_of=either)
        page = bench.find(wanted)
        (found,) = page.candidates
        assert found.root == near
        assert found.allocation == {near: {VCPU: 1}, pool: {DISK_GB: 5}}
        assert set(page.providers) == {near, pool}
        assert set(found.mappings[""]) == {near, pool}

    def test_aggregates_of_the_root_count_for_its_tree_but_are_not_added(
        self, bench: ServiceBench
    ) -> None:
        zone, rack = AggregateId(bench.uuid()), AggregateId(bench.uuid())
        root = bench.provider(aggregates=(zone,))
        bench.provider({VCPU: 4}, parent=root, aggregates=(rack,))

        def found(*each: AggregateId) -> list[ProviderId]:
            member_of = frozenset(frozenset({aggregate}) for aggregate in each)
            wanted = attrs.evolve(group({VCPU: 1}), member_of=member_of)
            return [candidate.root for candidate in bench.find(wanted).candidates]

        assert found(zone) == found(rack) == [root]
        assert found(zone, rack) == []
        bench.service.set_aggregates(root, bench.generation(root), frozenset({zone, rack}))
        assert found(zone, rack) == [root]

    def test_units_and_reserves_count(self, bench: ServiceBench) -> None:
        stock = Inventory(20, reserved=10, min_unit=2, max_unit=6, step_size=2)
        one = bench.provider({VCPU: stock})
        for amount, fits in ((1, False), (2, True), (3, False), (6, True), (8, False)):
            assert [c.root for c in bench.find(group({VCPU: amount})).candidates] == [one] * fits
        bench.service.claim(bench.allocation({one: {VCPU: 6}}))
        assert bench.find(group({VCPU: 6})).candidates == ()
        assert len(bench.find(group({VCPU: 4})).candidates) == 1

    def test_a_class_that_nobody_has_is_not_found(self, bench: ServiceBench) -> None:
        bench.provider({VCPU: 4})
        unknown = ResourceClass(bench.custom())
        assert bench.find(group({VCPU: 1, unknown: 1})).candidates == ()

    def test_requests_that_break_rules_are_refused(self, bench: ServiceBench) -> None:
        one, two = group({VCPU: 1}, "1"), group({VCPU: 1}, "2")
        bench.refused(InvalidInput, bench.find, one, two)  # no group policy
        bench.refused(InvalidInput, bench.find, group({VCPU: 0}))
        unknown = (frozenset({"_A", "_B"}),)
        bench.refused(InvalidInput, bench.find, one, same_subtree=unknown)

    def test_what_contradicts_itself_is_not_found(self, bench: ServiceBench) -> None:
        bench.provider({VCPU: 4}, traits=(AVX2,))
        never = group({VCPU: 1}, required=(AVX2,), forbidden=(AVX2,))
        assert bench.find(never).candidates == ()
        avx2 = frozenset({AVX2})
        page = bench.find(group({VCPU: 1}), root_required=avx2, root_forbidden=avx2)
        assert page.candidates == ()
