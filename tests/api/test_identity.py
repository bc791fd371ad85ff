"""The identity service over HTTP: discovery, tokens, who there is; and who is not let in."""

import json
import random
from pathlib import Path
from typing import Any

import attrs
import pytest

from computekit.access import Passwords, Revoked, SignIn, Tokens
from computekit.api.identity import IDENTITY_VERSIONS
from computekit.http import Application, Mounts, PlainDialect, Settings, TokenAuth
from computekit.http.identity import identity_endpoints
from computekit.secret import Secret
from computekit.testing import ManualClock
from computekit.units import Bytes, Seconds
from tests.api.shop import shop
from tests.api.wsgi import Caller, Reply
from tests.unit.access.people import PEOPLE

JSON = {"content_type": "application/json"}


@attrs.frozen
class Service:
    call: Caller
    clock: ManualClock

    def token(self, name: str, project: str = "demo", **more: Any) -> str:
        reply = self.sign_in(name, f"pass-{name}", project, **more)
        assert reply.status == 201, reply.body
        return reply.headers["X-Subject-Token"]

    def sign_in(self, name: str, password: str, project: str | None = "demo") -> Reply:
        user = {"name": name, "password": password, "domain": {"name": "Default"}}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if project is not None:
            auth["scope"] = {"project": {"name": project, "domain": {"id": "default"}}}
        return self.post({"auth": auth})

    def post(self, body: Any, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", "/identity/v3/auth/tokens", raw, **{**JSON, **headers})


@pytest.fixture
def service(tmp_path: Path) -> Service:
    clock = ManualClock()
    tokens = Tokens(
        PEOPLE, Secret(b"k" * 32), Revoked(tmp_path / "revoked"), clock, random.Random(3)
    )
    known = {user.name: user.hashed for user in PEOPLE.users}
    sign_in = SignIn(PEOPLE, Passwords(known, clock, b"k"), tokens)
    settings = Settings(
        IDENTITY_VERSIONS,
        TokenAuth(sign_in, "http://h:1/identity"),
        clock,
        random.Random(5),
        dialect=PlainDialect(),
        body_limit=Bytes(64 * 1024),
    )
    application = Application(identity_endpoints(sign_in), settings)
    return Service(Caller(Mounts({"identity": application}, shop()), {"host": "h:1"}), clock)


def test_versions_are_for_everybody(service: Service) -> None:
    for path in ("/identity", "/identity/"):
        reply = service.call("GET", path)
        assert reply.status == 300
        (version,) = reply.json["versions"]["values"]
        assert version["links"] == [{"rel": "self", "href": "http://h:1/identity/v3/"}]
    for path in ("/identity/v3", "/identity/v3/"):
        reply = service.call("GET", path)
        assert (reply.status, reply.json["version"]["id"]) == (200, "v3.14")


def test_a_token_says_what_it_is_for_and_where_everything_is(service: Service) -> None:
    reply = service.sign_in("ann", "pass-ann")
    said = reply.json["token"]
    assert said["methods"] == ["password"]
    assert said["user"]["name"] == "ann"
    assert said["project"] == {
        "id": "d1",
        "name": "demo",
        "domain": {"id": "default", "name": "Default"},
    }
    assert [role["name"] for role in said["roles"]] == ["member", "reader"]
    urls = {it["type"]: it["endpoints"][0]["url"] for it in said["catalog"]}
    assert urls == {
        "compute": "http://h:1/compute/v2.1",
        "identity": "http://h:1/identity",
        "image": "http://h:1/image",
        "network": "http://h:1/network",
    }
    assert "pass-ann" not in reply.body.decode()
    assert said["expires_at"].endswith("Z")


def test_a_token_buys_another(service: Service) -> None:
    token = service.token("ann")
    identity = {"methods": ["token"], "token": {"id": token}}
    scope = {"project": {"id": "o1"}}
    reply = service.post({"auth": {"identity": identity, "scope": scope}})
    assert (reply.status, reply.json["token"]["project"]["name"]) == (201, "other")


def test_tokens_are_shown_checked_and_revoked(service: Service) -> None:
    token = service.token("ann")
    mine = {"x_auth_token": token, "x_subject_token": token}
    path = "/identity/v3/auth/tokens"
    assert service.call("GET", path, **mine).json["token"]["user"]["name"] == "ann"
    assert "catalog" not in service.call("GET", f"{path}?nocatalog", **mine).json["token"]
    head = service.call("HEAD", path, **mine)
    assert (head.status, head.body) == (200, b"")
    admin = service.token("admin")
    assert service.call("GET", path, x_auth_token=admin, x_subject_token=token).status == 200
    assert service.call("GET", path, x_auth_token=token, x_subject_token=admin).status == 404
    assert service.call("DELETE", path, x_auth_token=token, x_subject_token=admin).status == 404
    assert service.call("DELETE", path, x_auth_token=admin, x_subject_token=token).status == 204
    assert service.call("GET", path, x_auth_token=admin, x_subject_token=token).status == 404
    assert service.call("GET", path, **mine).status == 401
    assert service.call("GET", path, x_auth_token=admin).status == 404


def test_a_token_ends(service: Service) -> None:
    token = service.token("ann")
    service.clock.advance(Seconds(3601.0))
    reply = service.call("GET", "/identity/v3/projects", x_auth_token=token)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == 'Keystone uri="http://h:1/identity"'


def test_everybody_sees_what_is_its_own_and_an_admin_sees_all(service: Service) -> None:
    def names(who: str, path: str) -> list[str]:
        reply = service.call(
            "GET", f"/identity/v3/{path}", x_auth_token=service.token(who, project=OWN[who])
        )
        assert reply.status == 200
        (rows,) = (value for key, value in reply.json.items() if key != "links")
        return [row["name"] for row in rows]

    assert names("admin", "projects") == ["demo", "other"]
    assert names("ann", "projects") == ["demo", "other"]
    assert names("bob", "projects") == names("bob", "auth/projects") == ["other"]
    assert names("admin", "projects?name=other") == ["other"]
    assert names("admin", "auth/projects") == ["demo"]
    assert names("admin", "users") == [user.name for user in PEOPLE.users]
    assert names("bob", "users") == ["bob"]
    assert names("admin", "users/id-ann/projects") == ["demo", "other"]
    assert names("rea", "roles") == ["admin", "manager", "member", "reader", "service"]


OWN = {"admin": "demo", "ann": "demo", "rea": "demo", "bob": "other"}


@pytest.mark.parametrize("path", ["projects/d1", "users/id-ann", "users/id-ann/projects"])
def test_what_is_somebody_elses_is_not_there(service: Service, path: str) -> None:
    admin, bob = service.token("admin"), service.token("bob", "other")
    assert service.call("GET", f"/identity/v3/{path}", x_auth_token=admin).status == 200
    reply = service.call("GET", f"/identity/v3/{path}", x_auth_token=bob)
    assert reply.status == 404
    gone = service.call("GET", "/identity/v3/projects/nothing", x_auth_token=bob)
    assert gone.status == 404
    assert service.call("GET", f"/identity/v3/{path}").status == 401


def test_wrong_passwords_are_refused_and_then_not_even_looked_at(service: Service) -> None:
    statuses = [service.sign_in("ann", f"wrong{n}").status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    late = service.sign_in("ann", "pass-ann")
    assert (late.status, late.headers["retry-after"]) == (429, "60")
    assert service.sign_in("bob", "pass-bob", "other").status == 201


def test_who_or_what_was_wrong_is_not_told(service: Service) -> None:
    replies = [
        service.sign_in("ann", "wrong"),
        service.sign_in("nobody", "wrong"),
        service.sign_in("bob", "pass-bob", "demo"),
        service.sign_in("bob", "pass-bob", "nothing"),
    ]
    messages = {reply.json["error"]["message"] for reply in replies}
    assert ({reply.status for reply in replies}, len(messages)) == ({401}, 1)


ANN = {"name": "ann", "password": "pass-ann"}
BAD: tuple[Any, ...] = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"auth":' * 6_000 + b"1" + b"}" * 6_000,
    {"auth": {}},
    {"auth": None},
    {"auth": {"identity": {"methods": "password"}}},
    {"auth": {"identity": {"methods": []}}},
    {"auth": {"identity": {"methods": ["password"]}}},
    {"auth": {"identity": {"methods": ["oauth"], "password": {"user": ANN}}}},
    {"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": "x"}}}}},
    {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "x"}}}}},
    {"auth": {"identity": {"methods": ["token"], "token": {"id": 7}}}},
    {"auth": {"identity": {"methods": ["token"], "token": {"id": ["x"]}}}},
    {"auth": {"identity": {"methods": ["password"], "password": {"user": {**ANN, "id": "x"}}}}},
    {"auth": {"identity": {"methods": ["password"], "password": {"user": {**ANN, "name": "\0"}}}}},
    {"auth": {"identity": {"methods": ["password"], "password": {"user": ANN}}, "scope": {}}},
    b'{"auth": {"identity": {"methods": ["password"], "methods": ["token"]}}}',
    b'{"auth": {"identity": {"methods": [1e999]}}}',
)


