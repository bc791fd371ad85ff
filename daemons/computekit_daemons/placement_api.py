"""What `computekit-placement` serves: the API, its document, and metrics, for who may."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from computekit.access import Passwords
from computekit.api import AccessPolicy
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.clock import Clock, SystemClock
from computekit.errors import Fault, InvalidInput, PermissionRefused
from computekit.http import (
    Answer,
    Application,
    Authenticator,
    BasicAuth,
    CrossOrigin,
    Keystone,
    NoAuth2,
    Settings,
    StaticToken,
    read_htpasswd,
    read_keystone_options,
)
from computekit.http.placement import placement_document, placement_endpoints
from computekit.placement import LocalPlacement
from computekit.secret import Secret
from computekit.store import open_placement
from computekit_daemons.metrics import Metrics
from computekit_daemons.request_log import RequestLog

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["AUTHS", "IN_MEMORY", "POLICIES", "Access", "open_books", "placement_api"]

IN_MEMORY = "sqlite://"
"""The database that is not there: books in dictionaries, empty, gone with the process."""

AUTHS = ("noauth2", "token", "basic", "keystone")
POLICIES = {
    "default": AccessPolicy.LEGACY,
    "legacy": AccessPolicy.LEGACY,
    "secure": AccessPolicy.SECURE,
    "open": AccessPolicy.OPEN,
    "cors": AccessPolicy.LEGACY,
}
CORS_ORIGIN = "http://valid.example.com"
"""The one site of the profile `cors`, which the peer's tests name."""
SHORTEST = 16
"""Bytes of a token that cannot be guessed by trying."""


@attrs.frozen
class Access:
    """Who is recognised, and who may do what.

    Attributes:
        auth: one of `AUTHS`.
        secrets: the file that `auth` needs; None for noauth2.
        profile: one of `POLICIES`.
        origins: sites whose pages may call.
    """

    auth: str = "noauth2"
    secrets: Path | None = None
    profile: str = "default"
    origins: frozenset[str] = frozenset()


def open_books(database: str) -> LocalPlacement:
    """Open the books in a database, which is made and brought up to date if need be.

    Args:
        database: `sqlite://`, `sqlite:///PATH` or `postgresql://...`.

    Raises:
        ComputekitError: it cannot be used.
    """
    clock = SystemClock()
    if database == IN_MEMORY:
        return LocalPlacement.in_memory(clock)
    return open_placement(database, clock, random.SystemRandom())


def placement_api(
    placement: LocalPlacement, access: Access, *, verbose: bool = False
) -> "WSGIApplication":
    """Return the whole of it.

    Args:
        placement: keeps the books.
        access: for whom.
        verbose: log every request, and not only those that fail or take long.

    Raises:
        InvalidInput: the file of secrets is malformed.
        PermissionRefused: it cannot be read.
    """
    system, clock = random.SystemRandom(), SystemClock()
    authentication = _authentication(access, clock)
    origins = access.origins | ({CORS_ORIGIN} if access.profile == "cors" else set())
    metrics = Metrics()
    settings = Settings(
        PLACEMENT_VERSIONS,
        authentication,
        clock,
        random.Random(system.getrandbits(256)),
        policy=POLICIES[access.profile],
        cross_origin=CrossOrigin(origins) if origins else None,
        observers=(metrics.observe, RequestLog(all_of_them=verbose).observe),
    )
    endpoints = placement_endpoints(placement, system)
    document = Answer(200, placement_document(endpoints))
    pages: dict[str, Callable[[], Answer]] = {
        "/metrics": metrics.page,
        "/openapi.json": lambda: document,
    }
    application = Application(endpoints, settings, pages)
    if isinstance(authentication, Keystone):
        return authentication.wrap(application)
    return application


def _authentication(access: Access, clock: Clock) -> Authenticator:
    if access.secrets is None:
        return NoAuth2()
    if access.auth == "basic":
        return BasicAuth(Passwords(read_htpasswd(access.secrets), clock, os.urandom(32)))
    if access.auth == "keystone":
        return Keystone(read_keystone_options(access.secrets))
    return StaticToken(_token(access.secrets))


def _token(path: Path) -> Secret:
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise PermissionRefused(str(path), error.strerror or str(error)) from error
    if len(token) < SHORTEST or not token.isascii():
        fault = Fault(str(path), "token", f"holds no token of at least {SHORTEST} ASCII bytes")
        raise InvalidInput((fault,))
    return Secret(token)
