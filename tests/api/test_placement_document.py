"""The OpenAPI document says what the server answers."""

import json
import random
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from computekit.http.placement import placement_document, placement_endpoints
from computekit.http.placement.document import SHAPES
from computekit.placement import LocalPlacement
from tests.api.books import administrator
from tests.api.wsgi import Caller, Reply

ROOT, CHILD, CONSUMER, AGGREGATE = (f"{n:08x}-0000-4000-8000-000000000000" for n in range(1, 5))
JSON = {"content_type": "application/json"}


@pytest.fixture
def call() -> Caller:
    return administrator()


def document() -> Any:
    endpoints = placement_endpoints(LocalPlacement.in_memory(), random.Random(1))
    return json.loads(placement_document(endpoints))


def test_every_operation_of_the_newest_version_is_described_once() -> None:
    said = [at["operationId"] for path in document()["paths"].values() for at in path.values()]
    assert sorted(said) == sorted(SHAPES)


def test_every_schema_is_one() -> None:
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def put(call: Caller, path: str, body: object) -> Reply:
    return call("PUT", path, json.dumps(body).encode(), **JSON)


def post(call: Caller, path: str, body: object) -> Reply:
    return call("POST", path, json.dumps(body).encode(), **JSON)


def test_answers_have_the_shapes_that_are_described(call: Caller) -> None:
    """Walk through every operation that shows something, with something to show."""
    at = f"/resource_providers/{ROOT}"
    amounts = {"total": 8, "max_unit": 8}
    claim = {
        "allocations": {ROOT: {"resources": {"VCPU": 2}}},
        "project_id": "p",
        "user_id": "u",
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    all_of_it = {"resource_provider_generation": 0, "inventories": {"VCPU": amounts}}
    new = {"resource_class": "DISK_GB", "resource_provider_generation": 1, **amounts}
    one = {"resource_provider_generation": 2, **amounts}
    steps: list[tuple[str, Reply]] = [
        (
            "create_resource_provider",
            post(call, "/resource_providers", {"name": "r", "uuid": ROOT}),
        ),
        (
            "create_resource_provider",
            post(
                call,
                "/resource_providers",
                {"name": "c", "uuid": CHILD, "parent_provider_uuid": ROOT},
            ),
        ),
        ("set_inventories", put(call, f"{at}/inventories", all_of_it)),
        ("add_inventory", post(call, f"{at}/inventories", new)),
        ("set_inventory", put(call, f"{at}/inventories/DISK_GB", one)),
        (
            "set_provider_traits",
            put(
                call,
                f"{at}/traits",
                {"resource_provider_generation": 3, "traits": ["HW_CPU_X86_AVX"]},
            ),
        ),
        (
            "set_aggregates",
            put(
                call,
                f"{at}/aggregates",
                {"resource_provider_generation": 4, "aggregates": [AGGREGATE]},
            ),
        ),
        ("set_allocation", put(call, f"/allocations/{CONSUMER}", claim)),
        ("update_resource_provider", put(call, f"/resource_providers/{CHILD}", {"name": "d"})),
        ("create_resource_class", post(call, "/resource_classes", {"name": "CUSTOM_A"})),
        ("ensure_resource_class", call("PUT", "/resource_classes/CUSTOM_B")),
        ("ensure_trait", call("PUT", "/traits/CUSTOM_T")),
        ("show_versions", call("GET", "/")),
        ("list_resource_providers", call("GET", "/resource_providers")),
        ("show_resource_provider", call("GET", f"/resource_providers/{CHILD}")),
        ("show_inventories", call("GET", f"{at}/inventories")),
        ("show_inventory", call("GET", f"{at}/inventories/VCPU")),
        ("show_provider_usages", call("GET", f"{at}/usages")),
        ("show_aggregates", call("GET", f"{at}/aggregates")),
        ("show_provider_traits", call("GET", f"{at}/traits")),
        ("show_provider_allocations", call("GET", f"{at}/allocations")),
        ("list_resource_classes", call("GET", "/resource_classes")),
        ("show_resource_class", call("GET", "/resource_classes/CUSTOM_A")),
        ("list_traits", call("GET", "/traits")),
        ("show_trait", call("GET", "/traits/CUSTOM_T")),
        ("show_allocation", call("GET", f"/allocations/{CONSUMER}")),
        ("show_allocation", call("GET", f"/allocations/{AGGREGATE}")),
        ("show_usages", call("GET", "/usages?project_id=p")),
        ("find_allocation_candidates", call("GET", "/allocation_candidates?resources=VCPU:1")),
        ("delete_allocation", call("DELETE", f"/allocations/{CONSUMER}")),
    ]
    for name, reply in steps:
        answers = SHAPES[name].answers
        assert reply.status in answers, (name, reply.body)
        shape: Any = answers[reply.status]
        if shape is None:
            assert reply.body == b"", name
        else:
            said = msgspec.json.decode(reply.body, type=shape)
            assert said == msgspec.json.decode(msgspec.json.encode(said), type=shape), name
    candidates = steps[-2][1].json
    assert len(candidates["allocation_requests"]) == 1, "an empty answer would show no shape"


def test_a_refusal_has_the_shape_that_is_described(call: Caller) -> None:
    schemas = document()["components"]["schemas"]
    said = call("GET", f"/resource_providers/{ROOT}").json
    validator = Draft202012Validator({**schemas["Errors"], "components": {"schemas": schemas}})
    assert list(validator.iter_errors(said)) == []
