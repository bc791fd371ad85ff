"""The Placement API in old microversions, and what its own tests do not look at."""

import json
from typing import Any

import pytest

from tests.api.books import administrator
from tests.api.wsgi import Caller, Reply

HOST = "aaaaaaaa-0000-4000-8000-000000000001"
CARD = "aaaaaaaa-0000-4000-8000-000000000002"
OTHER = "aaaaaaaa-0000-4000-8000-000000000003"
WHO = "bbbbbbbb-0000-4000-8000-000000000001"
RACK = "cccccccc-0000-4000-8000-000000000001"


@pytest.fixture
def call() -> Caller:
    return administrator()


def send(call: Caller, method: str, url: str, body: Any = None, minor: int = 39) -> Reply:
    version = {"openstack_api_version": f"placement 1.{minor}"}
    if body is None:
        return call(method, url, **version)
    return call(method, url, json.dumps(body).encode(), content_type="application/json", **version)


@pytest.fixture
def tree(call: Caller) -> Caller:
    """A host with CPUs and a card with functions."""
    body = {
        "providers": [
            {
                "uuid": HOST,
                "name": "host",
                "inventories": {"VCPU": {"total": 8}, "MEMORY_MB": {"total": 1024}},
                "traits": ["HW_NUMA_ROOT", "CUSTOM_B", "CUSTOM_A"],
                "aggregates": [RACK],
            },
            {
                "uuid": CARD,
                "name": "card",
                "parent_provider_uuid": HOST,
                "inventories": {"SRIOV_NET_VF": {"total": 4}},
            },
        ]
    }
    assert send(call, "PUT", f"/computekit/trees/{HOST}", body).status == 200
    return call


def claim(call: Caller, amount: int, generation: int | None = None, **more: object) -> Reply:
    body = {
        "allocations": {HOST: {"resources": {"VCPU": amount}}},
        "project_id": "p",
        "user_id": "u",
        "consumer_generation": generation,
        "consumer_type": "INSTANCE",
        **more,
    }
    return send(call, "PUT", f"/allocations/{WHO}", body)


@pytest.mark.parametrize(
    ("minor", "links"), [(0, 3), (1, 4), (5, 4), (6, 5), (10, 5), (11, 6), (39, 6)]
)
def test_links_of_providers_grow(tree: Caller, minor: int, links: int) -> None:
    found = send(tree, "GET", f"/resource_providers/{CARD}", minor=minor).json
    assert len(found["links"]) == links
    assert ("root_provider_uuid" in found) == (minor >= 14)
    (listed,) = send(tree, "GET", "/resource_providers?name=card", minor=minor).json[
        "resource_providers"
    ]
    assert listed == found


def test_names_of_providers_are_written_as_json(call: Caller) -> None:
    name = 'a "quoted" \\ name \u00fc \u0001'
    send(call, "POST", "/resource_providers", {"name": name})
    found = send(call, "GET", "/resource_providers").json["resource_providers"]
    assert [row["name"] for row in found] == [name]


def test_a_parent_is_set_once_before_1_37(tree: Caller) -> None:
    send(tree, "POST", "/resource_providers", {"name": "other", "uuid": OTHER})
    path = f"/resource_providers/{CARD}"
    for parent in (OTHER, None):
        body = {"name": "card", "parent_provider_uuid": parent}
        assert "parenting a provider is not" in send(tree, "PUT", path, body, 36).detail
    body = {"name": "card", "parent_provider_uuid": OTHER}
    assert send(tree, "PUT", path, body).json["root_provider_uuid"] == OTHER


def test_aggregates_of_old_leave_the_generation(tree: Caller) -> None:
    path = f"/resource_providers/{HOST}/aggregates"
    assert send(tree, "PUT", path, [RACK, OTHER], 18).json == {"aggregates": [RACK, OTHER]}
    assert send(tree, "GET", path).json["resource_provider_generation"] == 0
    body = {"aggregates": [OTHER, RACK], "resource_provider_generation": 0}
    after = send(tree, "PUT", path, body).json
    assert after == {"aggregates": [OTHER, RACK], "resource_provider_generation": 1}


