"""What a server refuses becomes an error of the tree."""

import json

import pytest

from computekit.client.claims import claim_error
from computekit.client.connection import Answer
from computekit.client.refusals import refusal_of
from computekit.errors import (
    AccessRefused,
    CapacityExceeded,
    ComputekitError,
    GenerationConflict,
    InvalidInput,
    NotFound,
    RemoteError,
    StateConflict,
    StoreUnavailable,
    TransportFailed,
)
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import Allocation, Consumer, FrozenMap, encode_error
from computekit.placement import ProviderUse


def answer(status: int, detail: str = "no", code: str = "placement.undefined_code") -> Answer:
    error = {"status": status, "title": "x", "detail": detail, "code": code}
    return Answer(status, json.dumps({"errors": [error]}).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, AccessRefused),
        (403, AccessRefused),
        (404, NotFound),
        (409, StateConflict),
        (500, RemoteError),
        (502, TransportFailed),
        (503, StoreUnavailable),
    ],
)
def test_a_status_alone_tells_the_error(status: int, kind: type[ComputekitError]) -> None:
    error = refusal_of(answer(status, "the reason")).error()
    assert type(error) is kind
    assert "the reason" in str(error)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"errors": []}', b'{"errors": [1]}', b"\xff", b"[" * 99],
)
def test_what_is_no_refusal_of_placement_is_read_all_the_same(body: bytes) -> None:
    error = refusal_of(Answer(500, body)).error()
    assert isinstance(error, RemoteError)
    assert error.text


def test_what_is_said_before_each_sentence_is_left_out() -> None:
    said = "The resource could not be found.\n\n No such trait(s): CUSTOM_A.  "
    assert refusal_of(answer(404, said)).detail == "No such trait(s): CUSTOM_A."


def nobody(provider: ProviderId) -> ProviderUse:
    raise AssertionError("nothing has to be looked up")


def test_a_conflict_of_several_consumers_names_those_that_it_may_be() -> None:
    def claim(consumer: str, generation: int) -> Allocation:
        who = Consumer(ConsumerId(consumer), ProjectId("p"), UserId("u"), generation=generation)
        return Allocation(who, FrozenMap())

    said = "consumer generation conflict - expected 7 but got 2"
    refusal = refusal_of(answer(409, said, "placement.concurrent_update"))
    error = claim_error(refusal, (claim("a", 2), claim("b", 1), claim("c", 2)), nobody)
    assert isinstance(error, GenerationConflict)
    assert (error.id, error.expected, error.actual) == ("a, c", 2, 7)


def test_our_own_server_tells_the_error_itself() -> None:
    told = CapacityExceeded("p", "VCPU", asked=3, used=4, capacity=6)
    error = {"status": 409, "detail": "full", "computekit": json.loads(encode_error(told))}
    refusal = refusal_of(Answer(409, json.dumps({"errors": [error]}).encode()))
    found = claim_error(refusal, (), nobody)
    assert isinstance(found, CapacityExceeded)
    assert (found.asked, found.used, found.capacity) == (3, 4, 6)
