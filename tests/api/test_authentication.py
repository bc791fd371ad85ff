"""Each way of recognising callers recognises those and nobody else."""

import base64
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from computekit.access import Passwords
from computekit.api import NOBODY
from computekit.errors import InvalidInput, PermissionRefused
from computekit.http import (
    BasicAuth,
    Headers,
    Keystone,
    NoAuth2,
    StaticToken,
    read_htpasswd,
    read_keystone_options,
)
from computekit.secret import Secret
from computekit.testing import ManualClock
from computekit.units import Seconds
from tests.api.shop import shop
from tests.api.test_server import serving
from tests.api.wsgi import Caller


def headers(**said: str) -> Headers:
    return Headers({f"HTTP_{name.upper()}": value for name, value in said.items()})


@pytest.mark.parametrize(
    ("said", "user", "project", "roles"),
    [
        ({"x_auth_token": "admin"}, "admin", "admin", {"admin"}),
        ({"x_auth_token": "user"}, "user", "user", set()),
        ({"x_auth_token": "user:p"}, "user", "p", set()),
        ({"x_auth_token": "user", "x_project_id": "p"}, "user", "p", set()),
        ({"x_auth_token": "user:q", "x_project_id": "p"}, "user", "q", set()),
        ({"x_auth_token": "admin", "x_roles": "reader"}, "admin", "admin", {"reader"}),
        ({"x_auth_token": "u", "x_roles": "Reader, member"}, "u", "u", {"reader", "member"}),
        ({"x_auth_token": "admin", "x_roles": ""}, "admin", "admin", {"admin"}),
    ],
)
def test_noauth2_believes_everybody(
    said: Mapping[str, str], user: str, project: str, roles: set[str]
) -> None:
    identity = NoAuth2().identify(headers(**said))
    assert (str(identity.user), str(identity.project)) == (user, project)
    assert identity.roles == frozenset(roles)
    assert not identity.system


def test_noauth2_wants_a_name() -> None:
    assert NoAuth2().identify(headers()) == NOBODY
    assert NoAuth2().identify(headers(x_auth_token="")) == NOBODY


def test_a_call_for_the_system_has_no_project() -> None:
    identity = NoAuth2().identify(headers(x_auth_token="u:p", openstack_system_scope="all"))
    assert identity.system
    assert identity.project is None


def test_a_token_is_known_or_not() -> None:
    auth = StaticToken(Secret(b"0123456789abcdef"))
    assert auth.identify(headers(x_auth_token="0123456789abcdef")).roles == {"admin", "service"}
    for wrong in ("0123456789abcde", "0123456789abcdef ", "", "\u00e9" * 16):
        assert auth.identify(headers(x_auth_token=wrong)) == NOBODY
    assert auth.identify(headers()) == NOBODY


def hashed(password: bytes, prefix: bytes = b"$2b$") -> bytes:
    return bcrypt.hashpw(password, bcrypt.gensalt(4)).replace(b"$2b$", prefix)


def basic(user: str, password: str) -> Headers:
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return headers(authorization=f"Basic {coded}")


@pytest.fixture
def users(tmp_path: Path) -> BasicAuth:
    path = tmp_path / "htpasswd"
    lines = (
        b"# who may",
        b"nova:" + hashed(b"s3cret:x", b"$2y$"),
        b"",
        b"j\xc3\xa4ger:" + hashed(b"w"),
    )
    path.write_bytes(b"\n".join(lines))
    return BasicAuth(Passwords(read_htpasswd(path), ManualClock(), b"key"))


def test_users_of_a_file_are_known_by_their_passwords(users: BasicAuth) -> None:
    assert users.identify(basic("nova", "s3cret:x")).user == "nova"
    assert users.identify(basic("j\u00e4ger", "w")).user == "j\u00e4ger"
    for user, password in (("nova", "s3cret"), ("nova", ""), ("nobody", "s3cret:x"), ("", "")):
        assert users.identify(basic(user, password)) == NOBODY
    assert users.identify(basic("nova", "s3cret:x" + "x" * 80)) == NOBODY
    assert users.identify(basic("nova", "s3cret:x\0")) == NOBODY


@pytest.mark.parametrize(
    "said", ["", "Basic", "Basic !", "Basic bm92YQ==", "Bearer x", "basic //8=", "Basic //86eA=="]
)
def test_other_credentials_are_of_nobody(users: BasicAuth, said: str) -> None:
    assert users.identify(headers(authorization=said)) == NOBODY


def test_a_password_that_was_right_is_remembered_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, asked = ManualClock(), []
    check = bcrypt.checkpw

    def counted(password: bytes, known: bytes) -> bool:
        asked.append(password)
        return check(password, known)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    auth = BasicAuth(Passwords({"u": Secret(hashed(b"right"))}, clock, b"key"))
    for password in ("right", "right", "wrong", "wrong", "right"):
        auth.identify(basic("u", password))
    assert asked == [b"right", b"wrong", b"wrong"]
    clock.advance(Seconds(301.0))
    auth.identify(basic("u", "right"))
    assert asked[3:] == [b"right"]


def test_a_user_that_is_not_there_costs_as_much_as_one_that_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, costs = bcrypt.hashpw(b"w", bcrypt.gensalt(5)), []
    check = bcrypt.checkpw

    def counted(password: bytes, known: bytes) -> bool:
        costs.append(known[4:6])
        return check(password, known)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    known = {"u": Secret(hashed(b"right")), "slow": Secret(slow)}
    auth = BasicAuth(Passwords(known, ManualClock(), b"key"))
    # Not even the password of the hash that stands for those who are not there lets them in.
    for user, password in (("slow", "wrong"), ("nobody", "wrong"), ("nobody", "w")):
        assert auth.identify(basic(user, password)) == NOBODY
    assert costs == [b"05"] * 3


