"""What differs between services in how they speak HTTP, and bodies longer than memory."""

import io
import random
from pathlib import Path
from typing import Any

import attrs
import pytest

from computekit.api import ApiOperation, CallContext, Microversion, Rule, VersionRange
from computekit.http import (
    Answer,
    Application,
    FilePart,
    HttpRequest,
    NoAuth2,
    PlainDialect,
    Readable,
    Settings,
    endpoint,
)
from computekit.testing import ManualClock
from tests.api.wsgi import Caller

V = Microversion(2, 0)


@attrs.frozen
class Piece:
    stream: Readable
    base: str


class PieceForm:
    """The body as it comes, and a part of a file as the answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[Any] = []

    def parse(self, request: HttpRequest, version: Microversion) -> Piece:
        return Piece(request.stream, request.base)

    def render(self, output: str, version: Microversion) -> Answer:
        if not output:
            file = self.path.open("rb")
            file.seek(2)
            self.opened.append(file)
            return Answer(206, part=FilePart(file, 5), media_type="application/octet-stream")
        return Answer(200, output.encode())


@pytest.fixture
def form(tmp_path: Path) -> PieceForm:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return PieceForm(path)


@pytest.fixture
def call(form: PieceForm) -> Caller:
    def put(asked: Piece, _context: CallContext) -> str:
        total = 0
        while piece := asked.stream.read(3):
            total += len(piece)
        return f"{total} {asked.base}"

    def get(_asked: Piece, _context: CallContext) -> str:
        return ""

    def operation(name: str, method: Any, **more: Any) -> ApiOperation[Piece, str]:
        return ApiOperation(name, method, "/v2/file", name, Piece, str, since=V, **more)

    octets = ("application/octet-stream",)
    endpoints = (
        endpoint(
            operation("put", "PUT", has_body=True, body_types=octets, streamed=True), put, form
        ),
        endpoint(operation("get", "GET", media_types=octets), get, form),
        endpoint(operation("ask", "POST", rule=Rule.ANYONE), put, form),
    )
    settings = Settings(
        VersionRange("image", V, V),
        NoAuth2(),
        ManualClock(),
        random.Random(1),
        dialect=PlainDialect(),
    )
    return Caller(Application(endpoints, settings), {"x_auth_token": "admin", "host": "h:1"})


OCTETS = {"content_type": "application/octet-stream"}


def test_a_streamed_body_is_read_by_the_call(call: Caller) -> None:
    reply = call("PUT", "/v2/file", b"x" * 1000, **OCTETS)
    assert (reply.status, reply.body) == (200, b"1000 http://h:1")
    assert "openstack-api-version" not in reply.headers
    assert reply.headers["x-openstack-request-id"].startswith("req-")


def test_a_streamed_body_that_ends_early_is_no_body(call: Caller) -> None:
    short = Caller(call.application, call.headers, {"CONTENT_LENGTH": "1001"})
    assert short("PUT", "/v2/file", b"x" * 1000, **OCTETS).status == 400


@pytest.mark.parametrize("ends", [True, False])
def test_without_a_length_the_server_must_know_the_end(call: Caller, ends: bool) -> None:
    environ = {"wsgi.input": io.BytesIO(b"x" * 7), "wsgi.input_terminated": ends}
    chunked = Caller(call.application, call.headers, environ)
    assert chunked("PUT", "/v2/file", **OCTETS).body == (b"7" if ends else b"0") + b" http://h:1"


def test_other_media_types_are_refused(call: Caller) -> None:
    reply = call("PUT", "/v2/file", b"x", content_type="application/json")
    assert reply.status == 415
    assert "application/octet-stream" in reply.json["error"]["message"]


def test_a_part_of_a_file_goes_out_and_the_file_is_closed(call: Caller, form: PieceForm) -> None:
    reply = call("GET", "/v2/file")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (206, b"23456", "5")
    assert [file.closed for file in form.opened] == [True]


def test_a_slash_behind_a_path_changes_nothing(call: Caller) -> None:
    assert call("GET", "/v2/file/").body == b"23456"
    assert call("GET", "/v2/file//").status == 404


def test_refusals_are_one_object(call: Caller) -> None:
    reply = call("GET", "/nothing")
    said = reply.json["error"]
    assert (said["code"], said["title"]) == (404, "Not Found")
    assert said["request_id"] == reply.headers["x-openstack-request-id"]


def test_on_one_path_some_methods_are_for_everybody_and_others_are_not(call: Caller) -> None:
    nobody = Caller(call.application)
    assert nobody("POST", "/v2/file").status == 200
    assert nobody("GET", "/v2/file").status == 401
