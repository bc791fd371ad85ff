"""What a server does to connections: those that it ends are not the readers' business."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from computekit.clock import SystemClock
from computekit.store import SqlHosts, SqlStore
from computekit.testing.host_laws import example_host
from tests.real.postgresql import Server, running

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def end_all_connections(server: Server) -> None:
    with server.connect() as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.mark.parametrize("together", [1, 8, 16])
def test_readers_do_not_notice_that_connections_at_rest_were_ended(
    together: int, server: Server, tmp_path: Path
) -> None:
    with SqlStore(server.url(tmp_path), SystemClock(), random.Random(1)) as store:
        hosts = SqlHosts(store)
        store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        for _ in range(2):
            end_all_connections(server)
            with ExitStack() as readers:
                for number in range(together - 1):  # the writer has one
                    connection = readers.enter_context(store.reading(one_statement=number % 2 == 0))
                    assert connection.exec_driver_sql("SELECT 1").one() == (1,)
            end_all_connections(server)
            assert hosts.hosts() == (example_host("h"),)
            assert store.head() == 1
