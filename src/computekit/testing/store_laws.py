"""What every `Store` keeps, as tests to subclass.

A store alone has no rows; the hosts' port serves to see what was written.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest

from computekit.errors import NotFound
from computekit.ids import HostName
from computekit.scheduler.hosts import HOST_CHANGED, Host
from computekit.testing.host_laws import HostBench, example_host
from computekit.work import Change, Tx

__all__ = ["SharedStoreLaws", "StoreLaws", "run_threads"]

JOIN_S = 60.0


def run_threads(*bodies: Callable[[], None]) -> None:
    """Run each body on a thread of its own, all started together; raise the first error."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(bodies))

    def run(body: Callable[[], None]) -> None:
        try:
            start.wait(JOIN_S)
            body()
        except BaseException as error:  # noqa: BLE001  it is raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(body,), daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(JOIN_S)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "a thread did not end"


def put(bench: HostBench, host: Host) -> None:
    """Write one host in a transaction of its own."""
    bench.store.write(lambda tx: bench.hosts.put_host(tx, host))


class Replica:
    """Hosts as somebody knows them who follows the changes of a store."""

    def __init__(self, bench: HostBench) -> None:
        self._bench = bench
        self.head: int = -1
        self.hosts: dict[HostName, Host] = {}

    def follow(self) -> None:
        """Read what was committed since the last time."""
        news = None if self.head < 0 else self._bench.store.changes(self.head)
        if news is None:
            self.head = self._bench.store.head()
            self.hosts = {host.name: host for host in self._bench.hosts.hosts()}
            return
        names = frozenset(HostName(c.key) for c in news.changes if c.kind == HOST_CHANGED)
        for name in names:
            self.hosts.pop(name, None)
        self.hosts.update({host.name: host for host in self._bench.hosts.hosts(names)})
        self.head = news.head


class StoreLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path, *, history: int) -> AbstractContextManager[HostBench]:
        """Return an empty store that keeps at least `history` commits, and its hosts.

        It may keep files in `directory`; it is asked for several with different directories.
        """

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[HostBench]:
        with self.open(tmp_path, history=10_000) as bench:
            yield bench

    def test_a_write_returns_what_its_function_returns(self, bench: HostBench) -> None:
        assert bench.store.write(lambda _tx: 42) == 42

    def test_what_was_written_is_read(self, bench: HostBench) -> None:
        put(bench, example_host("h"))
        assert bench.hosts.host(HostName("h")) == example_host("h")

    def test_a_failed_write_leaves_nothing(self, bench: HostBench) -> None:
        put(bench, example_host("kept"))
        head = bench.store.head()
        rung: list[str] = []
        error = NotFound("thing", "x")

        def fail(tx: Tx) -> None:
            bench.hosts.put_host(tx, example_host("new"))
            bench.hosts.put_host(tx, example_host("kept", incarnation="changed"))
            bench.hosts.delete_host(tx, HostName("kept"))
            tx.after_commit(lambda: rung.append("rung"))
            raise error

        with pytest.raises(NotFound) as raised:
            bench.store.write(fail)
        assert raised.value is error
        assert bench.hosts.hosts() == (example_host("kept"),)
        assert bench.store.head() == head
        assert rung == []
        put(bench, example_host("after"))
        assert bench.store.head() == head + 1

    def test_a_failure_that_is_no_exception_of_ours_leaves_nothing(self, bench: HostBench) -> None:
        def interrupt(tx: Tx) -> None:
            bench.hosts.put_host(tx, example_host("new"))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bench.store.write(interrupt)
        assert bench.hosts.hosts() == ()
        put(bench, example_host("after"))
        assert bench.hosts.hosts() == (example_host("after"),)

    def test_doorbells_ring_after_the_commit(self, bench: HostBench) -> None:
        seen: list[tuple[int, bool]] = []

        def ring() -> None:
            seen.append((bench.store.head(), bench.hosts.host(HostName("h")) is not None))

        def write(tx: Tx) -> None:
            tx.after_commit(ring)
            tx.after_commit(ring)
            bench.hosts.put_host(tx, example_host("h"))
            assert seen == []

        head = bench.store.head()
        bench.store.write(write)
        assert seen == [(head + 1, True)] * 2

    def test_a_doorbell_may_write(self, bench: HostBench) -> None:
        def write(tx: Tx) -> None:
            bench.hosts.put_host(tx, example_host("first"))
            tx.after_commit(lambda: put(bench, example_host("second")))

        bench.store.write(write)
        assert len(bench.hosts.hosts()) == 2

    def test_reads_inside_a_write_see_it(self, bench: HostBench) -> None:
        def write(tx: Tx) -> tuple[Host, ...]:
            bench.hosts.put_host(tx, example_host("h"))
            return bench.hosts.hosts()

        assert bench.store.write(write) == (example_host("h"),)

    def test_others_do_not_see_what_is_not_committed(self, bench: HostBench) -> None:
        found: list[tuple[Host, ...]] = []
        reader = threading.Thread(target=lambda: found.append(bench.hosts.hosts()), daemon=True)

        def write(tx: Tx) -> None:
            bench.hosts.put_host(tx, example_host("h"))
            reader.start()
            reader.join(0.05)  # a store may let the reader wait until the end
            raise NotFound("thing", "x")

        with pytest.raises(NotFound):
            bench.store.write(write)
        reader.join(JOIN_S)
        assert found == [()]

    def test_a_write_inside_a_write_is_refused(self, bench: HostBench) -> None:
        def outer(tx: Tx) -> None:
            bench.hosts.put_host(tx, example_host("h"))
            put(bench, example_host("inner"))

        with pytest.raises(RuntimeError):
            bench.store.write(outer)
        assert bench.hosts.hosts() == ()

    def test_a_transaction_that_has_ended_is_refused(self, bench: HostBench) -> None:
        ended = bench.store.write(lambda tx: tx)
        with pytest.raises(TypeError):
            bench.hosts.put_host(ended, example_host("h"))

        def fail(tx: Tx) -> None:
            kept.append(tx)
            raise NotFound("thing", "x")

        kept: list[Tx] = []
        with pytest.raises(NotFound):
            bench.store.write(fail)
        with pytest.raises(TypeError):
            bench.hosts.put_host(kept[0], example_host("h"))
        assert bench.hosts.hosts() == ()

    def test_a_transaction_of_another_store_is_refused(
        self, bench: HostBench, tmp_path: Path
    ) -> None:
        with self.open(tmp_path / "other", history=10) as other, pytest.raises(TypeError):
            other.store.write(lambda tx: bench.hosts.put_host(tx, example_host("h")))
        assert bench.hosts.hosts() == ()

    def test_the_head_counts_commits_that_changed_something(self, bench: HostBench) -> None:
        head = bench.store.head()
        bench.store.write(lambda _tx: None)
        assert bench.store.head() == head
        for n in range(1, 4):
            put(bench, example_host(f"h{n}"))
            assert bench.store.head() == head + n

        def several(tx: Tx) -> None:
            for n in range(5):
                bench.hosts.put_host(tx, example_host(f"many{n}"))

        bench.store.write(several)
        assert bench.store.head() == head + 4

    def test_changes_are_all_that_came_after(self, bench: HostBench) -> None:
        heads = [bench.store.head()]
        for name in ("a", "b", "a", "c"):
            put(bench, example_host(name, incarnation=str(len(heads))))
            heads.append(bench.store.head())
        later = ("abac", "bac", "ac", "c", "")
        for since, names in zip(heads, later, strict=True):
            news = bench.store.changes(since)
            assert news is not None
            assert news.head == heads[-1]
            assert news.changes == {Change(HOST_CHANGED, name) for name in names}

    def test_a_head_from_elsewhere_is_unknown(self, bench: HostBench) -> None:
        assert bench.store.changes(bench.store.head() + 1) is None
        assert bench.store.changes(bench.store.head() - 1) is None

    def test_who_is_too_far_behind_is_told(self, tmp_path: Path) -> None:
        with self.open(tmp_path, history=5) as bench:
            start = bench.store.head()
            for n in range(200):
                put(bench, example_host("h", incarnation=str(n)))
            head = bench.store.head()
            assert head == start + 200
            assert bench.store.changes(start) is None
            news = bench.store.changes(head - 5)
            assert news is not None
            assert news.changes == {Change(HOST_CHANGED, "h")}

    def test_no_write_is_lost_among_threads(self, bench: HostBench) -> None:
        put(bench, example_host("h", incarnation="0"))

        def count(tx: Tx) -> None:
            host = bench.hosts.host(HostName("h"))
            assert host is not None
            number = int(host.incarnation) + 1
            bench.hosts.put_host(tx, example_host("h", incarnation=str(number)))

        def body() -> None:
            for _ in range(50):
                bench.store.write(count)

        run_threads(*[body] * 8)
        assert bench.hosts.hosts() == (example_host("h", incarnation="400"),)

    def test_a_failure_does_not_sink_its_neighbours(self, bench: HostBench) -> None:
        rung: list[str] = []
        head = bench.store.head()

        def body(who: int) -> None:
            for n in range(40):
                name = f"h{who}-{n}"
                error = NotFound("thing", name)

                def write(tx: Tx, name: str = name, error: NotFound = error, n: int = n) -> str:
                    bench.hosts.put_host(tx, example_host(name))
                    tx.after_commit(lambda: rung.append(name))
                    if n % 3 == who % 3:
                        raise error
                    return name

                if n % 3 == who % 3:
                    with pytest.raises(NotFound) as raised:
                        bench.store.write(write)
                    assert raised.value is error
                else:
                    assert bench.store.write(write) == name

        run_threads(*[partial(body, who) for who in range(8)])
        kept = {f"h{who}-{n}" for who in range(8) for n in range(40) if n % 3 != who % 3}
        assert {str(host.name) for host in bench.hosts.hosts()} == kept
        assert sorted(rung) == sorted(kept)
        news = bench.store.changes(head)
        assert news is not None
        assert {change.key for change in news.changes} == kept
        assert head < news.head <= head + len(kept)

    def test_a_replica_sees_every_earlier_commit(self, bench: HostBench) -> None:
        follow_while_writing(bench, bench)


