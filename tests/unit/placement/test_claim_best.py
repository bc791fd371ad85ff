"""Choosing and claiming in one step, with others in between."""

from collections.abc import Callable
from functools import partial

import attrs
import pytest

from computekit.errors import CapacityExceeded, CounterFull, GenerationConflict, InvalidInput
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    ProviderTree,
    RequestGroup,
    ResourceClass,
)
from computekit.placement import Candidate, Claim, CounterClaim, LocalPlacement
from computekit.placement.claim_best import Claimed, Summaries, Unclaimed, claim_best, most_free
from computekit.work import Tx

DEVICE = ResourceClass("CUSTOM_DEVICE")
ONE_CPU = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 1})),))
ONE_DEVICE = PlacementRequest((RequestGroup("_d", FrozenMap({DEVICE: 1})),))


def consumer(name: str) -> Consumer:
    return Consumer(ConsumerId(name), ProjectId("project"), UserId("user"))


def put(placement: LocalPlacement, tree: ProviderTree, tx: Tx) -> None:
    placement.books.put_tree(tx, tree)


def hosts(*sizes: int) -> LocalPlacement:
    placement = LocalPlacement.in_memory()
    for number, size in enumerate(sizes):
        name = f"host{number}"
        provider = Provider(ProviderId(name), name, inventories=FrozenMap({VCPU: Inventory(size)}))
        tree = ProviderTree((provider,))
        placement.store.write(partial(put, placement, tree))
    return placement


def device_host(devices: int) -> LocalPlacement:
    placement = LocalPlacement.in_memory()
    root = Provider(ProviderId("host"), "host")
    held = FrozenMap({DEVICE: Inventory(1)})
    below = tuple(
        Provider(ProviderId(f"device{n}"), f"device{n}", root.id, held) for n in range(devices)
    )
    placement.store.write(lambda tx: placement.books.put_tree(tx, ProviderTree((root, *below))))
    return placement


def take(
    placement: LocalPlacement, by: str, provider: str, name: ResourceClass, amount: int
) -> None:
    held = FrozenMap({ProviderId(provider): FrozenMap({name: amount})})
    claim = Claim(Allocation(consumer(by), held))
    placement.store.write(lambda tx: placement.books.claim(tx, (claim,)))


def best(
    placement: LocalPlacement,
    name: str,
    request: PlacementRequest = ONE_CPU,
    *,
    rank: Callable[[Candidate, Summaries], float] = most_free,
    tries: int = 4,
    counters: tuple[CounterClaim, ...] | Callable[[Candidate], tuple[CounterClaim, ...]] = (),
) -> Claimed | Unclaimed:
    return claim_best(
        placement.store,
        placement.books,
        placement.index,
        consumer(name),
        request,
        rank=rank,
        tries=tries,
        counters=counters,
    )


def where(result: Claimed | Unclaimed) -> list[str]:
    assert isinstance(result, Claimed)
    return sorted(result.allocation.resources)


def test_the_host_with_the_most_left_is_taken_and_ties_go_to_the_first() -> None:
    placement = hosts(4, 8, 8)
    taken = [where(best(placement, f"c{n}")) for n in range(5)]
    assert taken == [["host1"], ["host2"], ["host0"], ["host1"], ["host2"]]


def test_a_rank_of_ones_own_decides() -> None:
    placement = hosts(4, 8)
    assert where(best(placement, "c", rank=lambda found, _all: float(found.root == "host0"))) == [
        "host0"
    ]


def interfering(
    placement: LocalPlacement, *thefts: Callable[[], None]
) -> Callable[[Candidate], tuple[CounterClaim, ...]]:
    """Return counters that let another claimer in, between the choice and the claim."""
    left = list(thefts)

    def counters(_candidate: Candidate) -> tuple[CounterClaim, ...]:
        if left:
            left.pop(0)()
        return ()

    return counters


def test_what_was_lost_to_another_is_made_up_for_by_the_next_best() -> None:
    placement = hosts(2, 1)
    meddle = interfering(placement, lambda: take(placement, "thief", "host0", VCPU, 2))
    result = best(placement, "c", counters=meddle)
    assert where(result) == ["host1"]
    (lost,) = result.lost
    assert isinstance(lost.refusal, CapacityExceeded)
    assert lost.candidate.root == "host0"


