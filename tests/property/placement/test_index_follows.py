"""An index that follows the books is, at any time, what an index made of them would be."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.clock import SystemClock
from computekit.errors import ComputekitError
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
)
from computekit.placement import LocalPlacement, MemoryPlacement, ProviderIndex
from computekit.work import MemoryStore
from tests.property.effort import examples
from tests.property.placement.forests import AGGREGATES, CLASSES, SHARES, TRAITS

IDS = tuple(ProviderId(f"p{n}") for n in range(6))


def asked() -> tuple[PlacementRequest, ...]:
    """Return questions of every kind that is kept differently."""
    small = FrozenMap({CLASSES[0]: 1})
    both = FrozenMap({CLASSES[0]: 1, CLASSES[1]: 2})
    any_trait = frozenset({frozenset(TRAITS[:2])})
    group = frozenset({frozenset(AGGREGATES[:1])})
    one, two = RequestGroup("_1", small), RequestGroup("_2", small, any_trait)
    return (
        PlacementRequest((RequestGroup("", both),)),
        PlacementRequest((RequestGroup("", both, any_trait, member_of=group),)),
        PlacementRequest((RequestGroup("", small, in_tree=IDS[1]),)),
        PlacementRequest((one, two), "none", same_subtree=(frozenset({"_1", "_2"}),)),
        PlacementRequest((RequestGroup("", both), one, two), "isolate"),
    )


class Writer:
    """Writes at random; what the books refuse is passed over."""

    def __init__(self, placement: LocalPlacement, source: random.Random) -> None:
        self._placement = placement
        self._source = source
        self._names = 0

    def write(self) -> None:
        often = (self._create, self._inventories, self._claim)
        steps = (*often, *often, self._move, self._delete, self._traits, self._aggregates)
        step = self._source.choice(steps)
        try:
            step(self._source.choice(IDS))
        except ComputekitError:
            return

    def _generation(self, provider: ProviderId) -> int:
        return self._placement.provider(provider).provider.generation

    def _name(self) -> str:
        self._names += 1
        return f"{self._source.randrange(10)}-{self._names}"

    def _parent(self) -> ProviderId | None:
        return self._source.choice((None, *IDS))

    def _create(self, provider: ProviderId) -> None:
        self._placement.create_provider(provider, self._name(), self._parent())

    def _move(self, provider: ProviderId) -> None:
        self._placement.update_provider(provider, self._name(), self._parent())

    def _delete(self, provider: ProviderId) -> None:
        self._placement.delete_provider(provider)

    def _inventories(self, provider: ProviderId) -> None:
        held: dict[ResourceClass, Inventory] = {
            name: Inventory(self._source.randint(1, 5))
            for name in CLASSES
            if self._source.random() < 0.7
        }
        self._placement.set_inventories(provider, self._generation(provider), FrozenMap(held))

    def _traits(self, provider: ProviderId) -> None:
        traits = {trait for trait in (*TRAITS, SHARES) if self._source.random() < 0.4}
        self._placement.set_traits(provider, self._generation(provider), frozenset(traits))

    def _aggregates(self, provider: ProviderId) -> None:
        groups: set[AggregateId] = {group for group in AGGREGATES if self._source.random() < 0.4}
        self._placement.set_aggregates(provider, self._generation(provider), frozenset(groups))

    def _claim(self, provider: ProviderId) -> None:
        consumer = ConsumerId(f"c{self._source.randrange(3)}")
        if self._source.random() < 0.3:
            self._placement.release(consumer)
            return
        known = self._placement.allocation(consumer)
        seen = 0 if known is None else known.consumer.generation
        holder = Consumer(consumer, ProjectId("p"), UserId("u"), generation=seen)
        amounts = FrozenMap({self._source.choice(CLASSES): self._source.randint(1, 2)})
        self._placement.claim(Allocation(holder, FrozenMap({provider: amounts})))


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from((1, 1000)))
def test_the_index_follows(seed: int, history: int) -> None:
    source = random.Random(seed)
    store = MemoryStore(history=history)
    placement = LocalPlacement(store, MemoryPlacement(store, SystemClock()))
    writer = Writer(placement, source)
    questions = asked()
    for _ in range(40):
        for _ in range(source.choice((1, 1, 1, 4))):
            writer.write()
        fresh = ProviderIndex.of(placement.books.uses())
        for request in source.sample(questions, 3):
            for twins in (True, False):
                assert placement.index.page(request, twins=twins) == fresh.page(
                    request, twins=twins
                )
        assert placement.providers() == fresh.providers()
        for use in placement.books.uses():
            assert placement.index.provider(use.provider.id) == use
