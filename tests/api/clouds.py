"""The Compute API over fake hosts and a database, ready to be called."""

import json
import random
from pathlib import Path
from typing import Any

import attrs

from computekit.api.compute import COMPUTE_VERSIONS, Cloud
from computekit.http import Application, NoAuth2, Settings
from computekit.http.compute import ComputeDialect, compute_endpoints
from computekit.store import SqlFlavors, SqlKeypairs, SqlServers, SqlStore
from computekit.testing.fake_fleet import FakeFleet
from tests.api.wsgi import Caller, Reply

ADMIN = {"x_auth_token": "root:ops", "x_roles": "admin,member,reader"}
OWNER = {"x_auth_token": "ann:shop", "x_roles": "member,reader"}
READER = {"x_auth_token": "eve:shop", "x_roles": "reader"}
OTHER = {"x_auth_token": "bob:mill", "x_roles": "member,reader"}


@attrs.frozen
class ComputeCloud:
    fleet: FakeFleet
    cloud: Cloud
    application: Application

    def caller(self, who: dict[str, str], version: str = "2.104") -> Caller:
        headers = {
            **who, "openstack_api_version": f"compute {version}", "content_type": "application/json"
        }  # fmt: skip
        return Caller(self.application, headers, {"HTTP_HOST": "here"})

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        who: dict[str, str] = OWNER,
        version: str = "2.104",
    ) -> Reply:
        text = None if body is None else json.dumps(body).encode()
        return self.caller(who, version)(method, f"/v2.1{path}", text)

    def flavor(self, **more: Any) -> str:
        said = {"name": "tiny", "ram": 64, "vcpus": 1, "disk": 1, **more}
        reply = self.ask("POST", "/flavors", {"flavor": said}, ADMIN)
        assert reply.status == 200, reply.body
        return str(reply.json["flavor"]["id"])

    def new_server(self, flavor: str, **more: Any) -> dict[str, Any]:
        said = {"name": "web", "imageRef": self.fleet.image.id, "flavorRef": flavor}
        return {"server": {**said, "networks": "none", **more}}

    def server(self, who: dict[str, str] = OWNER, **more: Any) -> str:
        """Return a server that has come to be."""
        flavors = self.ask("GET", "/flavors", who=who).json["flavors"]
        flavor = flavors[0]["id"] if flavors else self.flavor()
        reply = self.ask("POST", "/servers", self.new_server(flavor, **more), who)
        assert reply.status == 202, reply.body
        self.fleet.run()
        return str(reply.json["server"]["id"])


def compute_cloud(directory: Path) -> ComputeCloud:
    directory.mkdir(exist_ok=True)
    fleet = FakeFleet(directory / "fleet", url=f"sqlite:///{directory}/books.sqlite")
    store = fleet.store
    assert isinstance(store, SqlStore)
    cloud = Cloud(fleet.services, SqlFlavors(store), SqlKeypairs(store), SqlServers(store))
    settings = Settings(
        COMPUTE_VERSIONS, NoAuth2(), fleet.clock, random.Random(3), dialect=ComputeDialect()
    )
    return ComputeCloud(fleet, cloud, Application(compute_endpoints(cloud), settings))