def test_a_lost_device_is_made_up_for_by_its_twin() -> None:
    placement = device_host(3)
    meddle = interfering(
        placement,
        lambda: take(placement, "thief1", "device0", DEVICE, 1),
        lambda: take(placement, "thief2", "device1", DEVICE, 1),
    )
    result = best(placement, "c", ONE_DEVICE, counters=meddle)
    assert where(result) == ["device2"]
    assert [set(lost.candidate.allocation) for lost in result.lost] == [{"device0"}, {"device1"}]


def test_nothing_left_is_a_result() -> None:
    placement = hosts(1)
    meddle = interfering(placement, lambda: take(placement, "thief", "host0", VCPU, 1))
    result = best(placement, "c", counters=meddle)
    assert isinstance(result, Unclaimed)
    assert len(result.lost) == 1
    assert best(placement, "d") == Unclaimed(())
    assert placement.allocation(ConsumerId("c")) is None


def test_it_gives_up_after_so_many_tries() -> None:
    placement = device_host(5)
    thefts = [partial(take, placement, f"thief{n}", f"device{n}", DEVICE, 1) for n in range(5)]
    result = best(placement, "c", ONE_DEVICE, tries=3, counters=interfering(placement, *thefts))
    assert isinstance(result, Unclaimed)
    assert len(result.lost) == 3


def test_counters_ride_along_and_a_full_one_ends_it_unless_it_depends_on_the_host() -> None:
    placement = hosts(4, 4)
    slot = CounterClaim("server_group:g", "g", 1, 1)
    assert isinstance(best(placement, "a", counters=(slot,)), Claimed)
    full = best(placement, "b", counters=(slot,))
    assert isinstance(full, Unclaimed)
    assert [type(lost.refusal) for lost in full.lost] == [CounterFull]

    def per_host(candidate: Candidate) -> tuple[CounterClaim, ...]:
        return (attrs.evolve(slot, name=candidate.root),)

    both = [where(best(placement, name, counters=per_host)) for name in ("c", "d")]
    assert sorted(both) == [["host0"], ["host1"]]
    last = best(placement, "e", counters=per_host)
    assert isinstance(last, Unclaimed)
    assert len(last.lost) == 2


def test_bad_arguments_are_all_told_and_a_stale_consumer_is_no_loss() -> None:
    placement = hosts(4)
    with pytest.raises(InvalidInput) as bad:
        claim_best(
            placement.store,
            placement.books,
            placement.index,
            consumer("c"),
            ONE_CPU,
            tries=0,
            considered=0,
        )
    assert [fault.path for fault in bad.value.faults] == ["tries", "considered"]
    best(placement, "c")
    with pytest.raises(GenerationConflict):
        best(placement, "c")


def test_the_emptiest_of_very_many_hosts_is_found_though_few_are_ranked() -> None:
    placement = hosts(*[4] * 40, 9, *[4] * 40)
    for taken in (["host40"], ["host40"]):
        result = claim_best(
            placement.store,
            placement.books,
            placement.index,
            consumer(f"c{len(placement.allocations(ProviderId('host40')))}"),
            ONE_CPU,
            considered=3,
        )
        assert where(result) == taken


def test_trees_that_have_to_be_searched_are_ranked_beside_the_others() -> None:
    placement = device_host(2)
    provider = Provider(ProviderId("a"), "a", inventories=FrozenMap({DEVICE: Inventory(2)}))
    put_it = partial(put, placement, ProviderTree((provider,)))
    placement.store.write(put_it)
    taken = [where(best(placement, f"c{n}", ONE_DEVICE)) for n in range(4)]
    assert taken == [["a"], ["a"], ["device0"], ["device1"]]


def test_a_rank_made_of_the_usual_one_can_ask_for_the_freest_trees_too() -> None:
    def without_host0(candidate: Candidate, summaries: Summaries) -> float:
        return most_free(candidate, summaries) - (candidate.root == "host0")

    def taken(name: str, freest_first: bool | None) -> list[str]:
        placement = hosts(*[4] * 40, 9)
        return where(
            claim_best(
                placement.store,
                placement.books,
                placement.index,
                consumer(name),
                ONE_CPU,
                rank=without_host0,
                freest_first=freest_first,
                considered=3,
            )
        )

    assert taken("a", True) == ["host40"]
    assert taken("b", False) == taken("c", None) == ["host1"]
