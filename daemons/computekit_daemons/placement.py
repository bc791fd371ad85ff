"""`computekit-placement`: the Placement API over a database, or over nothing but memory."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import attrs
import click

from computekit import __version__
from computekit.clock import SystemClock
from computekit.errors import ComputekitError
from computekit.http import Server, Workers, free_port, listening_socket
from computekit_daemons.logs import log_to_stderr
from computekit_daemons.metrics import shared_metrics
from computekit_daemons.placement_api import (
    AUTHS,
    IN_MEMORY,
    POLICIES,
    Access,
    open_books,
    placement_api,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["PlacementDaemon", "main"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@attrs.frozen
class PlacementDaemon:
    """What one `computekit-placement` runs with.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        database: `sqlite://`, `sqlite:///PATH` or `postgresql://...`.
        access: who may do what.
        workers: processes; with one, requests are answered in this one.
        threads: requests that each works on at the same time.
        verbose: log more.
    """

    host: str
    port: int
    database: str = attrs.field(repr=False)  # may have a password
    access: Access
    workers: int = 1
    threads: int = 8
    verbose: bool = False

    def serve(self, on_stop: Callable[[Callable[[], None]], None]) -> None:
        """Answer until stopped.

        Args:
            on_stop: given what ends it; with several workers, signals do.

        Raises:
            ComputekitError: the database cannot be used, or a file of secrets not be read.
            OSError: the address cannot be listened on.
        """
        if self.workers > 1:
            self.serve_by_workers()
            return
        with open_books(self.database) as placement:
            application = placement_api(placement, self.access, verbose=self.verbose)
            listener = listening_socket(self.host, self.port)
            server = Server(application, listener, SystemClock(), threads=self.threads)
            on_stop(server.stop)
            self.announce(listener.getsockname()[1])
            server.serve()

    def serve_by_workers(self) -> None:
        """Answer in several processes; what would keep each from it is found out here first."""
        with shared_metrics():
            with open_books(self.database) as placement:
                placement_api(placement, self.access)
            port, make = free_port(self.host, self.port), _WorkerApplication(self)
            workers = Workers(make, self.host, port, self.workers, threads=self.threads)
            workers.serve(lambda: self.announce(port))

    def announce(self, port: int) -> None:
        """Say that requests are answered."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        sys.stdout.write(f"ready http://{host}:{port}\n")
        sys.stdout.flush()


@attrs.frozen
class _WorkerApplication:
    """Makes the application of one worker, with a database connection of its own."""

    daemon: PlacementDaemon

    def __call__(self) -> "WSGIApplication":
        log_to_stderr(verbose=self.daemon.verbose)
        daemon = self.daemon
        return placement_api(open_books(daemon.database), daemon.access, verbose=daemon.verbose)


def _on_signals(stop: Callable[[], None]) -> None:
    def handler(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _address(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 2**16):
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


SECRET_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--listen",
    default="127.0.0.1:8778",
    metavar="HOST:PORT",
    callback=_address,
    help="Where to listen; port 0 takes a free one.",
)
@click.option(
    "--database",
    default=IN_MEMORY,
    metavar="URL",
    envvar="COMPUTEKIT_DATABASE",
    help="sqlite:///PATH or postgresql://USER@HOST/NAME; sqlite:// is empty and in memory.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Processes.")
@click.option("--threads", type=click.IntRange(1, 64), default=8, help="Requests each at a time.")
@click.option(
    "--auth",
    type=click.Choice(AUTHS),
    help="How callers are recognised; noauth2 believes them. [default: noauth2 on a loopback "
    "address; must be said for any other]",
)
@click.option("--token-file", type=SECRET_FILE, help="Of --auth token: holds the secret.")
@click.option("--htpasswd", type=SECRET_FILE, help="Of --auth basic: made by htpasswd -B.")
@click.option("--keystone-config", type=SECRET_FILE, help="Of --auth keystone: an INI file.")
@click.option(
    "--profile",
    type=click.Choice(list(POLICIES)),
    default="default",
    help="Who may do what: as the peer's old rules, its new ones, everybody, or old with CORS.",
)
@click.option("--cors-origin", multiple=True, metavar="URL", help="A site whose pages may call.")
@click.option("--verbose", is_flag=True, help="Log every request.")
@click.version_option(__version__)
def main(
    listen: tuple[str, int],
    database: str,
    workers: int,
    threads: int,
    auth: str | None,
    token_file: Path | None,
    htpasswd: Path | None,
    keystone_config: Path | None,
    profile: str,
    cors_origin: tuple[str, ...],
    verbose: bool,
) -> None:
    """Serve the Placement API.

    Prints "ready URL" once requests are answered. SIGTERM or SIGINT ends it when those that are
    under way have been answered.
    """
    host, port = listen
    if workers > 1 and database == IN_MEMORY:
        raise click.UsageError("--workers needs a --database that processes can share")
    if auth is None and host not in LOOPBACK:
        raise click.UsageError("say --auth where others than this machine can reach it")
    files = {"token": token_file, "basic": htpasswd, "keystone": keystone_config}
    secrets = files.get(auth or "")
    if auth in files and secrets is None:
        raise click.UsageError(f"--auth {auth} needs its file, see --help")
    log_to_stderr(verbose=verbose)
    access = Access(auth or "noauth2", secrets, profile, frozenset(cors_origin))
    daemon = PlacementDaemon(host, port, database, access, workers, threads, verbose)
    try:
        daemon.serve(_on_signals)
    except ComputekitError as error:
        raise click.ClickException(f"{error.message} [{error.code}]") from error
    except OSError as error:  # an address that the system does not give
        raise click.ClickException(f"{host}:{port}: {error}") from error


if __name__ == "__main__":
    main()
