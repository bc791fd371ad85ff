"""Whether claims fit into what is there: the rules that every store shares.

Source of the rules: Placement API (inventories, allocations).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from computekit.errors import (
    AmountNotAllowed,
    CapacityExceeded,
    CounterFull,
    Fault,
    GenerationConflict,
    InUse,
    InvalidInput,
    NoInventory,
)
from computekit.ids import ConsumerId, ProviderId
from computekit.model import Inventory, ResourceClass
from computekit.placement.ports import Claim

__all__ = [
    "Amounts",
    "Counts",
    "Key",
    "Stock",
    "check_generations",
    "check_given_up",
    "check_parent",
    "difference",
    "judge_amounts",
    "judge_counters",
    "named",
]

K = TypeVar("K")

Key = tuple[ProviderId, ResourceClass]
Amounts = Mapping[Key, int]
Counts = Mapping[tuple[str, str], int]
Stock = Mapping[Key, tuple[Inventory, int]]
"""An inventory, and what all consumers hold of it."""


def check_generations(claims: Sequence[Claim], stored: Mapping[ConsumerId, int]) -> None:
    """Raise `GenerationConflict` of the first consumer that was written in between."""
    for claim in claims:
        consumer = claim.allocation.consumer
        actual = stored.get(consumer.id, 0)
        if consumer.generation != actual:
            raise GenerationConflict("consumer", consumer.id, consumer.generation, actual)


def judge_amounts(claims: Sequence[Claim], held: Amounts, stock: Stock) -> None:
    """Raise what keeps the consumers of `claims` from holding what they ask for.

    Args:
        claims: all of them together.
        held: what these consumers hold now, together.
        stock: of each inventory that is asked for and exists.

    Raises:
        NoInventory: a provider does not have the class.
        AmountNotAllowed: a unit rule is broken.
        CapacityExceeded: too little is left for what they ask for together.
    """
    wanted: dict[Key, list[int]] = {}
    for claim in claims:
        for provider, amounts in claim.allocation.resources.items():
            for name, amount in amounts.items():
                wanted.setdefault((provider, name), []).append(amount)
    for key in sorted(wanted):
        if key not in stock:
            raise NoInventory(*key)
        inventory, used = stock[key]
        for amount in wanted[key]:
            if rule := inventory.broken_rule(amount):
                raise AmountNotAllowed(*key, amount, rule)
        asked, free = sum(wanted[key]), held.get(key, 0)
        others = used - free
        if asked > free and others + asked > inventory.capacity:
            raise CapacityExceeded(*key, asked, others, inventory.capacity)


def judge_counters(claims: Sequence[Claim], held: Counts, used: Counts) -> None:
    """Raise `CounterFull` if the claims together pass the bound of a counter.

    Args:
        claims: all of them together.
        held: what their consumers hold now, together.
        used: what all consumers hold of each counter that is asked for.
    """
    asked: dict[tuple[str, str], int] = {}
    bounds: dict[tuple[str, str], int] = {}
    for claim in claims:
        for counter in claim.counters:
            key = (counter.scope, counter.name)
            asked[key] = asked.get(key, 0) + counter.amount
            bounds[key] = min(bounds.get(key, counter.bound), counter.bound)
    for key in sorted(asked):
        free = held.get(key, 0)
        others = used.get(key, 0) - free
        if asked[key] > free and others + asked[key] > bounds[key]:
            raise CounterFull(*key, asked[key], others, bounds[key])


def check_given_up(
    claims: Sequence[Claim],
    given_up: Iterable[Key],
    holders: Callable[[Key], Iterable[ConsumerId]],
) -> None:
    """Raise `InUse` if somebody holds an inventory that goes, once the claims are written.

    Args:
        claims: what is to be written.
        given_up: the inventories that go.
        holders: who holds an inventory now.
    """
    rewritten = {claim.allocation.consumer.id for claim in claims}
    for provider, name in given_up:
        left = {who for who in holders((provider, name)) if who not in rewritten}
        left.update(
            claim.allocation.consumer.id
            for claim in claims
            if name in claim.allocation.resources.get(provider, ())
        )
        if left:
            raise InUse("inventory", f"{name} of {provider}", f"consumer {min(left)}")


def named(
    claims: Sequence[Claim], held: Callable[[ConsumerId], Iterable[ProviderId]]
) -> set[ProviderId]:
    """Return the providers whose generation the claims raise.

    Args:
        claims: what is to be written.
        held: the providers that a consumer holds something of now.
    """
    found: set[ProviderId] = set()
    for claim in claims:
        empty = not claim.allocation.resources and not claim.counters
        found.update(held(claim.allocation.consumer.id) if empty else claim.allocation.resources)
    return found


def difference(before: Mapping[K, int], after: Mapping[K, int]) -> dict[K, int]:
    """Return by how much each amount rises; those that stay are left out."""
    sums = {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}
    return {key: more for key, more in sums.items() if more}


def check_parent(
    provider: ProviderId, parent: ProviderId | None, parents: Mapping[ProviderId, ProviderId | None]
) -> None:
    """Raise `InvalidInput` if `parent` is the provider itself or below it.

    Args:
        provider: which is to get the parent.
        parent: None to become a root.
        parents: of each provider in the tree of `parent`.
    """
    above = parent
    while above is not None:
        if above == provider:
            message = f"{parent} is {provider} itself, or below it"
            raise InvalidInput((Fault("parent", "cycle", message),))
        above = parents[above]
