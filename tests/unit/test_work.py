from functools import partial

import pytest

from computekit.errors import NotFound
from computekit.work import Change, MemoryStore, Tx


class _Names:
    """A port of the smallest kind."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.names: set[str] = set()

    def add(self, tx: Tx, name: str) -> None:
        self._store.transaction(tx).on_rollback(lambda: self.names.discard(name))
        self.names.add(name)
        tx.changed("name", name)


def test_a_failed_write_leaves_nothing() -> None:
    store = MemoryStore()
    names = _Names(store)
    rung: list[str] = []

    def write(tx: Tx) -> None:
        names.add(tx, "a")
        tx.after_commit(lambda: rung.append("a"))
        raise NotFound("thing", "b")

    with pytest.raises(NotFound):
        store.write(write)
    assert names.names == set()
    assert rung == []
    assert store.head() == 0


def test_the_head_counts_commits_that_changed_something() -> None:
    store = MemoryStore()
    names = _Names(store)
    store.write(lambda tx: names.add(tx, "a"))
    store.write(lambda tx: None)
    store.write(lambda tx: names.add(tx, "b"))
    assert store.head() == 2
    changes = store.changes(1)
    assert changes is not None
    assert changes.head == 2
    assert changes.changes == {Change("name", "b")}


def test_who_is_too_far_behind_is_told_to_reload() -> None:
    store = MemoryStore(history=2)
    names = _Names(store)
    for name in "abc":
        store.write(partial(names.add, name=name))
    assert store.changes(0) is None
    recent = store.changes(1)
    assert recent is not None
    assert {change.key for change in recent.changes} == {"b", "c"}


def test_after_commit_runs_once_and_after_the_commit() -> None:
    store = MemoryStore()
    names = _Names(store)
    seen: list[bool] = []

    def write(tx: Tx) -> None:
        names.add(tx, "a")
        tx.after_commit(lambda: seen.append("a" in names.names and store.head() == 1))

    store.write(write)
    assert seen == [True]


def test_a_transaction_is_good_only_in_its_own_store_and_time() -> None:
    store, other = MemoryStore(), MemoryStore()
    kept: list[Tx] = []

    def write(tx: Tx) -> None:
        kept.append(tx)
        with pytest.raises(TypeError):
            other.transaction(tx)
        with pytest.raises(RuntimeError):
            store.write(lambda inner: None)

    store.write(write)
    with pytest.raises(TypeError):
        store.transaction(kept[0])
