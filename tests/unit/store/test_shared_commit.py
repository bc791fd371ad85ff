"""Writers that wait for each other share one commit, and nobody pays for the faults of another."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from sqlalchemy.exc import IntegrityError

from computekit.clock import SystemClock
from computekit.errors import NotFound
from computekit.scheduler.hosts import HOST_CHANGED
from computekit.store import SqlHosts, SqlStore, write_connection
from computekit.testing.host_laws import example_host
from computekit.work import Change, Tx

JOIN_S = 20.0


@attrs.frozen
class Bench:
    store: SqlStore
    hosts: SqlHosts

    def put(self, name: str) -> Callable[[Tx], str]:
        def write(tx: Tx) -> str:
            self.hosts.put_host(tx, example_host(name))
            return name

        return write

    def names(self) -> set[str]:
        return {str(host.name) for host in self.hosts.hosts()}

    def together(self, *writes: Callable[[Tx], object]) -> list[object]:
        """Let each write begin while the one before it is running; return results and errors."""
        results: list[object] = [None] * len(writes)
        all_wait = threading.Event()

        def run(n: int) -> None:
            def fn(tx: Tx) -> object:
                if n == 0:
                    assert all_wait.wait(JOIN_S)
                return writes[n](tx)

            try:
                results[n] = self.store.write(fn)
            except Exception as error:  # noqa: BLE001  # returned below
                results[n] = error

        threads = []
        for n in range(len(writes)):
            thread = threading.Thread(target=run, args=(n,), daemon=True)
            thread.start()
            threads.append(thread)
            while not self.store._turn._taken or len(self.store._turn._queue) < n:
                thread.join(0.001)
        all_wait.set()
        for thread in threads:
            thread.join(JOIN_S)
        assert not any(thread.is_alive() for thread in threads)
        return results


@pytest.fixture(params=["file", "memory"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    url = "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    with SqlStore(url, SystemClock(), random.Random(1)) as store:
        yield Bench(store, SqlHosts(store))


def test_waiting_writers_share_one_commit(bench: Bench) -> None:
    names = [f"h{n}" for n in range(10)]
    assert bench.together(*map(bench.put, names)) == names
    assert bench.store.head() == 1
    news = bench.store.changes(0)
    assert news is not None
    assert news.changes == {Change(HOST_CHANGED, name) for name in names}


def test_each_sees_those_before_it(bench: Bench) -> None:
    def count(tx: Tx) -> int:
        n = len(bench.hosts.hosts())
        bench.put(f"h{n}")(tx)
        return n

    assert bench.together(*[count] * 5) == list(range(5))


@pytest.mark.parametrize("culprit", [0, 1, 4])
def test_a_failure_takes_back_its_own_part_only(bench: Bench, culprit: int) -> None:
    error = NotFound("thing", "x")

    def fail(tx: Tx) -> None:
        bench.put("bad")(tx)
        raise error

    writes: list[Callable[[Tx], object]] = [bench.put(f"h{n}") for n in range(5)]
    writes[culprit] = fail
    results = bench.together(*writes)
    assert results[culprit] is error
    good = {f"h{n}" for n in range(5) if n != culprit}
    assert {result for result in results if isinstance(result, str)} == good
    assert bench.names() == good
    assert bench.store.head() == 1


@pytest.mark.parametrize("culprit", [0, 2, 4])
def test_a_commit_that_is_refused_is_made_one_by_one(bench: Bench, culprit: int) -> None:
    def orphan(tx: Tx) -> None:
        connection = bench.store.connection(tx)
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("INSERT INTO provider_trait VALUES ('nobody', 'CUSTOM_X')")

    writes: list[Callable[[Tx], object]] = [bench.put(f"h{n}") for n in range(5)]
    writes[culprit] = orphan
    results = bench.together(*writes)
    assert isinstance(results[culprit], IntegrityError)
    assert bench.names() == {f"h{n}" for n in range(5) if n != culprit}
    assert bench.store.write(bench.put("after")) == "after"


@pytest.mark.parametrize("culprit", [0, 2, 4])
def test_a_transaction_that_the_database_gives_up_is_written_again(
    bench: Bench, culprit: int
) -> None:
    def lose(tx: Tx) -> None:
        bench.store.connection(tx).exec_driver_sql("ROLLBACK")
        raise NotFound("thing", "x")

    writes: list[Callable[[Tx], object]] = [bench.put(f"h{n}") for n in range(5)]
    writes[culprit] = lose
    results = bench.together(*writes)
    assert isinstance(results[culprit], NotFound)
    assert bench.names() == {f"h{n}" for n in range(5) if n != culprit}
    assert bench.store.write(bench.put("after")) == "after"


def test_a_writer_interrupted_while_it_waits_leaves_the_queue(bench: Bench) -> None:
    def nested(tx: Tx) -> None:
        with pytest.raises(RuntimeError, match="write inside a write"):
            bench.store.write(bench.put("inner"))
        bench.put("outer")(tx)

    assert bench.together(nested, bench.put("next")) == [None, "next"]
    assert bench.names() == {"outer", "next"}


def test_a_commit_is_not_put_off_by_those_who_fail(bench: Bench) -> None:
    done = threading.Event()

    def fail(_tx: Tx) -> None:
        raise NotFound("thing", "x")

    def keep_failing() -> None:
        while not done.is_set():
            with pytest.raises(NotFound):
                bench.store.write(fail)

    others = [threading.Thread(target=keep_failing, daemon=True) for _ in range(4)]
    for other in others:
        other.start()
    writer = threading.Thread(target=bench.store.write, args=(bench.put("h"),), daemon=True)
    writer.start()
    writer.join(JOIN_S)
    written = not writer.is_alive()
    done.set()
    for other in others:
        other.join(JOIN_S)
    assert written
    assert bench.names() == {"h"}


def test_a_defect_that_looks_like_a_race_shows_after_three_runs(bench: Bench) -> None:
    runs: list[int] = []

    def twice(tx: Tx) -> None:
        runs.append(1)
        for _ in range(2):
            bench.store.connection(tx).exec_driver_sql(
                "INSERT INTO consumer VALUES ('c', 'p', 'u', 'T', 1, 0)"
            )

    with pytest.raises(IntegrityError):
        bench.store.write(twice)
    assert len(runs) == 3


def test_a_part_that_did_not_begin_takes_nothing_of_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = bench.store._writer
    nest, calls = writer.nest, [0]

    def interrupted() -> None:
        calls[0] += 1
        if calls[0] == 2:
            with monkeypatch.context() as patch:
                patch.setattr(write_connection, "run_words", _interrupt)
                nest()
        nest()

    monkeypatch.setattr(writer, "nest", interrupted)
    names = [f"h{n}" for n in range(3)]
    results = bench.together(*map(bench.put, names))
    assert results[:2] == names[:2]
    assert isinstance(results[2], InterruptedError)
    assert bench.names() == set(names[:2])


def _interrupt(*_: object) -> None:
    raise InterruptedError
