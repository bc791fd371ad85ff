"""Paths of Nova's Compute API that are not offered yet: refused by name, never as unknown."""

from types import NoneType

from computekit.api import ApiOperation, CallContext, Method, Rule
from computekit.api.compute.base import since
from computekit.http.compute.binding import bound, empty, not_offered
from computekit.http.endpoint import Endpoint

__all__ = ["PREFIX", "not_yet_endpoints"]

PREFIX = "not_yet_"
"""How the names of these operations begin; no document describes them."""

_SERVER = "/v2.1/servers/{server}"
_PATHS: tuple[tuple[str, tuple[Method, ...]], ...] = (
    (f"{_SERVER}/diagnostics", ("GET",)),
    (f"{_SERVER}/ips", ("GET",)),
    (f"{_SERVER}/migrations", ("GET",)),
    (f"{_SERVER}/os-interface", ("GET", "POST")),
    (f"{_SERVER}/os-security-groups", ("GET",)),
    (f"{_SERVER}/os-server-password", ("GET", "DELETE")),
    (f"{_SERVER}/os-volume_attachments", ("GET", "POST")),
    (f"{_SERVER}/remote-consoles", ("POST",)),
    (f"{_SERVER}/shares", ("GET", "POST")),
    (f"{_SERVER}/topology", ("GET",)),
    ("/v2.1/os-aggregates/{aggregate}/images", ("POST",)),
    ("/v2.1/os-assisted-volume-snapshots", ("POST",)),
    ("/v2.1/os-hypervisors/statistics", ("GET",)),
    ("/v2.1/os-migrations", ("GET",)),
    ("/v2.1/os-quota-class-sets/{name}", ("GET", "PUT")),
    ("/v2.1/os-quota-sets/{project}", ("PUT", "DELETE")),
    ("/v2.1/os-quota-sets/{project}/defaults", ("GET",)),
    ("/v2.1/os-quota-sets/{project}/detail", ("GET",)),
    ("/v2.1/os-server-external-events", ("POST",)),
    ("/v2.1/os-services/{service}", ("DELETE",)),
    ("/v2.1/os-simple-tenant-usage", ("GET",)),
    ("/v2.1/os-simple-tenant-usage/{project}", ("GET",)),
)


def not_yet_endpoints() -> tuple[Endpoint, ...]:
    """Return what refuses each of them."""
    return tuple(_refusing(method, path) for path, methods in _PATHS for method in methods)


def _refusing(method: Method, path: str) -> Endpoint:
    name = path.removeprefix("/v2.1/")
    operation = ApiOperation(
        f"{PREFIX}{method.lower()}_{name}", method, path, f"{name} is not offered yet.",
        NoneType, NoneType, since(1), rule=Rule.READER,
    )  # fmt: skip

    def refuse(_asked: None, _context: CallContext) -> None:
        raise not_offered(f"{method} {name}")

    return bound(operation, refuse, lambda _request, _minor: None, empty(204))
