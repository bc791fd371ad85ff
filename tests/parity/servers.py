"""Placement servers as processes: genuine OpenStack Placement, and computekit's daemon."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from computekit.client import Connection, RemotePlacement, token
from computekit.secret import Secret
from computekit.units import Seconds
from tests.parity import peers

READY_S = 60.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Running:
    """A server that answers.

    Attributes:
        url: its root.
        pid: of the process that was started; others may be below it.
    """

    url: str
    pid: int

    @contextmanager
    def placement(self, timeout_s: float = 120.0) -> Iterator[RemotePlacement]:
        """Return a client with the rights of an administrator."""
        who = token(Secret(b"admin"))
        with Connection(self.url, authentication=who, timeout_s=Seconds(timeout_s)) as connection:
            yield RemotePlacement(connection)


def cpu_s(pids: Sequence[int]) -> float:
    """Return the CPU seconds that these processes and all below them have used so far.

    What has ended is counted by the parent that waited for it.
    """
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        parents[int(entry.name)] = int(fields[1])
        ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    wanted = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(ticks.get(pid, 0) for pid in wanted) / TICKS_PER_S


@contextmanager
def genuine(
    directory: Path,
    database: str | None = None,
    *,
    workers: int = 1,
    threads: int = 1,
    options: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run openstack-placement 16.0.0 on gunicorn, with an empty database of its own.

    Args:
        directory: for its files.
        database: SQLAlchemy's URL; SQLite in `directory` by default.
        workers: processes. With SQLite more than one thread in all gives "database is locked".
        threads: of each process.
        options: of its section `[placement]`.
    """
    home = peers.made("placement")
    assert home is not None, peers.missing("placement")
    directory.mkdir(parents=True, exist_ok=True)
    further = "".join(f"{key} = {value}\n" for key, value in (options or {}).items())
    (directory / "placement.conf").write_text(
        f"[DEFAULT]\nlog_file = {directory}/placement.log\n"
        "[api]\nauth_strategy = noauth2\n"
        f"[placement_database]\nconnection = {database or f'sqlite:///{directory}/books.db'}\n"
        "sync_on_startup = true\n"
        f"[placement]\n{further}"
        "[oslo_policy]\nenforce_new_defaults = false\n"
    )
    port = _free_port()
    command = [
        str(home / "bin" / "gunicorn"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", str(workers), "--threads", str(threads)),
        *("--timeout", "900", "--keep-alive", "60", "--log-level", "error", "--preload"),
        "placement.wsgi.api:application",
    ]
    environment = {
        **os.environ,
        "OS_PLACEMENT_CONFIG_DIR": str(directory),
        "PYTHONWARNINGS": "ignore",
    }
    with _process(command, directory, environment) as process:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, directory)
        yield Running(url, process.pid)


@contextmanager
def ours(directory: Path, database: str | None = None, *arguments: str) -> Iterator[Running]:
    """Run `computekit-placement`.

    Args:
        directory: for its files.
        database: `--database`; SQLite in `directory` by default.
        arguments: further ones of the command.
    """
    directory.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        *("-c", "from computekit_daemons.placement import main; main()"),
        *("--listen", f"127.0.0.1:{_free_port()}"),
        *("--database", database or f"sqlite:///{directory}/books.db"),
        *arguments,
    ]
    with _process(command, directory, dict(os.environ), pipe=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        word, _, url = line.strip().partition(" ")
        if word != "ready":
            raise AssertionError(f"the daemon did not start: {_log(directory)}")
        yield Running(url, process.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _process(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], *, pipe: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    with (directory / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe else log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _wait(url: str, process: "subprocess.Popen[bytes]", directory: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=READY_S):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"the server does not answer: {_log(directory)}")


def _log(directory: Path) -> str:
    return (directory / "server.log").read_text(errors="replace")[-2000:]
