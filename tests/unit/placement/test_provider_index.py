"""The provider index: order, laziness, what stays the same object, and bulk."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest

from computekit.clock import Deadline
from computekit.errors import DeadlineExceeded, InvalidInput, NotFound
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    DISK_GB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import (
    LocalPlacement,
    MemoryPlacement,
    ProviderIndex,
    ProviderNode,
    ProviderUse,
)
from computekit.testing import ManualClock
from computekit.units import Seconds
from computekit.work import MemoryStore

DEVICE = ResourceClass("CUSTOM_DEVICE")
SHARES = Trait("MISC_SHARES_VIA_AGGREGATE")
ONE_CPU = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 1})),))


def use(
    name: str,
    root: str = "",
    *,
    traits: tuple[Trait, ...] = (),
    aggregates: tuple[str, ...] = (),
    used: dict[ResourceClass, int] | None = None,
    **totals: int,
) -> ProviderUse:
    provider = Provider(
        ProviderId(name),
        f"name of {name}",
        ProviderId(root) if root else None,
        FrozenMap({ResourceClass(n): Inventory(total) for n, total in totals.items()}),
        frozenset(traits),
        frozenset(map(AggregateId, aggregates)),
    )
    return ProviderUse(provider, ProviderId(root or name), FrozenMap(used or {}))


def devices(groups: int) -> PlacementRequest:
    return PlacementRequest(
        tuple(RequestGroup(f"_{n}", FrozenMap({DEVICE: 1})) for n in range(groups)), "none"
    )


def wide(hosts: int, width: int) -> ProviderIndex:
    uses = [use(f"h{host}") for host in range(hosts)]
    uses += [use(f"h{h}d{d}", f"h{h}", CUSTOM_DEVICE=1) for h in range(hosts) for d in range(width)]
    return ProviderIndex.of(uses)


def test_a_device_tree_gives_few_ways_without_twins_and_all_with_them() -> None:
    index = wide(2, 5)
    assert len(list(index.candidates(devices(3)))) == 2
    assert len(list(index.candidates(devices(3), twins=True))) == 2 * 5 * 4 * 3


def test_hosts_take_turns() -> None:
    roots = [found.root for found in islice(wide(3, 4).candidates(devices(2), twins=True), 7)]
    assert roots == ["h0", "h1", "h2", "h0", "h1", "h2", "h0"]


def test_the_first_of_very_many_ways_is_found_at_once() -> None:
    # 40 * 39 * ... * 21 ways on each host: whoever counts them never ends.
    found = list(islice(wide(3, 40).candidates(devices(20), twins=True), 100))
    assert len({(f.allocation, f.mappings) for f in found}) == 100


def test_too_many_groups_are_refused_without_trying_every_order() -> None:
    assert list(wide(2, 14).candidates(devices(15), twins=True)) == []


def test_more_than_62_kinds_of_groups_are_judged_too() -> None:
    groups = tuple(RequestGroup(f"_{n}", FrozenMap({VCPU: n + 1})) for n in range(70))
    request = PlacementRequest(groups, "none")
    total = 70 * 71 // 2
    index = ProviderIndex.of([use("a", VCPU=total), use("b", VCPU=total - 1)])
    assert [found.root for found in index.candidates(request)] == ["a"]
    assert index.explain(request).fitting == 1


def test_the_order_is_the_same_in_every_process() -> None:
    script = (
        "from tests.unit.placement.test_provider_index import *\n"
        "index = wide(3, 3)\n"
        "index.put([use('s', traits=(SHARES,), aggregates=('g', 'f'), DISK_GB=9),"
        " use('x', aggregates=('f',), VCPU=1), use('y', aggregates=('g', 'f'), VCPU=2)])\n"
        "both = PlacementRequest((RequestGroup('', FrozenMap({VCPU: 1, DISK_GB: 1})),))\n"
        "for request in (devices(2), both):\n"
        "    for twins in (True, False):\n"
        "        print([(c.root, *c.allocation, c.mappings)"
        " for c in index.candidates(request, twins=twins)])\n"
    )
    orders: set[str] = set()
    for seed in ("0", "1", "12345"):
        run = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        orders.add(run.stdout)
    assert len(orders) == 1
    assert orders.pop().count("\n") == 4


def test_pieces_stay_the_same_objects_while_they_hold() -> None:
    hosts = [use(name, VCPU=4) for name in ("a", "b", "c")]
    tree = [use("t"), use("t1", "t", VCPU=4)]
    index = ProviderIndex.of([*hosts, *tree])
    first = index.found(ONE_CPU, twins=True)
    assert index.found(ONE_CPU, twins=True) is first
    assert index.found(ONE_CPU, twins=True, limit=2) is not first

    index.put([use("b", VCPU=4, used={VCPU: 1}), use("t1", "t", VCPU=4, used={VCPU: 2})])
    second = index.found(ONE_CPU, twins=True)
    assert second is not first
    assert [a is b for a, b in zip(first.candidates, second.candidates, strict=True)] == [True] * 4
    assert [a is b for a, b in zip(first.trees, second.trees, strict=True)] == [
        True,
        False,
        True,
        False,
    ]
    assert second.page().providers[ProviderId("b")].used == {VCPU: 1}

    index.put([use("b", VCPU=4, used={VCPU: 4})])
    third = index.found(ONE_CPU, twins=True)
    assert [found.candidate.root for found in third.candidates] == ["a", "c", "t"]


def test_a_sharing_provider_is_shared_until_it_is_full() -> None:
    hosts = [use(name, aggregates=("g",), VCPU=4) for name in ("a", "b")]
    alone = use("c", VCPU=4)
    request = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 1, DISK_GB: 5})),))
    index = ProviderIndex.of(
        [*hosts, alone, use("pool", traits=(SHARES,), aggregates=("g",), DISK_GB=10)]
    )
    found = index.found(request, twins=True)
    assert [c.candidate.root for c in found.candidates] == ["a", "b"]
    assert [tree.root for tree in found.trees] == ["pool", "a", "b"]
    full = use("pool", traits=(SHARES,), aggregates=("g",), used={DISK_GB: 6}, DISK_GB=10)
    index.put([full])
    assert not index.found(request, twins=True).candidates


def test_what_only_sharing_providers_serve_is_told_once() -> None:
    hosts = [use(f"h{n}", aggregates=("g",)) for n in range(3)]
    pool = use("pool", traits=(SHARES,), aggregates=("g",), DISK_GB=10)
    request = PlacementRequest((RequestGroup("", FrozenMap({DISK_GB: 1})),))
    assert len(list(ProviderIndex.of([*hosts, pool]).candidates(request))) == 1


def test_providers_are_filtered_and_ordered() -> None:
    fast = Trait("CUSTOM_FAST")
    index = ProviderIndex.of([use("b", VCPU=4), use("a", traits=(fast,), VCPU=2), use("c", "b")])
    b = ProviderNode(ProviderId("b"), "name of b", 0, ProviderId("b"), None)
    c = ProviderNode(ProviderId("c"), "name of c", 0, ProviderId("b"), ProviderId("b"))
    assert [node.id for node in index.providers()] == ["a", "b", "c"]
    assert index.providers(RequestGroup("", FrozenMap({VCPU: 3}))) == (b,)
    assert index.providers(name="name of c") == (c,)
    assert index.providers(RequestGroup("", in_tree=ProviderId("c"))) == (b, c)
    assert index.providers(RequestGroup("", in_tree=ProviderId("nowhere"))) == ()
    assert index.providers(RequestGroup("", forbidden=frozenset({fast}))) == (b, c)


def test_columns_make_the_same_index_as_rows() -> None:
    count = 50
    at = np.arange(count)
    fast = Trait("CUSTOM_FAST")
    index = ProviderIndex.from_columns(
        [ProviderId(f"p{n:03}") for n in range(count)],
        [f"name of p{n:03}" for n in range(count)],
        {VCPU: ([Inventory(4), Inventory(2)], at % 2)},
        used={VCPU: at % 5},
        traits=([frozenset({fast}), frozenset()], at % 3 // 2),
        aggregates=([frozenset({AggregateId("g")})], np.zeros(count, dtype=np.int32)),
    )
    rows = ProviderIndex.of(
        use(
            f"p{n:03}",
            traits=(fast,) if n % 3 < 2 else (),
            aggregates=("g",),
            used={VCPU: n % 5} if n % 5 else {},
            VCPU=4 if n % 2 == 0 else 2,
        )
        for n in range(count)
    )
    wish = frozenset({frozenset({fast})})
    request = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 1}), wish),))
    assert index.page(request) == rows.page(request)
    assert index.provider(ProviderId("p007")) == rows.provider(ProviderId("p007"))


def test_only_who_has_aggregates_shares_however_it_came() -> None:
    index = ProviderIndex.from_columns(
        [ProviderId("a"), ProviderId("b"), ProviderId("c")],
        ["a", "b", "c"],
        {},
        traits=([frozenset({SHARES}), frozenset()], np.array([0, 0, 1])),
        aggregates=([frozenset(), frozenset({AggregateId("g")})], np.array([0, 1, 1])),
    )
    rows = ProviderIndex.of(
        [
            use("a", traits=(SHARES,)),
            use("b", traits=(SHARES,), aggregates=("g",)),
            use("c", aggregates=("g",)),
        ]
    )
    assert index.rows.sharing == rows.rows.sharing == {1}


def test_what_cannot_be_asked_is_refused_before_anything_is_looked_at() -> None:
    index = ProviderIndex()
    nothing = PlacementRequest((RequestGroup(""),))
    for ask in (index.candidates, index.found, index.page, index.explain, index.room):
        with pytest.raises(InvalidInput):
            ask(nothing)
    with pytest.raises(NotFound):
        index.explain_tree(ONE_CPU, ProviderId("nowhere"))
    assert index.page(ONE_CPU).candidates == ()
    assert index.explain(ONE_CPU).summary == "there are no providers"


def test_many_different_inventories_that_come_and_go_are_not_kept_forever() -> None:
    index = ProviderIndex.of([use("a", VCPU=1), use("b", VCPU=1)])
    for total in range(1, 5000):
        index.put([use("a", VCPU=total), use("b", traits=(Trait(f"CUSTOM_{total}"),), VCPU=1)])
    column = index.rows.inventories[VCPU]
    assert len(column.values) < 1200
    assert len(index.rows.traits.values) < 1200
    assert index.page(ONE_CPU).providers[ProviderId("a")].capacity == {VCPU: 4999}
    five = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 4999})),))
    assert [found.root for found in index.candidates(five)] == ["a"]


def test_shapes_are_forgotten_before_they_are_too_many() -> None:
    index = ProviderIndex.of([use("a", VCPU=500)])
    for amount in range(1, 300):
        request = PlacementRequest((RequestGroup("", FrozenMap({VCPU: amount})),))
        assert len(index.page(request).candidates) == 1
    assert index.shapes <= 64


def test_an_answer_is_of_one_moment_and_a_search_goes_with_the_time() -> None:
    placement = LocalPlacement.in_memory()

    def host(name: str, total: int) -> None:
        provider = ProviderId(name)
        if placement.books.provider(provider) is None:
            placement.create_provider(provider, name, None)
        generation = placement.provider(provider).provider.generation
        placement.set_inventories(provider, generation, FrozenMap({VCPU: Inventory(total)}))

    for number in range(6):
        host(f"h{number}", 4)
    two = PlacementRequest((RequestGroup("", FrozenMap({VCPU: 2})),))
    search = placement.search(two)
    assert next(search).root == "h0"
    host("h1", 1)
    host("h9", 4)
    assert [found.root for found in search] == ["h2", "h3", "h4", "h5", "h9"]
    assert len(placement.candidates(two).candidates) == 6


def test_a_packing_that_only_just_fails_is_decided() -> None:
    # 117 of 120 are asked for, but no way to cut them fits; with 7 as the last there is one.
    sizes, amounts = (37, 31, 29, 23), (19, 19, 16, 16, 12, 9, 9, 9)
    uses = [use("h"), *(use(f"d{n}", "h", CUSTOM_DEVICE=size) for n, size in enumerate(sizes))]

    def asked(last: int) -> PlacementRequest:
        groups = (*amounts, last)
        return PlacementRequest(
            tuple(RequestGroup(f"_{n}", FrozenMap({DEVICE: m})) for n, m in enumerate(groups)),
            "none",
        )

    index = ProviderIndex.of(uses)
    assert not index.page(asked(8), twins=True, limit=1).candidates
    assert index.explain(asked(8)).reasons[0].reason.rule == "together"
    assert index.page(asked(7), twins=True, limit=1).candidates


class LateBooks(MemoryPlacement):
    """Books in which others write between the changes that an index has seen and its reading."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, ManualClock())
        self.meanwhile: Callable[[], None] | None = None

    def uses(self, providers: frozenset[ProviderId] | None = None) -> tuple[ProviderUse, ...]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().uses(providers)