def test_nobody_may_try_for_long() -> None:
    clock = ManualClock()
    auth = BasicAuth(Passwords({"u": Secret(hashed(b"right"))}, clock, b"key"))
    call = Caller(shop(authentication=auth))

    def status(user: str, password: str) -> int:
        said = basic(user, password).environ["HTTP_AUTHORIZATION"]
        return call("GET", "/things", authorization=str(said)).status

    assert status("u", "right") == 200
    assert [status("u", f"wrong{n}") for n in range(12)] == [401] * 10 + [429] * 2
    assert status("u", "right") == 200, "it is remembered, so that others cannot lock it out"
    assert [status("nobody", f"{n}") for n in range(12)] == [401] * 10 + [429] * 2
    clock.advance(Seconds(301.0))
    assert status("u", "wrong") == 401
    assert status("u", "right") == 200


def test_who_is_not_known_is_asked(users: BasicAuth) -> None:
    reply = Caller(shop(authentication=users))("GET", "/things")
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Basic realm=")


def test_every_line_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    path.write_bytes(b"a:" + hashed(b"x") + b"\nb:{SHA}abc\nc\n:" + hashed(b"y"))
    with pytest.raises(InvalidInput) as raised:
        read_htpasswd(path)
    assert [it.path for it in raised.value.faults] == [f"{path}:{n}" for n in (2, 3, 4)]
    assert "SHA" not in str(raised.value)
    with pytest.raises(PermissionRefused):
        read_htpasswd(tmp_path / "none")


def test_options_of_keystone_are_secrets_until_they_are_used(tmp_path: Path) -> None:
    path = tmp_path / "keystone.conf"
    path.write_text("[keystone_authtoken]\npassword = pa%ss\n")
    assert repr(dict(read_keystone_options(path))) == "{'password': ***}"
    path.write_text("[other]\npassword = pass\n")
    with pytest.raises(InvalidInput, match="keystone_authtoken"):
        read_keystone_options(path)
    path.write_text("[keystone_authtoken]\nhunter2\n")
    with pytest.raises(InvalidInput) as raised:
        read_keystone_options(path)
    assert "hunter2" not in str(raised.value)


def test_headers_alone_do_not_make_somebody_known_to_keystone() -> None:
    said = {"x_identity_status": "Confirmed", "x_user_id": "u", "x_roles": "admin"}
    assert Keystone({}).identify(headers(**said)) == NOBODY


TOKENS = {
    "of-a-service": {
        "roles": [{"id": "1", "name": "service"}],
        "project": {"id": "p", "name": "p"},
    },
    "of-a-reader": {"roles": [{"id": "2", "name": "reader"}], "project": {"id": "p", "name": "p"}},
    "of-the-system": {"roles": [{"id": "3", "name": "admin"}], "system": {"all": True}},
}


def identity_service(environ: Any, start: Any) -> list[bytes]:
    """As much of Keystone as the middleware asks for."""
    path = environ["PATH_INFO"].rstrip("/")
    base = f"http://{environ['HTTP_HOST']}/v3"
    said: dict[str, Any] = {}
    more: list[tuple[str, str]] = []
    status = "200 OK"
    about = TOKENS.get(environ.get("HTTP_X_SUBJECT_TOKEN", ""))
    user = {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}}
    common = {
        "methods": ["password"],
        "user": user,
        "expires_at": "2999-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
    }
    if path in ("", "/v3"):
        version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": base}]}
        said = {"version": version} if path else {"versions": {"values": [version]}}
    elif environ["REQUEST_METHOD"] == "POST":
        status, more = "201 Created", [("X-Subject-Token", "own")]
        endpoint = {"id": "e", "interface": "public", "region_id": "r", "region": "r", "url": base}
        catalog = [{"id": "c", "type": "identity", "name": "keystone", "endpoints": [endpoint]}]
        said = {"token": {**common, "catalog": catalog}}
    elif about is None:
        status, said = (
            "404 Not Found",
            {"error": {"code": 404, "title": "Not Found", "message": ""}},
        )
    else:
        project = about.get("project")
        scope = (
            {"project": {**project, "domain": user["domain"]}} if isinstance(project, dict) else {}
        )
        said = {"token": {**common, **about, **scope}}
    body = json.dumps(said).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *more])
    return [body]


@pytest.fixture
def keystone() -> Iterator[Caller]:
    with serving(identity_service) as (host, port):
        url = f"http://{host}:{port}"
        options = {
            "www_authenticate_uri": url,
            "auth_url": url,
            "auth_type": "password",
            "username": "placement",
            "password": "pw",
            "user_domain_id": "d",
            "project_domain_id": "d",
            "project_name": "service",
            "interface": "public",
        }
        auth = Keystone({name: Secret(value.encode()) for name, value in options.items()})
        application = shop(authentication=auth, source=random.Random(1))
        yield Caller(auth.wrap(application))


@pytest.mark.filterwarnings("ignore")
def test_keystone_says_who_calls(keystone: Caller) -> None:
    def status(path: str, token: str) -> int:
        return keystone("GET", path, x_auth_token=token).status

    assert status("/things", "of-a-service") == 200
    assert status("/things", "of-a-reader") == 403
    assert status("/mine?project=p", "of-a-reader") == 200
    assert status("/mine?project=q", "of-a-reader") == 403
    assert status("/things", "of-the-system") == 403
    assert status("/things", "forged") == 401
    assert status("/", "forged") == 200
    forged = keystone(
        "GET", "/things", x_identity_status="Confirmed", x_user_id="u", x_roles="admin"
    )
    assert forged.status == 401
    assert forged.headers["www-authenticate"].startswith("Keystone uri=")
