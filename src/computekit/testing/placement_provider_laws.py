"""What every `PlacementWriter` keeps of providers that are written one by one."""

import attrs

from computekit.errors import AlreadyExists, InUse, InvalidInput, NotFound
from computekit.ids import ProviderId
from computekit.model import VCPU, FrozenMap, Inventory, Provider
from computekit.placement import PROVIDER_CHANGED
from computekit.testing.placement_bench import (
    PlacementBench,
    PlacementSuite,
    example_claim,
    example_tree,
)

__all__ = ["PlacementProviderLaws"]

A, B, C, D = (ProviderId(name) for name in "abcd")


def create(bench: PlacementBench, provider: str, parent: str | None = None) -> None:
    """Make a provider whose name is its id in capitals."""
    bench.write(
        bench.placement.create_provider,
        ProviderId(provider),
        provider.upper(),
        None if parent is None else ProviderId(parent),
    )


def move(bench: PlacementBench, provider: str, parent: str | None) -> None:
    """Give a provider another parent."""
    bench.write(
        bench.placement.update_provider,
        ProviderId(provider),
        provider.upper(),
        None if parent is None else ProviderId(parent),
    )


def told(bench: PlacementBench, since: int) -> set[str]:
    """Return the providers that replicas are told to read again."""
    news = bench.store.changes(since)
    assert news is not None
    assert {change.kind for change in news.changes} <= {PROVIDER_CHANGED}
    return {change.key for change in news.changes}


def shape(bench: PlacementBench) -> list[tuple[str, str, str | None]]:
    """Return id, root and parent of all providers, in the order of `uses`."""
    return [(u.provider.id, u.root, u.provider.parent) for u in bench.placement.uses()]