A, B, C, D = map(ProviderId, "abcd")


@pytest.mark.parametrize(
    ("seen", "meanwhile"),
    [
        # A tree goes; its root's row is free for another.
        (["traits a", "new d"], ["delete b", "delete a"]),
        # What was below moves away first.
        (["traits a", "new d"], ["move b c", "delete a"]),
        (["traits a"], ["move b c", "move a c"]),
        # A whole tree goes below another; only its child was seen.
        (["traits b"], ["move a c"]),
        (["traits b", "new d"], ["move a d"]),
        (["traits b", "new d"], ["move b", "delete a"]),
    ],
)
def test_rows_that_are_newer_than_the_changes_fit_together(
    seen: list[str], meanwhile: list[str]
) -> None:
    store = MemoryStore()
    books = LateBooks(store)
    placement = LocalPlacement(store, books)

    def do(*steps: str) -> None:
        for step in steps:
            what, name, *parent = step.split()
            one, above = ProviderId(name), ProviderId(parent[0]) if parent else None
            if what == "new":
                placement.create_provider(one, f"name of {name}", above)
                placement.set_inventories(one, 0, FrozenMap({VCPU: Inventory(4)}))
            elif what == "move":
                placement.update_provider(one, f"name of {name}", above)
            elif what == "delete":
                placement.delete_provider(one)
            else:
                generation = placement.provider(one).provider.generation
                placement.set_traits(one, generation, frozenset({SHARES}))

    do("new a", "new b a", "new c")
    assert len(placement.providers()) == 3
    do(*seen)
    books.meanwhile = lambda: do(*meanwhile)
    with placement.index.lock:
        placement.index.refresh()
        rows = placement.index.rows
        known = {provider for provider in (A, B, C, D) if rows.row(provider) is not None}
        found = {provider: rows.use(rows.row(provider) or 0) for provider in known}
        trees = {p: {rows.id(at) for at in rows.members(rows.row(p) or 0)} for p in known}
    there = {use.provider.id: use for use in books.uses()}
    assert set(found) <= set(there)
    for provider, use in found.items():
        assert (use.provider.parent, use.root) == (
            there[provider].provider.parent,
            there[provider].root,
        )
        if use.root == provider:
            assert trees[provider] == {p for p, other in found.items() if other.root == provider}
    assert placement.index.page(ONE_CPU) == ProviderIndex.of(tuple(there.values())).page(ONE_CPU)


