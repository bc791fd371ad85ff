"""PostgreSQL keeps the laws that memory and SQLite keep.

The server is the machine's own package, started on a socket of its own with a directory of its own.
"""

import os
import pwd
import random
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from computekit.clock import SystemClock
from computekit.errors import StoreUnavailable
from computekit.store import SqlHosts, SqlPlacement, SqlStore
from computekit.store.migrations import migrate
from computekit.store.tables import METADATA
from computekit.testing.host_laws import HostBench, HostLaws, example_host
from computekit.testing.placement_bench import PlacementBench
from computekit.testing.placement_laws import PlacementLaws
from computekit.testing.store_laws import SharedStoreLaws, StoreLaws
from computekit.units import Seconds

pytestmark = pytest.mark.real

SETTINGS = "-c listen_addresses='' -c fsync=off -c max_connections=200"


def programs() -> Path:
    """Return where `initdb` is, or skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    return found[-1].parent


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """Start a server; return the directory of its socket."""
    there = programs()
    # The server refuses to run as root; its package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    directory = Path(tempfile.mkdtemp(prefix="computekit-postgresql-"))
    shutil.chown(directory, user)

    def run(*arguments: str) -> None:
        subprocess.run(
            arguments, check=True, user=user, cwd=directory, timeout=120, stdout=subprocess.DEVNULL
        )

    data = f"{directory}/data"
    try:
        run(f"{there}/initdb", "-D", data, "-U", "ck", "-A", "trust", "--no-sync")
        options = f"{SETTINGS} -k {directory}"
        run(f"{there}/pg_ctl", "-D", data, "-o", options, "-l", f"{directory}/log", "-w", "start")
        try:
            yield directory
        finally:
            run(f"{there}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory)


class Databases:
    """A schema of its own for each directory that a law asks for: far cheaper than a database."""

    @pytest.fixture(autouse=True)
    def _at(self, server: Path) -> None:
        self.socket = server

    def url(self, directory: Path) -> str:
        schema = f"s{uuid.uuid5(uuid.NAMESPACE_URL, str(directory)).hex}"
        with psycopg.connect(
            host=str(self.socket), user="ck", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
        return f"postgresql://ck@/postgres?host={self.socket}&options=-csearch_path%3D{schema}"

    @contextmanager
    def store(self, directory: Path, *, history: int = 10_000) -> Iterator[SqlStore]:
        url = self.url(directory)
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


class TestPostgresqlPlacement(Databases, PlacementLaws):
    @contextmanager
    def open(self, directory: Path) -> Iterator[PlacementBench]:
        with self.store(directory) as store:
            yield PlacementBench(store, SqlPlacement(store))


class TestPostgresqlItself(Databases):
    def test_migrations_make_what_the_code_expects(self, tmp_path: Path) -> None:
        with self.store(tmp_path) as store:
            hosts = SqlHosts(store)
            store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        engine = create_engine(self.url(tmp_path).replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
            migrate(connection, None)
            connection.commit()
        engine.dispose()
        with self.store(tmp_path) as store:
            assert SqlHosts(store).hosts() == ()

    def test_a_connection_that_is_lost_is_made_again(self, tmp_path: Path) -> None:
        with self.store(tmp_path) as store:
            hosts = SqlHosts(store)
            store.write(lambda tx: hosts.put_host(tx, example_host("h")))
            with psycopg.connect(
                host=str(self.socket), user="ck", dbname="postgres", autocommit=True
            ) as other:
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
