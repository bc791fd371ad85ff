"""What only computekit's daemon can do, and what another server makes of it."""

import random
from collections.abc import Callable, Iterator

import httpx2
import pytest

from computekit.api import AccessPolicy
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.client import Connection, RemotePlacement, token
from computekit.errors import InUse, Unsupported
from computekit.http import Application, NoAuth2, Settings
from computekit.http.placement import placement_endpoints
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId, new_uuid
from computekit.model import (
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    ProviderTree,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement import Claim, CounterClaim, LocalPlacement
from computekit.secret import Secret
from computekit.testing import ManualClock

SOURCE = random.Random(5)
ROOT, CARD, WHO = (new_uuid(SOURCE) for _ in range(3))
CLASS = ResourceClass("CUSTOM_CARD")
TREE = ProviderTree(
    (
        Provider(
            ProviderId(ROOT),
            "host",
            inventories=FrozenMap({VCPU: Inventory(4)}),
            traits=frozenset({Trait("CUSTOM_NEW")}),
            aggregates=frozenset({AggregateId(new_uuid(SOURCE))}),
        ),
        Provider(
            ProviderId(CARD), "card", ProviderId(ROOT), inventories=FrozenMap({CLASS: Inventory(1)})
        ),
    )
)
CONSUMER = Consumer(ConsumerId(WHO), ProjectId("p"), UserId("u"))
HELD = Allocation(CONSUMER, FrozenMap({ProviderId(ROOT): Resources({VCPU: 1})}))


def wanted(**amounts: int) -> PlacementRequest:
    resources = Resources({ResourceClass(name): n for name, n in amounts.items()})
    return PlacementRequest((RequestGroup(resources=resources),))


@pytest.fixture
def local() -> LocalPlacement:
    return LocalPlacement.in_memory(ManualClock())


@pytest.fixture
def remote(local: LocalPlacement) -> Iterator[RemotePlacement]:
    clock = ManualClock()
    settings = Settings(
        PLACEMENT_VERSIONS, NoAuth2(), clock, random.Random(2), policy=AccessPolicy.LEGACY
    )
    application = Application(placement_endpoints(local, random.Random(1), clock), settings)
    with Connection(
        "http://inside",
        authentication=token(Secret(b"admin")),
        transport=httpx2.WSGITransport(app=application),
        clock=clock,
    ) as connection:
        yield RemotePlacement(connection)


def test_a_whole_tree_is_one_call(local: LocalPlacement, remote: RemotePlacement) -> None:
    assert {row.id for row in remote.put_tree(TREE)} == {ROOT, CARD}
    for row in TREE:
        stored = local.provider(row.id).provider
        assert stored.inventories == row.inventories
        assert (stored.traits, stored.aggregates) == (row.traits, row.aggregates)
    remote.claim_best(wanted(CUSTOM_CARD=1), CONSUMER)
    with pytest.raises(InUse):
        remote.put_tree(ProviderTree(TREE.providers[:1]))


def test_explanations_and_room_are_the_library_s(
    local: LocalPlacement, remote: RemotePlacement
) -> None:
    remote.put_tree(TREE)
    for request in (wanted(VCPU=5), wanted(VCPU=1, CUSTOM_CARD=2), wanted(VCPU=1)):
        assert remote.explain(request, reports=3) == local.explain(request, reports=3)
        assert remote.room(request) == local.room(request)


def test_a_rank_of_one_s_own_is_no_server_s(remote: RemotePlacement) -> None:
    remote.put_tree(TREE)
    with pytest.raises(Unsupported):
        remote.claim_best(wanted(VCPU=3), CONSUMER, rank=lambda _candidate, _summaries: 1.0)
    assert remote.consumers() == ()


CALLS: tuple[Callable[[RemotePlacement], object], ...] = (
    lambda remote: remote.explain(wanted(VCPU=1)),
    lambda remote: remote.room(wanted(VCPU=1)),
    lambda remote: remote.put_tree(TREE),
    lambda remote: remote.claim_best(wanted(VCPU=1), CONSUMER),
    lambda remote: remote.claim(Claim(HELD, (CounterClaim("s", "n", 1, 1),))),
    lambda remote: remote.changes(0),
    lambda remote: remote.consumers(),
)


@pytest.mark.parametrize("call", CALLS)
def test_another_server_has_none_of_it(call: Callable[[RemotePlacement], object]) -> None:
    error = {"status": 404, "title": "Not Found", "detail": "The resource could not be found."}
    other = httpx2.MockTransport(lambda _: httpx2.Response(404, json={"errors": [error]}))
    with Connection("http://other", transport=other) as connection, pytest.raises(Unsupported):
        call(RemotePlacement(connection))
