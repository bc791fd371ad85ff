"""What comes over HTTP and what goes back, without a server."""

from collections.abc import Mapping
from typing import BinaryIO, Protocol

import attrs

from computekit.units import Seconds

__all__ = ["JSON", "NO_BODY", "Answer", "FilePart", "Headers", "HttpRequest", "Readable"]

JSON = "application/json"


class Readable(Protocol):
    """Bytes that come one after the other."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, waiting for them; none at the end.

        Raises:
            ConnectionError: who sends them went away before the end.
        """
        ...


class NoBody:
    """Where no bytes come from."""

    def read(self, size: int = -1, /) -> bytes:
        return b""


NO_BODY = NoBody()


@attrs.frozen
class FilePart:
    """A part of an open file as the body of an answer; closed when that has gone out.

    Attributes:
        file: its position is where the part begins.
        length: in bytes, at least 1.
    """

    file: BinaryIO
    length: int


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
        body: as it came; empty if there is none, or if it is streamed.
        headers: all others.
        stream: the body of an operation that reads it itself.
        base: where callers find the service, without a slash at its end: `http://host/image`.
    """

    method: str
    path: str
    values: Mapping[str, str]
    query: str
    media_type: str | None
    body: bytes
    headers: Headers
    stream: Readable = NO_BODY
    base: str = ""


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
        part: a body that is read from a file while it goes out, in place of `body`.
    """

    status: int
    body: bytes = b""
    media_type: str = JSON
    location: str | None = None
    modified_s: Seconds | None = None
    headers: tuple[tuple[str, str], ...] = ()
    varies: bool = True
    part: FilePart | None = None
