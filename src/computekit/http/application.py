"""A service behind HTTP: a WSGI application, without a server.

A request goes one way: CORS, who calls, which version, which endpoint, media types, who may, what
is asked, the call, the answer. Each step either goes on or refuses with a `Problem`.
"""

import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import attrs

from computekit.api import (
    NOBODY,
    AccessPolicy,
    CallContext,
    Identity,
    Microversion,
    Rule,
    VersionRange,
    allowed,
)
from computekit.clock import Clock, Deadline
from computekit.errors import ComputekitError
from computekit.http.authentication import Authenticator
from computekit.http.conditional import conditional
from computekit.http.cors import CrossOrigin
from computekit.http.dialect import PLACEMENT, Dialect
from computekit.http.endpoint import Endpoint, Prepared
from computekit.http.problem import Problem, Refused, accepts_json, problem_of
from computekit.http.routing import NO_SUCH_PATH, Routes
from computekit.http.wire import JSON, NO_BODY, Answer, FilePart, Headers, HttpRequest, Readable
from computekit.ids import new_uuid
from computekit.units import Bytes, Seconds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["Application", "Seen", "Settings"]

_log = logging.getLogger(__name__)

DATES_SINCE = Microversion(1, 15)
"""The first version whose answers say when what they show was last changed."""

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@attrs.frozen
class Seen:
    """A request that was answered, for logs and metrics.

    Attributes:
        request_id: of the answer.
        operation: its name; `-` if none was found.
        method: of HTTP.
        path: without the query.
        status: of the answer.
        size: of the answer's body.
        duration_s: from the first look at the request to the answer.
        version: of the caller; None before it was known.
        identity: who called.
    """

    request_id: str
    operation: str
    method: str
    path: str
    status: int
    size: Bytes
    duration_s: Seconds
    version: Microversion | None
    identity: Identity


class Observer(Protocol):
    """Somebody who counts or logs requests."""

    def __call__(self, seen: Seen) -> None:
        """Take notice of a request; must not wait for anything."""
        ...


@attrs.frozen
class Settings:
    """What an application is told.

    Attributes:
        versions: the microversions that it speaks.
        authentication: finds out who calls.
        clock: measures requests and deadlines.
        source: for request ids.
        policy: how rules are read.
        dialect: what the service says in words of its own.
        cross_origin: which other sites may call; None: that is not looked at.
        body_limit: the longest body that is read.
        deadline_s: how long after its arrival nobody waits for an answer any more.
        observers: told of each request.
    """

    versions: VersionRange
    authentication: Authenticator
    clock: Clock
    source: random.Random
    policy: AccessPolicy = AccessPolicy.SECURE
    dialect: Dialect = PLACEMENT
    cross_origin: CrossOrigin | None = None
    body_limit: Bytes = Bytes(64 * 1024 * 1024)
    deadline_s: Seconds = Seconds(60.0)
    observers: tuple[Observer, ...] = ()


class _Exchange:
    """What is known of one request so far; refused or answered, it is what logs show."""

    __slots__ = ("headers", "identity", "method", "operation", "path", "request_id", "version")

    def __init__(self, environ: Mapping[str, object], request_id: str) -> None:
        self.headers = Headers(environ)
        self.request_id = request_id
        self.method = str(environ.get("REQUEST_METHOD", "GET"))
        path = _path(environ).encode("latin-1", "replace")
        self.path = path.decode("utf-8", "replace") or "/"
        self.operation = "-"
        self.version: Microversion | None = None
        self.identity: Identity = NOBODY


