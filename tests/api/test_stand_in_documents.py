"""The OpenAPI documents of identity, images and networks say what the services answer."""

import io
import json
import random
from pathlib import Path
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator

from computekit.access import Passwords, Revoked, SignIn, Tokens
from computekit.api import identity as identity_api
from computekit.api import image as image_api
from computekit.api import network as network_api
from computekit.http import Application, Endpoint, NoAuth2, PlainDialect, Settings
from computekit.http.identity import identity_document, identity_endpoints
from computekit.http.image import image_document, image_endpoints
from computekit.http.network import network_document, network_endpoints
from computekit.images import KeptImages
from computekit.secret import Secret
from computekit.testing import ManualClock
from tests.api.wsgi import Caller
from tests.unit.access.people import PEOPLE

ADMIN = {"x_auth_token": "id-admin:d1", "x_roles": "admin"}
JSON = {"content_type": "application/json"}


@attrs.frozen
class Documented:
    call: Caller
    document: Any
    endpoints: tuple[Endpoint, ...]

    def check(self, method: str, path: str, template: str, body: Any = None) -> Any:
        raw = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else JSON
        reply = self.call(method, path, raw, **ADMIN, **kind)
        said = self.document["paths"][template][method.lower()]["responses"]
        at = said[str(reply.status)] if reply.status < 400 else said["4XX"]
        if "$ref" in at:
            at = self.document["components"]["responses"]["refused"]
        schema = {
            **at["content"]["application/json"]["schema"],
            "components": self.document["components"],
        }
        Draft202012Validator(schema).validate(reply.json)
        return reply.json


def settings(clock: ManualClock, versions: Any, envelope: str = "error") -> Settings:
    dialect = PlainDialect(envelope)
    return Settings(versions, NoAuth2(), clock, random.Random(1), dialect=dialect)


def identity(path: Path) -> Documented:
    clock = ManualClock()
    key, source = Secret(b"k" * 32), random.Random(1)
    tokens = Tokens(PEOPLE, key, Revoked(path / "revoked"), clock, source)
    hashes = {user.name: user.hashed for user in PEOPLE.users}
    endpoints = identity_endpoints(SignIn(PEOPLE, Passwords(hashes, clock, b"k"), tokens))
    application = Application(endpoints, settings(clock, identity_api.IDENTITY_VERSIONS))
    return Documented(Caller(application), json.loads(identity_document(endpoints)), endpoints)


def image(path: Path) -> Documented:
    clock, source = ManualClock(), random.Random(1)
    images = KeptImages(path / "images", clock, source)
    images.add("there", "raw", io.BytesIO(b"x" * 512))
    endpoints = image_endpoints(images, clock, source)
    application = Application(endpoints, settings(clock, image_api.IMAGE_VERSIONS))
    return Documented(Caller(application), json.loads(image_document(endpoints)), endpoints)


def network(_path: Path) -> Documented:
    endpoints = network_endpoints()
    told = settings(ManualClock(), network_api.NETWORK_VERSIONS, "NeutronError")
    application = Application(endpoints, told)
    return Documented(Caller(application), json.loads(network_document(endpoints)), endpoints)


@pytest.mark.parametrize("service", [identity, image, network])
def test_every_operation_is_described_once(service: Any, tmp_path: Path) -> None:
    found = service(tmp_path)
    said = [at["operationId"] for path in found.document["paths"].values() for at in path.values()]
    assert sorted(said) == sorted(it.name for it in found.endpoints)
    assert "openstack-api-version" not in json.dumps(found.document)
    for schema in found.document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_identity_answers_as_its_document_says(tmp_path: Path) -> None:
    found = identity(tmp_path)
    user = {"name": "ann", "password": "pass-ann"}
    proof = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    for method, path, template, body in (
        ("GET", "/", "/", None),
        ("GET", "/v3", "/v3", None),
        ("POST", "/v3/auth/tokens", "/v3/auth/tokens", proof),
        ("POST", "/v3/auth/tokens", "/v3/auth/tokens", {}),
        ("GET", "/v3/projects", "/v3/projects", None),
        ("GET", "/v3/projects/d1", "/v3/projects/{project_id}", None),
        ("GET", "/v3/projects/x", "/v3/projects/{project_id}", None),
        ("GET", "/v3/users", "/v3/users", None),
        ("GET", "/v3/users/id-ann", "/v3/users/{user_id}", None),
        ("GET", "/v3/users/id-ann/projects", "/v3/users/{user_id}/projects", None),
        ("GET", "/v3/roles", "/v3/roles", None),
    ):
        found.check(method, path, template, body)


def test_images_are_answered_as_their_document_says(tmp_path: Path) -> None:
    found = image(tmp_path)
    found.check("GET", "/", "/")
    found.check("GET", "/versions", "/versions")
    (there,) = found.check("GET", "/v2/images", "/v2/images")["images"]
    made = found.check("POST", "/v2/images", "/v2/images", {"name": "x", "os_distro": "debian"})
    for one in (there["id"], made["id"], "nothing"):
        found.check("GET", f"/v2/images/{one}", "/v2/images/{image_id}")
    found.check("GET", "/v2/images?limit=1", "/v2/images")


def test_networks_are_answered_as_their_document_says(tmp_path: Path) -> None:
    found = network(tmp_path)
    (there,) = found.check("GET", "/v2.0/networks", "/v2.0/networks")["networks"]
    for one in (there["id"], "nothing"):
        found.check("GET", f"/v2.0/networks/{one}", "/v2.0/networks/{network_id}")
    for path in ("/", "/v2.0", "/v2.0/ports", "/v2.0/subnets", "/v2.0/extensions"):
        found.check("GET", path, path)