@pytest.mark.parametrize(("minor", "status"), [(25, 400), (26, 200)])
def test_all_may_be_reserved_since_1_26(tree: Caller, minor: int, status: int) -> None:
    body = {
        "resource_provider_generation": 0,
        "inventories": {"VCPU": {"total": 2, "reserved": 2}},
    }
    path = f"/resource_providers/{HOST}/inventories"
    assert send(tree, "PUT", path, body, minor).status == status


def test_an_allocation_of_old_names_nobody(tree: Caller) -> None:
    assert claim(tree, 1).status == 204
    share = {"resource_provider": {"uuid": HOST}, "resources": {"VCPU": 2}}
    path = f"/allocations/{WHO}"
    assert send(tree, "PUT", path, {"allocations": [share]}, 0).status == 204
    found = send(tree, "GET", path).json
    assert found["allocations"][HOST]["resources"] == {"VCPU": 2}
    assert found["project_id"] == "00000000-0000-0000-0000-000000000000"
    assert (found["consumer_type"], found["consumer_generation"]) == ("INSTANCE", 2)
    assert "project_id" not in send(tree, "GET", path, minor=11).json
    assert "consumer_type" not in send(tree, "GET", path, minor=37).json


@pytest.mark.parametrize("generation", [0, -1, 7])
def test_only_null_is_the_generation_of_a_new_consumer(tree: Caller, generation: int) -> None:
    reply = claim(tree, 1, generation)
    assert reply.status == 409
    assert reply.detail.endswith(f"expected null but got {generation}")


def test_a_refused_claim_leaves_nothing(tree: Caller) -> None:
    for amount, reason in (
        (9, "claim.capacity"),
        (2**31, "claim.amount"),
        (10**30, "claim.amount"),
    ):
        reply = claim(tree, amount)
        assert reply.status == 409
        assert reply.json["errors"][0]["reason"] == reason
    assert send(tree, "GET", f"/allocations/{WHO}").json == {"allocations": {}}
    assert claim(tree, 8).status == 204


@pytest.mark.parametrize("amount", [2**31, 2**63, 10**30])
def test_no_ratio_makes_room_for_more_than_can_be_counted(tree: Caller, amount: int) -> None:
    body = {"resource_provider_generation": 0, "total": 2**31 - 1, "allocation_ratio": 3.4e38}
    assert send(tree, "PUT", f"/resource_providers/{HOST}/inventories/VCPU", body).status == 200
    reply = claim(tree, amount)
    assert (reply.status, reply.detail.endswith("would violate inventory constraints.")) == (
        409,
        True,
    )
    assert send(tree, "GET", f"/allocations/{WHO}").json == {"allocations": {}}
    assert claim(tree, 2**31 - 1).status == 204


def test_what_does_not_exist_is_said_before_what_does_not_fit(tree: Caller) -> None:
    for wanted, words in (
        ({HOST: {"VCPU": 99}, OTHER: {"VCPU": 1}}, f"'{OTHER}' that does not exist"),
        ({HOST: {"VCPU": 99, "CUSTOM_NO": 1}}, "No such resource class CUSTOM_NO"),
    ):
        shares = {provider: {"resources": held} for provider, held in wanted.items()}
        reply = claim(tree, 1, allocations=shares)
        assert reply.status == 400
        assert words in reply.detail


QUERY = "/allocation_candidates?resources=VCPU:1,SRIOV_NET_VF:2"


@pytest.mark.parametrize(("minor", "found"), [(12, 0), (28, 0), (29, 1), (39, 1)])
def test_trees_have_parts_since_1_29(tree: Caller, minor: int, found: int) -> None:
    assert len(send(tree, "GET", QUERY, minor=minor).json["allocation_requests"]) == found


