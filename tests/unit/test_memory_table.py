"""Tables in memory take back what a failed transaction wrote, and transactions do things once."""

import pytest

from computekit.work import MemoryStore, MemoryTable, Tx


class AbandonedError(Exception):
    """Ends a transaction of a test."""


def test_a_failed_transaction_leaves_every_row_as_it_was() -> None:
    store = MemoryStore()
    table: MemoryTable[str, int] = MemoryTable()
    before = {"kept": 1, "changed": 2, "removed": 3}

    def fill(tx: Tx) -> None:
        for key, row in before.items():
            table.put(store.transaction(tx), key, row)

    def spoil(tx: Tx) -> None:
        mine = store.transaction(tx)
        table.put(mine, "changed", 20)
        table.put(mine, "changed", 21)
        table.remove(mine, "removed")
        table.put(mine, "removed", 30)
        table.remove(mine, "removed")
        table.put(mine, "new", 4)
        table.remove(mine, "new")
        table.put(mine, "new", 5)
        table.remove(mine, "unknown")
        assert table.rows == {"kept": 1, "changed": 21, "new": 5}
        raise AbandonedError

    store.write(fill)
    with pytest.raises(AbandonedError):
        store.write(spoil)
    assert table.rows == before


def test_a_transaction_is_asked_for_the_first_time_once() -> None:
    store = MemoryStore()

    def ask(tx: Tx) -> list[bool]:
        return [tx.first("a"), tx.first("b"), tx.first("a"), tx.first(("a", 1))]

    assert store.write(ask) == [True, True, False, True]
    assert store.write(ask) == [True, True, False, True]