class PlacementProviderLaws(PlacementSuite):
    """Create, rename, move and delete."""

    def test_a_provider_is_made_empty(self, bench: PlacementBench) -> None:
        create(bench, "a")
        assert bench.placement.provider(A) == Provider(A, "A")
        head = bench.store.head()
        create(bench, "b", "a")
        assert told(bench, head) == {"b"}
        assert bench.placement.provider(B) == Provider(B, "B", A)
        create(bench, "d", "b")
        create(bench, "c", "a")
        assert shape(bench) == [
            ("a", "a", None),
            ("b", "a", "a"),
            ("c", "a", "a"),
            ("d", "a", "b"),
        ]
        tree = bench.placement.tree(D)
        assert tree is not None
        assert tree.root.id == A

    def test_ids_and_names_are_unique(self, bench: PlacementBench) -> None:
        create(bench, "a")
        make, change = bench.placement.create_provider, bench.placement.update_provider
        for provider, name, kind in ((A, "x", "provider"), (B, "A", "provider name")):
            error = bench.refused(AlreadyExists, make, provider, name)
            assert bench.refused(NotFound, make, provider, name, C).id == C
            assert (error.kind, error.id) == (kind, provider if kind == "provider" else name)
        create(bench, "b")
        error = bench.refused(AlreadyExists, change, B, "A", None)
        assert (error.kind, error.id) == ("provider name", "A")

    def test_a_parent_must_be_there(self, bench: PlacementBench) -> None:
        make, change = bench.placement.create_provider, bench.placement.update_provider
        assert bench.refused(NotFound, make, A, "A", B).id == "b"
        assert bench.refused(NotFound, make, A, "A", A).id == "a"
        create(bench, "a")
        assert bench.refused(NotFound, change, A, "A", B).id == "b"
        assert bench.refused(NotFound, change, B, "B", A).id == "b"
        assert bench.refused(NotFound, bench.placement.delete_provider, B).id == "b"

    def test_every_fault_of_a_provider_is_reported(self, bench: PlacementBench) -> None:
        create(bench, "a")
        make, change = bench.placement.create_provider, bench.placement.update_provider
        error = bench.refused(InvalidInput, make, ProviderId(""), "x" * 201)
        assert {(f.path, f.code) for f in error.faults} == {
            ("provider", "length"),
            ("name", "length"),
        }
        error = bench.refused(InvalidInput, change, A, "nul \0", None)
        assert {(f.path, f.code) for f in error.faults} == {("name", "text")}

    def test_a_new_name_raises_no_generation(self, bench: PlacementBench) -> None:
        bench.put(example_tree("h"))
        head = bench.store.head()
        change = bench.placement.update_provider
        bench.write(change, ProviderId("h"), "other", None)
        assert told(bench, head) == {"h"}
        row = bench.placement.provider(ProviderId("h"))
        assert row == attrs.evolve(example_tree("h").root, name="other")
        create(bench, "x")
        bench.write(change, ProviderId("x"), "host h", None)
        head = bench.store.head()
        bench.write(change, ProviderId("x"), "host h", None)
        assert bench.store.head() == head

    def test_what_is_below_moves_along(self, bench: PlacementBench) -> None:
        create(bench, "a")
        create(bench, "b", "a")
        create(bench, "c", "b")
        create(bench, "d")
        bench.write(bench.placement.set_traits, C, 0, frozenset())
        head = bench.store.head()
        move(bench, "b", "d")
        assert told(bench, head) == {"b", "c"}
        assert shape(bench) == [
            ("a", "a", None),
            ("d", "d", None),
            ("b", "d", "d"),
            ("c", "d", "b"),
        ]
        move(bench, "b", None)  # a root of its own
        assert shape(bench)[1:3] == [("b", "b", None), ("c", "b", "b")]
        move(bench, "a", "c")
        assert shape(bench)[:3] == [("b", "b", None), ("c", "b", "b"), ("a", "b", "c")]
        assert [bench.generation(p) for p in "abcd"] == [0, 0, 0, 0]
        move(bench, "a", "b")  # within its tree
        assert shape(bench)[:3] == [("b", "b", None), ("a", "b", "b"), ("c", "b", "b")]

    def test_deeper_trees_keep_their_order_when_moved(self, bench: PlacementBench) -> None:
        create(bench, "z")
        create(bench, "a", "z")
        create(bench, "b", "a")
        move(bench, "a", None)
        move(bench, "z", "b")
        assert [row[0] for row in shape(bench)] == ["a", "b", "z"]
        tree = bench.placement.tree(ProviderId("z"))
        assert tree is not None
        assert [(p.id, p.parent) for p in tree] == [("a", None), ("b", "a"), ("z", "b")]
        assert bench.put(tree) == tree

    def test_no_provider_is_below_itself(self, bench: PlacementBench) -> None:
        create(bench, "a")
        create(bench, "b", "a")
        create(bench, "c", "b")
        for parent in (A, B, C):
            change = bench.placement.update_provider
            error = bench.refused(InvalidInput, change, A, "A", parent)
            assert [(f.path, f.code) for f in error.faults] == [("parent", "cycle")]

    def test_a_parent_of_children_stays(self, bench: PlacementBench) -> None:
        create(bench, "a")
        create(bench, "c", "a")
        create(bench, "b", "a")
        error = bench.refused(InUse, bench.placement.delete_provider, A)
        assert (error.kind, error.id, error.by) == ("provider", "a", "provider b")
        head = bench.store.head()
        bench.write(bench.placement.delete_provider, C)
        assert told(bench, head) == {"c"}
        bench.write(bench.placement.delete_provider, B)
        bench.write(bench.placement.delete_provider, A)
        assert bench.placement.uses() == ()
        create(bench, "a")

    def test_a_provider_that_is_held_stays(self, bench: PlacementBench) -> None:
        create(bench, "a")
        offer = FrozenMap({VCPU: Inventory(total=4)})
        bench.write(bench.placement.set_inventories, A, 0, offer)
        bench.claim(example_claim("u", {"a": {VCPU: 1}}))
        error = bench.refused(InUse, bench.placement.delete_provider, A)
        assert (error.kind, error.id, error.by) == ("inventory", "VCPU of a", "consumer u")
        move(bench, "a", None)
        create(bench, "b")
        move(bench, "a", "b")
        assert bench.used("a") == {VCPU: 1}
        bench.claim(example_claim("v", {"a": {VCPU: 1}}))
        bench.release("u")
        bench.release("v")
        bench.write(bench.placement.delete_provider, A)
        bench.check()
