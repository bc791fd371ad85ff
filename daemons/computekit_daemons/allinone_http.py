"""What an all-in-one answers over HTTP: each service below a path of its own, in one server."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from computekit.access import (
    AccessDirectory,
    Passwords,
    Revoked,
    Secrets,
    SignIn,
    Tokens,
    open_access,
    write_clouds,
)
from computekit.api.compute import COMPUTE_VERSIONS, Cloud
from computekit.api.image import UsableImages
from computekit.http import (
    Answer,
    Application,
    Mounts,
    Server,
    Settings,
    listening_socket,
)
from computekit.http.compute import ComputeDialect, compute_document, compute_endpoints
from computekit.http.image import is_upload
from computekit.runtime import Runtime
from computekit.store import SqlFlavors, SqlKeypairs, SqlServers
from computekit_daemons.callers import AUTHS, authentication, behind
from computekit_daemons.metrics import Metrics
from computekit_daemons.request_log import RequestLog
from computekit_daemons.stand_ins import stand_ins
from computekit_daemons.state import Wired

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["AUTHS", "Front", "cloud_of", "serving"]


@attrs.frozen
class Front:
    """Where and for whom the services are.

    Attributes:
        host: to listen at.
        port: likewise; 0 takes a free one.
        auth: one of `AUTHS`.
        verbose: log every request, and not only those that fail or take long.
        threads: requests that are worked on at the same time.
        keystone: options of the middleware, for `keystone`.
    """

    host: str
    port: int
    auth: str = "none"
    verbose: bool = False
    threads: int = 8
    keystone: Path | None = None


def cloud_of(wired: Wired) -> Cloud:
    """Return what carries out the Compute API over a state directory."""
    store = wired.store
    return Cloud(
        wired.services,
        SqlFlavors(store),
        SqlKeypairs(store),
        SqlServers(store),
        UsableImages(wired.images),
    )


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
    application = _application(wired, front, runtime, secrets, url)
    server = Server(application, listener, runtime.clock, threads=front.threads, streams=is_upload)
    served = runtime.pool("http", 1).submit(server.serve)
    try:
        yield url
    finally:
        server.stop()
        served.result(timeout=30.0)


def _application(
    wired: Wired, front: Front, runtime: Runtime, secrets: Secrets, url: str
) -> "WSGIApplication":
    metrics, log = Metrics(), RequestLog(all_of_them=front.verbose)
    clock, system = runtime.clock, random.SystemRandom()
    passwords = Passwords(
        {user.name: user.hashed for user in secrets.directory.users}, clock, system.randbytes(32)
    )
    revoked = Revoked(AccessDirectory(wired.state.path / "access").revoked)
    tokens = Tokens(secrets.directory, secrets.key, revoked, clock, system)
    sign_in = SignIn(secrets.directory, passwords, tokens)
    found = authentication(front.auth, secrets, sign_in, url, front.keystone)
    shared = Settings(
        COMPUTE_VERSIONS,
        found,
        clock,
        random.Random(system.getrandbits(256)),
        observers=(metrics.observe, log.observe),
    )
    compute = attrs.evolve(shared, dialect=ComputeDialect())
    endpoints = compute_endpoints(cloud_of(wired))
    document = Answer(200, compute_document(endpoints))
    pages: dict[str, Callable[[], Answer]] = {"/metrics": metrics.page}
    services: dict[str, WSGIApplication] = {
        "compute": Application(endpoints, compute, {"/openapi.json": lambda: document}),
        **stand_ins(wired, sign_in, shared),
    }
    return Mounts(behind(found, services), Application((), shared, pages))
