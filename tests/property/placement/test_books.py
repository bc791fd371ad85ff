"""Any sequence of transactions leaves the same books in memory and in SQL, and right ones.

The two implementations share the rules, but neither how rows are kept nor how they are taken back.
"""

import random
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

import attrs
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
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import (
    PROVIDER_CHANGED,
    Claim,
    CounterClaim,
    MemoryPlacement,
    PlacementWriter,
    ProviderUse,
    Reshaped,
)
from computekit.store import SqlPlacement, SqlStore
from computekit.testing import ManualClock
from computekit.units import Seconds
from computekit.work import MemoryStore, Store, Tx

T = TypeVar("T")

IDS = [ProviderId(f"p{n}") for n in range(5)]
NAMES = ["a", "b", "c", "d", "e"]
CUSTOM = [ResourceClass("CUSTOM_X"), ResourceClass("CUSTOM_B"), ResourceClass("CUSTOM_A")]
CLASSES = [ResourceClass("VCPU"), CUSTOM[0]]
CONSUMERS = [ConsumerId(f"c{n}") for n in range(4)]
KEYS = [("s", "n"), ("s", "m"), ("t", "n")]

Operation = Callable[[PlacementWriter, Tx], object]


@attrs.frozen
class Transaction:
    """What one transaction does, and whether it ends in a failure."""

    operations: tuple[Operation, ...]
    fails: bool


def some(values: list[T]) -> st.SearchStrategy[T]:
    return st.sampled_from(values)


inventories = st.dictionaries(
    some(CLASSES),
    st.builds(
        Inventory,
        total=st.integers(1, 9),
        reserved=st.integers(0, 1),
        max_unit=st.integers(2, 5),
        step_size=some([1, 1, 1, 2]),
        allocation_ratio=some([0.5, 1.0, 1.0, 1.5]),
    ),
).map(FrozenMap[ResourceClass, Inventory])
traits = st.frozensets(some([Trait("CUSTOM_A"), Trait("CUSTOM_B")]))
aggregates = st.frozensets(some([AggregateId("g1"), AggregateId("g2")]))
generations = st.integers(0, 4)


@st.composite
def trees(draw: st.DrawFn) -> ProviderTree:
    members = draw(st.lists(some(IDS), min_size=1, max_size=4, unique=True))
    names = draw(st.permutations(NAMES))
    providers: list[Provider] = []
    for n, provider in enumerate(members):
        parent = draw(some([p.id for p in providers])) if providers else None
        providers.append(
            Provider(
                provider,
                names[n],
                parent,
                draw(inventories),
                draw(traits),
                draw(aggregates),
            )
        )
    return ProviderTree(tuple(providers))


@attrs.frozen
class Wish:
    """A claim of one consumer before anybody has looked at what is there."""

    consumer: ConsumerId
    picks: tuple[tuple[int, int, int], ...]
    counters: tuple[CounterClaim, ...]
    type: str | None
    lost: bool
    stale: bool

    def claim(self, placement: PlacementWriter) -> Claim:
        wants: dict[ProviderId, dict[ResourceClass, int]] = {}
        there = [(u.provider.id, sorted(u.provider.inventories)) for u in placement.uses()]
        offers = [(of, names) for of, names in there if names]
        for n, m, amount in self.picks if offers else ():
            of, names = offers[n % len(offers)]
            wants.setdefault(of, {})[names[m % len(names)]] = amount
        if self.lost:
            wants[ProviderId("nowhere")] = {CLASSES[0]: 1}
        known = placement.allocation(self.consumer)
        seen = (0 if known is None else known.consumer.generation) + self.stale
        holder = Consumer(self.consumer, ProjectId("p"), UserId("u"), self.type, seen)
        resources = FrozenMap({of: FrozenMap(amounts) for of, amounts in wants.items()})
        return Claim(Allocation(holder, resources), self.counters)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    keys = draw(st.lists(some(KEYS), unique=True, max_size=2))
    return Wish(
        draw(some(CONSUMERS)),
        tuple(
            draw(
                st.lists(
                    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 3)), max_size=3
                )
            )
        ),
        tuple(
            CounterClaim(scope, name, draw(st.integers(1, 2)), draw(st.integers(1, 6)))
            for scope, name in keys
        ),
        draw(some([None, "INSTANCE", "MIGRATION"])),
        draw(st.integers(0, 19)) == 0,
        draw(st.integers(0, 9)) == 0,
    )


