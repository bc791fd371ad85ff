"""Providers page by page."""

import pytest

from tests.api.books import administrator
from tests.api.wsgi import Caller

IDS = [f"aaaaaaaa-0000-4000-8000-00000000000{number}" for number in range(5)]


@pytest.fixture
def call() -> Caller:
    caller = administrator()
    for uuid in reversed(IDS):
        body = b'{"uuid":"%b","name":"%b"}' % (uuid.encode(), uuid.encode())
        reply = caller("POST", "/resource_providers", body, content_type="application/json")
        assert reply.status in (200, 201)
    return caller


def test_pages_make_the_list(call: Caller) -> None:
    rows: list[object] = []
    sizes = []
    url: str | None = "/computekit/providers?limit=2"
    while url is not None:
        page = call("GET", url).json
        rows += page["resource_providers"]
        sizes.append(len(page["resource_providers"]))
        following = page["next"]
        url = following and f"/computekit/providers?limit=2&marker={following}"
    assert sizes == [2, 2, 1]
    newest = call("GET", "/resource_providers", openstack_api_version="placement 1.39")
    assert rows == newest.json["resource_providers"]
    assert call("GET", "/computekit/providers").json == {"resource_providers": rows, "next": None}


def test_a_marker_need_not_be_there_any_more(call: Caller) -> None:
    assert call("DELETE", f"/resource_providers/{IDS[1]}").status == 204
    page = call("GET", f"/computekit/providers?marker={IDS[1].upper()}&limit=1").json
    assert [row["uuid"] for row in page["resource_providers"]] == [IDS[2]]
    assert page["next"] == IDS[2]
    assert call("GET", f"/computekit/providers?marker={IDS[4]}").json["resource_providers"] == []


def test_a_page_is_of_those_that_match(call: Caller) -> None:
    page = call("GET", f"/computekit/providers?name={IDS[3]}&limit=1").json
    assert [row["uuid"] for row in page["resource_providers"]] == [IDS[3]]
    assert page["next"] is None
    assert call("GET", "/computekit/providers?resources=VCPU:1").json["resource_providers"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "marker=x", "nonsense=1", "resources=CUSTOM_NO:1"],
)
def test_what_is_no_page_is_refused(call: Caller, query: str) -> None:
    assert call("GET", f"/computekit/providers?{query}").status == 400


def test_the_list_of_placement_knows_no_pages(call: Caller) -> None:
    assert call("GET", "/resource_providers?limit=2").status == 400
