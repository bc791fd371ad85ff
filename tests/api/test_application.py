"""What every operation has in common: versions, errors, media types, who may, request ids."""

import json
import re

import attrs
import pytest

from computekit.api import AccessPolicy
from computekit.http import Answer, CrossOrigin, Seen
from computekit.units import Bytes
from tests.api.shop import shop
from tests.api.wsgi import Caller, Reply

ADMIN = {"x_auth_token": "admin"}
JSON = {"content_type": "application/json"}


@pytest.fixture
def call() -> Caller:
    return Caller(shop(), ADMIN)


def version(text: str) -> dict[str, str]:
    return {"openstack_api_version": f"placement {text}"}


def test_who_names_no_version_gets_the_oldest(call: Caller) -> None:
    reply = call("GET", "/things")
    assert reply.headers["openstack-api-version"] == "placement 1.0"
    assert reply.headers["vary"] == "openstack-api-version"


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        ("placement latest", "1.39"),
        ("placement 1.7", "1.7"),
        ("compute 2.90, placement 1.8", "1.8"),
        ("compute 2.90", "1.0"),
        ("placement", "1.0"),
        ("1.5", "1.0"),
        ("PLACEMENT LATEST", "1.39"),
    ],
)
def test_the_version_is_negotiated(call: Caller, header: str, spoken: str) -> None:
    reply = call("GET", "/things", openstack_api_version=header)
    assert reply.headers["openstack-api-version"] == f"placement {spoken}"


@pytest.mark.parametrize(
    "text", ["pony.horse", "1.2.3", "1", "1.-1", "1.", "\u0661.1", "1." + "9" * 40]
)
def test_what_is_no_version_is_refused(call: Caller, text: str) -> None:
    reply = call("GET", "/things", **version(text))
    assert reply.status == 400
    assert f"invalid version string: {text}" in reply.detail


@pytest.mark.parametrize("text", ["0.9", "1.40", "2.0"])
def test_a_version_that_is_not_spoken_is_refused_with_those_that_are(
    call: Caller, text: str
) -> None:
    reply = call("GET", "/things", **version(text))
    (error,) = reply.json["errors"]
    assert reply.status == 406
    assert error["min_version"], error["max_version"] == ("1.0", "1.39")
    assert f"Unacceptable version header: {text}" in error["detail"]
    assert "code" not in error


def test_a_path_of_a_later_version_is_not_there(call: Caller) -> None:
    assert call("GET", "/late", **version("1.9")).status == 404
    assert call("GET", "/late", **version("1.10")).status == 200
    assert call("GET", "/early", **version("1.9")).status == 200
    assert call("GET", "/early", **version("1.10")).status == 404


def test_a_method_of_a_later_version_may_be_what_is_not_there(call: Caller) -> None:
    reply = call("DELETE", "/things", **version("1.4"))
    assert reply.status == 405
    assert call("DELETE", "/things", **version("1.5")).status == 200


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "PATCH", "FOO"])
def test_a_method_that_a_path_lacks_is_named_with_those_it_has(call: Caller, method: str) -> None:
    reply = call(method, "/things")
    assert reply.status == 405
    assert reply.headers["allow"] == "DELETE, GET, POST"
    if method != "HEAD":
        assert f"The method {method} is not allowed for this resource." in reply.detail


@pytest.mark.parametrize("path", ["/nothing", "/things/", "//things", "/things/a/b", "/things//"])
def test_a_path_that_is_not_there(call: Caller, path: str) -> None:
    reply = call("GET", path)
    (error,) = reply.json["errors"]
    assert (reply.status, error["status"], error["title"]) == (404, 404, "Not Found")
    assert "The resource could not be found." in error["detail"]
    assert error["request_id"] == reply.headers["x-openstack-request-id"]


@pytest.mark.parametrize("path", ["", "/"])
def test_the_root_needs_no_caller(path: str) -> None:
    assert Caller(shop())("GET", path).status == 200


def test_everything_else_needs_one() -> None:
    for path in ("/things", "/nothing"):
        reply = Caller(shop())("GET", path)
        assert reply.status == 401
        assert reply.json["errors"][0]["title"] == "Unauthorized"


def test_errors_have_codes_from_1_23_on(call: Caller) -> None:
    old, new = (call("GET", "/missing/x", **version(v)).json["errors"][0] for v in ("1.22", "1.23"))
    assert "code" not in old
    assert new["code"] == "placement.undefined_code"


def test_an_error_of_the_tree_has_a_status_and_its_numbers(call: Caller) -> None:
    assert call("GET", "/missing/x").status == 404
    reply = call("GET", "/full")
    assert (reply.status, reply.json["errors"][0]["title"]) == (409, "Conflict")
    assert "7 VCPU left of 10, 8 asked" in reply.detail


