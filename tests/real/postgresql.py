"""A PostgreSQL server of the tests' own: the machine's package on a private socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import psycopg
import pytest

SETTINGS = "-c listen_addresses='' -c max_connections=200"


@attrs.frozen
class Server:
    """A server that runs.

    Attributes:
        socket: the directory of its socket.
    """

    socket: Path

    def connect(self) -> psycopg.Connection:
        """Return a connection of its owner."""
        return psycopg.connect(host=str(self.socket), user="ck", dbname="postgres", autocommit=True)

    def url(self, directory: Path) -> str:
        """Return the URL of a schema for `directory`: far cheaper than a database."""
        schema = f"s{uuid.uuid5(uuid.NAMESPACE_URL, str(directory)).hex}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
        return f"postgresql://ck@/postgres?host={self.socket}&options=-csearch_path%3D{schema}"


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """Start a server and stop it again; skip where there is none.

    Args:
        durable: whether a commit waits for the disk; processes may be killed either way.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    there = found[-1].parent
    # The server refuses to run as root; its package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    directory = Path(tempfile.mkdtemp(prefix="computekit-postgresql-"))
    shutil.chown(directory, user)

    def run(*arguments: str) -> None:
        subprocess.run(
            arguments, check=True, user=user, cwd=directory, timeout=120, stdout=subprocess.DEVNULL
        )

    data = f"{directory}/data"
    try:
        run(f"{there}/initdb", "-D", data, "-U", "ck", "-A", "trust", "--no-sync")
        options = f"{SETTINGS} -c fsync={'on' if durable else 'off'} -k {directory}"
        run(f"{there}/pg_ctl", "-D", data, "-o", options, "-l", f"{directory}/log", "-w", "start")
        try:
            yield Server(directory)
        finally:
            run(f"{there}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory)
