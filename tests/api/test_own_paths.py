"""The operations beside those of Placement."""

import json
from typing import Any

import pytest

from tests.api.books import administrator
from tests.api.wsgi import Caller, Reply

HOST = "aaaaaaaa-0000-4000-8000-000000000001"
CARD = "aaaaaaaa-0000-4000-8000-000000000002"
WHO = "bbbbbbbb-0000-4000-8000-00000000000{}"


def post(call: Caller, url: str, body: Any, method: str = "POST", **headers: str) -> Reply:
    return call(method, url, json.dumps(body).encode(), content_type="application/json", **headers)


@pytest.fixture
def call() -> Caller:
    caller = administrator()
    providers: list[dict[str, object]] = [
        {"uuid": HOST, "name": "host", "inventories": {"VCPU": {"total": 8}}},
        {
            "uuid": CARD,
            "name": "card",
            "parent_provider_uuid": HOST,
            "inventories": {"CUSTOM_CARD": {"total": 1}},
            "traits": ["CUSTOM_NEW"],
        },
    ]
    reply = post(caller, f"/computekit/trees/{HOST}", {"providers": providers}, "PUT")
    assert [row["generation"] for row in reply.json["providers"]] == [0, 0]
    return caller


def wish(call: Caller, number: int, query: str, **more: object) -> Reply:
    body = {"consumer_uuid": WHO.format(number), "project_id": "p", "user_id": "u", "query": query}
    return post(call, "/computekit/claims", {**body, **more})


def test_a_tree_is_written_whole(call: Caller) -> None:
    again = {"providers": [{"uuid": HOST, "name": "renamed"}]}
    reply = post(call, f"/computekit/trees/{HOST}", again, "PUT")
    assert [row["name"] for row in reply.json["providers"]] == ["renamed"]
    assert call("GET", f"/resource_providers/{CARD}").status == 404


@pytest.mark.parametrize(
    "providers",
    [
        [],
        [{"uuid": CARD, "name": "x"}],
        [{"uuid": HOST, "name": "x"}, {"uuid": CARD, "name": "y"}],
        [{"uuid": HOST, "name": "x", "inventories": {"nonsense": {"total": 1}}}],
        [{"uuid": HOST, "name": "x", "traits": ["NO_SUCH"]}],
    ],
)
def test_what_is_no_tree_is_refused(call: Caller, providers: list[object]) -> None:
    reply = post(call, f"/computekit/trees/{HOST}", {"providers": providers}, "PUT")
    assert reply.status == 400
    assert call("GET", f"/resource_providers/{HOST}").json["name"] == "host"


def test_why_nothing_fits(call: Caller) -> None:
    said = call("GET", "/computekit/explain?resources=VCPU:9&reports=1").json
    assert (said["trees"], said["fitting"]) == (1, 0)
    assert said["reasons"][0]["reason"] == {"rule": "amount", "group": "", "asked": "9 VCPU"}
    assert said["reports"][0]["would_fit"] == ["with 1 VCPU less"]


@pytest.mark.parametrize("amount", [2**31, 2**63, 2**64, 10**30])
def test_more_than_can_be_counted_is_refused_by_its_own_number(call: Caller, amount: int) -> None:
    said = call("GET", f"/computekit/explain?resources=VCPU:{amount}&reports=1").json
    assert said["reasons"][0]["reason"] == {
        "rule": "units",
        "group": "",
        "asked": f"{amount} VCPU at once",
    }
    assert call("GET", f"/computekit/room?resources=VCPU:{amount}").json["count"] == 0
    assert str(amount) in wish(call, 1, f"resources=VCPU:{amount}").detail
    claim = {
        "consumer_uuid": WHO.format(1),
        "project_id": "p",
        "user_id": "u",
        "allocations": {HOST: {"resources": {"VCPU": amount}}},
    }
    reply = post(call, "/computekit/allocations", {"claims": [claim]})
    assert reply.status == 409
    assert reply.json["errors"][0]["computekit"]["code"] == "claim.amount"


@pytest.mark.parametrize("media_type", ["text/plain", "text/html", "application/json"])
def test_an_explanation_comes_as_the_caller_reads_it(call: Caller, media_type: str) -> None:
    body = {"query": "resources=VCPU:9"}
    for reply in (
        call("GET", "/computekit/explain?resources=VCPU:9", accept=media_type),
        post(call, "/computekit/explain", body, accept=media_type),
    ):
        assert reply.headers["content-type"].startswith(media_type)
        assert b"none of 1 tree fits" in reply.body