class SharedStoreLaws(ABC):
    """What holds between several stores over one database: subclass it like `StoreLaws`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[HostBench]:
        """Return a store over the database of `directory`, made if it is not there yet."""

    @pytest.fixture
    def benches(self, tmp_path: Path) -> Iterator[tuple[HostBench, HostBench]]:
        with ExitStack() as stack:
            first = stack.enter_context(self.open(tmp_path))
            yield first, stack.enter_context(self.open(tmp_path))

    def test_each_sees_the_other(self, benches: tuple[HostBench, HostBench]) -> None:
        one, two = benches
        for n in range(50):
            writer, reader = (one, two) if n % 2 else (two, one)
            put(writer, example_host("h", incarnation=str(n)))
            assert reader.store.head() == writer.store.head() == n + 1
            assert reader.hosts.hosts() == (example_host("h", incarnation=str(n)),)

    def test_a_replica_sees_every_earlier_commit_of_another(
        self, benches: tuple[HostBench, HostBench]
    ) -> None:
        follow_while_writing(*benches)

    def test_rows_outlive_the_store(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as bench:
            put(bench, example_host("h"))
            head = bench.store.head()
        with self.open(tmp_path) as bench:
            assert bench.hosts.hosts() == (example_host("h"),)
            assert bench.store.head() == head
            put(bench, example_host("h2"))
            news = bench.store.changes(head)
            assert news is not None
            assert news.changes == {Change(HOST_CHANGED, "h2")}


def follow_while_writing(writer: HostBench, reader: HostBench) -> None:
    """Write with four threads; a replica never misses what was committed before it looked."""
    committed: dict[str, int] = {}
    done = threading.Event()

    def write(who: int) -> None:
        for n in range(1, 61):
            put(writer, example_host(f"h{who}", incarnation=str(n)))
            committed[f"h{who}"] = n

    def write_all() -> None:
        try:
            run_threads(*[partial(write, who) for who in range(4)])
        finally:
            done.set()

    def follow() -> None:
        replica = Replica(reader)
        while True:
            last = done.is_set()
            floor, head = dict(committed), replica.head
            replica.follow()
            assert replica.head >= head
            for name, n in floor.items():
                assert int(replica.hosts[HostName(name)].incarnation) >= n
            if last:
                break
        assert replica.hosts == {host.name: host for host in writer.hosts.hosts()}
        assert replica.head == writer.store.head()

    run_threads(write_all, follow)
