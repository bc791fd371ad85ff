"""Who calls an all-in-one: each way of finding out knows its own callers and nobody else."""

import base64
import random
from pathlib import Path

import attrs
import pytest

from computekit.access import (
    AccessDirectory,
    Directory,
    Passwords,
    Revoked,
    Secrets,
    SignIn,
    Tokens,
    open_access,
)
from computekit.api import NOBODY
from computekit.errors import InvalidInput
from computekit.http import Headers, Keystone
from computekit.testing import ManualClock
from computekit_daemons.callers import AUTHS, authentication, behind
from tests.api.shop import shop
from tests.api.wsgi import Caller


@attrs.frozen
class House:
    secrets: Secrets
    sign_in: SignIn


@pytest.fixture
def house(tmp_path: Path) -> House:
    at = AccessDirectory(tmp_path / "access")
    secrets, clock = open_access(at, random.SystemRandom()), ManualClock()
    directory = secrets.directory
    hashes = {user.name: user.hashed for user in directory.users}
    tokens = Tokens(directory, secrets.key, Revoked(at.revoked), clock, random.Random(1))
    return House(secrets, SignIn(directory, Passwords(hashes, clock, b"k"), tokens))


def headers(**said: str) -> Headers:
    return Headers({f"HTTP_{name.upper()}": value for name, value in said.items()})


def test_each_way_knows_its_own_and_nobody_else(house: House) -> None:
    secrets = house.secrets
    (project,) = secrets.directory.projects
    admin, demo = secrets.directory.users
    known = dict(secrets.passwords)
    coded = base64.b64encode(b"demo:" + known["demo"].reveal()).decode()
    static = secrets.token.reveal().decode()
    issued = house.sign_in.tokens.issue(demo.id, project.id, ("password",))[0].reveal().decode()
    said = {
        "none": headers(),
        "token": headers(x_auth_token=static),
        "basic": headers(authorization=f"Basic {coded}"),
        "password": headers(x_auth_token=issued),
    }
    for auth in said:
        found = authentication(auth, secrets, house.sign_in, "http://h:1")
        for of, request in said.items():
            identity = found.identify(request)
            if auth not in ("none", of):
                assert identity == NOBODY, (auth, of)
                continue
            assert identity.project == project.id
            whose = admin if auth in ("none", "token") else demo
            assert (identity.user, "admin" in identity.roles) == (whose.id, whose is admin)


def test_without_an_administrator_nobody_can_be_taken_for_one(house: House) -> None:
    secrets = attrs.evolve(house.secrets, directory=Directory((), ()))
    for auth in ("none", "token"):
        with pytest.raises(InvalidInput, match="administrator"):
            authentication(auth, secrets, house.sign_in, "http://h:1")


@pytest.mark.filterwarnings("ignore")  # the middleware's own
def test_behind_keystone_there_is_no_identity_service(house: House, tmp_path: Path) -> None:
    config = tmp_path / "keystone.conf"
    config.write_text(
        "[keystone_authtoken]\nwww_authenticate_uri = http://k\nauth_type = none\n", "utf-8"
    )
    found = authentication("keystone", house.secrets, house.sign_in, "http://h:1", config)
    assert isinstance(found, Keystone)
    services = behind(found, {"compute": shop(authentication=found), "identity": shop()})
    assert set(services) == {"compute"}
    reply = Caller(services["compute"])("GET", "/things")
    assert (reply.status, reply.headers["www-authenticate"]) == (401, 'Keystone uri="http://k"')
    with pytest.raises(InvalidInput, match="keystone"):
        authentication("keystone", house.secrets, house.sign_in, "http://h:1")
    assert "keystone" in AUTHS


def test_elsewhere_services_stay_as_they_are(house: House) -> None:
    found = authentication("password", house.secrets, house.sign_in, "http://h:1")
    services = {"compute": shop(), "identity": shop()}
    assert behind(found, {**services}) == services
