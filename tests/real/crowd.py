"""Many processes claim on two hosts, half of them are killed, and the books are right.

python -m tests.real.crowd [--claims 10000] [--processes 64] [--seed 1] [--database ...]
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import attrs

from computekit.clock import SystemClock
from computekit.store import SqlPlacement, SqlStore
from computekit.testing.placement_bench import PlacementBench, example_tree
from tests.real import claim_worker
from tests.real.postgresql import running

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([claim_worker.__name__])
CLOCK = SystemClock()
LIMIT_S = 900.0
BYTES = 100
"""What a worker writes for a claim: three lines of 39 for one that is released again."""
MOST = 90
"""The bound of the counter that every claim takes one of."""


@attrs.frozen
class Outcome:
    """What a crowd did.

    Attributes:
        granted: claims that a process said it had been granted.
        killed: processes that were killed while they claimed.
        held: consumers that hold something at the end.
        seconds: from the first process that starts to the last that ends.
    """

    granted: int
    killed: int
    held: int
    seconds: float


def check(bench: PlacementBench) -> set[str]:
    """Assert that the books are right; return who holds something."""
    bench.check()
    holders: set[str] = set()
    for use in bench.placement.uses():
        for name, used in use.used.items():
            assert used <= use.provider.inventories[name].capacity
        for allocation in bench.placement.allocations(use.provider.id):
            (amounts,) = allocation.resources.values()
            assert len(amounts) == 2, "half an allocation"
            assert allocation.consumer.generation == 1
            holders.add(allocation.consumer.id)
    assert bench.placement.counter("limit", "project") == len(holders) <= MOST
    return holders


def lines(log: Path) -> list[tuple[str, str]]:
    """Return what a worker wrote, as (word, consumer); the last line may have been cut."""
    words = [line.split(" ") for line in log.read_text().split("\n")[:-1]]
    return [(word, consumer) for word, consumer in words]


def run(url: str, directory: Path, claims: int, processes: int, seed: int) -> Outcome:
    """Let a crowd loose on an empty database and check what it leaves behind.

    `claims` is what the processes that are not killed try together, at least.
    """
    source = random.Random(seed)
    each = -(-claims // (processes - processes // 2))
    doomed = {n: source.uniform(0.0, 0.8) for n in source.sample(range(processes), processes // 2)}
    logs = [directory / f"crowd-{n}.log" for n in range(processes)]
    with ExitStack() as stack:
        store = stack.enter_context(SqlStore(url, CLOCK, random.Random(seed)))
        bench = PlacementBench(store, SqlPlacement(store, CLOCK), CLOCK)
        for name in ("h", "k"):
            bench.put(example_tree(name, vcpu=60, children=0))
        started_s = time.monotonic()
        workers: list[ForkServerProcess] = []
        stack.callback(_end, workers)
        for n, log in enumerate(logs):
            log.touch()
            arguments = (url, seed * 1000 + n, each, log)
            workers.append(SERVER.Process(target=claim_worker.into_file, args=arguments))
            workers[-1].start()
        killed = _kill(workers, logs, doomed, each)
        for n, worker in enumerate(workers):
            worker.join(max(0.0, started_s + LIMIT_S - time.monotonic()))
            code = worker.exitcode
            assert n in doomed or code == 0, f"worker {n} ended with {code}"
        seconds = time.monotonic() - started_s

        holders = check(bench)
        said = [lines(log) for log in logs]
        words = Counter(word for log in said for word, _ in log)
        granted = {consumer for log in said for word, consumer in log if word == "+"}
        maybe_gone = {consumer for log in said for word, consumer in log if word == "~"}
        gone = {consumer for log in said for word, consumer in log if word == "-"}
        assert granted - maybe_gone <= holders, "a granted claim was lost"
        assert not gone & holders, "a claim came back"
        assert len(holders - granted) <= killed, "only the last words of the killed are lost"
        return Outcome(words["+"], killed, len(holders), seconds)


def _end(workers: list[ForkServerProcess]) -> None:
    for worker in workers:
        worker.kill()
        worker.join(10)


def _kill(
    workers: list[ForkServerProcess], logs: list[Path], doomed: dict[int, float], each: int
) -> int:
    """Kill the doomed, each after its share of what it was to do; return how many were at work."""
    killed = 0
    left = dict(doomed)
    deadline_s = time.monotonic() + LIMIT_S
    while left:
        assert time.monotonic() < deadline_s, "the crowd does not get on"
        for n, share in list(left.items()):
            if workers[n].exitcode is not None:
                del left[n]
            elif logs[n].stat().st_size > 1 + share * each * BYTES:
                workers[n].kill()
                killed += 1
                del left[n]
        time.sleep(0.005)
    return killed


def main(arguments: list[str]) -> int:
    """Run a crowd on each database and print what it did."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.crowd", description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    options = parser.parse_args(arguments)
    for database in options.database or ("sqlite", "postgresql"):
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crowd-")))
            if database == "sqlite":
                url = f"sqlite:///{directory}/store.db"
            else:
                url = stack.enter_context(running()).url(directory)
            done = run(url, directory, options.claims, options.processes, options.seed)
        print(f"{database}: {done}; the books are right", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
