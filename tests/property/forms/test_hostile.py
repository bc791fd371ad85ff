"""Whatever a file holds, it is a fleet, a request, or faults; never another error."""

import json

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from computekit.errors import Fault, InvalidInput
from computekit.forms import json_schema, read_form, read_json
from computekit.scheduler import Scheduler
from computekit.scheduler.files import FleetForm, RequestForm, read_fleet, read_request
from tests.property.effort import examples

WORDS = (
    *(field.name for kind in (FleetForm, RequestForm) for field in attrs.fields(kind)),
    *("name", "inventories", "used", "traits", "providers", "parent", "total", "reserved", "up"),
    *("vcpus", "memory_mib", "extra_specs", "suffix", "metadata", "policy", "rules", "members"),
    *("VCPU", "MEMORY_MB", "CUSTOM_A", "a", "b", "affinity", "hw:cpu_policy", "dedicated"),
    *("", "\x00", "\ud800", "\u202e", "none", "isolate", "availability_zone", "key", "id"),
)
NUMBERS = st.sampled_from((0, 1, 2, -1, 2**31, 2**63, 10**400, 1.5, 1e308, float("nan"), -0.0))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(WORDS))
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)
HOSTS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"name": st.sampled_from(("a", "b", "c"))},
            optional={"inventories": ANYTHING, "used": ANYTHING, "providers": ANYTHING},
        ),
        ANYTHING,
    ),
    max_size=3,
)
FLEETS = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {"hosts": HOSTS}, optional={"aggregates": ANYTHING, "groups": ANYTHING, "levels": ANYTHING}
    ),
)
REQUESTS = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {"resources": st.dictionaries(st.sampled_from(("VCPU", "CUSTOM_A")), st.integers(1, 9))},
        optional={"groups": ANYTHING, "hints": ANYTHING, "zone": ANYTHING, "required": ANYTHING},
    ),
)
SCHEMAS = {kind: Draft202012Validator(json_schema(kind, "")) for kind in (FleetForm, RequestForm)}


@settings(max_examples=examples(200))
@given(FLEETS, REQUESTS)
def test_files_are_values_or_faults(fleet: object, request: object) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        index = read_fleet(json.dumps(fleet)).index()
        asked = read_request(json.dumps(request)).request()
        assert Scheduler(index).place(asked).explain().text()
    except InvalidInput as error:
        faults = error.faults
    for fault in faults:
        assert str(fault).encode()
        assert len(str(fault)) < 1_000


@settings(max_examples=examples(200))
@given(FLEETS, REQUESTS)
def test_what_is_read_is_what_the_schema_allows(fleet: object, request: object) -> None:
    for kind, value in ((FleetForm, fleet), (RequestForm, request)):
        try:
            read_form(read_json(json.dumps(value), "it"), kind, "it")
        except InvalidInput:
            continue
        assert SCHEMAS[kind].is_valid(value), value
