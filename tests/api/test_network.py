"""The network stand-in over HTTP: one network, found in every way that clients look for one."""

import random

import pytest

from computekit.api.network import NETWORK_VERSIONS
from computekit.http import Application, NoAuth2, PlainDialect, Settings
from computekit.http.network import network_endpoints
from computekit.ids import is_uuid
from computekit.testing import ManualClock
from tests.api.wsgi import Caller

READER = {"x_auth_token": "ann:p1", "x_roles": "reader"}


@pytest.fixture
def call() -> Caller:
    dialect = PlainDialect("NeutronError")
    settings = Settings(
        NETWORK_VERSIONS, NoAuth2(), ManualClock(), random.Random(3), dialect=dialect
    )
    return Caller(Application(network_endpoints(), settings), {"host": "h:1"})


def test_versions_are_for_everybody(call: Caller) -> None:
    (version,) = call("GET", "/").json["versions"]
    assert (version["id"], version["links"][0]["href"]) == ("v2.0", "http://h:1/v2.0/")
    assert call("GET", "/v2.0/").status == call("GET", "/v2.0").status == 200


def test_the_one_network(call: Caller) -> None:
    (network,) = call("GET", "/v2.0/networks", **READER).json["networks"]
    assert (network["name"], network["status"], network["shared"]) == ("private", "ACTIVE", True)
    assert network["router:external"] is False
    assert is_uuid(network["id"])
    path = f"/v2.0/networks/{network['id']}"
    assert call("GET", path, **READER).json["network"] == network


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("name=private", 1),
        ("name=other", 0),
        ("name=other&name=private", 1),
        ("id=private", 0),
        ("shared=True", 1),
        ("shared=false", 0),
        ("router:external=False", 1),
        ("router%3Aexternal=true", 0),
        ("unheard=of", 1),
    ],
)
def test_networks_that_match(call: Caller, query: str, count: int) -> None:
    reply = call("GET", f"/v2.0/networks?{query}", **READER)
    assert len(reply.json["networks"]) == count


def test_what_there_is_none_of(call: Caller) -> None:
    for kind in ("ports", "subnets", "extensions"):
        assert call("GET", f"/v2.0/{kind}?x=y", **READER).json == {kind: []}


@pytest.mark.parametrize("network", ["private", "%00", "%ff", "x" * 4000, "..%2f"])
def test_networks_that_are_not_there(call: Caller, network: str) -> None:
    reply = call("GET", f"/v2.0/networks/{network}", **READER)
    assert (reply.status, reply.json["NeutronError"]["code"]) == (404, 404)


@pytest.mark.parametrize("query", ["shared=x", "name=%00", "%ff"])
def test_queries_that_cannot_be(call: Caller, query: str) -> None:
    assert call("GET", f"/v2.0/networks?{query}", **READER).status == 400


def test_who_may_not(call: Caller) -> None:
    for path in ("networks", "ports", "subnets", "extensions", "nothing"):
        assert call("GET", f"/v2.0/{path}").status == 401
    odd = {"x_auth_token": "odd:p1", "x_roles": "other"}
    assert call("GET", "/v2.0/networks", **odd).status == 403
    assert call("POST", "/v2.0/networks", b"{}", content_type="application/json").status == 401
    posted = call("POST", "/v2.0/networks", b"{}", content_type="application/json", **READER)
    assert posted.status == 405
