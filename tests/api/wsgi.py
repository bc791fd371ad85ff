"""Requests to an application without a server between."""

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import attrs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@attrs.frozen
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        detail = self.json["errors"][0]["detail"]
        assert isinstance(detail, str)
        return detail


@attrs.frozen
class Caller:
    """Somebody who calls an application, with the same headers each time."""

    application: "WSGIApplication"
    headers: Mapping[str, str] = {}
    environ: Mapping[str, object] = {}

    def __call__(
        self, method: str, url: str, body: bytes | None = None, /, **headers: str
    ) -> Reply:
        """Call; `x_auth_token="admin"` is a header, None as a `body` sends none."""
        path, _, query = url.partition("?")
        asked: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.input": io.BytesIO(body or b""),
        }
        if body is not None:
            asked["CONTENT_LENGTH"] = str(len(body))
        for name, value in {**self.headers, **headers}.items():
            key = name.upper().replace("-", "_")
            asked[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        asked.update(self.environ)
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, fields: list[tuple[str, str]], _info: object = None) -> Any:
            said.append((status, fields))
            return lambda _data: None

        sent = b"".join(self.application(asked, start))
        ((status, fields),) = said
        joined: dict[str, str] = {}
        for name, value in fields:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return Reply(int(status.split()[0]), joined, sent)
