"""A database that cannot be used is told apart, in its own words, and nothing is half written."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import attrs
import pytest

from computekit.clock import SystemClock
from computekit.errors import InvalidInput, StoreUnavailable
from computekit.ids import HostName
from computekit.store import SqlHosts, SqlStore
from computekit.testing.host_laws import example_host
from computekit.units import Seconds
from computekit.work import Tx


def opened(url: str, *, timeout_s: float = 5.0) -> SqlStore:
    return SqlStore(url, SystemClock(), random.Random(1), timeout_s=Seconds(timeout_s))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "mysql://u:hunter2@h/d",
        "oracle://u:hunter2@h",
        "sqlite:/x",
        "postgresql:/u:hunter2@h/d",
        "postgresql://u:x@hunter2@h/d",
        "postgresql://u:@hunter2@h/d",
        "postgresql://u@hunter2@h/d",
        "postgresql://u:x@hunter2?y@h/d",
        "postgresql://u:x@hunter2/y@h/d",
        "postgresql://u:x@y:hunter2@h/d",
        "postgresql://u:hunter2/d",
        "postgresql://u:x@h:hunter2/d",
        "postgresql://u/hunter2@h/d",
        "postgresql://h?password=hunter2@x",
    ],
)
def test_what_is_no_url_of_a_database_is_bad_input(url: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        opened(url)
    assert [fault.path for fault in raised.value.faults] == ["url"]
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "password",
    ["hunter%402", "hun/ter2", "hun?ter2", "hun:ter2", "hunter%252", "%3F%2F%40%3A", "[x]"],
)
def test_a_password_is_told_to_nobody_but_the_server(password: str, tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreUnavailable) as raised:
        opened(f"postgresql://u:{password}@/d?host={tmp_path}", timeout_s=0.1)
    assert "No such file" in str(raised.value)
    assert not any(part in str(raised.value) for part in (password, unquote(password)))


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        opened(f"sqlite:///{tmp_path}/no/such/store.db")


def test_a_directory_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        opened(f"sqlite:///{tmp_path}")


def test_something_that_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(random.Random(1).randbytes(10_000))
    with pytest.raises(StoreUnavailable, match="not a database"):
        opened(f"sqlite:///{path}")
    assert path.stat().st_size == 10_000


def test_a_database_that_may_only_be_read(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/store.db") as store:
        hosts = SqlHosts(store)
        store.write(lambda tx: hosts.put_host(tx, example_host("h")))
    with opened(f"sqlite:///file:{tmp_path}/store.db?mode=ro&uri=true") as store:
        hosts = SqlHosts(store)
        with pytest.raises(StoreUnavailable, match="readonly"):
            store.write(lambda tx: hosts.put_host(tx, example_host("k")))
        assert hosts.hosts() == (example_host("h"),)


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    opened(url).close()
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StoreUnavailable, match="9999"):
        opened(url)


def test_a_file_that_is_removed_or_replaced_takes_no_more_writes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    opened(f"sqlite:///{tmp_path}/other.db").close()
    with opened(f"sqlite:///{path}") as store:
        hosts = SqlHosts(store)
        store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        away = path.rename(tmp_path / "away.db")
        with pytest.raises(StoreUnavailable, match="is gone"):
            store.write(lambda tx: hosts.put_host(tx, example_host("k")))
        (tmp_path / "other.db").rename(path)
        with pytest.raises(StoreUnavailable, match="replaced"):
            store.write(lambda tx: hosts.put_host(tx, example_host("k")))
        away.rename(path)
        store.write(lambda tx: hosts.put_host(tx, example_host("k")))
        assert hosts.hosts() == (example_host("h"), example_host("k"))


def test_a_database_that_another_keeps_locked(tmp_path: Path) -> None:
    with (
        opened(f"sqlite:///{tmp_path}/store.db", timeout_s=0.2) as store,
        closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other,
    ):
        hosts = SqlHosts(store)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        assert hosts.hosts() == ()
        assert store.head() == 0
        other.execute("ROLLBACK")
        store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        assert hosts.hosts() == (example_host("h"),)


def test_a_lock_that_passes_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    rests: list[Seconds] = []

    class Clock(SystemClock):
        """The other lets go when the store has rested three times."""

        def sleep(self, duration_s: Seconds) -> None:
            rests.append(duration_s)
            if len(rests) == 3:
                other.execute("ROLLBACK")

    with (
        closing(other),
        SqlStore(f"sqlite:///{tmp_path}/store.db", Clock(), random.Random(1)) as store,
    ):
        hosts = SqlHosts(store)
        store.write(lambda tx: store.connection(tx).exec_driver_sql("PRAGMA busy_timeout = 1"))
        other.execute("BEGIN IMMEDIATE")
        store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        assert len(rests) == 3
        assert hosts.hosts() == (example_host("h"),)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/store.db") as store:
        hosts = SqlHosts(store)
        store.write(lambda tx: hosts.put_host(tx, example_host("h")))
        head = store.head()

        def limit(pages: int) -> None:
            store.write(
                lambda tx: store.connection(tx).exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            )

        def fill(tx: Tx) -> None:
            for n in range(2_000):
                hosts.put_host(tx, attrs.evolve(example_host(f"k{n}"), disabled="x" * 1_000))

        limit(1)  # that is: as many as there are now
        with pytest.raises(StoreUnavailable, match="full"):
            store.write(fill)
        assert hosts.hosts() == (example_host("h"),)
        assert store.head() == head
        limit(1_000_000)
        store.write(fill)
        assert len(hosts.hosts()) == 2_001


def test_a_store_that_is_closed(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path}/store.db")
    hosts = SqlHosts(store)
    store.close()
    store.close()
    for use in (
        lambda: store.write(lambda tx: hosts.put_host(tx, example_host("h"))),
        lambda: hosts.host(HostName("h")),
        store.head,
    ):
        with pytest.raises(StoreUnavailable, match="closed"):
            use()


def test_no_parameter_of_a_statement_is_told(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/store.db") as store:

        def wrong(tx: Tx) -> None:
            connection = store.connection(tx)
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", ("hunter2",))

        with pytest.raises(Exception, match="nowhere") as raised:
            store.write(wrong)
        assert "hunter2" not in str(raised.value)
