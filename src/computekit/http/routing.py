"""From a path, a method and a microversion to the one endpoint that is meant."""

from collections.abc import Iterable, Mapping

import attrs
from falcon.routing import CompiledRouter

from computekit.api import Microversion
from computekit.http.endpoint import Endpoint
from computekit.http.problem import Problem, Refused

__all__ = ["NO_SUCH_PATH", "Routes"]

NO_SUCH_PATH = "The resource could not be found."


@attrs.frozen
class _Path:
    """All endpoints of one path template, by method; several of one method have other versions."""

    endpoints: Mapping[str, tuple[Endpoint, ...]]
    allow: str


class Routes:
    """The endpoints of a service.

    Args:
        endpoints: all of them; order does not matter.
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        by_path: dict[str, dict[str, tuple[Endpoint, ...]]] = {}
        for found in endpoints:
            methods = by_path.setdefault(found.path, {})
            methods[found.method] = (*methods.get(found.method, ()), found)
        self._router = CompiledRouter()
        self._paths = {
            path: _Path(methods, ", ".join(sorted(methods))) for path, methods in by_path.items()
        }
        for path, at in self._paths.items():
            self._router.add_route(path, at)

    def find(
        self, path: str, method: str, version: Microversion
    ) -> tuple[Endpoint, Mapping[str, str]]:
        """Return the endpoint that is meant, and what the path names.

        Raises:
            Refused: 404 for a path, 405 for a method, that callers of this version do not have.
        """
        found = self._router.find(path)
        if found is None or "//" in path or (path.endswith("/") and path != "/"):
            raise Refused(Problem(404, NO_SUCH_PATH, varies=False))
        at, values = self._paths[found[3] or ""], found[2]
        candidates = at.endpoints.get(method, ())
        for candidate in candidates:
            if candidate.speaks(version):
                return candidate, values
        if candidates and candidates[0].hidden == "path":
            raise Refused(Problem(404, NO_SUCH_PATH))
        detail = f"The method {method} is not allowed for this resource."
        raise Refused(Problem(405, detail, headers=(("allow", at.allow),)))
