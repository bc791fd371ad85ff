"""Pages of other sites in a browser: which of them may call (cross-origin resource sharing)."""

from collections.abc import Mapping

import attrs

from computekit.http.wire import Answer, Headers

__all__ = ["CrossOrigin"]

Pairs = tuple[tuple[str, str], ...]


@attrs.frozen
class CrossOrigin:
    """Which sites may call, and how.

    Attributes:
        origins: scheme, host and port of each site.
        headers: request headers that pages may set, in lower case.
        methods: that they may use.
        exposed: answer headers that they may read.
        max_age_s: how long a browser may remember.
    """

    origins: frozenset[str]
    headers: frozenset[str] = frozenset(
        {"authorization", "content-type", "if-none-match", "openstack-api-version", "x-auth-token"}
    )
    methods: frozenset[str] = frozenset({"GET", "POST", "PUT", "DELETE"})
    exposed: tuple[str, ...] = ("X-OpenStack-Request-Id", "OpenStack-API-Version", "ETag")
    max_age_s: int = 3600

    def preflight(self, headers: Headers) -> Answer:
        """Answer a browser that asks before it calls; who may not is told nothing."""
        origin = headers.get("Origin")
        method = (headers.get("Access-Control-Request-Method") or "").upper()
        wanted = [
            name.strip().lower()
            for name in (headers.get("Access-Control-Request-Headers") or "").split(",")
            if name.strip()
        ]
        if (
            origin not in self.origins
            or method not in self.methods
            or not self.headers.issuperset(wanted)
        ):
            return Answer(200)
        said: Mapping[str, str] = {
            "access-control-allow-origin": origin or "",
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": method,
            "access-control-max-age": str(self.max_age_s),
            **({"access-control-allow-headers": ",".join(wanted)} if wanted else {}),
            "vary": "Origin",
        }
        return Answer(200, headers=tuple(said.items()))

    def permission(self, headers: Headers) -> Pairs:
        """Return the headers that let the page which called read the answer."""
        origin = headers.get("Origin")
        if origin is None or origin not in self.origins:
            return ()
        return (
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", ",".join(self.exposed)),
            ("vary", "Origin"),
        )