@pytest.mark.parametrize("minor", [10, 12, 17, 27, 29, 34, 39])
def test_candidates_grow(tree: Caller, minor: int) -> None:
    found = send(tree, "GET", "/allocation_candidates?resources=VCPU:1", minor=minor).json
    (row,) = found["allocation_requests"]
    if minor < 12:
        taken = [{"resource_provider": {"uuid": HOST}, "resources": {"VCPU": 1}}]
        assert row == {"allocations": taken}
    else:
        assert row["allocations"] == {HOST: {"resources": {"VCPU": 1}}}
    assert row.get("mappings") == ({"": [HOST]} if minor >= 34 else None)
    summaries = found["provider_summaries"]
    assert set(summaries) == ({HOST, CARD} if minor >= 29 else {HOST})
    classes = {"VCPU", "MEMORY_MB"} if minor >= 27 else {"VCPU"}
    assert set(summaries[HOST]["resources"]) == classes
    traits = ["HW_NUMA_ROOT", "CUSTOM_A", "CUSTOM_B"] if minor >= 17 else None
    assert summaries[HOST].get("traits") == traits
    assert ("root_provider_uuid" in summaries[HOST]) == (minor >= 29)


def test_a_warm_answer_sees_every_write(tree: Caller) -> None:
    url = "/allocation_candidates?resources=VCPU:4"
    first = send(tree, "GET", url)
    assert send(tree, "GET", url).body == first.body
    claim(tree, 3)
    second = send(tree, "GET", url).json["provider_summaries"][HOST]["resources"]["VCPU"]
    assert second == {"capacity": 8, "used": 3}
    claim(tree, 5, 1)
    assert send(tree, "GET", url).json == {"allocation_requests": [], "provider_summaries": {}}


def test_a_name_that_went_is_unknown_at_once(call: Caller) -> None:
    url = "/allocation_candidates?resources=VCPU:1&required=CUSTOM_X"
    assert send(call, "GET", url).detail == "No such trait(s): CUSTOM_X."
    assert send(call, "PUT", "/traits/CUSTOM_X").status == 201
    assert send(call, "GET", url).status == 200
    assert send(call, "DELETE", "/traits/CUSTOM_X").status == 204
    assert send(call, "GET", url).status == 400


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [("", {"INSTANCE"}), ("&consumer_type=all", {"all"}), ("&consumer_type=unknown", set())],
)
def test_usages_by_type(tree: Caller, wanted: str, labels: set[str]) -> None:
    claim(tree, 3)
    found = send(tree, "GET", f"/usages?project_id=p{wanted}").json["usages"]
    assert set(found) == labels
    assert all(usage == {"VCPU": 3, "consumer_count": 1} for usage in found.values())
    assert send(tree, "GET", "/usages?project_id=p", minor=37).json == {"usages": {"VCPU": 3}}


def test_a_missing_provider_is_said_before_a_broken_body(call: Caller) -> None:
    for method, part in (("PUT", ""), ("PUT", "/inventories"), ("PUT", "/aggregates")):
        reply = send(call, method, f"/resource_providers/{HOST}{part}", {"x": 1})
        assert reply.status == 404
        assert "vary" not in reply.headers


def test_a_ratio_that_leaves_nothing_is_refused_as_before_1_26(tree: Caller) -> None:
    body = {"resource_provider_generation": 0, "total": 100, "allocation_ratio": 0.0001}
    url = f"/resource_providers/{HOST}/inventories/VCPU"
    refused = send(tree, "PUT", url, body, minor=25)
    assert refused.status == 400
    assert "greater than or equal to total" in refused.detail
    assert send(tree, "PUT", url, body).status == 200


