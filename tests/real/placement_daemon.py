"""A `computekit-placement` in processes of its own, and connections to it."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs

TIMEOUT_S = 60


@attrs.frozen
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One kept-alive connection of an administrator."""

    def __init__(self, url: str) -> None:
        self._http = http.client.HTTPConnection(url.partition("//")[2], timeout=TIMEOUT_S)
        self._http.connect()

    @property
    def port(self) -> int:
        """The port on this side."""
        found: int = self._http.sock.getsockname()[1]
        return found

    def __call__(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        said = {
            "X-Auth-Token": "admin",
            "OpenStack-API-Version": "placement latest",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        coded = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._http.request(method, path, None if body is None else coded, said)
        answer = self._http.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def close(self) -> None:
        self._http.close()


@attrs.frozen
class Daemon:
    """A daemon that answers.

    Attributes:
        url: where.
        process: the one that was started.
        opened: closes the connections to it.
    """

    url: str
    process: "subprocess.Popen[bytes]"
    opened: ExitStack

    @property
    def workers(self) -> tuple[int, ...]:
        """The processes that it has started."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return tuple(map(int, children.split()))

    def connect(self) -> Connection:
        """Return a connection that ends with this."""
        connection = Connection(self.url)
        self.opened.callback(connection.close)
        return connection

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; return its status."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


def command(database: str, *options: str) -> tuple[str, ...]:
    program = (sys.executable, "-m", "computekit_daemons.placement")
    return (*program, "--listen", "127.0.0.1:0", "--database", database, *options)


@contextmanager
def running(database: str, *options: str, log: Path | None = None) -> Iterator[Daemon]:
    """Start a daemon on a free port and end it again."""
    with (
        Path(log or "/dev/null").open("ab") as errors,
        subprocess.Popen(
            command(database, *options), stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.readline().decode().split()
            assert said[:1] == ["ready"], f"it did not get ready: {said}"
            with ExitStack() as opened:
                yield Daemon(said[1], process, opened)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise


def holder(connection: Connection, workers: tuple[int, ...], port: int) -> int | None:
    """Return the worker that holds the other end of a connection to `port`."""
    there, here = f":{port:04X}", f":{connection.port:04X}"
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(there) and fields[2].endswith(here):
            wanted = f"socket:[{fields[9]}]"
            for worker in workers:
                for found in Path(f"/proc/{worker}/fd").iterdir():
                    try:
                        if str(found.readlink()) == wanted:
                            return worker
                    except FileNotFoundError:
                        continue
    return None


def one_each(daemon: Daemon) -> tuple[Connection, ...]:
    """Return a connection to each worker of a daemon."""
    port = int(daemon.url.rpartition(":")[2])
    found: dict[int, Connection] = {}
    for _ in range(500):
        connection = daemon.connect()
        connection("GET", "/")  # a worker has taken it then
        worker = holder(connection, daemon.workers, port)
        if worker is None or worker in found:
            connection.close()
        else:
            found[worker] = connection
        if len(found) == len(daemon.workers):
            break
    assert len(found) == len(daemon.workers), "not every worker takes connections"
    return tuple(found[worker] for worker in sorted(found))
