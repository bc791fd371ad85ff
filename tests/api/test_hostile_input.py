"""Whatever is sent, the answer is a 4xx that says why, and nothing of it stays."""

import json
import re
import time
from urllib.parse import quote

import pytest

from computekit.http.placement.document import SHAPES
from tests.api.books import administrator
from tests.api.test_placement_document import document
from tests.api.wsgi import Caller

ID = "00000001-0000-4000-8000-000000000000"
JSON = {"content_type": "application/json"}
LONG = "x" * 1_000_000

OPERATIONS = [
    (method.upper(), path, at["operationId"])
    for path, methods in document()["paths"].items()
    for method, at in methods.items()
]
WITH_BODY = [(m, p) for m, p, name in OPERATIONS if SHAPES[name].body is not None]

BODIES = {
    "empty": b"",
    "null": b"null",
    "number": b"1",
    "list": b"[]",
    "text": b'"x"',
    "object": b"{}",
    "cut off": b'{"name": "a',
    "two values": b"{} {}",
    "no JSON": b"\x00\x01",
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "half a character": b'{"name": "\\ud800"}',
    "NUL": b'{"name": "a\\u0000b"}',
    "NaN": b'{"name": NaN}',
    "deep list": b"[" * 100_000,
    "deep list, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "deep object, closed": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "long name": json.dumps({"name": LONG}).encode(),
    "long key": json.dumps({LONG: 1}).encode(),
    "many keys": json.dumps({str(n): n for n in range(50_000)}).encode(),
    "long number": b'{"name": ' + b"9" * 100_000 + b"}",
    "big exponent": b'{"name": 1e999999}',
}


def url(path: str) -> str:
    return re.sub(r"\{\w+\}", ID, path)


def trace(call: Caller) -> list[object]:
    paths = ("/resource_providers", "/resource_classes", "/traits", "/usages?project_id=p")
    return [call("GET", path).json for path in paths]


@pytest.mark.parametrize("kind", BODIES)
def test_bodies(kind: str) -> None:
    call = administrator()
    before = trace(call)
    begun = time.monotonic()
    for method, path in WITH_BODY:
        reply = call(method, url(path), BODIES[kind], **JSON)
        assert reply.status in (400, 404), (method, path, reply.status, reply.body[:300])
        assert reply.detail
        assert len(reply.body) < 100_000, "what is wrong is not said by sending all of it back"
    assert time.monotonic() - begun < 20
    assert trace(call) == before


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/jsonx", "multipart/form-data", "x"]
)
def test_media_types(media_type: str) -> None:
    call = administrator()
    for method, path in WITH_BODY:
        assert call(method, url(path), b"{}", content_type=media_type).status == 415
        assert call(method, url(path), b"{}").status == 400


QUERIES = {
    "unknown": "nothing=1",
    "NUL": "name=%00&resources=VCPU:%001&project_id=%00",
    "not UTF-8": "name=%ff&resources=%ff&project_id=%ff",
    "cut off": "name=%f&resources=VCPU:%&project_id=%",
    "no value": "name&resources&project_id",
    "empty": "name=&resources=&project_id=",
    "long": f"name={LONG}&resources=VCPU:1&required={LONG}&project_id={LONG}",
    "long name": f"{LONG}=1",
    "many": "&".join(f"resources{n}=VCPU:1" for n in range(1_000)) + "&group_policy=none",
    "number": "resources=VCPU:" + "9" * 5_000,
    "sign": "resources=VCPU:-1",
    "limit": "resources=VCPU:1&limit=" + "9" * 5_000,
    "no limit": "resources=VCPU:1&limit=-1",
    "separators": "&&;;==&=&;=",
    "raw octets": "name=\xe9\xff&resources=\xff:1",
    "arabic digits": "resources=VCPU:" + quote("\u0661"),
}


@pytest.mark.parametrize("kind", QUERIES)
def test_queries(kind: str) -> None:
    call = administrator()
    before = trace(call)
    begun = time.monotonic()
    for method, path, _ in OPERATIONS:
        if method == "GET":
            reply = call("GET", f"{url(path)}?{QUERIES[kind]}")
            assert reply.status in (200, 204, 400, 404), (path, reply.status, reply.body[:300])
            assert len(reply.body) < 2_000_000
    assert time.monotonic() - begun < 20
    assert trace(call) == before


NAMES = [
    "%00",
    "%ff",
    "%ED%A0%80",
    "a%2Fb",
    "..",
    ".",
    "%20",
    "'",
    "%22",
    "x" * 10_000,
    "\xe9",
    "-1",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_paths(name: str) -> None:
    call = administrator()
    before = trace(call)
    for method, path, operation in OPERATIONS:
        if "{" not in path:
            continue
        at = re.sub(r"\{\w+\}", name.replace("\\", ""), path)
        body = b"{}" if SHAPES[operation].body is not None else None
        reply = call(method, at, body, **(JSON if body else {}))
        assert reply.status in (200, 400, 404, 405), (
            method,
            at[:50],
            reply.status,
            reply.body[:300],
        )
    assert trace(call) == before


@pytest.mark.parametrize(
    "said",
    [
        {"accept": "\xff" * 1000},
        {"accept": "," * 60_000},
        {"openstack_api_version": "placement " * 6_000},
        {"openstack_api_version": "placement 1." + "9" * 60_000},
        {"if_none_match": '"' * 60_000},
        {"x_auth_token": ":" * 60_000},
        {"x_roles": "," * 60_000},
    ],
)
def test_headers(said: dict[str, str]) -> None:
    begun = time.monotonic()
    reply = administrator()("GET", "/resource_providers", **said)
    assert reply.status in (200, 400, 401, 403, 406)
    assert time.monotonic() - begun < 5


TOO_LONG = "resources=VCPU:1" + "&" * 64 * 1024


@pytest.mark.parametrize(
    "query",
    ["\u00fd", "\u20ac", "resources=\U0001f600:1", "resources=VCPU:\0", "%", TOO_LONG],
)
def test_queries_in_bodies(query: str) -> None:
    call = administrator()
    claim = {"query": query, "consumer_uuid": ID, "project_id": "p", "user_id": "u"}
    wished = {**claim, "consumer_generation": None, "consumer_type": "INSTANCE"}
    for path, body in (("explain", {"query": query}), ("claims", wished)):
        reply = call("POST", f"/computekit/{path}", json.dumps(body).encode(), **JSON)
        assert reply.status == 400
        assert "query" in reply.detail or "resource" in reply.detail
