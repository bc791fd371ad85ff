"""Policies by name, for commands: each is made for the fleet that it is to work on."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.model import MEMORY_MB, VCPU
from computekit.placement import FleetIndex
from computekit.scheduler.catalogue import FILTERS, nova_policy
from computekit.scheduler.packing import (
    BalancedFit,
    BestFit,
    DotProduct,
    FirstFit,
    Packing,
    PackingWeigher,
    WorstFit,
)
from computekit.scheduler.policy import Policy, RamWeigher

__all__ = ["NAMED_POLICIES", "policy_named"]


def _packing(make: Callable[[tuple[float, ...]], Packing]) -> Callable[[FleetIndex], Policy]:
    return lambda fleet: Policy((PackingWeigher(make(_largest(fleet))),))


def _largest(fleet: FleetIndex) -> tuple[float, ...]:
    """Return the CPUs and the memory of the largest host: the unit of what is left."""
    found: list[float] = []
    for name in (VCPU, MEMORY_MB):
        column = fleet.resources.get(name)
        most = 0 if column is None else int(column.capacity.value.max(initial=0))
        found.append(float(max(most, 1)))
    return tuple(found)


def _best(scale: tuple[float, ...]) -> BestFit:
    return BestFit((0.5, 0.5), scale)


NAMED_POLICIES: Mapping[str, Callable[[FleetIndex], Policy]] = MappingProxyType(
    {
        "spread": lambda _fleet: Policy((RamWeigher(),)),
        "nova": lambda _fleet: nova_policy(),
        "balanced": _packing(lambda _scale: BalancedFit()),
        "best-fit": _packing(_best),
        "worst-fit": _packing(lambda scale: WorstFit(_best(scale))),
        "first-fit": _packing(lambda _scale: FirstFit()),
        "dot-product": _packing(DotProduct),
    }
)
"""How to make each policy for a fleet; `spread` prefers the most free memory."""


def policy_named(name: str, fleet: FleetIndex, filters: Iterable[str] = ()) -> Policy:
    """Return a policy for a fleet.

    Args:
        name: of the policy.
        fleet: that it is to work on.
        filters: names of further rules (`computekit.scheduler.FILTERS`).

    Raises:
        InvalidInput: names are not known; every one is listed.
    """
    faults = [
        Fault("filter", "unknown_filter", f"no filter {found!a}; there are {', '.join(FILTERS)}")
        for found in filters
        if found not in FILTERS
    ]
    if name not in NAMED_POLICIES:
        known = ", ".join(NAMED_POLICIES)
        faults.append(Fault("policy", "unknown_policy", f"no policy {name!a}; there are {known}"))
    if faults:
        raise InvalidInput(tuple(faults))
    policy = NAMED_POLICIES[name](fleet)
    further = tuple(FILTERS[found] for found in filters)
    return attrs.evolve(policy, rules=(*policy.rules, *further))
