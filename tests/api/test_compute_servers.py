"""Servers over the Compute API: made, shown, changed, acted on, and kept from others."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from computekit.api.compute.instance_actions import ACTIONS
from computekit.api.compute.server_view import TASKS
from computekit.compute import operation_kinds
from tests.api.clouds import ADMIN, OTHER, OWNER, READER, ComputeCloud, compute_cloud
from tests.api.wsgi import Reply


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[ComputeCloud]:
    made = compute_cloud(tmp_path)
    yield made
    made.fleet.close()


def fault(reply: Reply) -> str:
    ((_, said),) = reply.json.items()
    assert said["code"] == reply.status
    return str(said["message"])


def test_versions_are_told_to_everybody(cloud: ComputeCloud) -> None:
    for path in ("/", "/v2.1", "/v2.1/"):
        reply = cloud.caller({})("GET", path)
        assert reply.status == 200
        said = reply.json.get("version") or reply.json["versions"][0]
        assert (said["min_version"], said["version"], said["id"]) == ("2.1", "2.104", "v2.1")
    assert cloud.caller({})("GET", "/v2.1/servers").status == 401


@pytest.mark.parametrize(
    ("headers", "status", "spoken"),
    [
        ({}, 200, "2.1"),
        ({"openstack_api_version": "compute 2.53"}, 200, "2.53"),
        ({"x_openstack_nova_api_version": "2.79"}, 200, "2.79"),
        ({"openstack_api_version": "compute latest"}, 200, "2.104"),
        (
            {"openstack_api_version": "compute 2.9", "x_openstack_nova_api_version": "2.79"},
            200,
            "2.9",
        ),
        ({"openstack_api_version": "compute 2.105"}, 406, None),
        ({"openstack_api_version": "compute two"}, 400, None),
    ],
)
def test_either_header_says_which_version_is_spoken(
    cloud: ComputeCloud, headers: dict[str, str], status: int, spoken: str | None
) -> None:
    caller = cloud.caller(OWNER)
    reply = type(caller)(caller.application, {**OWNER, **headers}, caller.environ)(
        "GET", "/v2.1/servers"
    )
    assert reply.status == status
    if spoken is None:
        assert ("2.1 and" in fault(reply)) == (status == 406) or "Minimum is 2.1" in fault(reply)
    else:
        assert reply.headers["openstack-api-version"] == f"compute {spoken}"
        assert reply.headers["x-openstack-nova-api-version"] == spoken


def test_a_server_is_made_shown_and_deleted(cloud: ComputeCloud) -> None:
    image = cloud.fleet.image.id
    disk = {
        "uuid": image, "source_type": "image", "destination_type": "local", "boot_index": 0,
        "delete_on_termination": True,
    }  # fmt: skip
    data = base64.b64encode(b"#!/bin/sh").decode()
    id = cloud.server(
        block_device_mapping_v2=[disk], tags=["b", "a"], metadata={"k": "v"}, user_data=data
    )
    shown = cloud.ask("GET", f"/servers/{id}").json["server"]
    assert shown["status"] == "ACTIVE"
    assert shown["image"]["id"] == image
    assert shown["flavor"]["original_name"] == "tiny"
    assert (shown["tags"], shown["metadata"]) == (["a", "b"], {"k": "v"})
    assert shown["links"][0]["href"] == f"http://here/v2.1/servers/{id}"
    assert "OS-EXT-SRV-ATTR:host" not in shown
    told = cloud.ask("GET", f"/servers/{id}", who=ADMIN).json["server"]
    assert told["OS-EXT-SRV-ATTR:host"] in {"a", "b"}
    assert told["OS-EXT-SRV-ATTR:user_data"] == data
    assert cloud.ask("DELETE", f"/servers/{id}").status == 204
    cloud.fleet.run()
    assert cloud.ask("GET", f"/servers/{id}").status == 404
    gone = cloud.ask("GET", "/servers/detail?deleted=True&all_tenants=1", who=ADMIN)
    assert [it["status"] for it in gone.json["servers"]] == ["DELETED"]


def test_members_come_with_their_versions(cloud: ComputeCloud) -> None:
    id = cloud.server()
    since = {
        "locked": 9, "description": 19, "tags": 26, "trusted_image_certificates": 63,
        "server_groups": 71, "locked_reason": 73, "pinned_availability_zone": 96,
        "scheduler_hints": 100,
    }  # fmt: skip
    for name, minor in since.items():
        for spoken in (minor - 1, minor):
            shown = cloud.ask("GET", f"/servers/{id}", version=f"2.{spoken}").json["server"]
            assert (name in shown) == (spoken == minor), (name, spoken)
    assert set(cloud.ask("GET", f"/servers/{id}", version="2.46").json["server"]["flavor"]) == {
        "id",
        "links",
    }


def test_every_fault_of_a_request_is_told(cloud: ComputeCloud) -> None:
    body = {"server": {"name": "", "flavorRef": 1, "tags": [","], "host": 7}}
    said = fault(cloud.ask("POST", "/servers", body))
    for word in ("server.name", "server.tags.0", "server.host"):
        assert word in said
    body = {"server": {"name": "x", "flavorRef": "nope", "imageRef": "no", "networks": "some"}}
    said = fault(cloud.ask("POST", "/servers", body))
    assert "imageRef" in said
    assert "networks" in said
    early = cloud.new_server(cloud.flavor(), tags=["a"])
    reply = cloud.ask("POST", "/servers", early, version="2.51")
    assert reply.status == 400
    assert "since 2.52" in fault(reply)


@pytest.mark.parametrize(
    "more",
    [
        {"networks": [{"uuid": "8f0a2f0e-8a5e-4a67-a1d8-0e3d6a3d1a11"}]},
        {"host": "a"},
        {"personality": [{"path": "/a", "contents": "YQ=="}]},
    ],
)
def test_what_cannot_be_given_yet_is_refused_by_its_name(
    cloud: ComputeCloud, more: dict[str, object]
) -> None:
    version = "2.56" if "personality" in more else "2.104"
    reply = cloud.ask("POST", "/servers", cloud.new_server(cloud.flavor(), **more), version=version)
    assert reply.status == 501
    assert "not offered yet" in fault(reply)


def test_a_refusal_explains_short_for_members_and_whole_for_admins(cloud: ComputeCloud) -> None:
    big = cloud.flavor(name="big", ram=10**7)
    id = cloud.ask("POST", "/servers", cloud.new_server(big)).json["server"]["id"]
    cloud.fleet.run()
    shown = cloud.ask("GET", f"/servers/{id}").json["server"]
    assert shown["status"] == "ERROR"
    assert shown["fault"]["message"].startswith("No valid host was found. ")
    assert len(shown["fault"]["message"]) > len("No valid host was found. ")
    assert "details" not in shown["fault"]
    whole = cloud.ask("GET", f"/servers/{id}", who=ADMIN).json["server"]["fault"]["details"]
    assert "a" in whole
    assert len(whole) > len(shown["fault"]["message"])
    (action,) = cloud.ask("GET", f"/servers/{id}/os-instance-actions").json["instanceActions"]
    assert (action["action"], action["message"]) == ("create", "Error")
    path = f"/servers/{id}/os-instance-actions/{action['request_id']}"
    (event,) = cloud.ask("GET", path).json["instanceAction"]["events"]
    assert event["result"] == "Error"
    assert event["details"] == shown["fault"]["message"]


def test_actions_are_told_from_operations(cloud: ComputeCloud) -> None:
    id = cloud.server()
    for body in ({"os-stop": None}, {"os-start": None}, {"reboot": {"type": "HARD"}}):
        assert cloud.ask("POST", f"/servers/{id}/action", body).status == 202
        task = cloud.ask("GET", f"/servers/{id}").json["server"]["OS-EXT-STS:task_state"]
        assert task in {"powering-off", "powering-on", "rebooting", "reboot_started"}
        cloud.fleet.run()
    found = cloud.ask("GET", f"/servers/{id}/os-instance-actions").json["instanceActions"]
    assert [it["action"] for it in found] == ["reboot", "start", "stop", "create"]
    for it in found:
        path = f"/servers/{id}/os-instance-actions/{it['request_id']}"
        events = cloud.ask("GET", path).json["instanceAction"]["events"]
        assert events
        assert all(event["finish_time"] and event["result"] == "Success" for event in events)


def test_actions_that_are_not_there_say_so(cloud: ComputeCloud) -> None:
    id = cloud.server()
    reply = cloud.ask("POST", f"/servers/{id}/action", {"pause": None})
    assert (reply.status, "pause" in fault(reply)) == (501, True)
    assert cloud.ask("POST", f"/servers/{id}/action", {"fly": None}).status == 400
    assert cloud.ask("POST", f"/servers/{id}/action", {"os-start": None}).status == 409
    assert cloud.ask("POST", f"/servers/{id}/action", {}).status == 400


def test_a_lock_holds_for_all_but_administrators(cloud: ComputeCloud) -> None:
    id = cloud.server()
    assert (
        cloud.ask("POST", f"/servers/{id}/action", {"lock": {"locked_reason": "x"}}).status == 202
    )
    shown = cloud.ask("GET", f"/servers/{id}").json["server"]
    assert (shown["locked"], shown["locked_reason"]) == (True, "x")
    for method, path, body in (
        ("POST", "/action", {"os-stop": None}),
        ("PUT", "", {"server": {"name": "y"}}),
        ("PUT", "/metadata", {"metadata": {}}),
        ("DELETE", "/tags", None),
        ("DELETE", "", None),
    ):
        assert cloud.ask(method, f"/servers/{id}{path}", body).status == 409, path
    assert cloud.ask("POST", f"/servers/{id}/action", {"os-stop": None}, ADMIN).status == 202
    assert cloud.ask("POST", f"/servers/{id}/action", {"unlock": None}).status == 202
    cloud.ask("POST", f"/servers/{id}/action", {"lock": None}, ADMIN)
    assert cloud.ask("POST", f"/servers/{id}/action", {"unlock": None}).status == 409


def test_metadata_and_tags_are_written_one_and_all(cloud: ComputeCloud) -> None:
    id = cloud.server(metadata={"a": "1", "b": "2"})
    at = f"/servers/{id}"
    assert cloud.ask("POST", f"{at}/metadata", {"metadata": {"b": "3"}}, version="2.1").json == {
        "metadata": {"a": "1", "b": "3"}
    }
    assert cloud.ask("PUT", f"{at}/metadata/c", {"meta": {"c": "4"}}).json == {"meta": {"c": "4"}}
    assert cloud.ask("PUT", f"{at}/metadata/c", {"meta": {"d": "4"}}).status == 400
    assert cloud.ask("DELETE", f"{at}/metadata/a").status == 204
    assert cloud.ask("DELETE", f"{at}/metadata/a").status == 404
    assert cloud.ask("GET", f"{at}/metadata").json == {"metadata": {"b": "3", "c": "4"}}
    assert cloud.ask("PUT", f"{at}/tags", {"tags": ["x", "y"]}).json == {"tags": ["x", "y"]}
    assert cloud.ask("PUT", f"{at}/tags/z").status == 201
    assert cloud.ask("PUT", f"{at}/tags/z").status == 204
    assert cloud.ask("GET", f"{at}/tags/q").status == 404
    assert cloud.ask("DELETE", f"{at}/tags/x").status == 204
    assert cloud.ask("GET", "/servers?tags=y,z").json["servers"][0]["id"] == id
    assert cloud.ask("GET", "/servers?not-tags=y,z").json["servers"] == []
    assert cloud.ask("DELETE", f"{at}/tags").status == 204
    assert cloud.ask("GET", f"{at}/tags").json == {"tags": []}


def test_lists_are_filtered_sorted_and_paged(cloud: ComputeCloud) -> None:
    ids = {name: cloud.server(name=name) for name in ("web-1", "web-2", "db_1")}
    names = [it["name"] for it in cloud.ask("GET", "/servers?name=web").json["servers"]]
    assert names == ["web-2", "web-1"]
    assert cloud.ask("GET", "/servers?name=b%251").json["servers"] == []
    exact = cloud.ask("GET", "/servers?name=^web-1$").json["servers"]
    assert [it["id"] for it in exact] == [ids["web-1"]]
    seen: list[str] = []
    url = "/servers?limit=1&sort_key=display_name&sort_dir=asc"
    while url:
        page = cloud.ask("GET", url).json
        seen += [it["name"] for it in page["servers"]]
        links = page.get("servers_links", [])
        url = links[0]["href"].partition("/v2.1")[2] if links else ""
    assert seen == ["db_1", "web-1", "web-2"]
    assert cloud.ask("GET", "/servers?status=SHUTOFF").json["servers"] == []
    assert len(cloud.ask("GET", "/servers?status=ACTIVE&deleted=False").json["servers"]) == 3
    assert cloud.ask("GET", "/servers?marker=nope").status == 400
    assert cloud.ask("GET", "/servers?limit=-1").status == 400
    assert cloud.ask("GET", "/servers?ip=10.0.0.1").status == 501
    reply = cloud.ask("GET", "/servers?limit=x&changes-since=never&sort_key=secret")
    assert all(word in fault(reply) for word in ("limit", "changes-since", "sort_key"))


def test_several_are_made_at_once(cloud: ComputeCloud) -> None:
    body = cloud.new_server(cloud.flavor(), min_count=3, return_reservation_id=True)
    reservation = cloud.ask("POST", "/servers", body).json["reservation_id"]
    found = cloud.ask("GET", f"/servers?reservation_id={reservation}").json["servers"]
    assert sorted(it["name"] for it in found) == ["web-1", "web-2", "web-3"]


def test_who_may_only_read_changes_nothing(cloud: ComputeCloud) -> None:
    id = cloud.server()
    assert cloud.ask("GET", f"/servers/{id}", who=READER).status == 200
    for method, path, body in (
        ("DELETE", f"/servers/{id}", None),
        ("POST", f"/servers/{id}/action", {"os-stop": None}),
        ("POST", "/servers", cloud.new_server("x")),
        ("POST", "/os-keypairs", {"keypair": {"name": "k", "public_key": "x"}}),
        ("POST", "/os-server-groups", {"server_group": {"name": "g", "policy": "affinity"}}),
        ("PUT", f"/servers/{id}/tags/x", None),
    ):
        assert cloud.ask(method, path, body, READER).status == 403, path


def test_nothing_of_another_project_is_there(cloud: ComputeCloud) -> None:
    id = cloud.server()
    group = cloud.ask(
        "POST", "/os-server-groups", {"server_group": {"name": "g", "policy": "affinity"}}
    ).json["server_group"]["id"]
    actions = cloud.ask("GET", f"/servers/{id}/os-instance-actions").json["instanceActions"]
    at = f"/servers/{id}"
    for method, path, body in (
        ("GET", at, None),
        ("PUT", at, {"server": {"name": "mine"}}),
        ("DELETE", at, None),
        ("POST", f"{at}/action", {"os-stop": None}),
        ("POST", f"{at}/action", {"lock": None}),
        ("POST", f"{at}/action", {"os-getConsoleOutput": {}}),
        ("GET", f"{at}/metadata", None),
        ("POST", f"{at}/metadata", {"metadata": {"a": "b"}}),
        ("PUT", f"{at}/metadata", {"metadata": {}}),
        ("GET", f"{at}/tags", None),
        ("PUT", f"{at}/tags/x", None),
        ("DELETE", f"{at}/tags", None),
        ("GET", f"{at}/os-instance-actions", None),
        ("GET", f"{at}/os-instance-actions/{actions[0]['request_id']}", None),
        ("GET", f"/os-server-groups/{group}", None),
        ("DELETE", f"/os-server-groups/{group}", None),
        ("GET", "/os-quota-sets/shop", None),
        ("GET", "/limits?tenant_id=shop", None),
        ("GET", "/os-keypairs?user_id=ann", None),
    ):
        reply = cloud.ask(method, path, body, OTHER)
        assert reply.status == 404, (method, path, reply.body)
    for path in ("/servers", "/servers/detail?all_tenants=1", "/servers?tenant_id=shop"):
        assert cloud.ask("GET", path, who=OTHER).json["servers"] == []
    assert cloud.ask("GET", "/os-server-groups?all_projects", who=OTHER).json == {
        "server_groups": []
    }
    assert cloud.ask("GET", f"/servers?marker={id}", who=OTHER).status == 400
    for path in ("/os-hypervisors", "/os-services", "/os-aggregates"):
        assert cloud.ask("GET", path, who=OTHER).status == 403


def test_a_zone_is_pinned_by_administrators(cloud: ComputeCloud) -> None:
    id = cloud.server()
    zone = cloud.ask("GET", f"/servers/{id}").json["server"]["OS-EXT-AZ:availability_zone"]
    wanted = {"server": {"pinned_availability_zone": zone}}
    assert cloud.ask("PUT", f"/servers/{id}", wanted, OWNER).status == 403
    assert cloud.ask("PUT", f"/servers/{id}", wanted, ADMIN, "2.103").status == 400
    shown = cloud.ask("PUT", f"/servers/{id}", wanted, ADMIN).json["server"]
    assert shown["pinned_availability_zone"] == zone
    elsewhere = {"server": {"pinned_availability_zone": "moon", "name": "no"}}
    assert cloud.ask("PUT", f"/servers/{id}", elsewhere, ADMIN).status == 409
    assert cloud.ask("GET", f"/servers/{id}").json["server"]["name"] == "web"
    free = {"server": {"pinned_availability_zone": None}}
    assert (
        cloud.ask("PUT", f"/servers/{id}", free, ADMIN).json["server"]["pinned_availability_zone"]
        is None
    )


def test_every_kind_of_operation_is_an_action_or_nobodys_wish(cloud: ComputeCloud) -> None:
    kinds = {kind.name for kind in operation_kinds(cloud.fleet.services)}
    assert kinds - set(ACTIONS) == {
        "instance.observe",
        "instance.console",
        "instance.remove_orphan",
    }
    assert set(ACTIONS) == set(TASKS)
    assert set(ACTIONS) <= kinds
