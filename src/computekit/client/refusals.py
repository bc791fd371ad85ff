"""A server's refusals as errors of the tree.

computekit's own server says which error it was, with its fields. Genuine Placement has a status,
a code that most refusals share, and a sentence; the patterns here are those sentences (16.0.0).
"""

import json
import re
from collections.abc import Callable

import attrs

from computekit.client.connection import Answer
from computekit.errors import (
    AccessRefused,
    ComputekitError,
    Conflict,
    Fault,
    InvalidInput,
    NotFound,
    RemoteError,
    StateConflict,
    StoreUnavailable,
    TransportFailed,
)
from computekit.model import decode_error

__all__ = ["CONCURRENT", "OWN", "Refusal", "refusal_of"]

OWN = "computekit"
"""The member of an error object in which computekit's server tells the error itself."""

CONCURRENT = "placement.concurrent_update"

_FRAME = re.compile(
    r"(The server could not comply with the request since it is either malformed or otherwise "
    r"incorrect\.|The resource could not be found\.|There was a conflict when trying to complete "
    r"your request\.)\s*"
)


@attrs.frozen
class Refusal:
    """What a server said when it refused.

    Attributes:
        status: of HTTP.
        code: the server's own word.
        detail: the server's sentence, without what it says before each one.
        own: the error itself, if the server is computekit's.
    """

    status: int
    code: str
    detail: str
    own: ComputekitError | None = None

    def says(self, pattern: str) -> "re.Match[str] | None":
        """Return where the sentence matches a pattern."""
        return re.search(pattern, self.detail)

    def error(self) -> ComputekitError:
        """Return the error that the status alone tells."""
        return self.own or _BY_STATUS.get(self.status, _unknown)(self)


def _unknown(refusal: Refusal) -> ComputekitError:
    return RemoteError(f"http.{refusal.status}", refusal.detail)


def _not_found(refusal: Refusal) -> ComputekitError:
    found = refusal.says(r"(?:uuid |trait\(s\): |class )([\w-]+)")
    return NotFound("resource", found[1] if found else refusal.detail)


def _conflict(refusal: Refusal) -> Conflict:
    return StateConflict("the server's state", refusal.detail, "another one")


_BY_STATUS: dict[int, Callable[[Refusal], ComputekitError]] = {
    400: lambda refusal: InvalidInput((Fault("request", refusal.code, refusal.detail),)),
    401: lambda refusal: AccessRefused(refusal.detail),
    403: lambda refusal: AccessRefused(refusal.detail),
    404: _not_found,
    409: _conflict,
    414: lambda refusal: InvalidInput((Fault("request", "length", refusal.detail),)),
    502: lambda refusal: TransportFailed(refusal.detail),
    503: lambda refusal: StoreUnavailable(refusal.detail),
    504: lambda refusal: TransportFailed(refusal.detail),
}


def refusal_of(answer: Answer) -> Refusal:
    """Return what an answer of status 400 or above says."""
    text = answer.body.decode("utf-8", "replace")
    try:
        raw = json.loads(text)
        error = raw["errors"][0]
        detail = error["detail"]
        code = error.get("code", "")
        own = error.get(OWN)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        # Not of this API: a proxy, or what stands in front of the server.
        return Refusal(answer.status, "", text.strip()[:300] or "no reason was given")
    plain = " ".join(_FRAME.sub("", str(detail), count=1).split())
    known = None if own is None else decode_error(json.dumps(own))
    return Refusal(answer.status, str(code), plain or "no reason was given", known)