@st.composite
def claims(draw: st.DrawFn) -> Operation:
    wanted = draw(st.lists(wishes(), min_size=1, max_size=3))

    def claim(placement: PlacementWriter, tx: Tx) -> tuple[Allocation, ...]:
        return placement.claim(tx, [wish.claim(placement) for wish in wanted])

    return claim


@st.composite
def reshapes(draw: st.DrawFn) -> Operation:
    wanted = draw(st.lists(wishes(), max_size=3, unique_by=lambda wish: wish.consumer))
    offers = draw(st.dictionaries(some(IDS), inventories, max_size=2))

    def reshape(placement: PlacementWriter, tx: Tx) -> tuple[Allocation, ...]:
        rows = {of: placement.provider(of) for of in offers}
        return placement.reshape(
            tx,
            {of: Reshaped(row.generation, offers[of]) for of, row in rows.items() if row},
            [wish.claim(placement) for wish in wanted],
        )

    return reshape


@st.composite
def names(draw: st.DrawFn) -> Operation:
    kind = draw(some(["class", "no class", "rename", "trait", "no trait"]))
    one, other = draw(some(CUSTOM)), draw(some(CUSTOM))

    def write(placement: PlacementWriter, tx: Tx) -> object:
        match kind:
            case "class":
                return placement.create_resource_class(tx, one)
            case "no class":
                placement.delete_resource_class(tx, one)
            case "rename":
                placement.rename_resource_class(tx, one, other)
            case "trait":
                return placement.create_trait(tx, Trait(one))
            case _:
                placement.delete_trait(tx, Trait(one))
        return None

    return write


@st.composite
def providers(draw: st.DrawFn) -> Operation:
    kind = draw(some(["create", "update", "update", "delete"]))
    of, name, parent = draw(some(IDS)), draw(some(NAMES)), draw(some([None, *IDS]))

    def write(placement: PlacementWriter, tx: Tx) -> None:
        match kind:
            case "create":
                placement.create_provider(tx, of, name, parent)
            case "update":
                placement.update_provider(tx, of, name, parent)
            case _:
                placement.delete_provider(tx, of)

    return write


@st.composite
def writes(draw: st.DrawFn) -> Operation:
    tree, provider, consumer = draw(trees()), draw(some(IDS)), draw(some(CONSUMERS))
    parts = draw(inventories), draw(traits), draw(aggregates)
    stale = draw(st.integers(0, 9)) == 0
    kind = draw(some(["tree", "delete", "inventories", "traits", "aggregates", "release"]))

    def write(placement: PlacementWriter, tx: Tx) -> object:
        row = placement.provider(provider)
        seen = (0 if row is None else row.generation) + stale
        match kind:
            case "tree":
                return placement.put_tree(tx, tree)
            case "delete":
                placement.delete_tree(tx, provider)
            case "inventories":
                return placement.set_inventories(tx, provider, seen, parts[0])
            case "traits":
                return placement.set_traits(tx, provider, seen, parts[1])
            case "aggregates":
                return placement.set_aggregates(tx, provider, seen, parts[2])
            case _:
                placement.release(tx, consumer)
        return None

    return write


def first_tree(placement: PlacementWriter, tx: Tx) -> ProviderTree:
    """Make two providers with something to take."""
    offer = FrozenMap({name: Inventory(total=5) for name in CLASSES})
    root = Provider(IDS[0], NAMES[0], inventories=offer)
    return placement.put_tree(
        tx, ProviderTree((root, Provider(IDS[1], NAMES[1], root.id, inventories=offer)))
    )


