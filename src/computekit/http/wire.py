"""What comes over HTTP and what goes back, without a server."""

from collections.abc import Mapping

import attrs

from computekit.units import Seconds

__all__ = ["JSON", "Answer", "Headers", "HttpRequest"]

JSON = "application/json"


@attrs.frozen
class Headers:
    """The headers of a request, in the way that WSGI keeps them."""

    environ: Mapping[str, object]

    def get(self, name: str) -> str | None:
        """Return a header's value, or None; `name` as it is written on the wire."""
        value = self.environ.get(f"HTTP_{name.upper().replace('-', '_')}")
        return value if isinstance(value, str) else None


@attrs.frozen
class HttpRequest:
    """A request whose path has been found.

    Attributes:
        method: of HTTP, in upper case.
        path: decoded.
        values: what stands for the names of the path template, decoded.
        query: what follows the question mark, still encoded.
        media_type: of the body as the caller wrote it, without parameters; None if not said.
        body: as it came; empty if there is none.
        headers: all others.
    """

    method: str
    path: str
    values: Mapping[str, str]
    query: str
    media_type: str | None
    body: bytes
    headers: Headers


@attrs.frozen
class Answer:
    """What goes back.

    Attributes:
        status: of HTTP.
        body: as it goes out.
        media_type: of the body; not sent without one.
        location: the path of what was made, below the service's own root.
        modified_s: when what is shown was last changed, in seconds since the epoch; shown to
            callers whose version knows it.
        headers: further ones.
        varies: whether it says that another microversion could give another.
    """

    status: int
    body: bytes = b""
    media_type: str = JSON
    location: str | None = None
    modified_s: Seconds | None = None
    headers: tuple[tuple[str, str], ...] = ()
    varies: bool = True
