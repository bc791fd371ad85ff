"""Bodies into types, and what is said of those that are none."""

import json

import pytest

from computekit.http.placement import bodies
from computekit.http.placement.body import Body, json_schema
from computekit.http.problem import Refused

PROVIDER = "aaaaaaaa-0000-4000-8000-000000000001"
INVENTORY = Body(bodies.NewInventoryBody)
ALLOCATION = Body(bodies.AllocationBody38)


def refused(form: Body[object], body: bytes) -> str:
    with pytest.raises(Refused) as caught:
        form.parse(body)
    assert caught.value.problem.status == 400
    return caught.value.problem.detail


def allocation(**parts: object) -> bytes:
    said: dict[str, object] = {
        "allocations": {PROVIDER: {"resources": {"VCPU": 1}}},
        "project_id": "p",
        "user_id": "u",
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    said.update(parts)
    return json.dumps({key: value for key, value in said.items() if value != "-"}).encode()


def test_a_body_becomes_its_type() -> None:
    found = ALLOCATION.parse(allocation(mappings={"": [PROVIDER]}))
    assert found.allocations[PROVIDER].resources == {"VCPU": 1}
    assert (found.consumer_generation, found.consumer_type) == (None, "INSTANCE")


def test_a_whole_number_may_be_written_as_a_fraction() -> None:
    assert INVENTORY.parse(b'{"resource_class": "VCPU", "total": 8.0}').total == 8


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"consumer_type": "-"}, "'consumer_type' is a required property"),
        ({"consumer_type": "x"}, "'x' does not match '^[A-Z0-9_]+$'"),
        ({"user_id": ""}, "'' should be non-empty"),
        ({"user_id": "x" * 256}, "is too long"),
        ({"more": 1}, "('more' was unexpected)"),
        ({"allocations": {"x": {}}}, "'x' does not match any of the regexes"),
        ({"allocations": {PROVIDER: {"resources": {}}}}, "{} should be non-empty"),
        ({"allocations": {PROVIDER: {"resources": {"VCPU": 0}}}}, "less than the minimum of 1"),
        ({"allocations": {PROVIDER: {"resources": {"VCPU": True}}}}, "not of type 'integer'"),
        ({"mappings": {"": ["x"]}}, "'x' is not a 'uuid'"),
    ],
)
def test_words_for_what_breaks_the_schema(parts: dict[str, object], words: str) -> None:
    detail = refused(ALLOCATION, allocation(**parts))
    assert detail.startswith("JSON does not validate: ")
    assert words in detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"total": }',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"resource_class": "VCPU", "total": NaN}',
        b'{"resource_class": "\\ud800", "total": 1}',
        b'{"resource_class": "VCPU", "total": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_called_so(body: bytes) -> None:
    assert refused(INVENTORY, body).startswith("Malformed JSON: ")


def test_a_long_body_is_not_repeated() -> None:
    detail = refused(INVENTORY, json.dumps({"total": ["x"] * 100_000}).encode())
    assert len(detail) <= 8 * 1024


def test_duplicates_are_told_by_the_schema() -> None:
    with pytest.raises(Refused, match="has non-unique elements"):
        Body(bodies.AggregatesBody).check(bodies.AggregatesBody([PROVIDER, PROVIDER], 0))


def test_a_schema_has_no_references() -> None:
    text = json.dumps(json_schema(bodies.ReshapeBody38))
    assert "$ref" not in text
    assert '"patternProperties": {"^[0-9a-fA-F-]{36}$"' in text
    assert '"format": "uuid"' in text
