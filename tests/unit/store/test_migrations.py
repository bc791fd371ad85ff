"""The schema that migrations make is the one that the code works with, and can be taken away."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from computekit.clock import SystemClock
from computekit.ids import ConsumerId
from computekit.model import VCPU, Trait
from computekit.placement import Claim
from computekit.store import SqlAggregates, SqlHosts, SqlPlacement, SqlStore
from computekit.store.migrations import NEWEST, migrate, revision
from computekit.store.migrations import __file__ as migrations_file
from computekit.store.tables import METADATA
from computekit.testing.host_laws import example_host
from computekit.testing.placement_bench import example_claim, example_tree
from computekit.work import Tx


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def definitions(connection: Connection) -> dict[str, set[str]]:
    """Return the lines that define each table and index; a column added later is one too."""
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != :version"),
        {"version": "alembic_version"},
    )
    return {
        name: {part.strip(" \t,") for part in re.split(r"\n|,(?![^(\n]*\))", sql)} - {""}
        for name, sql in rows
    }


def fill(url: str) -> None:
    with SqlStore(url, SystemClock(), random.Random(1)) as store:
        placement, hosts = SqlPlacement(store, SystemClock()), SqlHosts(store)

        def write(tx: Tx) -> None:
            placement.put_tree(tx, example_tree("h"))
            placement.claim(tx, (Claim(example_claim("c", {"h": {VCPU: 2}})),))
            hosts.put_host(tx, example_host("h"))

        store.write(write)


def test_migrations_make_what_the_code_expects(connection: Connection) -> None:
    migrate(connection, NEWEST)
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    assert compare_metadata(context, METADATA) == []
    made = definitions(connection)
    METADATA.drop_all(connection)
    METADATA.create_all(connection)
    assert made == definitions(connection)


def test_the_newest_revision_is_the_last_script() -> None:
    scripts = ScriptDirectory(str(Path(migrations_file).parent))
    assert scripts.get_heads() == [NEWEST]


def test_each_revision_goes_down_and_up_again_with_rows_in_it(
    url: str, connection: Connection
) -> None:
    scripts = ScriptDirectory(str(Path(migrations_file).parent))
    order = [None, *(script.revision for script in reversed(list(scripts.walk_revisions())))]
    fill(url)
    before = definitions(connection)
    connection.execute(text("PRAGMA foreign_keys = ON"))
    for target in reversed(order[:-1]):
        migrate(connection, target)
        assert revision(connection) == target
    assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    for target in order[1:]:
        migrate(connection, target)
        assert revision(connection) == target
    connection.commit()
    assert definitions(connection) == before
    fill(url)


def test_rows_outlive_a_revision_and_the_way_back(url: str, connection: Connection) -> None:
    check_that_rows_outlive_revisions(url, connection)


def check_that_rows_outlive_revisions(url: str, connection: Connection) -> None:
    """Fill a database, take it to the first revision and back, and find all that it can keep."""
    fill(url)
    with SqlStore(url, SystemClock(), random.Random(1)) as store:
        placement = SqlPlacement(store, SystemClock())
        unknown = example_claim("d", {"h": {VCPU: 1}})
        unknown = attrs.evolve(unknown, consumer=attrs.evolve(unknown.consumer, type=None))

        def write(tx: Tx) -> None:
            placement.claim(tx, (Claim(unknown),))
            placement.create_trait(tx, Trait("CUSTOM_UNUSED"))

        store.write(write)
        before = placement.uses(), placement.allocation(ConsumerId("c"))
        assert all(use.updated_s > 0 for use in before[0])
    migrate(connection, "0001")
    connection.commit()
    assert not inspect(connection).has_table("trait")
    assert "updated_s" not in {
        column["name"] for column in inspect(connection).get_columns("consumer")
    }
    kinds = connection.execute(text("SELECT id, type FROM consumer ORDER BY id")).all()
    assert [tuple(row) for row in kinds] == [("c", "INSTANCE"), ("d", "INSTANCE")]
    connection.commit()

    with SqlStore(url, SystemClock(), random.Random(1)) as store:
        placement = SqlPlacement(store, SystemClock())
        assert (placement.uses(), placement.allocation(ConsumerId("c"))) == before
        assert list(placement.resource_classes())[-1] == "CUSTOM_FPGA"
        assert list(placement.traits("CUSTOM_")) == ["CUSTOM_GOLD"]
        assert len(SqlHosts(store).hosts()) == 1
        assert placement.usages(unknown.consumer.project).keys() == {"INSTANCE"}
        store.write(lambda tx: placement.release(tx, ConsumerId("d")))


def test_opening_an_up_to_date_database_needs_no_alembic(url: str) -> None:
    fill(url)
    code = (
        "import random, sys; from computekit.clock import SystemClock;"
        "from computekit.store import SqlStore;"
        f"SqlStore({url!r}, SystemClock(), random.Random(1)).close();"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"


def test_several_processes_may_open_a_new_database_at_once(url: str) -> None:
    code = (
        "import random; from computekit.clock import SystemClock;"
        "from computekit.store import SqlStore;"
        f"store = SqlStore({url!r}, SystemClock(), random.Random(1)); print(store.head())"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["0"] * 4


def test_zones_of_hosts_become_aggregates(url: str, connection: Connection) -> None:
    migrate(connection, "0007")
    connection.execute(
        text("INSERT INTO aggregate (uuid, name, metadata) VALUES ('u', 'south', '{}')")
    )
    for name, zone in (("a", "north"), ("b", None), ("c", "north"), ("d", "south")):
        row = {"name": name, "zone": zone}
        connection.execute(
            text(
                "INSERT INTO host (name, provider_id, zone, up, incarnation, seen_s, facts)"
                " VALUES (:name, :name, :zone, 1, '', 0, '{}')"
            ),
            row,
        )
    migrate(connection, NEWEST)
    connection.commit()
    with SqlStore(url, SystemClock(), random.Random(1)) as store:
        rows = SqlAggregates(store).aggregates()
    assert {row.name: (dict(row.metadata), sorted(row.hosts)) for row in rows} == {
        "south": ({}, []),
        "north": ({"availability_zone": "north"}, ["a", "c"]),
        "zone south": ({"availability_zone": "south"}, ["d"]),
    }
