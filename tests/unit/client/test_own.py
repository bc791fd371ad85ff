"""What only computekit's daemon can do, and what another server makes of it."""

import random
from collections.abc import Callable, Iterator

import httpx2
import pytest

from computekit.api import AccessPolicy
from computekit.api.placement import VERSIONS
from computekit.client import Connection, RemotePlacement, token
from computekit.errors import GenerationConflict, InUse, Unsupported
from computekit.http import Application, NoAuth2, Settings
from computekit.http.placement import placement_endpoints
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId, new_uuid
from computekit.model import (
    VCPU,
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
from computekit.placement import LocalPlacement
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


def wanted(**amounts: int) -> PlacementRequest:
    resources = Resources({ResourceClass(name): n for name, n in amounts.items()})
    return PlacementRequest((RequestGroup(resources=resources),))


@pytest.fixture
def local() -> LocalPlacement:
    return LocalPlacement.in_memory(ManualClock())


@pytest.fixture
def remote(local: LocalPlacement) -> Iterator[RemotePlacement]:
    clock = ManualClock()
    settings = Settings(VERSIONS, NoAuth2(), clock, random.Random(2), policy=AccessPolicy.LEGACY)
    application = Application(placement_endpoints(local, random.Random(1), clock), settings)
    with Connection(
        "http://inside",
        authentication=token(Secret(b"admin")),
        transport=httpx2.WSGITransport(app=application),
        clock=clock,
    ) as connection:
        yield RemotePlacement(connection)


def test_a_whole_tree_is_one_call(local: LocalPlacement, remote: RemotePlacement) -> None:
    generations = remote.put_tree(TREE)
    assert set(generations) == {ROOT, CARD}
    for row in TREE:
        stored = local.provider(row.id).provider
        assert stored.inventories == row.inventories
        assert (stored.traits, stored.aggregates) == (row.traits, row.aggregates)
        assert stored.generation == generations[row.id]
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


def test_choosing_and_claiming_is_one_step(remote: RemotePlacement) -> None:
    remote.put_tree(TREE)
    held = remote.claim_best(wanted(VCPU=3), CONSUMER)
    assert held is not None
    assert held.resources == {ROOT: {VCPU: 3}}
    assert held.consumer.generation == 1
    assert remote.consumers() == (held,)
    other = Consumer(ConsumerId(new_uuid(SOURCE)), ProjectId("p"), UserId("u"))
    assert remote.claim_best(wanted(VCPU=3), other) is None
    assert remote.allocation(other.id) is None
    with pytest.raises(GenerationConflict):
        remote.claim_best(wanted(VCPU=1), CONSUMER)


def test_changes_are_followed(remote: RemotePlacement) -> None:
    begin = remote.changes(0)
    assert begin is not None
    remote.put_tree(TREE)
    news = remote.changes(begin.head)
    assert news is not None
    assert news.head > begin.head
    assert {change.key for change in news.changes} >= {ROOT, CARD}
    assert remote.changes(news.head + 1000) is None


CALLS: tuple[Callable[[RemotePlacement], object], ...] = (
    lambda remote: remote.explain(wanted(VCPU=1)),
    lambda remote: remote.room(wanted(VCPU=1)),
    lambda remote: remote.put_tree(TREE),
    lambda remote: remote.claim_best(wanted(VCPU=1), CONSUMER),
    lambda remote: remote.changes(0),
    lambda remote: remote.consumers(),
)


@pytest.mark.parametrize("call", CALLS)
def test_another_server_has_none_of_it(call: Callable[[RemotePlacement], object]) -> None:
    error = {"status": 404, "title": "Not Found", "detail": "The resource could not be found."}
    other = httpx2.MockTransport(lambda _: httpx2.Response(404, json={"errors": [error]}))
    with Connection("http://other", transport=other) as connection, pytest.raises(Unsupported):
        call(RemotePlacement(connection))
