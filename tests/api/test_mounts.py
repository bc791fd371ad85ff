"""Several applications behind one server: each gets its requests, and nobody else's."""

import http.client
import json
from contextlib import closing
from typing import Any

import pytest

from computekit.errors import InvalidInput
from computekit.http import Mounts
from tests.api.shop import shop
from tests.api.test_server import serving
from tests.api.wsgi import Caller


def echo(name: str) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        said = [name, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")]
        return [json.dumps(said).encode()]

    return application


MOUNTS = Mounts({"compute": echo("compute"), "image": echo("image")}, echo("root"))


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/compute", ["compute", "/compute", ""]),
        ("/compute/", ["compute", "/compute", "/"]),
        ("/compute/v2.1/servers", ["compute", "/compute", "/v2.1/servers"]),
        ("/compute//servers", ["compute", "/compute", "//servers"]),
        ("/compute/../image", ["compute", "/compute", "/../image"]),
        ("/image/v2", ["image", "/image", "/v2"]),
        ("/", ["root", "", "/"]),
        ("", ["root", "", ""]),
        ("compute", ["root", "", "compute"]),
        ("/computer", ["root", "", "/computer"]),
        ("/Compute/x", ["root", "", "/Compute/x"]),
        ("/metrics", ["root", "", "/metrics"]),
        ("/compute%2Fv2.1", ["compute", "/compute", "/v2.1"]),
    ],
)
def test_a_request_reaches_the_application_of_its_first_segment(path: str, seen: list[str]) -> None:
    assert Caller(MOUNTS)("GET", path).json == seen


def test_mounts_can_be_mounted() -> None:
    outer = Mounts({"cloud": MOUNTS}, echo("outer"))
    assert Caller(outer)("GET", "/cloud/image/v2").json == ["image", "/cloud/image", "/v2"]


@pytest.mark.parametrize("name", ["", "/compute", "a/b", "Compute", "2", "a b"])
def test_a_name_is_one_segment(name: str) -> None:
    with pytest.raises(InvalidInput):
        Mounts({name: echo("x"), "fine": echo("y")}, echo("root"))


def test_locations_are_those_of_the_mounted_application() -> None:
    caller = Caller(Mounts({"shop": shop()}, shop()), {"x_auth_token": "admin", "host": "h:1"})
    made = caller("POST", "/shop/made", b"{}", content_type="application/json")
    assert made.headers["location"] == "http://h:1/shop/things/new"
    made = caller("POST", "/made", b"{}", content_type="application/json")
    assert made.headers["location"] == "http://h:1/things/new"


def test_over_a_server() -> None:
    with serving(MOUNTS) as address, closing(http.client.HTTPConnection(*address, timeout=20)) as c:
        for path, name in (("/compute/v2.1/", "compute"), ("/image", "image"), ("/x", "root")):
            c.request("GET", path)
            assert json.loads(c.getresponse().read())[0] == name