def test_a_defect_is_a_500_that_tells_nothing_but_its_request_id(
    call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    reply = call("GET", "/broken")
    assert reply.status == 500
    assert "secret" not in reply.body.decode()
    assert reply.headers["x-openstack-request-id"] in caplog.text
    assert "secret of the house" in caplog.text


def test_every_request_has_an_id_of_its_own(call: Caller) -> None:
    ids = {call("GET", "/things").headers["x-openstack-request-id"] for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch("req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", it) for it in ids)
    reply = call("GET", "/who")
    assert reply.json["said"] == f"admin/admin {reply.headers['x-openstack-request-id']}"


def test_a_body_needs_its_media_type(call: Caller) -> None:
    assert call("POST", "/things", b"{}", **JSON).status == 200
    assert (
        call("POST", "/things", b"{}", content_type="application/json; charset=utf-8").status == 200
    )
    untyped = call("POST", "/things", b"{}")
    assert untyped.status == 400
    assert "content-type header required" in untyped.detail
    wrong = call("POST", "/things", b"{}", content_type="text/plain")
    assert wrong.status == 415
    empty = call("POST", "/things")
    assert empty.status == 415
    assert "The media type None is not supported, use application/json" in empty.detail


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*", 200),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", 200),
        ("text/plain", 406),
        ("text/html,application/xml;q=0.9", 406),
        ("application/json;q=0, */*", 406),
        ("application/json;q=x", 406),
    ],
)
def test_who_does_not_read_json_is_told_that_there_is_nothing_else(
    call: Caller, accept: str, status: int
) -> None:
    reply = call("GET", "/things", accept=accept)
    assert reply.status == status
    if status == 406:
        assert b"Only application/json is provided" in reply.body
        assert not reply.headers["content-type"].startswith("application/json")


def test_an_error_in_a_page_is_harmless(call: Caller) -> None:
    reply = call("GET", "/things", accept="text/html", openstack_api_version="placement <b>&")
    assert reply.headers["content-type"] == "text/html; charset=UTF-8"
    assert b"&lt;b&gt;&amp;" in reply.body