class Ticking(ManualClock):
    """A clock on which some time passes with each look."""

    def monotonic_s(self) -> Seconds:
        self.advance(Seconds(0.1))
        return super().monotonic_s()


def soon() -> Deadline:
    return Deadline(Ticking(), Seconds(5.0))


def packing() -> tuple[ProviderIndex, PlacementRequest]:
    """Return groups of two classes that fill six providers to 98 %, if they fit at all."""
    source = random.Random(1)
    amounts = [(source.randint(200, 800), source.randint(200, 800)) for _ in range(18)]
    cpus, disk = (sum(column) * 51 // 50 // 6 for column in zip(*amounts, strict=True))
    uses = [use("h"), *(use(f"n{n}", "h", VCPU=cpus + n, DISK_GB=disk + n) for n in range(6))]
    groups = tuple(
        RequestGroup(f"_{n:02}", FrozenMap({VCPU: c, DISK_GB: d}))
        for n, (c, d) in enumerate(amounts)
    )
    return ProviderIndex.of(uses), PlacementRequest(groups, "none")


@pytest.mark.parametrize("ask", [ProviderIndex.found, ProviderIndex.explain, ProviderIndex.room])
def test_a_search_that_finds_nothing_ends_in_time(ask: Callable[..., object]) -> None:
    index, request = packing()
    with pytest.raises(DeadlineExceeded):
        ask(index, request, deadline=soon())
    assert index.page(ONE_CPU).candidates, "others can ask again"


def test_what_was_interrupted_is_found_whole_by_who_asks_again() -> None:
    index = wide(2, 7)
    with pytest.raises(DeadlineExceeded):
        index.found(devices(5), twins=True, deadline=soon())
    whole = index.page(devices(5), twins=True)
    assert len(whole.candidates) == 2 * 7 * 6 * 5 * 4 * 3
    assert whole == wide(2, 7).page(devices(5), twins=True)
