"""Placement as it is used at a prompt."""

from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    VCPU,
    Consumer,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    Trait,
)
from computekit.placement import Claimed, LocalPlacement


def test_plain_collections_are_taken() -> None:
    host, fast = ProviderId("h"), Trait("CUSTOM_FAST")
    provider = Provider(host, "host", inventories={VCPU: Inventory(8)}, traits={fast})
    assert {provider} == {Provider(host, "host", None, provider.inventories, provider.traits)}

    placement = LocalPlacement.in_memory()
    placement.create_provider(host, "host")
    generation = placement.set_inventories(host, 0, provider.inventories)
    placement.set_traits(host, generation, provider.traits)
    request = PlacementRequest([RequestGroup(resources={VCPU: 2})])
    who = Consumer(ConsumerId("c"), ProjectId("p"), UserId("u"))
    assert isinstance(placement.claim_best(request, who), Claimed)
    assert placement.provider(host).used == {VCPU: 2}


def test_a_set_that_changes_later_changes_no_book() -> None:
    host, fast = ProviderId("h"), Trait("CUSTOM_FAST")
    placement = LocalPlacement.in_memory()
    placement.create_provider(host, "host")
    traits = {fast}
    placement.set_traits(host, 0, traits)  # type: ignore[arg-type]  # as at a prompt
    traits.clear()
    assert placement.provider(host).provider.traits == {fast}
    assert [node.id for node in placement.providers()] == [host]
