"""Every journal under the same laws."""

import pytest

from computekit.journal import MemoryJournal
from computekit.testing.journal_laws import JournalBench, JournalLaws
from computekit.work import MemoryStore


class TestMemoryJournal(JournalLaws):
    @pytest.fixture
    def bench(self) -> JournalBench:
        store = MemoryStore()
        return JournalBench(store, MemoryJournal(store))