def test_how_many_more_fit(call: Caller) -> None:
    said = call("GET", "/computekit/room?resources=VCPU:3").json
    assert (said["count"], said["trees"], said["largest"][0]["root"]) == (2, 1, HOST)


def test_the_best_is_claimed_until_nothing_is_left(call: Caller) -> None:
    first = wish(call, 1, "resources=VCPU:5")
    assert first.json["allocations"] == {HOST: {"resources": {"VCPU": 5}}}
    assert first.json["consumer_generation"] == 1
    second = wish(call, 2, "resources=VCPU:5")
    assert second.status == 409
    assert "none of 1 tree fits" in second.detail
    stale = wish(call, 1, "resources=VCPU:1", consumer_generation=4)
    assert stale.status == 409
    assert call("GET", f"/allocations/{WHO.format(2)}").json == {"allocations": {}}


def test_counters_ride_with_the_best(call: Caller) -> None:
    counters = [{"scope": "limit", "name": "p", "amount": 1, "bound": 1}]
    first = wish(call, 1, "resources=VCPU:1", counters=counters, rank="least_free")
    assert (first.status, first.json["root"]) == (200, HOST)
    second = wish(call, 2, "resources=VCPU:1", counters=counters)
    assert second.status == 409
    (lost,) = second.json["errors"][0]["lost"]
    assert (lost["root"], lost["mappings"]) == (HOST, {"": [HOST]})
    assert lost["error"]["code"] == "claim.counter"
    assert wish(call, 3, "resources=VCPU:1", rank="by_chance").status == 400
    assert wish(call, 3, "resources=VCPU:1", counters=[{"scope": "limit"}]).status == 400


def test_claims_take_counters_or_nothing(call: Caller) -> None:
    counter = {"scope": "limit", "name": "p", "amount": 2, "bound": 3}
    held = {HOST: {"resources": {"VCPU": 1}}}
    claims: list[dict[str, object]] = [
        {
            "consumer_uuid": WHO.format(number),
            "project_id": "p",
            "user_id": "u",
            "allocations": held,
            "counters": [counter],
        }
        for number in (1, 2)
    ]
    both = post(call, "/computekit/allocations", {"claims": claims})
    assert both.status == 409
    assert both.json["errors"][0]["computekit"]["code"] == "claim.counter"
    assert call("GET", f"/allocations/{WHO.format(1)}").json == {"allocations": {}}
    (said,) = post(call, "/computekit/allocations", {"claims": claims[:1]}).json["consumers"]
    assert said["allocations"] == held
    assert said["consumer_generation"] == 1
    odd: dict[str, object] = {**claims[1], "allocations": {"x": {}}}
    bodies: list[dict[str, object]] = [{"claims": []}, {}, {"claims": [odd]}]
    for bad in bodies:
        assert post(call, "/computekit/allocations", bad).status == 400


@pytest.mark.parametrize("path", ["explain?", "room?"])
def test_requests_are_held_against_what_exists(call: Caller, path: str) -> None:
    assert (
        "No such trait"
        in call("GET", f"/computekit/{path}resources=VCPU:1&required=CUSTOM_NONE").detail
    )
    assert call("GET", f"/computekit/{path}resources=").status == 400
    assert wish(call, 1, "resources=CUSTOM_NONE:1").status == 400


def test_changes_since_a_commit(call: Caller) -> None:
    head = call("GET", "/computekit/changes?since=0").json["head"]
    assert call("GET", f"/computekit/changes?since={head}").json["changes"] == []
    wish(call, 1, "resources=VCPU:1")
    news = call("GET", f"/computekit/changes?since={head}").json
    assert news == {
        "head": head + 1,
        "complete": True,
        "changes": [{"kind": "provider", "key": HOST}],
    }
    assert call("GET", "/computekit/changes?since=99999").json["complete"] is False
    assert call("GET", "/computekit/changes?since=-1").status == 400


def test_consumers_page_by_page(call: Caller) -> None:
    for number in (1, 2, 3):
        assert wish(call, number, "resources=VCPU:1").status == 200
    seen: list[str] = []
    url: str | None = "/computekit/consumers?limit=2"
    while url is not None:
        page = call("GET", url).json
        seen += [row["consumer_uuid"] for row in page["consumers"]]
        following = page["next"]
        url = None if following is None else f"/computekit/consumers?limit=2&marker={following}"
    assert seen == [WHO.format(number) for number in (1, 2, 3)]
    assert call("GET", "/computekit/consumers?limit=1001").status == 400
