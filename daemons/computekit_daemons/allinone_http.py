"""What an all-in-one answers over HTTP: each service below a path of its own, in one server."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from computekit.access import (
    AccessDirectory,
    Secrets,
    User,
    open_access,
    write_clouds,
)
from computekit.api import Identity
from computekit.api.compute import VERSIONS, Cloud
from computekit.http import (
    Answer,
    Application,
    Authenticator,
    Everybody,
    Mounts,
    Server,
    Settings,
    StaticToken,
    listening_socket,
)
from computekit.http.compute import ComputeDialect, compute_endpoints
from computekit.runtime import Runtime
from computekit.store import SqlFlavors, SqlKeypairs, SqlServers
from computekit_daemons.metrics import Metrics
from computekit_daemons.request_log import RequestLog
from computekit_daemons.state import Wired

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["AUTHS", "Front", "cloud_of", "serving"]

AUTHS = ("none", "token")


@attrs.frozen
class Front:
    """Where and for whom the services are.

    Attributes:
        host: to listen at.
        port: likewise; 0 takes a free one.
        auth: one of `AUTHS`.
        verbose: log every request, and not only those that fail or take long.
        threads: requests that are worked on at the same time.
    """

    host: str
    port: int
    auth: str = "none"
    verbose: bool = False
    threads: int = 8


def cloud_of(wired: Wired) -> Cloud:
    """Return what carries out the Compute API over a state directory."""
    store = wired.store
    return Cloud(wired.services, SqlFlavors(store), SqlKeypairs(store), SqlServers(store))


@contextmanager
def serving(wired: Wired, front: Front, runtime: Runtime) -> Iterator[str]:
    """Answer requests; gives the URL at which.

    Args:
        wired: what is served.
        front: where and for whom.
        runtime: whose thread does it.

    Raises:
        InvalidInput: a file of access is malformed.
        OSError: the address cannot be listened on.
    """
    listener = listening_socket(front.host, front.port)
    host = f"[{front.host}]" if ":" in front.host else front.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    secrets = open_access(AccessDirectory(wired.state.path / "access"), random.SystemRandom())
    write_clouds(wired.state.path / "clouds.yaml", url, front.auth, secrets)
    application = _application(wired, front, runtime, secrets)
    server = Server(application, listener, runtime.clock, threads=front.threads)
    served = runtime.pool("http", 1).submit(server.serve)
    try:
        yield url
    finally:
        server.stop()
        served.result(timeout=30.0)


def _application(
    wired: Wired, front: Front, runtime: Runtime, secrets: Secrets
) -> "WSGIApplication":
    metrics, log = Metrics(), RequestLog(all_of_them=front.verbose)
    source = random.Random(random.SystemRandom().getrandbits(256))
    settings = Settings(
        VERSIONS,
        _authentication(front.auth, secrets),
        runtime.clock,
        source,
        dialect=ComputeDialect(),
        observers=(metrics.observe, log.observe),
    )
    pages: dict[str, Callable[[], Answer]] = {"/metrics": metrics.page}
    compute = Application(compute_endpoints(cloud_of(wired)), settings)
    return Mounts({"compute": compute}, Application((), settings, pages))


def _authentication(auth: str, secrets: Secrets) -> Authenticator:
    directory = secrets.directory
    admin = next(user for user in directory.users if user.name == "admin")
    identity = _identity_of(admin)
    if auth == "none":
        return Everybody(identity)
    return StaticToken(secrets.token, identity=identity)


def _identity_of(user: User) -> Identity:
    """Return who calls where nobody is asked who it is: the first administrator."""
    project = user.grants[0].project
    return Identity(user.id, project, user.roles_in(project))