class Application:
    """Endpoints as one WSGI application.

    Args:
        endpoints: what can be asked.
        settings: how.
        pages: further things to GET, by path, for everybody; not of the API.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        settings: Settings,
        pages: Mapping[str, Callable[[], Answer]] | None = None,
    ) -> None:
        self._settings = settings
        self._routes = Routes(endpoints)
        self._public = {found.path for found in endpoints if found.rule is Rule.ANYONE}
        self._pages = dict(pages or {})

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        settings = self._settings
        begun_s = settings.clock.monotonic_s()
        exchange = _Exchange(environ, f"req-{new_uuid(settings.source)}")
        try:
            answer = self._answer(exchange, environ)
        except Refused as refused:
            answer = self._said(refused.problem, exchange, refused.__cause__)
        except Exception:  # noqa: BLE001  a defect: logged, and said to be one
            _log.exception("request %s failed", exchange.request_id)
            answer = self._said(problem_of(ComputekitError()), exchange)
        body = b"" if exchange.method == "HEAD" else answer.body
        part = answer.part
        start_response(_STATUS_LINES[answer.status], self._headers(answer, exchange, environ))
        for observe in settings.observers:
            observe(
                Seen(
                    exchange.request_id,
                    exchange.operation,
                    exchange.method,
                    exchange.path,
                    answer.status,
                    Bytes(len(body) if part is None else part.length),
                    Seconds(settings.clock.monotonic_s() - begun_s),
                    exchange.version,
                    exchange.identity,
                )
            )
        return (body,) if part is None else _sent(part, environ)

    def _answer(self, exchange: _Exchange, environ: Mapping[str, object]) -> Answer:
        settings, headers = self._settings, exchange.headers
        if (
            settings.cross_origin is not None
            and exchange.method == "OPTIONS"
            and headers.get("Origin")
        ):
            return settings.cross_origin.preflight(headers)
        if exchange.path in self._pages and exchange.method == "GET":
            exchange.operation = exchange.path[1:]
            return self._pages[exchange.path]()
        path = exchange.path
        if settings.dialect.trims_slash and len(path) > 1:
            path = path.removesuffix("/")
        exchange.identity = settings.authentication.identify(headers)
        if exchange.identity.user is None and path not in self._public:
            raise Refused(self._unknown_caller())
        exchange.version = version = settings.dialect.version(headers, settings.versions)
        length = _length(environ)
        if length and not environ.get("CONTENT_TYPE"):
            raise Refused(Problem(400, "content-type header required when content-length > 0"))
        found, values = self._routes.find(path, exchange.method, version)
        exchange.operation = found.name
        _refuse_nul(exchange.path, str(environ.get("QUERY_STRING", "")))
        if exchange.identity.user is None and found.rule is not Rule.ANYONE:
            raise Refused(self._unknown_caller())
        request = self._request(found, exchange, environ, values, length)
        if found.has_body and request.media_type not in found.body_types:
            known = " or ".join(found.body_types)
            detail = f"The media type {request.media_type} is not supported, use {known}"
            raise Refused(Problem(415, detail))
        accept = headers.get("Accept")
        only_json = found.media_types == (JSON,)
        picky = found.method == "GET" and found.rule is not Rule.ANYONE and only_json
        if picky and accept is not None and not accepts_json(accept):
            raise Refused(Problem(406, f"Only {JSON} is provided"))
        return self._carry_out(found, request, exchange, version)

    def _carry_out(
        self, found: Endpoint, request: HttpRequest, exchange: _Exchange, version: Microversion
    ) -> Answer:
        settings = self._settings
        try:
            prepared = self._prepare(found, request, exchange.identity, version)
            deadline = Deadline(settings.clock, settings.deadline_s)
            answer = prepared.run(CallContext(exchange.identity, exchange.request_id, deadline))
        except ComputekitError as error:
            problem = problem_of(error)
            if problem.status >= 500:
                _log.warning("request %s: %s [%s]", exchange.request_id, error, error.code)
            raise Refused(problem) from error
        except ConnectionError as error:
            raise Refused(Problem(400, "The body ended before its end.")) from error
        if found.method == "GET" and answer.part is None:
            return conditional(answer, exchange.headers)
        return answer

    def _prepare(
        self, found: Endpoint, request: HttpRequest, identity: Identity, version: Microversion
    ) -> Prepared:
        """Understand a request of somebody who may ask it; others do not learn what is wrong."""
        policy = self._settings.policy
        if allowed(policy, found.rule, identity):
            return found.prepare(request, version)
        forbidden = Refused(
            Problem(403, f"Your roles do not allow {found.name} here.", varies=False)
        )
        if found.rule is not Rule.PROJECT:
            raise forbidden
        try:
            prepared = found.prepare(request, version)
        except (ComputekitError, Refused) as error:
            raise forbidden from error
        if not allowed(policy, found.rule, identity, prepared.project):
            raise forbidden
        return prepared

    def _request(
        self,
        found: Endpoint,
        exchange: _Exchange,
        environ: Mapping[str, object],
        values: Mapping[str, str],
        length: int | None,
    ) -> HttpRequest:
        media_type = environ.get("CONTENT_TYPE")
        return HttpRequest(
            exchange.method,
            exchange.path,
            values,
            str(environ.get("QUERY_STRING", "")),
            str(media_type).partition(";")[0].strip().lower() if media_type else None,
            b"" if found.streamed else _body(environ, length, self._settings.body_limit),
            exchange.headers,
            _Body(environ, length) if found.streamed else NO_BODY,
            _base(environ),
        )

    def _unknown_caller(self) -> Problem:
        challenge = self._settings.authentication.challenge
        headers = (("www-authenticate", challenge),) if challenge else ()
        return Problem(401, "Say who you are; what you sent is not accepted.", headers=headers)

    def _said(
        self, problem: Problem, exchange: _Exchange, cause: BaseException | None = None
    ) -> Answer:
        error = cause if isinstance(cause, ComputekitError) else None
        return self._settings.dialect.refusal(
            problem, exchange.request_id, exchange.version, exchange.headers, error
        )

    def _headers(
        self, answer: Answer, exchange: _Exchange, environ: Mapping[str, object]
    ) -> list[tuple[str, str]]:
        settings, version = self._settings, exchange.version
        said: list[tuple[str, str]] = []
        if answer.status not in (204, 304):
            length = len(answer.body) if answer.part is None else answer.part.length
            said.append(("content-length", str(length)))
            if length:
                said.append(("content-type", answer.media_type))
        said += settings.dialect.fields(answer, exchange.request_id, version, settings.versions)
        if answer.modified_s is not None and version is not None and version >= DATES_SINCE:
            said.append(("last-modified", _http_date(int(answer.modified_s))))
            said.append(("cache-control", "no-cache"))
        if answer.location is not None:
            said.append(("location", f"{_base(environ)}{answer.location}"))
        said += answer.headers
        if self._settings.cross_origin is not None and exchange.method != "OPTIONS":
            said += self._settings.cross_origin.permission(exchange.headers)
        return said


def _path(environ: Mapping[str, object]) -> str:
    """Return the path as it was asked for: of slashes at its beginning waitress leaves one."""
    path = str(environ.get("PATH_INFO", ""))
    asked = str(environ.get("REQUEST_URI", ""))
    return f"/{path}" if asked.startswith("//") and not path.startswith("//") else path


def _refuse_nul(path: str, query: str) -> None:
    """Refuse what no database keeps in text: nothing has such a name, nothing can be asked so."""
    if "\0" in path:
        raise Refused(Problem(404, NO_SUCH_PATH))
    if "%00" in query or "\0" in query:
        raise Refused(Problem(400, "The query string has a NUL character."))


def _base(environ: Mapping[str, object]) -> str:
    """Return where callers find the service: with the host that they named, if they did."""
    prefix, host = environ.get("SCRIPT_NAME", ""), environ.get("HTTP_HOST")
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{prefix}" if host else f"{prefix}"


def _length(environ: Mapping[str, object]) -> int | None:
    """Return the length of the body; None if it is not said."""
    said = environ.get("CONTENT_LENGTH")
    if not said:
        return None
    text = str(said)
    if not (text.isascii() and text.isdecimal()):
        raise Refused(Problem(400, "content-length header must be an integer"))
    return int(text)


class _Body:
    """The body of a request, read while the call goes on."""

    def __init__(self, environ: Mapping[str, object], length: int | None) -> None:
        self._stream = cast("Readable", environ["wsgi.input"])  # PEP 3333 says so
        # Without a length there is a body only where the server knows its end.
        ends = "HTTP_TRANSFER_ENCODING" in environ or environ.get("wsgi.input_terminated")
        self._left = length if length is not None or ends else 0

    def read(self, size: int = -1, /) -> bytes:
        if self._left is None:
            return self._stream.read(size)
        found = self._stream.read(self._left if size < 0 else min(size, self._left))
        if self._left and size and not found:
            raise ConnectionAbortedError("the body is shorter than its content-length says")
        self._left -= len(found)
        return found


_PIECE = 64 * 1024


def _sent(part: FilePart, environ: Mapping[str, object]) -> Iterable[bytes]:
    """Return the body of an answer from a file, by the server's own way if it has one."""
    if environ.get("REQUEST_METHOD") == "HEAD":
        part.file.close()
        return (b"",)
    wrapper = cast("_Wrapper | None", environ.get("wsgi.file_wrapper"))
    return _pieces(part) if wrapper is None else wrapper(part.file, _PIECE)


class _Wrapper(Protocol):
    def __call__(self, file: BinaryIO, size: int, /) -> Iterable[bytes]: ...


def _pieces(part: FilePart) -> Iterator[bytes]:
    with part.file as file:
        left = part.length
        while left and (piece := file.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece


def _body(environ: Mapping[str, object], length: int | None, limit: Bytes) -> bytes:
    if length is None and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    if length == 0:
        return b""
    too_long = Problem(413, f"The body is longer than {limit} bytes.")
    if length is not None and length > limit:
        raise Refused(too_long)
    stream = cast("Readable", environ["wsgi.input"])  # PEP 3333 says so
    body = stream.read(limit + 1 if length is None else length)
    if len(body) > limit:
        raise Refused(too_long)
    if length is not None and len(body) < length:
        raise Refused(Problem(400, "The body is shorter than its content-length says."))
    return body


@lru_cache(maxsize=1024)
def _http_date(at_s: int) -> str:
    return formatdate(at_s, usegmt=True)
