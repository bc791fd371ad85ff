"""`computekit place` on files: no daemon, no database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from computekit.cli import main

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"
NUMA = {
    "name": "cmp3",
    "inventories": {"DISK_GB": 500},
    "disabled": "broken fan",
    "providers": [
        {"name": "cmp3_0", "inventories": {"VCPU": 8, "MEMORY_MB": 32768}},
        {"name": "cmp3_1", "inventories": {"VCPU": 8, "MEMORY_MB": 32768}},
    ],
}
FLEET = {
    "hosts": [
        {
            "name": "cmp1",
            "inventories": {"VCPU": 16, "MEMORY_MB": 65536, "DISK_GB": 500},
            "used": {"VCPU": 14},
            "zone": "az1",
        },
        {
            "name": "cmp2",
            "inventories": {"VCPU": 16, "MEMORY_MB": 65536, "DISK_GB": 500},
            "traits": ["CUSTOM_SSD"],
            "instances": ["one", "two"],
        },
        NUMA,
    ],
    "aggregates": [
        {"name": "rack1", "metadata": {"availability_zone": "az2"}, "hosts": ["cmp2", "cmp3"]}
    ],
}
SMALL = {"flavor": {"vcpus": 2, "memory_mib": 4096, "disk_gib": 20}}
LARGE = {"resources": {"VCPU": 4, "MEMORY_MB": 4096}, "zone": "az1"}

Place: TypeAlias = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    def run(fleet: object, request: object, *more: str) -> Result:
        paths: list[str] = []
        for name, value in (("fleet", fleet), ("request", request)):
            path = tmp_path / f"{name}.json"
            text = value if isinstance(value, str) else json.dumps(value)
            path.write_text(text, "utf-8")
            paths += [f"--{name}", str(path)]
        return CliRunner().invoke(main, ["place", *paths, *more])

    return run


def test_the_best_host_is_printed(place: Place) -> None:
    found = place(FLEET, SMALL)
    assert (found.exit_code, found.output) == (0, "cmp1\n")
    assert place(FLEET, {**SMALL, "zone": "az2"}).output == "cmp2\n"
    assert place(FLEET, {**SMALL, "required": ["CUSTOM_SSD"]}).output == "cmp2\n"
    assert place(FLEET, SMALL, "--policy", "best-fit").output == "cmp1\n"


def test_nowhere_ends_with_3_and_says_why(place: Place) -> None:
    found = place(FLEET, LARGE)
    assert found.exit_code == 3
    assert found.output.startswith("none of 3 hosts fits: ")
    assert "  ask for 2 VCPU instead of 4: then cmp1 fits\n" in found.output


def test_the_answer_as_json_is_as_its_schema_says(place: Place) -> None:
    schema = json.loads((REFERENCE / "place-answer.schema.json").read_text("utf-8"))
    answers = []
    for request in (SMALL, LARGE):
        found = place(FLEET, request, "--json", "--explain", "--why-not", "cmp3")
        answer = json.loads(found.output)
        Draft202012Validator(schema).validate(answer)
        assert (answer["host"] is None) == (found.exit_code == 3)
        assert answer["explanation"]["hosts"] == 3
        assert answer["why_not"]["remedy"]["changes"][0]["kind"] == "enable_host"
        answers.append(answer)
    assert answers[1]["explanation"]["remedies"][0]["changes"] == [
        {
            "kind": "ask_amount",
            "text": "ask for 2 VCPU instead of 4",
            "of": {"suffix": "", "resource_class": "VCPU", "asked": 4, "amount": 2},
        }
    ]
    assert "explanation" in json.loads(place(FLEET, SMALL, "--json").output)


def test_a_host_that_is_asked_about_is_told_alone(place: Place) -> None:
    found = place(FLEET, LARGE, "--why-not", "cmp3")
    assert found.exit_code == 3
    assert found.output.startswith("cmp3 does not fit: enabled: disabled: broken fan, zone az1 ")
    assert "enable cmp3, and ask for zone az2 instead of az1: then cmp3 fits" in found.output
    nobody = place(FLEET, LARGE, "--why-not", "nobody")
    assert nobody.exit_code == 1
    assert "no host nobody" in nobody.output


def test_a_group_on_a_tree_of_providers(place: Place) -> None:
    fleet = {"hosts": [{**NUMA, "disabled": None}]}
    groups = [{"suffix": f"_{at}", "resources": {"VCPU": 6}} for at in range(2)]
    request = {"groups": groups, "group_policy": "isolate"}
    answer = json.loads(place(fleet, request, "--json").output)
    assert answer["mappings"] == {"_0": ["cmp3_0"], "_1": ["cmp3_1"]}
    assert answer["allocation"] == {"cmp3_0": {"VCPU": 6}, "cmp3_1": {"VCPU": 6}}


def test_a_server_group_keeps_its_members_apart(place: Place) -> None:
    group = {"id": "web", "policy": "anti-affinity", "members": ["one", "two"]}
    fleet = {**FLEET, "groups": [group]}
    request = {**SMALL, "hints": {"group": ["web"]}}
    assert place(fleet, request).output == "cmp1\n"
    refused = place(fleet, {**request, "zone": "az2"})
    assert refused.exit_code == 3
    assert "do without server group web" in refused.output
    spread = {**group, "rules": {"max_server_per_rack": 2}}
    levels = [{"name": "rack", "key": "availability_zone"}]
    racks = {**FLEET, "levels": levels, "groups": [spread]}
    assert place(racks, request).output == "cmp1\n"
    assert place(racks, {**request, "zone": "az2"}).exit_code == 3


def test_a_guest_with_pinned_cpus_needs_nodes_that_have_them(place: Place) -> None:
    flavor = {**SMALL["flavor"], "extra_specs": {"hw:cpu_policy": "dedicated"}}
    inventories = {"PCPU": 4, "MEMORY_MB": 65536, "DISK_GB": 500}
    cell = {"id": 0, "dedicated": [0, 1, 2, 3], "memory_mib": 65536}
    pages = [{"size_kib": 4, "total": 16_777_216}]
    hosts = [
        {"name": "a", "inventories": inventories},
        {"name": "b", "inventories": inventories, "cells": [{**cell, "pinned": [0, 1, 2]}]},
        {"name": "c", "inventories": inventories, "cells": [{**cell, "pages": pages}]},
    ]
    assert place({"hosts": hosts}, {"flavor": flavor}).output == "c\n"
    refused = place({"hosts": hosts[:2]}, {"flavor": flavor})
    assert refused.exit_code == 3
    assert "NUMA nodes" in refused.output
    wrong = {"name": "a", "cells": [{**cell, "pinned": [7]}, {**cell, "id": 0}]}
    told = place({"hosts": [wrong]}, {"flavor": flavor}).output
    for path in ("cells[0].pinned: 7 not among", "cells[1].id: 0 is that", "cells[1]: CPU 0 is in"):
        assert path in told


def test_a_hint_names_instances_that_hosts_list(place: Place) -> None:
    request = {**SMALL, "hints": {"different_host": ["one"]}}
    assert place(FLEET, request, "--policy", "nova").output == "cmp2\n"
    assert place(FLEET, request, "--policy", "nova", "--filter", "DifferentHostFilter").output == (
        "cmp1\n"
    )


def test_every_fault_of_both_files_is_told_at_once(place: Place) -> None:
    fleet = {"hosts": [{"name": "a", "inventories": {"VCPU": "x"}}, {"name": "a"}, {}]}
    found = place(fleet, {"flavor": {"vcpus": 1}, "zonne": "b"})
    assert found.exit_code == 1
    for path in (
        "fleet.hosts[0].inventories.VCPU:",
        "fleet.hosts[1].name:",
        "fleet.hosts[2].name:",
        "request.flavor.memory_mib:",
        "request.zonne:",
    ):
        assert path in found.output
    as_json = json.loads(place(fleet, {}, "--json").output)
    assert as_json["code"] == "input.invalid"
    assert {fault["path"] for fault in as_json["fields"]["faults"]} >= {"request.groups"}


@pytest.mark.parametrize(
    ("fleet", "path"),
    [
        ({"hosts": [{"name": "a", "used": {"VCPU": 1}}]}, "fleet.hosts[0].used.VCPU"),
        ({"hosts": [{"name": "a", "providers": [{"name": "a"}]}]}, "providers[0].name"),
        (
            {"hosts": [{"name": "a", "providers": [{"name": "b", "parent": "c"}]}]},
            "providers[0].parent",
        ),
        (
            {
                "hosts": [
                    {
                        "name": "a",
                        "providers": [{"name": "b", "parent": "c"}, {"name": "c", "parent": "b"}],
                    }
                ]
            },
            "providers[0].parent: is below itself",
        ),
        (
            {"hosts": [{"name": "a"}], "aggregates": [{"name": "g", "hosts": ["b"]}]},
            "fleet.aggregates[0].hosts: there is no host 'b'",
        ),
        (
            {
                "hosts": [{"name": "a", "zone": "x"}],
                "aggregates": [
                    {"name": "g", "metadata": {"availability_zone": "y"}, "hosts": ["a"]}
                ],
            },
            "several availability zones: x, y",
        ),
        (
            {"hosts": [], "groups": [{"id": "g", "policy": "near"}]},
            "fleet.groups[0].policy: 'near' is none of affinity",
        ),
        (
            {
                "hosts": [],
                "groups": [
                    {"id": "g", "policy": "affinity", "rules": {"level": "rack"}},
                    {"id": "g", "policy": "affinity"},
                ],
            },
            "fleet.groups[1].id: 'g' is that of fleet.groups[0] too",
        ),
        ({"hosts": [], "levels": [{"name": "host", "key": "k"}]}, "fleet.levels[0].name:"),
        (
            {"hosts": [{"name": "a", "inventories": {"VCPU": {"total": 1, "reserved": 2}}}]},
            "inventories.VCPU.reserved",
        ),
    ],
)
def test_parts_must_agree(place: Place, fleet: object, path: str) -> None:
    found = place(fleet, SMALL)
    assert found.exit_code == 1
    assert path in found.output


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "request.groups: at least one group must ask for resources"),
        ({**SMALL, "resources": {"VCPU": 1}}, "request.resources: says what the flavor says"),
        ({"resources": {"VCPU": 1}, "image": {}}, "request.image: is only for a flavor"),
        ({"flavor": {"vcpus": 0, "memory_mib": 0}}, "request.flavor.vcpus:"),
        (
            {"flavor": {**SMALL["flavor"], "extra_specs": {"hw:nonsense": "1"}}},
            "request.flavor.extra_specs[hw:nonsense]:",
        ),
        (
            {"groups": [{"suffix": s, "resources": {"VCPU": 1}} for s in ("_1", "_2")]},
            "request.group_policy:",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(place: Place, request_: object, words: str) -> None:
    found = place(FLEET, request_)
    assert found.exit_code == 1
    assert words in found.output


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        '{"hosts": ' + "9" * 10_000 + "}",
        '{"hosts": [{"name": "a\\u0000b"}]}',
        '{"hosts": [{"name": "a", "figures": {"x": NaN}}]}',
        '{"hosts": [], "hosts": []}',
        '{"hosts": [{"name": "\\ud800"}]}',
        '"' + "\\u202e" * 10_000 + '"',
    ],
)
def test_hostile_files_are_refused_without_a_traceback(place: Place, text: str) -> None:
    for files in ((text, SMALL), (FLEET, text)):
        for more in ((), ("--json",)):
            found = place(*files, *more)
            assert found.exit_code == 1
            assert isinstance(found.exception, SystemExit)
            assert "Traceback" not in found.output
            assert len(found.output) < 10_000


def test_what_is_asked_comes_from_one_place(place: Place) -> None:
    found = place(FLEET, SMALL, "--vcpus", "2", "--zone", "a")
    assert found.exit_code == 2
    assert "leave out --vcpus, --zone" in found.output
    assert place(FLEET, SMALL, "--state", "x").exit_code == 2
    assert place(FLEET, SMALL, "--policy", "none").exit_code == 2


def test_a_flavor_on_a_fleet_from_the_standard_input() -> None:
    found = CliRunner().invoke(
        main, ["place", "--fleet", "-", "--vcpus", "3"], input=json.dumps(FLEET)
    )
    assert (found.exit_code, found.output) == (0, "cmp2\n")