def test_dates_are_shown_from_1_15_on(call: Caller) -> None:
    old, new = (call("GET", "/things", **version(v)).headers for v in ("1.14", "1.15"))
    assert {"last-modified", "cache-control"} & set(old) == set()
    assert new["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert new["cache-control"] == "no-cache"


def test_what_the_caller_has_is_not_sent_again(call: Caller) -> None:
    first = call("GET", "/things/a")
    again = call("GET", "/things/a", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert call("GET", "/things/b", if_none_match=first.headers["etag"]).status == 200
    assert call("GET", "/things/a", if_none_match=f'"x", W/{first.headers["etag"]}').status == 304


def test_a_long_answer_is_tagged_for_who_asks(call: Caller) -> None:
    name = "/things/" + "x" * 20_000
    assert "etag" not in call("GET", name).headers
    tag = call("GET", name, if_none_match='""').headers["etag"]
    assert call("GET", name, if_none_match=tag).status == 304


def test_where_a_new_thing_is_has_the_host_that_the_caller_named(call: Caller) -> None:
    assert call("POST", "/made", **JSON).headers["location"] == "/things/new"
    named = call("POST", "/made", host="books.example:81", **JSON)
    assert named.headers["location"] == "http://books.example:81/things/new"
    below = attrs.evolve(call, environ={"SCRIPT_NAME": "/placement"})
    assert below("POST", "/made", **JSON).headers["location"] == "/placement/things/new"


OWN, OTHER = "/mine?project=p", "/mine?project=q"


@pytest.mark.parametrize(
    ("policy", "roles", "statuses"),
    [
        # things, own project, another's, malformed, move
        (AccessPolicy.SECURE, "reader", (403, 200, 403, 403, 403)),
        (AccessPolicy.SECURE, "member", (403, 403, 403, 403, 403)),
        (AccessPolicy.SECURE, "admin,reader", (200, 200, 200, 400, 403)),
        (AccessPolicy.SECURE, "service", (200, 200, 200, 400, 200)),
        (AccessPolicy.LEGACY, "reader", (403, 200, 403, 403, 403)),
        (AccessPolicy.LEGACY, "admin", (200, 200, 200, 400, 200)),
        (AccessPolicy.LEGACY, "service", (200, 200, 200, 400, 200)),
        (AccessPolicy.OPEN, "member", (200, 200, 200, 400, 200)),
    ],
)
def test_who_may_what(policy: AccessPolicy, roles: str, statuses: tuple[int, ...]) -> None:
    call = Caller(shop(policy=policy), {"x_auth_token": "u:p", "x_roles": roles})
    asked = [
        ("GET", "/things"),
        ("GET", OWN),
        ("GET", OTHER),
        ("GET", "/mine?bad"),
        ("POST", "/move"),
    ]
    assert tuple(call(method, url).status for method, url in asked) == statuses


@pytest.mark.parametrize("policy", list(AccessPolicy))
def test_a_call_for_the_whole_system_may_nothing(policy: AccessPolicy) -> None:
    call = Caller(shop(policy=policy), {"x_auth_token": "admin", "openstack_system_scope": "all"})
    assert call("GET", "/things").status == 403
    assert call("GET", "/").status == 200


def test_the_words_of_a_refusal_are_of_this_service(call: Caller) -> None:
    reply = Caller(shop(), {"x_auth_token": "user"})("GET", "/things")
    assert reply.json["errors"][0]["title"] == "Forbidden"


def test_a_body_is_bounded() -> None:
    call = Caller(shop(body_limit=Bytes(10)), {**ADMIN, **JSON})
    assert call("POST", "/things", b"x" * 10).status == 200
    assert call("POST", "/things", b"x" * 11).status == 413
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    call = attrs.evolve(call, environ=chunked)
    assert call("POST", "/things", b"x" * 11).status == 413
    assert call("POST", "/things", b"x" * 10).json == {"said": "x" * 10}


def test_a_length_has_to_be_true(call: Caller) -> None:
    def said(length: str) -> Reply:
        caller = attrs.evolve(call, environ={"CONTENT_LENGTH": length})
        return caller("POST", "/things", b"{}", **JSON)

    assert said("2").status == 200
    for length in ("hi mom", "-1", "+2", "²"):
        assert said(length).status == 400
        assert "content-length header must be an integer" in said(length).detail
    assert said("9").status == 400


def test_nothing_has_a_nul_in_its_name(call: Caller) -> None:
    assert call("GET", "/things/a%00").status == 404
    assert call("GET", "/things?name=a%00").status == 400
    assert call("GET", "/things?name=%2500").status == 200


SITE = "http://valid.example.com"


def test_pages_of_a_site_that_may_call() -> None:
    call = Caller(shop(cross_origin=CrossOrigin(frozenset({SITE}))))
    asked = {
        "origin": SITE,
        "access_control_request_method": "GET",
        "access_control_request_headers": "OpenStack-API-Version",
    }
    before = call("OPTIONS", "/things", **asked)
    assert before.status == 200
    assert before.headers["access-control-allow-origin"] == SITE
    assert before.headers["access-control-allow-headers"] == "openstack-api-version"
    asked |= {"access_control_request_method": "PUT"}
    asked |= {"access_control_request_headers": "content-type,x-auth-token"}
    secret = call("OPTIONS", "/things", **asked)
    assert secret.headers["access-control-allow-headers"] == "content-type,x-auth-token"
    after = call("GET", "/", origin=SITE)
    assert after.headers["access-control-allow-origin"] == SITE
    assert after.headers["vary"] == "openstack-api-version, Origin"


@pytest.mark.parametrize(
    "asked",
    [
        {"origin": "http://invalid.example.com", "access_control_request_method": "GET"},
        {"origin": SITE, "access_control_request_method": "TRACE"},
        {"origin": SITE},
        {
            "origin": SITE,
            "access_control_request_method": "GET",
            "access_control_request_headers": "x-other",
        },
    ],
)
def test_pages_that_may_not_call_are_told_nothing(asked: dict[str, str]) -> None:
    reply = Caller(shop(cross_origin=CrossOrigin(frozenset({SITE}))))("OPTIONS", "/", **asked)
    assert reply.status == 200
    assert [name for name in reply.headers if name.startswith("access-control")] == []


def test_without_sites_there_is_no_cors() -> None:
    call = Caller(shop(), ADMIN)
    assert call("OPTIONS", "/", origin=SITE, access_control_request_method="GET").status == 405
    assert "access-control-allow-origin" not in call("GET", "/", origin=SITE).headers


def test_observers_see_each_request_once() -> None:
    seen: list[Seen] = []
    call = Caller(shop(observers=(seen.append,)), ADMIN)
    for url in ("/things/a", "/nothing", "/broken"):
        call("GET", url)
    assert [(it.operation, it.status) for it in seen] == [
        ("thing", 200),
        ("-", 404),
        ("broken", 500),
    ]
    assert (seen[0].path, seen[0].identity.user) == ("/things/a", "admin")


def test_pages_beside_the_api_are_for_everybody() -> None:
    call = Caller(shop(pages={"/metrics": lambda: Answer(200, b"up 1\n", "text/plain")}))
    reply = call("GET", "/metrics", accept="text/plain")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (
        200,
        b"up 1\n",
        "text/plain",
    )
    assert json.loads(call("POST", "/metrics").body)["errors"][0]["status"] == 401
