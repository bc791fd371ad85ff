"""The schema says what the reader takes."""

import json

import pytest
from jsonschema import Draft202012Validator

from computekit.errors import InvalidInput
from computekit.forms import json_schema, read_form, read_json
from computekit.scheduler.files import FleetForm, RequestForm

FLEET = json_schema(FleetForm, "fleet")
REQUEST = json_schema(RequestForm, "request")
HOST = {"name": "a", "inventories": {"VCPU": 4}}
RIGHT_FLEETS: tuple[object, ...] = (
    {"hosts": []},
    {"hosts": [HOST]},
    {"hosts": [{**HOST, "inventories": {"VCPU": {"total": 4, "allocation_ratio": 1.5}}}]},
    {"hosts": [{**HOST, "zone": None, "disabled": "", "figures": {"load": 0.5}}]},
    {"hosts": [HOST], "aggregates": [{"name": "g", "metadata": {"k": "v"}, "hosts": ["a"]}]},
)
WRONG_FLEETS: tuple[object, ...] = (
    {},
    [],
    {"hosts": None},
    {"hosts": [{}]},
    {"hosts": [{"name": ""}]},
    {"hosts": [{"name": 7}]},
    {"hosts": [{**HOST, "inventories": {"vcpu": 1}}]},
    {"hosts": [{**HOST, "inventories": {"VCPU": 0}}]},
    {"hosts": [{**HOST, "inventories": {"VCPU": 2**31}}]},
    {"hosts": [{**HOST, "inventories": {"VCPU": {"reserved": 1}}}]},
    {"hosts": [{**HOST, "up": 1}]},
    {"hosts": [{**HOST, "more": 1}]},
    {"hosts": [{**HOST, "figures": {"load": "0.5"}}]},
)
RIGHT_REQUESTS: tuple[object, ...] = (
    {"resources": {"VCPU": 1}},
    {"flavor": {"vcpus": 1, "memory_mib": 512}},
    {"resources": {"VCPU": 1}, "required": ["CUSTOM_A", ["CUSTOM_B", "CUSTOM_C"]]},
    {"groups": [{"suffix": "_1", "resources": {"VCPU": 1}}], "hints": {"group": ["g"]}},
)
WRONG_REQUESTS: tuple[object, ...] = (
    {"resources": {"VCPU": 0}},
    {"resources": {"VCPU": 1.5}},
    {"flavor": {"vcpus": 1}},
    {"group_policy": "no"},
    {"groups": [{"resources": {"VCPU": 1}}]},
    {"required": "CUSTOM_A"},
)


@pytest.mark.parametrize("value", RIGHT_FLEETS)
def test_a_right_fleet_is_right_for_both(value: object) -> None:
    assert Draft202012Validator(FLEET).is_valid(value)
    read_form(read_json(json.dumps(value), "fleet"), FleetForm, "fleet")


@pytest.mark.parametrize("value", WRONG_FLEETS)
def test_a_wrong_fleet_is_wrong_for_both(value: object) -> None:
    assert not Draft202012Validator(FLEET).is_valid(value)
    with pytest.raises(InvalidInput):
        read_form(read_json(json.dumps(value), "fleet"), FleetForm, "fleet")


@pytest.mark.parametrize("value", RIGHT_REQUESTS)
def test_a_right_request_is_right_for_both(value: object) -> None:
    assert Draft202012Validator(REQUEST).is_valid(value)
    read_form(read_json(json.dumps(value), "request"), RequestForm, "request")


@pytest.mark.parametrize("value", WRONG_REQUESTS)
def test_a_wrong_request_is_wrong_for_both(value: object) -> None:
    assert not Draft202012Validator(REQUEST).is_valid(value)
    with pytest.raises(InvalidInput):
        read_form(read_json(json.dumps(value), "request"), RequestForm, "request")


@pytest.mark.parametrize("schema", [FLEET, REQUEST])
def test_the_schema_is_one_and_describes_every_member(schema: dict[str, object]) -> None:
    Draft202012Validator.check_schema(schema)
    for found in _objects(schema):
        properties = found.get("properties", {})
        assert isinstance(properties, dict)
        for name, of in properties.items():
            assert of["description"], name


def _objects(schema: object) -> list[dict[str, object]]:
    if isinstance(schema, list):
        return [found for one in schema for found in _objects(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for one in schema.values() for found in _objects(one)]
