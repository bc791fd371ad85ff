"""What goes wrong, as HTTP says it: one table from errors to numbers."""

from http import HTTPStatus

import attrs
import msgspec

from computekit.api import Microversion
from computekit.errors import (
    AlreadyExists,
    Cancelled,
    ClaimRefused,
    ComputekitError,
    Conflict,
    DeadlineExceeded,
    InUse,
    InvalidInput,
    NotFound,
    Overloaded,
    StoreUnavailable,
    TransportFailed,
)
from computekit.http.wire import JSON, Answer
from computekit.model import encode_error

__all__ = ["Problem", "Refused", "problem_answer", "problem_of"]

UNDEFINED = "placement.undefined_code"
CODES_SINCE = Microversion(1, 23)
"""The first version whose errors have a code."""

STATUSES: tuple[tuple[type[ComputekitError], int], ...] = (
    (InvalidInput, 400),
    (NotFound, 404),
    (AlreadyExists, 409),
    (InUse, 409),
    (Conflict, 409),
    (ClaimRefused, 409),
    (DeadlineExceeded, 503),
    (Overloaded, 503),
    (StoreUnavailable, 503),
    (TransportFailed, 503),
    (Cancelled, 503),
)
"""The first class that an error is of decides; what is not here is a defect: 500."""

OWN = "computekit"
"""The member of an error object that has the error itself, as `encode_error` writes it."""

TOLD = frozenset({400, 404, 409})
"""The statuses of refusals that are about what was asked, and tell the error itself."""

TITLES = {413: "Request Entity Too Large", 414: "Request URI Too Long"}


@attrs.frozen
class Problem:
    """A refusal as HTTP says it.

    Attributes:
        status: of HTTP.
        detail: what is wrong and what would be right.
        code: the peer API's own word for it; shown to callers whose version knows codes.
        headers: further ones of the answer.
        extra: further members of the error object, in this order.
        coded: whether the error object has a code at all.
        varies: whether the answer says that another microversion could give another.
    """

    status: int
    detail: str
    code: str = UNDEFINED
    headers: tuple[tuple[str, str], ...] = ()
    extra: tuple[tuple[str, str | msgspec.Raw], ...] = ()
    coded: bool = True
    varies: bool = True

    @property
    def title(self) -> str:
        """Return the status in words."""
        return TITLES.get(self.status) or HTTPStatus(self.status).phrase


class Refused(Exception):
    """A request that HTTP itself, or the form of an operation, has to refuse; stays in this room.

    Attributes:
        problem: what the caller is told.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def problem_of(error: ComputekitError) -> Problem:
    """Return how HTTP says an error of the tree."""
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return Problem(status, error.message)
    return Problem(500, "The server failed; its log has the reason under this request id.")


def problem_answer(
    problem: Problem,
    request_id: str,
    version: Microversion | None,
    accept: str | None,
    error: ComputekitError | None = None,
) -> Answer:
    """Return the answer that says a problem, in the media type that the caller reads.

    Args:
        problem: what is wrong.
        request_id: shown in the error, to be found in logs.
        version: of the caller; None before it is known.
        accept: the header of that name.
        error: what it is to computekit; callers that know it are told all its fields, unless it is
            a failure of the server or who asks may not know.
    """
    media_type = _readable(accept)
    if media_type == JSON:
        body = _json(problem, request_id, version, error if problem.status in TOLD else None)
    else:
        body = _text(problem, html=media_type == "text/html")
        media_type = f"{media_type}; charset=UTF-8"
    return Answer(problem.status, body, media_type, headers=problem.headers, varies=problem.varies)


def _json(
    problem: Problem,
    request_id: str,
    version: Microversion | None,
    cause: ComputekitError | None,
) -> bytes:
    error: dict[str, str | int | msgspec.Raw] = {
        "status": problem.status,
        "title": problem.title,
        "detail": problem.detail,
    }
    if problem.coded and version is not None and version >= CODES_SINCE:
        error["code"] = problem.code
    error["request_id"] = request_id
    error.update(problem.extra)
    if cause is not None:
        error[OWN] = msgspec.Raw(encode_error(cause).encode())
    return msgspec.json.encode({"errors": [error]})


def _text(problem: Problem, *, html: bool) -> bytes:
    head = f"{problem.status} {problem.title}"
    if not html:
        return f"{head}\n\n{problem.detail}\n".encode()
    detail = problem.detail
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt")):
        detail = detail.replace(sign, f"&{name};")
    page = f"<html><head><title>{head}</title></head><body><h1>{head}</h1>{detail}</body></html>"
    return page.encode()


def _readable(accept: str | None) -> str:
    """Return JSON if the caller reads it, else HTML if that is what it reads, else plain text."""
    if accept is None or accepts_json(accept):
        return JSON
    return "text/html" if "text/html" in accept.lower() else "text/plain"


def accepts_json(accept: str) -> bool:
    """Return whether a header `Accept` lets JSON through (RFC 9110, 12.5.1)."""
    if accept in ("*/*", JSON):
        return True
    best = (-1, 0.0)
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        rank = {"*/*": 0, "application/*": 1, JSON: 2}.get(media)
        if rank is not None and rank > best[0]:
            best = rank, _quality(parameters)
    return best[1] > 0


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
