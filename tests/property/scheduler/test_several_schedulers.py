"""Several schedulers on one database: optimistic claims, and no rule is broken at any commit."""

import subprocess
import sys
import threading
from pathlib import Path

from tests.property.scheduler.group_crowd import Crowd, audit, ports_over
from tests.property.scheduler.group_world import RULES, World

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 120.0


def prepare(url: str) -> None:
    """Write the fleet and its groups."""
    ports = ports_over(url)
    try:
        assert len(World(ports).groups) == len(RULES)
    finally:
        ports.close()


def check(url: str) -> None:
    """Look at what is left."""
    ports = ports_over(url)
    try:
        audit(ports)
    finally:
        ports.close()


def by_threads(url: str, threads: int, rounds: int) -> list[Crowd]:
    """Let threads schedule, each with a store, an index and a scheduler of its own."""
    prepare(url)
    crowds: list[Crowd] = []
    failures: list[BaseException] = []
    start = threading.Barrier(threads)

    def work(seed: int) -> None:
        ports = ports_over(url)
        try:
            crowd = Crowd(ports, seed)
            crowds.append(crowd)
            start.wait(TIMEOUT_S)
            crowd.run(rounds)
        except BaseException as error:  # noqa: BLE001  # told below, by the test's own thread
            failures.append(error)
        finally:
            ports.close()

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(TIMEOUT_S)
        assert not worker.is_alive()
    if failures:
        raise failures[0]
    check(url)
    return crowds


def by_processes(url: str, processes: int, rounds: int) -> list[tuple[int, int]]:
    """Let processes schedule; return how often each was granted a place, and lost one."""
    prepare(url)
    command = [sys.executable, "-m", "tests.property.scheduler.group_crowd", url]
    running = [
        subprocess.Popen(
            [*command, str(seed), str(rounds)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(processes)
    ]
    found: list[tuple[int, int]] = []
    try:
        for process in running:
            out, err = process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == 0, err
            granted, lost = out.split()
            found.append((int(granted), int(lost)))
    finally:
        for process in running:
            process.kill()
            process.wait()
    check(url)
    return found


def test_threads_keep_every_rule(tmp_path: Path) -> None:
    crowds = by_threads(f"sqlite:///{tmp_path}/store.db", threads=3, rounds=60)
    assert all(crowd.granted for crowd in crowds)


def test_processes_keep_every_rule(tmp_path: Path) -> None:
    found = by_processes(f"sqlite:///{tmp_path}/store.db", processes=2, rounds=60)
    assert all(granted for granted, _lost in found)
