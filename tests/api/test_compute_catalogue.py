"""What servers are made of and run on, over the Compute API; and its document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from computekit.http.compute import compute_document, compute_endpoints
from computekit.http.compute.document import SHAPES
from tests.api.clouds import ADMIN, OTHER, ComputeCloud, compute_cloud

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMPRVhiGQvZi4N5pGbnQmFmiTJuPWQ6n4aGwcKuWr3Qm somebody"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[ComputeCloud]:
    made = compute_cloud(tmp_path)
    yield made
    made.fleet.close()


def test_flavors_are_made_listed_and_kept_for_projects(cloud: ComputeCloud) -> None:
    tiny = cloud.flavor()
    big = cloud.flavor(name="big", ram=4096, id="big", **{"os-flavor-access:is_public": False})
    assert cloud.ask("POST", "/flavors", {"flavor": {}}, ADMIN).status == 400
    again = {"flavor": {"name": "tiny", "ram": 1, "vcpus": 1, "disk": 0}}
    assert cloud.ask("POST", "/flavors", again, ADMIN).status == 409
    assert cloud.ask("POST", "/flavors", again).status == 403

    def names(path: str, who: dict[str, str]) -> list[str]:
        return [it["name"] for it in cloud.ask("GET", path, who=who).json["flavors"]]

    assert names("/flavors?is_public=None", ADMIN) == ["tiny", "big"] or names(
        "/flavors?is_public=None", ADMIN
    ) == ["big", "tiny"]
    assert names("/flavors/detail?is_public=None", OTHER) == ["tiny"]
    assert names("/flavors?is_public=None&minRam=100", ADMIN) == ["big"]
    assert cloud.ask("GET", f"/flavors/{big}", who=OTHER).status == 404
    grant = {"addTenantAccess": {"tenant": "mill"}}
    assert cloud.ask("POST", f"/flavors/{big}/action", grant, ADMIN).status == 200
    assert cloud.ask("POST", f"/flavors/{big}/action", grant, ADMIN).status == 409
    assert cloud.ask("GET", f"/flavors/{big}", who=OTHER).status == 200
    assert cloud.ask("GET", f"/flavors/{tiny}/os-flavor-access", who=ADMIN).status == 404
    page = cloud.ask("GET", "/flavors?is_public=None&limit=1", who=ADMIN).json
    rest = page["flavors_links"][0]["href"].partition("/v2.1")[2]
    assert len(cloud.ask("GET", rest, who=ADMIN).json["flavors"]) == 1
    assert cloud.ask("DELETE", f"/flavors/{big}", who=ADMIN).status == 202
    assert cloud.ask("GET", f"/flavors/{big}", who=ADMIN).status == 404


def test_extra_specs_are_written_and_taken_away(cloud: ComputeCloud) -> None:
    at = f"/flavors/{cloud.flavor()}/os-extra_specs"
    specs = {"extra_specs": {"hw:cpu_policy": "shared", "a": "b"}}
    assert cloud.ask("POST", at, specs, ADMIN).json == specs
    assert cloud.ask("GET", at).json == specs
    assert cloud.ask("PUT", f"{at}/a", {"a": "c"}, ADMIN).json == {"a": "c"}
    assert cloud.ask("PUT", f"{at}/a", {"b": "c"}, ADMIN).status == 400
    assert cloud.ask("GET", f"{at}/a").json == {"a": "c"}
    assert cloud.ask("DELETE", f"{at}/a", who=ADMIN).status == 200
    assert cloud.ask("DELETE", f"{at}/a", who=ADMIN).status == 404
    assert cloud.ask("POST", at, specs).status == 403


def test_keypairs_are_their_users_own(cloud: ComputeCloud) -> None:
    body = {"keypair": {"name": "k", "public_key": KEY}}
    made = cloud.ask("POST", "/os-keypairs", body)
    assert made.status == 201
    assert made.json["keypair"]["type"] == "ssh"
    assert cloud.ask("POST", "/os-keypairs", body).status == 409
    old = {"keypair": {"name": "old", "public_key": KEY}}
    assert cloud.ask("POST", "/os-keypairs", old, version="2.1").status == 200
    none = {"keypair": {"name": "n"}}
    assert cloud.ask("POST", "/os-keypairs", none, version="2.91").status == 501
    assert cloud.ask("POST", "/os-keypairs", none).status == 400
    broken = {"keypair": {"name": "n", "public_key": "ssh-rsa AAAA"}}
    assert cloud.ask("POST", "/os-keypairs", broken).status == 400
    listed = cloud.ask("GET", "/os-keypairs").json["keypairs"]
    assert [it["keypair"]["name"] for it in listed] == ["k", "old"]
    assert cloud.ask("GET", "/os-keypairs", who=OTHER).json == {"keypairs": []}
    assert cloud.ask("GET", "/os-keypairs/k", who=OTHER).status == 404
    assert len(cloud.ask("GET", "/os-keypairs?user_id=ann", who=ADMIN).json["keypairs"]) == 2
    id = cloud.server(key_name="k")
    assert cloud.ask("GET", f"/servers/{id}").json["server"]["key_name"] == "k"
    unknown = cloud.new_server(cloud.ask("GET", "/flavors").json["flavors"][0]["id"], key_name="no")
    assert cloud.ask("POST", "/servers", unknown).status == 400
    assert cloud.ask("DELETE", "/os-keypairs/old", version="2.1").status == 202
    assert cloud.ask("DELETE", "/os-keypairs/k").status == 204
    assert cloud.ask("DELETE", "/os-keypairs/k").status == 404


def test_groups_are_made_in_old_words_and_new_ones(cloud: ComputeCloud) -> None:
    new = {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": "2"}}
    made = cloud.ask("POST", "/os-server-groups", {"server_group": new}).json["server_group"]
    assert (made["policy"], made["rules"]) == ("anti-affinity", {"max_server_per_host": 2})
    old = {"name": "o", "policies": ["affinity"]}
    made = cloud.ask("POST", "/os-server-groups", {"server_group": old}, version="2.1").json
    assert made["server_group"]["policies"] == ["affinity"]
    assert cloud.ask("POST", "/os-server-groups", {"server_group": old}).status == 400
    wrong = {"name": "g", "policy": "affinity", "rules": {"max_server_per_host": 2}}
    assert cloud.ask("POST", "/os-server-groups", {"server_group": wrong}).status == 400
    found = cloud.ask("GET", "/os-server-groups").json["server_groups"]
    assert sorted(it["name"] for it in found) == ["g", "o"]
    group = made["server_group"]["id"]
    flavor = cloud.flavor()
    body = cloud.new_server(flavor) | {"os:scheduler_hints": {"group": group}}
    id = cloud.ask("POST", "/servers", body).json["server"]["id"]
    cloud.fleet.run()
    assert cloud.ask("GET", f"/os-server-groups/{group}").json["server_group"]["members"] == [id]
    shown = cloud.ask("GET", f"/servers/{id}").json["server"]
    assert (shown["server_groups"], shown["scheduler_hints"]) == ([group], {"group": group})
    assert cloud.ask("DELETE", f"/os-server-groups/{group}").status == 204


def test_aggregates_put_hosts_into_zones(cloud: ComputeCloud) -> None:
    body = {"aggregate": {"name": "left", "availability_zone": "z1"}}
    made = cloud.ask("POST", "/os-aggregates", body, ADMIN).json["aggregate"]
    assert "hosts" not in made
    at = f"/os-aggregates/{made['id']}"

    def act(**what: object) -> Any:
        return cloud.ask("POST", f"{at}/action", what, ADMIN)

    assert act(add_host={"host": "a"}).json["aggregate"]["hosts"] == ["a"]
    assert act(add_host={"host": "a"}).status == 409
    assert act(add_host={"host": "nope"}).status == 404
    assert act(set_metadata={"metadata": {"k": "v"}}).json["aggregate"]["metadata"]["k"] == "v"
    assert act(set_metadata={"metadata": {"k": None}}).status == 200
    zones = cloud.ask("GET", "/os-availability-zone").json["availabilityZoneInfo"]
    assert sorted(it["zoneName"] for it in zones) == ["nova", "z1"]
    assert cloud.ask("GET", "/os-availability-zone/detail").status == 403
    id = cloud.server(availability_zone="z1")
    shown = cloud.ask("GET", f"/servers/{id}").json["server"]
    assert shown["OS-EXT-AZ:availability_zone"] == shown["pinned_availability_zone"] == "z1"
    assert act(remove_host={"host": "a"}).status == 409
    other = {"aggregate": {"availability_zone": "z2"}}
    assert cloud.ask("PUT", at, other, ADMIN).status == 400
    assert cloud.ask("DELETE", at, who=ADMIN).status == 400
    assert cloud.ask("GET", "/os-aggregates/x", who=ADMIN).status == 400
    assert cloud.ask("GET", "/os-aggregates/99", who=ADMIN).status == 404


def test_hosts_are_shown_and_kept_from(cloud: ComputeCloud) -> None:
    found = cloud.ask("GET", "/os-hypervisors/detail", who=ADMIN).json["hypervisors"]
    assert [it["hypervisor_hostname"] for it in found] == ["a", "b"]
    one = cloud.ask("GET", f"/os-hypervisors/{found[0]['id']}", who=ADMIN).json["hypervisor"]
    assert one == found[0]
    old = cloud.ask("GET", "/os-hypervisors/detail", who=ADMIN, version="2.27").json
    assert isinstance(old["hypervisors"][0]["id"], int)
    assert isinstance(old["hypervisors"][0]["cpu_info"], str)
    services = cloud.ask("GET", "/os-services?host=a", who=ADMIN).json["services"]
    at = f"/os-services/{services[0]['id']}"
    off = {"status": "disabled", "disabled_reason": "work"}
    assert cloud.ask("PUT", at, off, ADMIN).json["service"]["disabled_reason"] == "work"
    assert cloud.ask("PUT", at, {"status": "enabled"}, ADMIN).json["service"]["status"] == "enabled"
    old_body = {"host": "b", "binary": "nova-compute"}
    old_reply = cloud.ask("PUT", "/os-services/disable", old_body, ADMIN, "2.52")
    assert old_reply.json["service"]["status"] == "disabled"
    assert cloud.ask("PUT", "/os-services/nope", {"status": "enabled"}, ADMIN).status == 404


def test_limits_count_what_there_is(cloud: ComputeCloud) -> None:
    cloud.server()
    said = cloud.ask("GET", "/limits", version="2.1").json["limits"]["absolute"]
    assert (said["totalInstancesUsed"], said["totalCoresUsed"], said["totalRAMUsed"]) == (1, 1, 64)
    assert cloud.ask("GET", "/os-quota-sets/shop").json["quota_set"]["key_pairs"] == 100


def test_the_document_describes_every_operation_once(cloud: ComputeCloud) -> None:
    document = json.loads(compute_document(compute_endpoints(cloud.cloud)))
    said = [at["operationId"] for path in document["paths"].values() for at in path.values()]
    assert sorted(said) == sorted(SHAPES)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    server = document["components"]["schemas"]["ServerAnswer"]["properties"]
    assert server["locked"]["x-since"] == "2.9"


def test_what_is_not_there_yet_says_its_name(cloud: ComputeCloud) -> None:
    for path in ("/os-simple-tenant-usage", "/os-migrations", "/servers/x/os-volume_attachments"):
        reply = cloud.ask("GET", path)
        assert reply.status == 501
        assert path[1:].split("/")[-1] in reply.json["notImplemented"]["message"]
    assert cloud.ask("GET", "/os-nonsense").status == 404
