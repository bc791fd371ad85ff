"""`computekit-placement` as processes: how it begins, what it refuses, how it ends."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.real import fresh_reads, postgresql
from tests.real.placement_daemon import TIMEOUT_S, command, one_each, running

TWO = ("--workers", "2")


def sqlite(path: Path) -> str:
    return f"sqlite:///{path}/books.sqlite"


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.parametrize("workers", [(), TWO], ids=["one", "two"])
def test_it_says_when_it_is_ready_and_ends_when_told(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    with running(sqlite(tmp_path), *workers) as daemon:
        children = daemon.workers
        connection = daemon.connect()
        assert connection("GET", "/resource_providers").json == {"resource_providers": []}
        assert daemon.stop() == 0
        assert all(gone(child) for child in children)


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    for expected in (0, 1):
        with running(sqlite(tmp_path)) as daemon:
            connection = daemon.connect()
            found = connection("GET", "/resource_providers").json["resource_providers"]
            assert len(found) == expected
            connection("POST", "/resource_providers", {"name": f"p{expected}"})
            daemon.stop(signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--database", "sqlite:////nonexistent/x"), "store_unavailable"),
        (("--database", "postgresql://u:hunter2@127.0.0.1:1/x"), "store_unavailable"),
    ],
)
def test_what_it_cannot_serve_it_refuses_before_it_listens(
    options: tuple[str, ...], said: str
) -> None:
    done = subprocess.run(
        command("sqlite://", *options),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("workers", [(), TWO], ids=["one", "two"])
def test_an_address_that_is_taken_is_refused(tmp_path: Path, workers: tuple[str, ...]) -> None:
    for first in ((), TWO):
        with running(sqlite(tmp_path), *first) as daemon:
            address = daemon.url.partition("//")[2]
            done = subprocess.run(
                command(sqlite(tmp_path), "--listen", address, *workers),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            assert done.returncode == 1
            assert "in use" in done.stderr
            assert daemon.connect()("GET", "/").status == 200


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    with running(sqlite(tmp_path), *TWO) as daemon:
        workers = daemon.workers
        assert len(workers) == 2
        daemon.stop(signal.SIGKILL)
        until = time.monotonic() + TIMEOUT_S
        while not all(gone(worker) for worker in workers):
            assert time.monotonic() < until, "a worker has outlived its parent"
            time.sleep(0.05)


def test_a_worker_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with running(sqlite(tmp_path), *TWO) as daemon:
        before = daemon.workers
        os.kill(before[0], signal.SIGKILL)
        until = time.monotonic() + TIMEOUT_S
        while len(set(daemon.workers) - set(before)) != 1:
            assert time.monotonic() < until, "the worker is not replaced"
            time.sleep(0.05)
        for connection in one_each(daemon):
            assert connection("GET", "/resource_providers").status == 200


def test_workers_count_together(tmp_path: Path) -> None:
    with running(sqlite(tmp_path), *TWO) as daemon:
        one, other = one_each(daemon)
        one("GET", "/traits")
        other("GET", "/traits")
        page = one("GET", "/metrics")
        assert page.headers["content-type"].startswith("text/plain")
        counts = [line for line in page.body.decode().splitlines() if "_count" in line]
        assert any(
            'operation="list_traits"' in line and line.endswith(" 2.0") for line in counts
        ), counts


def test_secrets_are_in_no_log(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2-hunter2-hunter2\n")
    log = tmp_path / "log"
    options = ("--auth", "token", "--token-file", str(tmp_path / "token"), "--verbose")
    with running(sqlite(tmp_path), *options, log=log) as daemon:
        connection = daemon.connect()
        assert connection("GET", "/traits?name=hunter2").status == 401
        known = {"X-Auth-Token": "hunter2-hunter2-hunter2"}
        assert connection("GET", "/traits", headers=known).status == 200
    said = log.read_text()
    assert '"operation": "list_traits"' in said
    assert '"status": 401' in said
    assert "hunter2" not in said


def test_reads_of_another_worker_are_fresh_on_sqlite(tmp_path: Path) -> None:
    with running(sqlite(tmp_path), *TWO) as daemon:
        assert fresh_reads.check(one_each(daemon), 150, random.Random(1)) == []


def test_reads_of_another_worker_are_fresh_on_postgresql(tmp_path: Path) -> None:
    with postgresql.running() as server, running(server.url(tmp_path), *TWO) as daemon:
        assert fresh_reads.check(one_each(daemon), 150, random.Random(2)) == []
