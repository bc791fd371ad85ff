"""What every `OwnPlacementService` keeps, beside what every `PlacementService` does.

As there, the service may hold other things: requests ask for classes of the test's own.
"""

from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

import attrs

from computekit.errors import (
    AlreadyExists,
    CapacityExceeded,
    CounterFull,
    GenerationConflict,
    InUse,
    InvalidInput,
)
from computekit.ids import ProviderId
from computekit.model import (
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import (
    Claim,
    Claimed,
    CounterClaim,
    OwnPlacementService,
    Unclaimed,
    least_free,
)
from computekit.testing.placement_service_bench import ServiceBench, ServiceSuite, group

__all__ = ["OwnPlacementServiceLaws"]


def request_for(name: ResourceClass, amount: int = 1) -> PlacementRequest:
    return PlacementRequest((group({name: amount}),))


def someone(bench: ServiceBench) -> Consumer:
    return bench.allocation({}).consumer


def tree_of(bench: ServiceBench, name: ResourceClass, *totals: int) -> ProviderTree:
    """Return a root with the first of these totals, and a child for each further one."""
    root = ProviderId(bench.uuid())
    ids = [root, *(ProviderId(bench.uuid()) for _ in totals[1:])]
    rows = (
        Provider(
            one,
            f"n-{one}",
            None if one == root else root,
            FrozenMap({name: Inventory(total)}),
            frozenset({Trait(bench.custom())}),
            frozenset({bench.home}),
        )
        for one, total in zip(ids, totals, strict=True)
    )
    return ProviderTree(tuple(rows))


class OwnPlacementServiceLaws(ServiceSuite):
    """Claims of the best, explanations, room, whole trees, changes, consumers."""

    @classmethod
    @abstractmethod
    def open(cls, directory: Path) -> AbstractContextManager[OwnPlacementService]:
        """Return a service for all tests of the class; it may keep files in `directory`."""

    # Whole trees

    def test_a_tree_is_stored_whole(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        tree = tree_of(bench, name, 4, 2)
        stored = service.put_tree(tree)
        assert {row.id: row for row in stored} == {
            row.id: service.provider(row.id).provider for row in tree
        }
        assert {attrs.evolve(row, generation=0) for row in stored} == set(tree)
        assert service.put_tree(tree) == stored  # again, and nothing is written
        smaller = service.put_tree(ProviderTree(tree.providers[:1]))
        assert [row.id for row in smaller] == [tree.root.id]

    def test_a_tree_that_is_held_stays(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        tree = tree_of(bench, name, 1, 2)
        service.put_tree(tree)
        service.claim(bench.allocation({tree.providers[1].id: {name: 1}}))
        bench.refused(InUse, service.put_tree, ProviderTree(tree.providers[:1]))
        taken = attrs.evolve(tree.root, id=ProviderId(bench.uuid()))
        bench.refused(AlreadyExists, service.put_tree, ProviderTree((taken,)))

    # Claims of the best

    def test_the_best_is_claimed(self, bench: ServiceBench, service: OwnPlacementService) -> None:
        name = ResourceClass(bench.custom())
        small, large = bench.provider({name: 3}), bench.provider({name: 8})
        who = someone(bench)
        best = service.claim_best(request_for(name, 2), who)
        assert isinstance(best, Claimed)
        assert best.candidate.root == large
        assert best.candidate.allocation == {large: {name: 2}}
        assert best.candidate.mappings == {"": (large,)}
        assert best.lost == ()
        assert best.allocation == service.allocation(who.id)
        assert best.allocation.consumer == attrs.evolve(who, generation=1)
        fullest = service.claim_best(request_for(name, 2), someone(bench), rank=least_free)
        assert isinstance(fullest, Claimed)
        assert fullest.candidate.root == small

    def test_a_claim_says_which_provider_serves_which_group(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name, device = ResourceClass(bench.custom()), ResourceClass(bench.custom())
        root = bench.provider({name: 4})
        child = bench.provider({device: 1}, parent=root)
        request = PlacementRequest((group({name: 1}), group({device: 1}, "_d")))
        (found,) = service.candidates(request).candidates
        best = service.claim_best(request, someone(bench))
        assert isinstance(best, Claimed)
        assert best.candidate.mappings in (found.mappings, {})  # {}: the answer was lost
        assert found.mappings == {"": (root,), "_d": (child,)}
        assert best.candidate.root == root
        assert best.candidate.allocation == best.allocation.resources == found.allocation

    def test_nothing_to_claim_is_a_result(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name, unknown = ResourceClass(bench.custom()), ResourceClass(bench.custom())
        bench.provider({name: 1})
        who = someone(bench)
        assert service.claim_best(request_for(name, 2), who) == Unclaimed()
        assert service.claim_best(request_for(unknown), who) == Unclaimed()
        assert service.allocation(who.id) is None

    def test_claims_of_the_best_are_checked(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        bench.provider({name: 4})
        who, one = someone(bench), request_for(name)
        bench.refused(InvalidInput, service.claim_best, one, who, tries=0)
        bad = request_for(name, 0)
        bench.refused(InvalidInput, service.claim_best, bad, who)
        bench.refused(InvalidInput, service.explain, bad)
        bench.refused(InvalidInput, service.room, bad)
        late = attrs.evolve(who, generation=3)
        bench.refused(GenerationConflict, service.claim_best, one, late)

    # Counters

    def test_counters_are_taken_with_a_claim(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        host = bench.provider({name: 9})
        counter = CounterClaim("server_group:1", bench.uuid(), 1, 1)
        first = bench.allocation({host: {name: 1}})
        (granted,) = service.claim(Claim(first, (counter,)))
        assert granted == service.allocation(first.consumer.id)
        second = bench.allocation({host: {name: 1}})
        full = bench.refused(CounterFull, service.claim, Claim(second, (counter,)))
        assert (full.scope, full.name) == (counter.scope, counter.name)
        assert (full.asked, full.used, full.bound) == (1, 1, 1)
        assert bench.used(host) == {name: 1}
        service.release(first.consumer.id)
        service.claim(Claim(second, (counter,)))
        assert bench.used(host) == {name: 1}

    def test_counters_are_taken_with_the_best(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        host = bench.provider({name: 9})
        counters = (CounterClaim("limit", bench.uuid(), 2, 3),)
        first, second = someone(bench), someone(bench)
        request = request_for(name)
        assert isinstance(service.claim_best(request, first, counters=counters), Claimed)
        lost = service.claim_best(request, second, counters=counters)
        assert isinstance(lost, Unclaimed)
        (attempt,) = lost.lost
        assert attempt.candidate.root == host
        assert attempt.candidate.allocation == {host: {name: 1}}
        assert attempt.candidate.mappings == {"": (host,)}
        assert isinstance(attempt.refusal, CounterFull)
        assert (attempt.refusal.used, attempt.refusal.bound) == (2, 3)
        service.release(first.id)
        assert isinstance(service.claim_best(request, second, counters=counters), Claimed)

    def test_claims_with_counters_are_all_or_nothing(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        host = bench.provider({name: 2})
        counter = CounterClaim("limit", bench.uuid(), 1, 1)
        one, two = bench.allocation({host: {name: 1}}), bench.allocation({host: {name: 2}})
        bench.refused(CapacityExceeded, service.claim, Claim(one, (counter,)), two)
        assert bench.used(host) == {}
        bad = CounterClaim("", "n", 0, -1)
        bench.refused(InvalidInput, service.claim, Claim(one, (bad,)))
        service.claim(Claim(one, (counter,)))  # the counter was not taken

    # Why, and how many more

    def test_what_is_missing_is_told(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        host = bench.provider({name: 4})
        request = request_for(name, 6)
        said = service.explain(request, reports=100)
        assert said.request == request
        assert said.fitting == 0
        (report,) = (one for one in said.reports if one.root == host)
        assert not report.fits
        assert report.would_fit == (f"with 2 {name} less",)
        assert service.explain(request_for(name, 4)).fitting == 1

    def test_room_is_what_fits_then(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        large, small = bench.provider({name: 7}), bench.provider({name: 3})
        room = service.room(request_for(name, 3))
        assert (room.count, room.exact, room.complete, room.trees) == (3, True, True, 2)
        assert [(one.root, one.count) for one in room.largest] == [(large, 2), (small, 1)]
        for left in (2, 1, 0):
            assert isinstance(service.claim_best(request_for(name, 3), someone(bench)), Claimed)
            assert service.room(request_for(name, 3)).count == left
        nobody = service.room(request_for(ResourceClass(bench.custom())))
        assert (nobody.count, nobody.trees, nobody.largest) == (0, 0, ())

    # What was written, and who holds something

    def test_changes_are_followed(self, bench: ServiceBench, service: OwnPlacementService) -> None:
        begin = service.changes(0)
        assert begin is not None
        host = bench.provider({ResourceClass(bench.custom()): 4})
        news = service.changes(begin.head)
        assert news is not None
        assert news.head > begin.head
        assert host in {change.key for change in news.changes}
        nothing = service.changes(news.head)
        assert nothing is not None
        assert (nothing.head, nothing.changes) == (news.head, frozenset())
        assert service.changes(news.head + 1000) is None

    def test_consumers_come_page_by_page(
        self, bench: ServiceBench, service: OwnPlacementService
    ) -> None:
        name = ResourceClass(bench.custom())
        host = bench.provider({name: 9})
        mine = [bench.allocation({host: {name: 1}}) for _ in range(5)]
        granted = service.claim(*mine)
        seen = list(page := service.consumers(limit=2))
        while len(page) == 2:
            seen += (page := service.consumers(page[-1].consumer.id, 2))
        assert [one.consumer.id for one in seen] == sorted(one.consumer.id for one in seen)
        ids = {one.consumer.id for one in mine}
        assert {one for one in seen if one.consumer.id in ids} == set(granted)
        for limit in (0, 1001):
            bench.refused(InvalidInput, service.consumers, limit=limit)