START = Transaction((first_tree,), fails=False)

transactions = st.builds(
    Transaction,
    st.lists(
        st.one_of(claims(), claims(), writes(), providers(), names(), reshapes()),
        min_size=1,
        max_size=4,
    ).map(tuple),
    st.integers(0, 5).map(lambda n: n == 0),
)


class RolledBackError(Exception):
    """Carries what was seen in a transaction that is taken back."""

    def __init__(self, seen: list[object]) -> None:
        super().__init__()
        self.seen = seen


def outcome(store: Store, placement: PlacementWriter, transaction: Transaction) -> object:
    """Run a transaction; return what each operation returned or raised."""

    def run(tx: Tx) -> list[object]:
        seen: list[object] = []
        for operation in transaction.operations:
            try:
                seen.append(operation(placement, tx))
            except ComputekitError as error:
                seen.append((type(error), str(error)))
        seen.append(placement.uses())
        if transaction.fails:
            raise RolledBackError(seen)
        return seen

    try:
        return store.write(run)
    except RolledBackError as error:
        return error.seen


def books(store: Store, placement: PlacementWriter) -> object:
    """Return all that can be read."""
    return (
        store.head(),
        store.changes(0),
        placement.uses(),
        [placement.tree(p) for p in IDS],
        [placement.allocation(c) for c in CONSUMERS],
        [placement.allocations(p) for p in IDS],
        [placement.counter(*key) for key in KEYS],
        (placement.consumers(), placement.consumers(CONSUMERS[0], 2)),
        [use.updated_s for use in placement.uses()],
        [held.consumer.updated_s for held in placement.consumers()],
        [placement.usages(ProjectId("p"), user) for user in (None, UserId("u"), UserId("v"))],
        list(placement.resource_classes().items()),
        [list(placement.traits("CUSTOM_", associated=had).items()) for had in (None, True, False)],
    )


class Replica:
    """Providers as somebody knows them who follows the changes."""

    def __init__(self, store: Store, placement: PlacementWriter) -> None:
        self._store, self._placement = store, placement
        self._head = store.head()
        self.uses: dict[ProviderId, ProviderUse] = {}

    def follow(self) -> dict[ProviderId, ProviderUse]:
        news = self._store.changes(self._head)
        assert news is not None
        keys = frozenset(
            ProviderId(change.key) for change in news.changes if change.kind == PROVIDER_CHANGED
        )
        for key in keys:
            self.uses.pop(key, None)
        self.uses |= {use.provider.id: use for use in self._placement.uses(keys)}
        self._head = news.head
        return self.uses


def check_sums(placement: PlacementWriter) -> None:
    """Assert that what is used is what allocations hold."""
    for use in placement.uses():
        held: dict[ResourceClass, int] = {}
        for allocation in placement.allocations(use.provider.id):
            for name, amount in allocation.resources[use.provider.id].items():
                held[name] = held.get(name, 0) + amount
        assert held == use.used


@given(st.lists(transactions, min_size=1, max_size=12))
@settings(max_examples=60)
def test_memory_and_sql_keep_the_same_books(sequence: list[Transaction]) -> None:
    clock = ManualClock()
    with ExitStack() as stack:
        memory = MemoryStore()
        sql = stack.enter_context(SqlStore("sqlite://", SystemClock(), random.Random(1)))
        one, two = MemoryPlacement(memory, clock), SqlPlacement(sql, clock)
        replicas = Replica(memory, one), Replica(sql, two)
        for n, transaction in enumerate((START, *sequence)):
            assert outcome(memory, one, transaction) == outcome(sql, two, transaction)
            clock.advance(Seconds(1.0))
            check_sums(one)
            if n % 3 == 2 or n == len(sequence):  # so replicas miss several commits at times
                assert books(memory, one) == books(sql, two)
                fresh = {use.provider.id: use for use in one.uses()}
                assert [replica.follow() for replica in replicas] == [fresh, fresh]
