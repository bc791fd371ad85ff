"""HTTP requests with a deadline, repeated only where that cannot do something twice."""

import json
import ssl
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import attrs
import httpx2

from computekit.client.authentication import Authentication
from computekit.clock import Clock, Deadline, SystemClock
from computekit.errors import DeadlineExceeded, Fault, InvalidInput, TransportFailed
from computekit.units import Seconds

__all__ = ["Answer", "Connection", "Json"]

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

TRIES = 3
FIRST_PAUSE_S = 0.05


@attrs.frozen
class Answer:
    """What a server answered.

    Attributes:
        status: of HTTP.
        body: as it came.
        modified_s: what Last-Modified says, in seconds since the Unix epoch; 0.0 if nothing.
    """

    status: int
    body: bytes
    modified_s: Seconds = Seconds(0.0)


class Connection:
    """A server, and how it is spoken to. May be used by several threads; close it at the end.

    Neither proxies nor credentials are taken from the environment.
    """

    def __init__(
        self,
        url: str,
        *,
        authentication: Authentication | None = None,
        timeout_s: Seconds = Seconds(60.0),
        verify: ssl.SSLContext | bool = True,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Remember where the server is; nothing is sent.

        Args:
            url: where its root is, without credentials.
            authentication: asked for headers before each request.
            timeout_s: for one call, with everything that is sent again.
            verify: whether, or how, the server's certificate is checked.
            transport: carries requests instead of sockets; for a server in this process.
            clock: for deadlines and pauses.

        Raises:
            InvalidInput: `url` is not one of HTTP, or has credentials in it.
        """
        self.url: str = _checked(url)
        self._authentication = authentication
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._client = httpx2.Client(
            base_url=self.url, verify=verify, transport=transport, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"

    def close(self) -> None:
        """Close all sockets."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Answer:
        """Return the answer to a request, whatever its status.

        A request that did not reach the server is sent again in any case.

        Args:
            method: of HTTP.
            path: below the server's root, with every segment quoted.
            query: names and values in their order.
            body: sent as JSON.
            headers: beside those of the authentication.
            again: whether it may be repeated when nobody knows if the server has seen it.

        Raises:
            TransportFailed: no answer; with `again` false the server may have done it.
            DeadlineExceeded: no answer in time; the server may have done it.
        """
        deadline = Deadline(self._clock, self._timeout_s)
        what = f"{method} {self.url}{path}"
        content = None if body is None else json.dumps(body).encode()
        for attempt in range(1, TRIES + 1):
            reason: Exception
            try:
                return self._once(method, path, query, content, headers or {}, deadline)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
                reason, safe = error, True
            except httpx2.TimeoutException as error:
                raise DeadlineExceeded(what, self._timeout_s) from error
            except (httpx2.TransportError, httpx2.DecodingError) as error:
                reason, safe = error, again
            if deadline.passed:
                raise DeadlineExceeded(what, self._timeout_s) from reason
            if not safe or attempt == TRIES:
                raise TransportFailed(f"{what}: {str(reason) or type(reason).__name__}") from reason
            pause_s = FIRST_PAUSE_S * 2 ** (attempt - 1)
            self._clock.sleep(Seconds(min(pause_s, deadline.left_s())))
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        content: bytes | None,
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> Answer:
        sent = {"Accept": "application/json", **headers}
        if content is not None:
            sent["Content-Type"] = "application/json"
        if self._authentication is not None:
            sent.update(self._authentication())
        with self._client.stream(
            method,
            path,
            params=list(query) or None,
            content=content,
            headers=sent,
            timeout=max(deadline.left_s(), 0.001),
        ) as response:
            chunks: list[bytes] = []
            # Each chunk may take as long as the timeout, so their sum is watched here.
            for chunk in response.iter_bytes():
                if deadline.passed:
                    raise DeadlineExceeded(f"{method} {self.url}{path}", self._timeout_s)
                chunks.append(chunk)
            modified = response.headers.get("Last-Modified")
            return Answer(response.status_code, b"".join(chunks), _seconds(modified))


def _seconds(modified: str | None) -> Seconds:
    if modified is None:
        return Seconds(0.0)
    try:
        return Seconds(parsedate_to_datetime(modified).timestamp())
    except ValueError:
        return Seconds(0.0)  # what is no date says nothing


def _checked(url: str) -> str:
    def refuse(code: str, message: str) -> InvalidInput:
        return InvalidInput((Fault("url", code, message),))

    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise refuse("url", f"this is not a URL: {error}") from None
    if parts.userinfo:
        # Not even the URL is repeated: it would show the password.
        raise refuse("credentials", "a URL may not hold credentials; give an authentication")
    if parts.scheme not in ("http", "https") or not parts.host:
        raise refuse("url", f"{url!r} is not http://HOST[:PORT][/PATH] (or https)")
    if parts.query or parts.fragment:
        raise refuse("url", f"{url!r} may have neither a query nor a fragment")
    return url.rstrip("/")
