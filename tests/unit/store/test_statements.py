"""How often the database is asked: what is many is asked at once."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from computekit.ids import ProviderId
from computekit.model import VCPU, Trait
from computekit.store import SqlPlacement, SqlStore
from computekit.testing import ManualClock

HOST = ProviderId("host")


@pytest.fixture
def store() -> Iterator[SqlStore]:
    with SqlStore("sqlite://", ManualClock(), random.Random(1)) as store:
        yield store


@pytest.fixture
def books(store: SqlStore) -> SqlPlacement:
    books = SqlPlacement(store, ManualClock())
    store.write(lambda tx: books.create_provider(tx, HOST, "host"))
    return books


@contextmanager
def statements(store: SqlStore) -> Iterator[list[str]]:
    """Give a list of the statements that the database is asked meanwhile."""
    with store.reading() as connection:
        driver: object = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    seen: list[str] = []
    driver.set_trace_callback(seen.append)
    yield seen
    driver.set_trace_callback(None)


def test_many_names_are_looked_for_at_once(store: SqlStore, books: SqlPlacement) -> None:
    names = frozenset(Trait(f"CUSTOM_{n}") for n in range(300))
    with statements(store) as seen:
        store.write(lambda tx: books.set_traits(tx, HOST, 0, names))
    assert len([one for one in seen if one.startswith("SELECT") and "FROM trait" in one]) == 2
    assert len(books.traits("CUSTOM_")) == 300


def test_one_name_is_asked_for_alone(store: SqlStore, books: SqlPlacement) -> None:
    store.write(lambda tx: books.create_trait(tx, Trait("CUSTOM_A")))
    with statements(store) as seen:
        assert books.trait_since(Trait("CUSTOM_A")) is not None
        assert books.trait_since(Trait("HW_CPU_X86_AVX2")) == 0.0
        assert books.class_since(VCPU) == 0.0
    assert len(seen) == 1
    assert "WHERE" in seen[0]


def test_a_provider_is_read_by_one_statement(store: SqlStore, books: SqlPlacement) -> None:
    store.write(lambda tx: books.set_traits(tx, HOST, 0, frozenset({Trait("HW_CPU_X86_AVX2")})))
    with statements(store) as seen:
        found = books.provider(HOST)
    assert found is not None
    assert found.traits == {"HW_CPU_X86_AVX2"}
    assert len(seen) == 1


def test_what_a_write_costs_grows_with_what_differs(store: SqlStore, books: SqlPlacement) -> None:
    few, more = (frozenset(Trait(f"CUSTOM_{n}") for n in range(count)) for count in (20, 21))
    store.write(lambda tx: books.set_traits(tx, HOST, 0, few))
    with statements(store) as seen:
        store.write(lambda tx: books.set_traits(tx, HOST, 1, more))
    written = [one for one in seen if not one.startswith(("SELECT", "BEGIN", "COMMIT"))]
    assert sum("provider_trait" in one for one in written) == 1
    assert sum(one.startswith("UPDATE provider ") for one in written) == 1
