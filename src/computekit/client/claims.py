"""Claims as bodies of the Placement API, and its refusals of them as errors with numbers."""

from collections.abc import Callable, Mapping, Sequence

from computekit.client.connection import Json
from computekit.client.refusals import CONCURRENT, Refusal
from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    ComputekitError,
    GenerationConflict,
    NoInventory,
)
from computekit.ids import ProviderId
from computekit.model import (
    Allocation,
    FrozenMap,
    Inventory,
    ResourceClass,
    Resources,
    is_custom_name,
)
from computekit.placement import ProviderUse

__all__ = ["claim_body", "claim_error", "inventories_body"]

NOTHING: Resources = FrozenMap()
ANOTHER_RULE = "a unit rule of the inventory"


def inventories_body(inventories: FrozenMap[ResourceClass, Inventory]) -> Mapping[str, Json]:
    """Return inventories as the API takes them."""
    return {
        name: {
            "total": inventory.total,
            "reserved": inventory.reserved,
            "min_unit": inventory.min_unit,
            "max_unit": inventory.max_unit,
            "step_size": inventory.step_size,
            "allocation_ratio": inventory.allocation_ratio,
        }
        for name, inventory in inventories.items()
    }


def claim_body(allocation: Allocation, *, typed: bool, hidden: bool = False) -> Mapping[str, Json]:
    """Return one allocation as the API takes it.

    Args:
        allocation: what the consumer is to hold.
        typed: whether its type is said (1.38).
        hidden: whether the server has the consumer without anything, at generation 0.
    """
    consumer = allocation.consumer
    generation = consumer.generation or (0 if hidden else None)
    body: dict[str, Json] = {
        "allocations": {
            provider: {"resources": dict(resources.items())}
            for provider, resources in allocation.resources.items()
        },
        "project_id": consumer.project,
        "user_id": consumer.user,
        "consumer_generation": generation,
    }
    if typed:
        body["consumer_type"] = consumer.type
    return body


def claim_error(
    refusal: Refusal,
    allocations: Sequence[Allocation],
    look: Callable[[ProviderId], ProviderUse],
) -> ComputekitError:
    """Return why a claim was refused.

    The API calls a name that it does not know malformed; to the library nobody has it.

    Args:
        refusal: what the server said.
        allocations: what was claimed.
        look: reads a provider: a server that says "exceeded" does not say by how much. The
            numbers are those of a moment later.
    """
    if (found := refusal.says(r"No such resource class (\w+)")) and is_custom_name(found[1]):
        name = ResourceClass(found[1])
        who = [p for a in allocations for p, amounts in a.resources.items() if name in amounts]
        return NoInventory(min(who, default=ProviderId("")), name)
    if found := refusal.says(r"resource provider '([\w-]+)' that does not exist"):
        provider = ProviderId(found[1])
        return NoInventory(provider, min(_asked_of(allocations, provider), default=""))
    if refusal.own is not None:
        return refusal.own
    if refusal.code == CONCURRENT:
        return _conflict(refusal, allocations)
    if found := refusal.says(r"Inventory for '[\w, ]+' on resource provider '([\w-]+)' invalid"):
        # It names every class of the claim; which one is not there has to be looked for.
        provider = ProviderId(found[1])
        there = look(provider).provider.inventories
        absent = _asked_of(allocations, provider).keys() - there.keys()
        return NoInventory(provider, min(absent, default=""))
    if found := refusal.says(
        r"allocation for '(\w+)' on resource provider '([\w-]+)'\. The requested amount would "
        r"(exceed the capacity|violate inventory constraints)"
    ):
        name, provider = ResourceClass(found[1]), ProviderId(found[2])
        return _numbers(look(provider), name, allocations, full=found[3].startswith("exceed"))
    return refusal.error()


def _conflict(refusal: Refusal, allocations: Sequence[Allocation]) -> ComputekitError:
    found = refusal.says(r"consumer generation conflict - expected (\w+) but got (\w+)")
    if found is None:
        providers = sorted(p for a in allocations for p in a.resources)
        return GenerationConflict("provider", ", ".join(providers), None, None)
    actual = int(found[1]) if found[1].isdecimal() else 0
    sent = int(found[2]) if found[2].isdecimal() else 0
    # The sentence does not name the consumer.
    whose = [a.consumer.id for a in allocations if a.consumer.generation == sent]
    return GenerationConflict("consumer", ", ".join(whose), sent, actual)


def _asked_of(
    allocations: Sequence[Allocation], provider: ProviderId
) -> Mapping[ResourceClass, int]:
    asked: dict[ResourceClass, int] = {}
    for allocation in allocations:
        for name, amount in allocation.resources.get(provider, NOTHING).items():
            asked[name] = asked.get(name, 0) + amount
    return asked


def _numbers(
    use: ProviderUse, name: ResourceClass, allocations: Sequence[Allocation], *, full: bool
) -> ComputekitError:
    provider = use.provider
    inventory = provider.inventories.get(name)
    if inventory is None:  # gone since
        return NoInventory(provider.id, name)
    if full:
        asked = _asked_of(allocations, provider.id).get(name, 0)
        return CapacityExceeded(provider.id, name, asked, use.used.get(name, 0), inventory.capacity)
    amounts = [a.resources.get(provider.id, NOTHING).get(name, 0) for a in allocations]
    broken = [(n, rule) for n in amounts if n and (rule := inventory.broken_rule(n)) is not None]
    amount, rule = broken[0] if broken else (max(amounts, default=0), ANOTHER_RULE)
    return AmountNotAllowed(provider.id, name, amount, rule)
