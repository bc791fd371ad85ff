"""What may be written and what a claim may take: the rules that every store shares.

Source of the rules: Placement API (resource providers, inventories, traits, allocations).
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    CounterFull,
    Fault,
    InvalidInput,
    NoInventory,
)
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    MAX_AMOUNT,
    Allocation,
    Inventory,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement.names import is_resource_class, is_trait
from computekit.placement.ports import CounterClaim

__all__ = [
    "MAX_RATIO",
    "check_aggregates",
    "check_amount",
    "check_claim",
    "check_counter",
    "check_inventories",
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


def check_inventories(inventories: Mapping[ResourceClass, Inventory]) -> None:
    """Raise `InvalidInput` with every fault of one provider's inventories."""
    _raise(_inventory_faults("inventories", inventories))


def check_traits(traits: Iterable[Trait]) -> None:
    """Raise `InvalidInput` with every trait that does not exist."""
    _raise(_trait_faults("traits", traits))


def check_aggregates(aggregates: Iterable[AggregateId]) -> None:
    """Raise `InvalidInput` with every aggregate id that cannot be one."""
    _raise(_aggregate_faults("aggregates", aggregates))


def check_claim(allocation: Allocation, counters: tuple[CounterClaim, ...]) -> None:
    """Raise `InvalidInput` with every fault of a claim that shows without looking at the books."""
    faults = [*_allocation_faults(allocation), *_counter_faults(counters)]
    if faults:
        raise InvalidInput(tuple(faults))


def check_amount(
    provider: ProviderId,
    resource_class: ResourceClass,
    inventory: Inventory | None,
    *,
    asked: int,
    held: int,
    used: int,
) -> None:
    """Raise what keeps a consumer from holding `asked` of one inventory.

    A provider that has given more than it has still lets a consumer keep or lower its part.

    Args:
        provider: whose inventory it is.
        resource_class: of the inventory.
        inventory: None if the provider has none of this class.
        asked: what the consumer wants to hold.
        held: what it holds now.
        used: what all hold now, `held` included.

    Raises:
        NoInventory: the provider does not have the class.
        AmountNotAllowed: a unit rule is broken.
        CapacityExceeded: too little is left.
    """
    if inventory is None:
        raise NoInventory(provider, resource_class)
    if rule := inventory.broken_rule(asked):
        raise AmountNotAllowed(provider, resource_class, asked, rule)
    others = used - held
    if asked > held and others + asked > inventory.capacity:
        raise CapacityExceeded(provider, resource_class, asked, others, inventory.capacity)


def check_counter(claim: CounterClaim, *, held: int, used: int) -> None:
    """Raise `CounterFull` if a consumer that holds `held` of `used` cannot hold `claim`."""
    others = used - held
    if claim.amount > held and others + claim.amount > claim.bound:
        raise CounterFull(claim.scope, claim.name, claim.amount, others, claim.bound)


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
        if inventory.reserved > inventory.total:
            yield Fault(
                f"{here}.reserved",
                "order",
                f"{inventory.reserved} is more than the total of {inventory.total}",
            )
        if inventory.min_unit > inventory.max_unit:
            yield Fault(
                f"{here}.min_unit",
                "order",
                f"{inventory.min_unit} is more than max_unit, {inventory.max_unit}",
            )
        ratio = inventory.allocation_ratio
        if math.isnan(ratio) or not 0 < ratio <= MAX_RATIO:
            yield Fault(
                f"{here}.allocation_ratio",
                "range",
                f"{ratio} is not above 0 and at most {MAX_RATIO:g}",
            )


def _trait_faults(path: str, traits: Iterable[Trait]) -> Iterator[Fault]:
    for name in sorted(traits):
        if not is_trait(name):
            yield _unknown(f"{path}[{name}]", "trait", name)


def _aggregate_faults(path: str, aggregates: Iterable[AggregateId]) -> Iterator[Fault]:
    for aggregate in sorted(aggregates):
        yield from _text(f"{path}[{aggregate}]", aggregate, MAX_ID)


def _allocation_faults(allocation: Allocation) -> Iterator[Fault]:
    consumer = allocation.consumer
    yield from _text("consumer.id", consumer.id, MAX_ID)
    yield from _text("consumer.project", consumer.project, MAX_LABEL)
    yield from _text("consumer.user", consumer.user, MAX_LABEL)
    if _CONSUMER_TYPE.match(consumer.type) is None:
        yield Fault("consumer.type", "name", f"{consumer.type!r} is not 1 to 255 of A-Z, 0-9 and _")
    for provider, amounts in allocation.resources.items():
        path = f"resources[{provider}]"
        if not amounts:
            yield Fault(path, "empty", "names a provider but takes nothing of it")
        for name, amount in amounts.items():
            if not 1 <= amount <= MAX_AMOUNT:
                yield from _range(f"{path}[{name}]", amount, 1)


def _counter_faults(counters: tuple[CounterClaim, ...]) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for position, counter in enumerate(counters):
        path = f"counters[{position}]"
        yield from _text(f"{path}.scope", counter.scope, MAX_LABEL)
        yield from _text(f"{path}.name", counter.name, MAX_LABEL)
        yield from _range(f"{path}.amount", counter.amount, 1)
        yield from _range(f"{path}.bound", counter.bound, 0)
        if (counter.scope, counter.name) in seen:
            yield Fault(path, "duplicate", f"{counter.scope} {counter.name} is taken twice")
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