def test_of_an_inventory_that_is_there_what_is_wrong_with_the_new_one_is_said_first(
    tree: Caller,
) -> None:
    url = f"/resource_providers/{HOST}/inventories"
    body = {"resource_provider_generation": 1, "resource_class": "VCPU", "total": 1}
    assert send(tree, "POST", url, {**body, "allocation_ratio": 0.7}, minor=21).status == 400
    assert send(tree, "POST", url, body, minor=21).status == 409


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("resources=VCPU:1&required=CUSTOM_NOBODY", 400),
        ("resources_a=VCPU:99&resources_b=VCPU:1&required_b=CUSTOM_NOBODY", 200),
        ("resources_b=VCPU:1&required_b=CUSTOM_NOBODY&resources_a=VCPU:99", 400),
        ("resources_a=VCPU:1&resources_b=CUSTOM_NOBODY:1", 400),
        ("resources_a=VCPU:99&resources_b=CUSTOM_NOBODY:1", 200),
        (f"resources=VCPU:1&in_tree={WHO}&required=CUSTOM_NOBODY", 400),
        (f"resources=VCPU:1&member_of={WHO}&required=CUSTOM_NOBODY", 200),
        (f"resources=CUSTOM_NOBODY:1&member_of={WHO}", 400),
        ("resources=VCPU:1&root_required=HW_NIC_SRIOV&required=CUSTOM_NOBODY", 200),
        ("resources=VCPU:1&root_required=CUSTOM_NOBODY&required=CUSTOM_NOBODY", 400),
    ],
)
def test_names_are_looked_at_up_to_the_first_group_that_nobody_serves(
    tree: Caller, query: str, status: int
) -> None:
    reply = send(tree, "GET", f"/allocation_candidates?{query}&group_policy=none")
    assert reply.status == status


def test_a_reserve_that_a_small_ratio_rounds_away_is_taken(tree: Caller) -> None:
    url = f"/resource_providers/{HOST}/inventories/VCPU"
    body = {"resource_provider_generation": 0, "total": 10, "reserved": 11}
    assert send(tree, "PUT", url, {**body, "allocation_ratio": 1.0}).status == 400
    assert send(tree, "PUT", url, {**body, "allocation_ratio": 0.1}).status == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("resources=CUSTOM_NOBODY:1", 400),
        (f"resources=CUSTOM_NOBODY:1&in_tree={WHO}", 200),
        (f"required=CUSTOM_NOBODY&in_tree={WHO}", 200),
        (f"resources=CUSTOM_NOBODY:1&member_of={WHO}", 200),
        (f"required=CUSTOM_NOBODY&member_of={WHO}", 400),
        ("resources=CUSTOM_NOBODY:1&required=HW_NIC_SRIOV", 200),
        ("resources=CUSTOM_NOBODY:1&required=!HW_NIC_SRIOV", 400),
    ],
)
def test_what_nobody_can_be_is_said_before_classes_that_do_not_exist(
    tree: Caller, query: str, status: int
) -> None:
    assert send(tree, "GET", f"/resource_providers?{query}").status == status


def test_a_reshape_is_refused_for_the_first_provider_that_it_names(tree: Caller) -> None:
    gone = {"resource_provider_generation": 0, "inventories": {}}
    stale = {"resource_provider_generation": 7, "inventories": {}}
    wrong = {
        "resource_provider_generation": 0,
        "inventories": {"VCPU": {"total": 2, "reserved": 9}},
    }
    for inventories, status in (
        ({OTHER: gone, CARD: stale}, 400),
        ({CARD: stale, OTHER: gone}, 409),
        ({HOST: wrong, CARD: stale}, 409),
        ({HOST: wrong}, 204),
    ):
        body = {"inventories": inventories, "allocations": {}}
        assert send(tree, "POST", "/reshaper", body).status == status
    assert (
        send(tree, "GET", "/allocation_candidates?resources=VCPU:1").json["allocation_requests"]
        == []
    )
    assert claim(tree, 1).status == 409
    url = f"/resource_providers/{HOST}/inventories"
    more = {"resource_provider_generation": 2, "resource_class": "DISK_GB", "total": 5}
    assert send(tree, "POST", url, more).status == 201
    assert send(tree, "DELETE", f"{url}/DISK_GB").status == 204
