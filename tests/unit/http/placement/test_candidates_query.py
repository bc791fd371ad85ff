"""Query strings of candidate searches, in several microversions."""

from urllib.parse import quote

import pytest

from computekit.api import Microversion
from computekit.http.placement.candidates_query import CandidatesQuery, parse_candidates
from computekit.http.problem import Problem, Refused
from computekit.ids import AggregateId, ProviderId
from computekit.model import FrozenMap, ResourceClass, Trait

A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "aaaaaaaa-0000-4000-8000-000000000002"
VCPU, DISK_GB = ResourceClass("VCPU"), ResourceClass("DISK_GB")


def asked(query: str, minor: int = 39) -> CandidatesQuery:
    return parse_candidates(query, Microversion(1, minor))


def refused(query: str, minor: int = 39) -> Problem:
    with pytest.raises(Refused) as caught:
        asked(query, minor)
    assert caught.value.problem.status == 400
    return caught.value.problem


def one_of(*names: str) -> frozenset[Trait]:
    return frozenset(map(Trait, names))


def test_every_parameter_of_the_newest_version() -> None:
    found = asked(
        f"resources=VCPU:1&resources_n=DISK_GB:2&required_n=in:P,Q&required_n=!R,S&member_of={A}"
        f"&member_of_n=!in:{A},{B}&in_tree_n={B}&required_x=T&same_subtree=_n,_x"
        "&group_policy=isolate&root_required=U,!V&limit=7"
    )
    plain, granular, bare = found.request.groups
    assert (plain.suffix, granular.suffix, bare.suffix) == ("", "_n", "_x")
    assert plain.resources == FrozenMap({VCPU: 1})
    assert plain.member_of == {frozenset({AggregateId(A)})}
    assert granular.required == {one_of("P", "Q"), one_of("S")}
    assert granular.forbidden == one_of("R")
    assert granular.not_member_of == {AggregateId(A), AggregateId(B)}
    assert granular.in_tree == ProviderId(B)
    assert not bare.resources
    assert bare.required == {one_of("T")}
    request = found.request
    assert (request.root_required, request.root_forbidden) == (one_of("U"), one_of("V"))
    assert request.same_subtree == (frozenset({"_n", "_x"}),)
    assert (request.group_policy, found.limit) == ("isolate", 7)


def test_the_order_of_parameters_does_not_matter_to_the_shape() -> None:
    one = asked("resources=VCPU:1&resources_a=DISK_GB:1&resources_b=VCPU:1&group_policy=none")
    other = asked("group_policy=none&resources_b=VCPU:1&resources_a=DISK_GB:1&resources=VCPU:1")
    assert one == other
    assert hash(one.request) == hash(other.request)


def test_of_repeated_parameters_some_count_first_and_some_last() -> None:
    assert asked("resources=VCPU:1&limit=3&limit=9").limit == 3
    assert refused("resources=VCPU:1&limit=0&limit=9").detail.count("does not match")
    assert refused("resources=VCPU:1&limit=9&limit=0").detail.count("does not match")
    several = "resources_a=VCPU:1&resources_b=VCPU:1&group_policy="
    assert asked(f"{several}isolate&group_policy=none").request.group_policy == "isolate"
    assert asked(f"{several}isolat&group_policy=isolate").request.group_policy == "none"
    assert refused(f"{several}&group_policy=none").detail.count("is required")
    assert refused(f"{several}none&group_policy=x").detail.count("not one of")
    (group,) = asked("resources=VCPU:1&resources=VCPU:2").request.groups
    assert group.resources == FrozenMap({VCPU: 2})


@pytest.mark.parametrize(
    "query",
    [
        "resources=VCPU:1,&resources=VCPU:2",
        "resources=&resources=VCPU:2",
        f"resources=VCPU:1&in_tree=nowhere&in_tree={A}",
    ],
)
def test_of_repeated_parameters_each_must_be_well_formed(query: str) -> None:
    refused(query)
    refused(query, 38)


@pytest.mark.parametrize(
    ("minor", "expected"),
    [(38, {one_of("Q")}), (39, {one_of("P"), one_of("Q")})],
)
def test_repeated_traits_add_up_since_1_39(minor: int, expected: set[frozenset[Trait]]) -> None:
    (group,) = asked("resources=VCPU:1&required=P&required=Q", minor).request.groups
    assert group.required == expected


@pytest.mark.parametrize(
    ("first", "query"),
    [
        (16, "resources=VCPU:1&limit=5"),
        (17, "resources=VCPU:1&required=P"),
        (21, f"resources=VCPU:1&member_of={A}"),
        (22, "resources=VCPU:1&required=!P"),
        (24, f"resources=VCPU:1&member_of={A}&member_of={B}"),
        (25, "resources1=VCPU:1"),
        (31, f"resources=VCPU:1&in_tree={A}"),
        (32, f"resources=VCPU:1&member_of=!{A}"),
        (33, "resources_x=VCPU:1"),
        (35, "resources=VCPU:1&root_required=P"),
        (36, "resources_x=VCPU:1&same_subtree=_x"),
        (39, "resources=VCPU:1&required=in:P,Q"),
    ],
)
def test_each_parameter_has_its_first_version(first: int, query: str) -> None:
    assert asked(query, first).request.groups
    refused(query, first - 1)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "placement.query.missing_value"),
        ("group_policy=none", "placement.query.missing_value"),
        ("resources=VCPU:1&required_x=P", "placement.query.bad_value"),
        ("resources_x=VCPU:1&same_subtree=_x,", "placement.query.bad_value"),
        ("resources_x=VCPU:1&same_subtree=_y", "placement.query.bad_value"),
        ("resources=VCPU:1&root_required=P,!P", "placement.query.bad_value"),
        ("resources=VCPU:1&root_required=P&root_required=Q", "placement.query.duplicate_key"),
        ("resources=VCPU:1&required=P,!P", "placement.undefined_code"),
        ("resources_x=VCPU:1&resources_y=VCPU:1", "placement.undefined_code"),
        ("resources=VCPU:1&unknown=1", "placement.undefined_code"),
        ("resources=VCPU:1&required%0a=P", "placement.undefined_code"),
        ("resources=%ff", "placement.undefined_code"),
    ],
)
def test_refusals_have_codes(query: str, code: str) -> None:
    assert refused(query).code == code


@pytest.mark.parametrize(
    "amounts",
    ["", "VCPU", "VCPU:", "VCPU:x", "VCPU:1:2", "VCPU:1,", "VCPU:1.5", "VCPU:0", "VCPU:-3", ":"],
)
def test_amounts_that_are_none(amounts: str) -> None:
    assert "resource" in refused(f"resources={amounts}").detail


def test_amounts_that_nothing_can_hold_stay_just_that() -> None:
    (group,) = asked(f"resources=VCPU:{10**30}").request.groups
    assert group.resources == FrozenMap({VCPU: 10**30})
    assert "expected positive integer" in refused(f"resources=VCPU:{'9' * 5000}").detail


def test_what_is_written_in_many_ways_is_one() -> None:
    spaced = asked(f"resources=VCPU%3A+1+;required={quote(' P , !!Q ')}")
    assert spaced == asked("resources=VCPU:1&required=P,!Q")
    bare = A.replace("-", "").upper()
    assert asked(f"resources=VCPU:1&member_of={bare}") == asked(f"resources=VCPU:1&member_of={A}")