@pytest.mark.parametrize("body", BAD)
def test_malformed_proofs_are_refused(service: Service, body: Any) -> None:
    reply = service.post(body)
    assert reply.status == 400, reply.body
    assert "X-Subject-Token" not in reply.headers
    assert "pass-ann" not in reply.body.decode()


def test_every_fault_is_told_at_once(service: Service) -> None:
    user = {"name": 7, "password": []}
    body = {"auth": {"identity": {"methods": 1, "password": {"user": user}}}}
    message = service.post(body).json["error"]["message"]
    for path in ("identity.methods", "password.user.name", "password.user.password"):
        assert path in message


def test_long_bodies_and_other_media_types(service: Service) -> None:
    assert service.post(b'"' + b"x" * 70_000 + b'"').status == 413
    assert service.post({"auth": {}}, content_type="text/plain").status == 415
    assert service.call("PATCH", "/identity/v3/auth/tokens").status == 405


@pytest.mark.parametrize(
    "token", ["x", "\u00e9", "a" * 4000, "..", "=", "admin", "gAAAAABfakefernet", "\0", "null"]
)
def test_forged_tokens_open_nothing(service: Service, token: str) -> None:
    for path in ("projects", "users", "roles", "auth/tokens", "nothing"):
        said = {"x_auth_token": token, "x_subject_token": token}
        assert service.call("GET", f"/identity/v3/{path}", **said).status == 401
    admin = service.token("admin")
    reply = service.call(
        "GET", "/identity/v3/auth/tokens", x_auth_token=admin, x_subject_token=token
    )
    assert reply.status == 404


@pytest.mark.parametrize(
    "path",
    ["projects/%00", "users/%ff", "projects/..%2f..", "users/" + "x" * 5000, "projects?name=%00"],
)
def test_hostile_paths(service: Service, path: str) -> None:
    reply = service.call("GET", f"/identity/v3/{path}", x_auth_token=service.token("admin"))
    assert reply.status in (400, 404)
