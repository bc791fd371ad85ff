import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from computekit.agent import HostLock
from computekit.errors import InUse


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    assert HostLock.holder(tmp_path / "host") is None
    lock = HostLock(tmp_path / "host")
    assert HostLock.holder(tmp_path / "host") == os.getpid()
    with pytest.raises(InUse) as caught:
        HostLock(tmp_path / "host")
    assert caught.value.by == f"process {os.getpid()}"
    lock.release()
    lock.release()
    assert HostLock.holder(tmp_path / "host") is None
    HostLock(tmp_path / "host").release()


def test_who_asks_is_in_nobodys_way(tmp_path: Path) -> None:
    refused: list[InUse] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            HostLock.holder(tmp_path)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(300):
            try:
                HostLock(tmp_path).release()
            except InUse as error:
                refused.append(error)
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert refused == []


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from computekit.agent import HostLock;"
        "lock = HostLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program, str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert HostLock.holder(tmp_path) == other.pid
        with pytest.raises(InUse) as caught:
            HostLock(tmp_path)
        assert caught.value.by == f"process {other.pid}"
        other.kill()
    assert HostLock.holder(tmp_path) is None
    HostLock(tmp_path).release()
