"""PostgreSQL keeps the laws that memory and SQLite keep."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from computekit.clock import SystemClock
from computekit.errors import StoreUnavailable
from computekit.store import (
    SqlAggregates,
    SqlBurns,
    SqlCells,
    SqlGroups,
    SqlHosts,
    SqlInstances,
    SqlPlacement,
    SqlStore,
)
from computekit.store.migrations import migrate
from computekit.store.tables import METADATA
from computekit.testing import ManualClock
from computekit.testing.aggregate_laws import AggregateBench, AggregateLaws
from computekit.testing.burn_laws import BurnBench, BurnLaws
from computekit.testing.cell_laws import CellBench, CellLaws
from computekit.testing.group_claim_laws import GroupClaimBench, GroupClaimLaws
from computekit.testing.group_laws import GroupBench, GroupLaws
from computekit.testing.host_laws import HostBench, HostLaws, example_host
from computekit.testing.instance_laws import InstanceBench, InstanceLaws
from computekit.testing.placement_bench import PlacementBench
from computekit.testing.placement_laws import PlacementLaws
from computekit.testing.store_laws import SharedStoreLaws, StoreLaws
from computekit.units import Seconds
from tests.real.postgresql import Server, running
from tests.unit.store.test_migrations import check_that_rows_outlive_revisions

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


class Databases:
    """A schema of its own for each directory that a law asks for."""

    @pytest.fixture(autouse=True)
    def _at(self, server: Server) -> None:
        self.server = server

    @contextmanager
    def store(self, directory: Path, *, history: int = 10_000) -> Iterator[SqlStore]:
        url = self.server.url(directory)
        with SqlStore(url, SystemClock(), random.Random(1), history=history) as store:
            yield store


class TestPostgresqlStore(Databases, StoreLaws):
    @contextmanager
    def open(self, directory: Path, *, history: int) -> Iterator[HostBench]:
        with self.store(directory, history=history) as store:
            yield HostBench(store, SqlHosts(store))


class TestPostgresqlStoreShared(Databases, SharedStoreLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[HostBench]:
        with self.store(directory) as store:
            yield HostBench(store, SqlHosts(store))


class TestPostgresqlHosts(Databases, HostLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[HostBench]:
        with self.store(directory) as store:
            yield HostBench(store, SqlHosts(store))


class TestPostgresqlBurns(Databases, BurnLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[BurnBench]:
        with self.store(directory) as store:
            yield BurnBench(store, SqlBurns(store))


class TestPostgresqlCells(Databases, CellLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[CellBench]:
        with self.store(directory) as store:
            yield CellBench(store, SqlCells(store))


class TestPostgresqlAggregates(Databases, AggregateLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[AggregateBench]:
        with self.store(directory) as store:
            yield AggregateBench(store, SqlAggregates(store))


class TestPostgresqlGroups(Databases, GroupLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[GroupBench]:
        with self.store(directory) as store:
            yield GroupBench(store, SqlGroups(store))


class TestPostgresqlGroupClaims(Databases, GroupClaimLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[GroupClaimBench]:
        with self.store(directory) as store:
            placement = SqlPlacement(store, ManualClock())
            yield GroupClaimBench(
                store, placement, SqlHosts(store), SqlAggregates(store), SqlGroups(store)
            )


class TestPostgresqlInstances(Databases, InstanceLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[InstanceBench]:
        with self.store(directory) as store:
            yield InstanceBench(store, SqlInstances(store))


class TestPostgresqlPlacement(Databases, PlacementLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[PlacementBench]:
        with self.store(directory) as store:
            clock = ManualClock()
            yield PlacementBench(store, SqlPlacement(store, clock), clock)


class TestPostgresqlItself(Databases):
    def test_migrations_make_what_the_code_expects(self, tmp_path: Path) -> None:
        with self.store(tmp_path) as store:
            hosts = SqlHosts(store)
            store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        engine = create_engine(
            self.server.url(tmp_path).replace("postgresql:", "postgresql+psycopg:")
        )
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
            migrate(connection, None)
            connection.commit()
        engine.dispose()
        with self.store(tmp_path) as store:
            assert SqlHosts(store).hosts() == ()

    def test_rows_outlive_a_revision_and_the_way_back(self, tmp_path: Path) -> None:
        url = self.server.url(tmp_path)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            check_that_rows_outlive_revisions(url, connection)
        engine.dispose()

    def test_a_connection_that_is_lost_is_made_again(self, tmp_path: Path) -> None:
        with self.store(tmp_path) as store:
            hosts = SqlHosts(store)
            store.write(lambda tx: hosts.put_host(tx, example_host("h")))
            with self.server.connect() as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            store.write(lambda tx: hosts.put_host(tx, example_host("k")))
            assert len(hosts.hosts()) == 2

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        url = f"postgresql://u:hunter2@/d?host={tmp_path}"
        with pytest.raises(StoreUnavailable) as raised:
            SqlStore(url, SystemClock(), random.Random(1), timeout_s=Seconds(0.5))
        assert "hunter2" not in str(raised.value)
