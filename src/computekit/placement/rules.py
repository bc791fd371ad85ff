"""What may be written at all: the rules that show without a look at the books.

Source of the rules: Placement API (resource providers, inventories, traits, allocations).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from computekit.errors import Fault, InvalidInput
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    MAX_AMOUNT,
    Allocation,
    FrozenMap,
    Inventory,
    ProviderTree,
    ResourceClass,
    Trait,
    is_custom_name,
)
from computekit.placement.names import is_resource_class, is_trait
from computekit.placement.ports import Claim, CounterClaim, Reshaped

__all__ = [
    "MAX_RATIO",
    "check_aggregates",
    "check_claims",
    "check_custom_name",
    "check_inventories",
    "check_provider",
    "check_reshape",
    "check_traits",
    "check_tree",
]

MAX_RATIO = 3.40282e38
MAX_ID = 64
MAX_NAME = 200
MAX_LABEL = 255
_CONSUMER_TYPE = re.compile(r"[A-Z0-9_]{1,255}\Z")


def check_tree(tree: ProviderTree) -> None:
    """Raise `InvalidInput` with every fault of a provider tree."""
    _raise(_tree_faults(tree))


def check_inventories(
    inventories: Mapping[ResourceClass, Inventory],
    before: Mapping[ResourceClass, Inventory] = FrozenMap(),
) -> None:
    """Raise `InvalidInput` with every fault of one provider's inventories.

    Args:
        inventories: that it is to have.
        before: that it has; what stays as it is may reserve more than there is.
    """
    new = {n: inventory for n, inventory in inventories.items() if before.get(n) != inventory}
    _raise((*_inventory_faults("inventories", inventories), *_reserve_faults("inventories", new)))


def check_traits(traits: Iterable[Trait]) -> None:
    """Raise `InvalidInput` with every trait that does not exist."""
    _raise(_trait_faults("traits", traits))


def check_aggregates(aggregates: Iterable[AggregateId]) -> None:
    """Raise `InvalidInput` with every aggregate id that cannot be one."""
    _raise(_aggregate_faults("aggregates", aggregates))


def check_provider(provider: ProviderId, name: str) -> None:
    """Raise `InvalidInput` with every fault of a provider without parts."""
    _raise((*_text("provider", provider, MAX_ID), *_text("name", name, MAX_NAME)))


def check_custom_name(name: str) -> None:
    """Raise `InvalidInput` if no custom resource class or trait can be called so."""
    if not is_custom_name(name):
        message = f"{name!r} is not CUSTOM_[A-Z0-9_]+ of 255 characters at most"
        raise InvalidInput((Fault("name", "name", message),))


def check_claims(claims: Sequence[Claim]) -> None:
    """Raise `InvalidInput` with every fault of claims that belong together."""
    if faults := list(_claim_faults(claims)):
        raise InvalidInput(tuple(faults))


def check_reshape(inventories: Mapping[ProviderId, Reshaped], claims: Sequence[Claim]) -> None:
    """Raise `InvalidInput` with every fault of a reshape.

    More may be reserved than there is, as in genuine Placement: a host that reports so is full, and
    its first start after an upgrade must not fail for it.
    """
    faults = [
        fault
        for provider, wanted in inventories.items()
        for fault in _inventory_faults(f"inventories[{provider}]", wanted.inventories)
    ]
    _raise((*faults, *_claim_faults(claims)))


def _raise(faults: Iterable[Fault]) -> None:
    if found := tuple(faults):
        raise InvalidInput(found)


def _text(path: str, value: str, longest: int) -> Iterator[Fault]:
    if not 1 <= len(value) <= longest:
        yield Fault(path, "length", f"{len(value)} characters; 1 to {longest} are allowed")
    if "\0" in value:
        yield Fault(path, "text", "contains a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        yield Fault(path, "text", "contains half of a surrogate pair")


def _tree_faults(tree: ProviderTree) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for position, provider in enumerate(tree):
        path = f"providers[{position}]"
        yield from _text(f"{path}.id", provider.id, MAX_ID)
        yield from _text(f"{path}.name", provider.name, MAX_NAME)
        if (earlier := first.setdefault(provider.name, position)) != position:
            yield Fault(
                f"{path}.name", "duplicate", f"{provider.name!r} is providers[{earlier}] already"
            )
        yield from _inventory_faults(f"{path}.inventories", provider.inventories)
        yield from _reserve_faults(f"{path}.inventories", provider.inventories)
        yield from _trait_faults(f"{path}.traits", provider.traits)
        yield from _aggregate_faults(f"{path}.aggregates", provider.aggregates)


def _inventory_faults(path: str, inventories: Mapping[ResourceClass, Inventory]) -> Iterator[Fault]:
    for name, inventory in inventories.items():
        here = f"{path}[{name}]"
        if not is_resource_class(name):
            yield _unknown(here, "resource class", name)
        yield from _range(f"{here}.total", inventory.total, 1)
        yield from _range(f"{here}.reserved", inventory.reserved, 0)
        yield from _range(f"{here}.min_unit", inventory.min_unit, 1)
        yield from _range(f"{here}.max_unit", inventory.max_unit, 1)
        yield from _range(f"{here}.step_size", inventory.step_size, 1)
        ratio = inventory.allocation_ratio
        if not 0 <= ratio <= MAX_RATIO:
            yield Fault(
                f"{here}.allocation_ratio",
                "range",
                f"{ratio} is not within 0 and {MAX_RATIO:g}",
            )


def _reserve_faults(path: str, inventories: Mapping[ResourceClass, Inventory]) -> Iterator[Fault]:
    """Yield what is reserved without being there, unless a small ratio rounds the debt away."""
    for name, inventory in inventories.items():
        ratio = inventory.allocation_ratio
        rounded = 0 <= ratio <= MAX_RATIO and inventory.capacity == 0
        if inventory.reserved > inventory.total and not rounded:
            message = f"{inventory.reserved} is more than the total of {inventory.total}"
            yield Fault(f"{path}[{name}].reserved", "order", message)


def _trait_faults(path: str, traits: Iterable[Trait]) -> Iterator[Fault]:
    for name in sorted(traits):
        if not is_trait(name):
            yield _unknown(f"{path}[{name}]", "trait", name)


def _aggregate_faults(path: str, aggregates: Iterable[AggregateId]) -> Iterator[Fault]:
    for aggregate in sorted(aggregates):
        yield from _text(f"{path}[{aggregate}]", aggregate, MAX_ID)


def _claim_faults(claims: Sequence[Claim]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for position, claim in enumerate(claims):
        path = f"claims[{position}]"
        yield from _allocation_faults(path, claim.allocation)
        if claim.counters:
            yield from _counter_faults(path, claim.counters)
        consumer = claim.allocation.consumer.id
        if (earlier := first.setdefault(consumer, position)) != position:
            message = f"{consumer!r} is claims[{earlier}] already"
            yield Fault(f"{path}.consumer.id", "duplicate", message)


def _allocation_faults(path: str, allocation: Allocation) -> Iterator[Fault]:
    consumer = allocation.consumer
    yield from _text(f"{path}.consumer.id", consumer.id, MAX_ID)
    yield from _text(f"{path}.consumer.project", consumer.project, MAX_LABEL)
    yield from _text(f"{path}.consumer.user", consumer.user, MAX_LABEL)
    if consumer.type is not None and _CONSUMER_TYPE.match(consumer.type) is None:
        message = f"{consumer.type!r} is not 1 to 255 of A-Z, 0-9 and _"
        yield Fault(f"{path}.consumer.type", "name", message)
    for provider, amounts in allocation.resources.items():
        here = f"{path}.resources[{provider}]"
        if not amounts:
            yield Fault(here, "empty", "names a provider but takes nothing of it")
        for name, amount in amounts.items():
            # One that is too large is not wrong: no inventory gives it, which is a refusal.
            if amount < 1:
                yield Fault(f"{here}[{name}]", "range", f"{amount} is less than 1")


def _counter_faults(path: str, counters: tuple[CounterClaim, ...]) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for position, counter in enumerate(counters):
        here = f"{path}.counters[{position}]"
        yield from _text(f"{here}.scope", counter.scope, MAX_LABEL)
        yield from _text(f"{here}.name", counter.name, MAX_LABEL)
        yield from _range(f"{here}.amount", counter.amount, 1)
        yield from _range(f"{here}.bound", counter.bound, 0)
        if (counter.scope, counter.name) in seen:
            yield Fault(here, "duplicate", f"{counter.scope} {counter.name} is taken twice")
        seen.add((counter.scope, counter.name))


def _range(path: str, value: int, lowest: int) -> Iterator[Fault]:
    if not lowest <= value <= MAX_AMOUNT:
        yield Fault(path, "range", f"{value} is not within {lowest} to {MAX_AMOUNT}")


def _unknown(path: str, kind: str, name: str) -> Fault:
    return Fault(
        path,
        "name",
        f"{name!r} is no {kind}: neither a standard one nor CUSTOM_[A-Z0-9_]+ of 255 at most",
    )
