"""On PostgreSQL too: whatever several schedulers do, no rule of a server group is broken."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.effort import examples
from tests.property.scheduler.group_ports import Ports, in_sql
from tests.property.scheduler.test_group_model import GroupMachine
from tests.property.scheduler.test_several_schedulers import by_processes, by_threads
from tests.real.postgresql import Server, running

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def test_whatever_is_done_by_schedulers_that_are_behind(server: Server, tmp_path: Path) -> None:
    class OnPostgresql(GroupMachine):
        numbers: ClassVar[Iterator[int]] = itertools.count()

        def open(self) -> Ports:
            return in_sql(server.url(tmp_path / str(next(self.numbers))))

    run_state_machine_as_test(
        OnPostgresql,
        settings=settings(max_examples=examples(5), stateful_step_count=40, deadline=None),
    )


def test_threads_keep_every_rule(server: Server, tmp_path: Path) -> None:
    crowds = by_threads(server.url(tmp_path), threads=3, rounds=40)
    assert all(crowd.granted for crowd in crowds)


def test_processes_keep_every_rule(server: Server, tmp_path: Path) -> None:
    found = by_processes(server.url(tmp_path), processes=3, rounds=40)
    assert all(granted for granted, _lost in found)
