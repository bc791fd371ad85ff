"""`computekit-placement`: the Placement API over a database, or over nothing but memory."""

import logging
import random
import signal
import sys
from collections.abc import Callable
from types import FrameType

import attrs
import click

from computekit import __version__
from computekit.api import Policy
from computekit.api.placement import VERSIONS
from computekit.clock import SystemClock
from computekit.errors import ComputekitError
from computekit.http import Application, CrossOrigin, NoAuth2, Server, Settings, listening_socket
from computekit.http.placement import placement_endpoints
from computekit.placement import LocalPlacement
from computekit.store import SqlPlacement, SqlStore
from computekit_daemons.logs import log_to_stderr

__all__ = ["PlacementDaemon", "main"]

_log = logging.getLogger(__name__)

IN_MEMORY = "sqlite://"
POLICIES = {
    "default": Policy.LEGACY,
    "legacy": Policy.LEGACY,
    "secure": Policy.SECURE,
    "open": Policy.OPEN,
    "cors": Policy.LEGACY,
}
CORS_ORIGIN = "http://valid.example.com"
"""The one site of the profile `cors`, which the peer's tests name."""


@attrs.frozen
class PlacementDaemon:
    """What one `computekit-placement` runs with.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        database: `sqlite://`, `sqlite:///PATH` or `postgresql://...`.
        profile: one of `POLICIES`.
        threads: requests that are worked on at the same time.
    """

    host: str
    port: int
    database: str
    profile: str = "default"
    threads: int = 8

    def open(self) -> LocalPlacement:
        """Open the books.

        Raises:
            ComputekitError: the database cannot be used.
        """
        clock = SystemClock()
        if self.database == IN_MEMORY:
            return LocalPlacement.in_memory(clock)
        store = SqlStore(self.database, clock, random.SystemRandom())
        return LocalPlacement(store, SqlPlacement(store, clock), on_close=store.close)

    def application(self, placement: LocalPlacement) -> Application:
        """Return the API over `placement`."""
        source = random.SystemRandom()
        cors = CrossOrigin(frozenset({CORS_ORIGIN})) if self.profile == "cors" else None
        settings = Settings(
            VERSIONS,
            NoAuth2(),
            SystemClock(),
            random.Random(source.getrandbits(128)),
            policy=POLICIES[self.profile],
            cross_origin=cors,
        )
        return Application(placement_endpoints(placement, source), settings)

    def serve(
        self, on_stop: Callable[[Callable[[], None]], None], ready: Callable[[str], None]
    ) -> None:
        """Answer until stopped.

        Args:
            on_stop: given what ends it.
            ready: told the URL once requests are answered.

        Raises:
            ComputekitError: the database cannot be used.
            OSError: the address cannot be listened on.
        """
        with self.open() as placement:
            listener = listening_socket(self.host, self.port)
            host, port = listener.getsockname()[:2]
            server = Server(
                self.application(placement), listener, SystemClock(), threads=self.threads
            )
            on_stop(server.stop)
            ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
            server.serve()


def _announce(url: str) -> None:
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()


def _on_signals(stop: Callable[[], None]) -> None:
    def handler(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise click.BadParameter(f"{text} is not HOST:PORT", param_hint="--listen")
    return host.strip("[]"), int(port)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--listen", default="127.0.0.1:8778", metavar="HOST:PORT", help="Where to listen.")
@click.option(
    "--database",
    default=IN_MEMORY,
    metavar="URL",
    help="sqlite:///PATH or postgresql://...; sqlite:// is empty and in memory.",
)
@click.option(
    "--profile", type=click.Choice(list(POLICIES)), default="default", help="Who may do what."
)
@click.option("--threads", type=click.IntRange(1, 64), default=8, help="Requests at a time.")
@click.option("--verbose", is_flag=True, help="Log more.")
@click.version_option(__version__)
def main(listen: str, database: str, profile: str, threads: int, verbose: bool) -> None:
    """Serve the Placement API.

    Prints "ready URL" once requests are answered. SIGTERM or SIGINT ends it when those that are
    under way have been answered.
    """
    log_to_stderr(verbose=verbose)
    host, port = _address(listen)
    daemon = PlacementDaemon(host, port, database, profile, threads)
    try:
        daemon.serve(_on_signals, _announce)
    except ComputekitError as error:
        raise click.ClickException(f"{error.message} [{error.code}]") from error
    except OSError as error:  # an address that the system does not give
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
