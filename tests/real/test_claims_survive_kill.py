"""Processes that are killed while they claim leave right books, and nothing granted is lost."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from computekit.clock import SystemClock
from computekit.ids import ConsumerId
from computekit.store import SqlPlacement, SqlStore
from computekit.testing.placement_bench import PlacementBench, example_tree
from computekit.work import Tx
from tests.real.crowd import check, run
from tests.real.postgresql import running

pytestmark = pytest.mark.real

WORKER = Path(__file__).with_name("claim_worker.py")
CLOCK = SystemClock()
PROCESSES = 3
KILLS = 6
WARM_UP_S = 60.0
SOME_LINES = 1000
"""Bytes that a worker has written before it is killed: two dozen lines."""


class Workers:
    """Processes that claim, each with a file that it writes its lines to."""

    def __init__(self, directory: Path, url: str) -> None:
        self._directory, self._url = directory, url
        self._running: list[tuple[subprocess.Popen[bytes], Path]] = []
        self._logs: list[Path] = []

    def start(self) -> None:
        log = self._directory / f"worker-{len(self._logs)}.log"
        self._logs.append(log)
        arguments = [sys.executable, str(WORKER), self._url, str(len(self._logs))]
        with log.open("wb") as output:
            self._running.append((subprocess.Popen(arguments, stdout=output), log))

    def kill_one(self, source: random.Random) -> set[str]:
        """Kill one of them, some time after it has begun to claim; return what it may hold."""
        process, log = self._running.pop(source.randrange(len(self._running)))
        with process:
            try:
                end = time.monotonic() + WARM_UP_S
                while log.stat().st_size < SOME_LINES:
                    assert process.poll() is None, "a worker has ended by itself"
                    assert time.monotonic() < end, "a worker claims nothing"
                    time.sleep(0.01)
                time.sleep(source.uniform(0.0, 0.2))
            finally:
                process.kill()
        return {consumer for word, consumer in self._lines(log) if word == "+"}

    def kill_all(self) -> None:
        for process, _ in self._running:
            process.kill()
        for process, _ in self._running:
            process.wait(10)
        self._running.clear()

    def lines(self) -> Iterator[tuple[str, str]]:
        for log in self._logs:
            yield from self._lines(log)

    @staticmethod
    def _lines(log: Path) -> Iterator[tuple[str, str]]:
        for line in log.read_text().splitlines():
            word, consumer = line.split(" ")
            yield word, consumer


def release_all(bench: PlacementBench, consumers: set[str]) -> None:
    def write(tx: Tx) -> None:
        for consumer in sorted(consumers):
            bench.placement.release(tx, ConsumerId(consumer))

    bench.store.write(write)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_claims_survive_kill(tmp_path: Path, database: str) -> None:
    source = random.Random(20)
    with ExitStack() as stack:
        if database == "sqlite":
            url = f"sqlite:///{tmp_path}/store.db"
        else:
            url = stack.enter_context(running()).url(tmp_path)
        store = stack.enter_context(SqlStore(url, SystemClock(), random.Random(1)))
        bench = PlacementBench(store, SqlPlacement(store, CLOCK), CLOCK)
        for name in ("h", "k"):
            bench.put(example_tree(name, vcpu=60, children=0))
        workers = Workers(tmp_path, url)
        stack.callback(workers.kill_all)
        for _ in range(PROCESSES):
            workers.start()
        swept = set[str]()
        for _ in range(KILLS):
            orphans = workers.kill_one(source)
            workers.start()
            swept |= orphans
            release_all(bench, orphans)
            if database == "sqlite":  # where nobody writes while another does
                store.write(lambda _tx: check(bench))
        workers.kill_one(source)
        workers.kill_all()

        holders = check(bench)
        granted, maybe_gone = set[str](), set(swept)
        for word, consumer in workers.lines():
            if word == "+":
                granted.add(consumer)
            else:
                maybe_gone.add(consumer)
        assert len(granted) > 50, "too little was tried"
        assert granted - maybe_gone <= holders, "a granted claim was lost"
        unsaid = holders - granted
        assert len(unsaid) <= 4 * (PROCESSES + KILLS), "only the last words of the killed are lost"
        released = {consumer for word, consumer in workers.lines() if word == "-"}
        assert not released & holders
        assert all(bench.placement.allocation(ConsumerId(c)) is not None for c in holders)

        # Whoever opens it next finds the same, and can go on.
        store = stack.enter_context(SqlStore(url, SystemClock(), random.Random(1)))
        bench = PlacementBench(store, SqlPlacement(store, CLOCK), CLOCK)
        assert check(bench) == holders
        release_all(bench, holders)
        assert all(not use.used for use in bench.placement.uses())
        assert bench.placement.counter("limit", "project") == 0


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_crowd_of_which_half_is_killed_leaves_right_books(tmp_path: Path, database: str) -> None:
    with ExitStack() as stack:
        if database == "sqlite":
            url = f"sqlite:///{tmp_path}/store.db"
        else:
            url = stack.enter_context(running()).url(tmp_path)
        done = run(url, tmp_path, claims=200, processes=6, seed=5)
        assert done.granted > 100
        assert done.killed > 0
