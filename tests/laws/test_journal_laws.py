"""Every journal under the same laws."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from computekit.clock import SystemClock
from computekit.journal import MemoryJournal
from computekit.store import SqlJournal, SqlStore
from computekit.testing.journal_bench import JournalBench
from computekit.testing.journal_laws import JournalLaws, SharedJournalLaws
from computekit.work import MemoryStore


class TestMemoryJournal(JournalLaws):
    @pytest.fixture
    def bench(self) -> JournalBench:
        store = MemoryStore()
        return JournalBench(store, MemoryJournal(store))


class TestSqliteFileJournal(JournalLaws):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[JournalBench]:
        with SqlStore(f"sqlite:///{tmp_path}/store.db", SystemClock(), random.Random(1)) as store:
            yield JournalBench(store, SqlJournal(store))


class TestSqliteMemoryJournal(JournalLaws):
    @pytest.fixture
    def bench(self) -> Iterator[JournalBench]:
        with SqlStore("sqlite://", SystemClock(), random.Random(1)) as store:
            yield JournalBench(store, SqlJournal(store))


class TestSqliteFileJournalShared(SharedJournalLaws):
    @pytest.fixture
    def benches(self, tmp_path: Path) -> Iterator[tuple[JournalBench, JournalBench]]:
        url = f"sqlite:///{tmp_path}/store.db"
        with (
            SqlStore(url, SystemClock(), random.Random(1)) as one,
            SqlStore(url, SystemClock(), random.Random(2)) as other,
        ):
            yield JournalBench(one, SqlJournal(one)), JournalBench(other, SqlJournal(other))
