"""The smallest changes after which a request fits; each is proved by deciding again."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product

import attrs
import numpy as np
import numpy.typing as npt

from computekit.errors import InvalidInput
from computekit.ids import HostName
from computekit.model import PlacementRequest, RequestGroup, ResourceClass
from computekit.placement import FleetIndex, ProviderUse, check_request
from computekit.scheduler.amount import near_amounts
from computekit.scheduler.changes import Adjustment, AskAmount, Drop, FreeUp
from computekit.scheduler.compile import run_overlays, shape_predicates
from computekit.scheduler.fitter import Fitter
from computekit.scheduler.policy import Policy
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.provider_predicates import (
    HasTrait,
    InAggregate,
    LacksTrait,
    NotInAggregate,
    Separate,
)
from computekit.scheduler.request import Request

__all__ = ["Remedy", "all_predicates", "find_remedies", "remedy_for"]

_ROWS_PER_RULE = 64
_PROOFS = 64
_COMBINED = 3
_OTHERS = 6


@attrs.frozen
class Remedy:
    """Changes after which a host takes the request.

    Attributes:
        changes: all of them are needed.
        host: the host that then takes it.
    """

    changes: tuple[Adjustment, ...]
    host: HostName

    @property
    def text(self) -> str:
        """What to do, and what comes of it."""
        return ", and ".join(change.text for change in self.changes) + f": then {self.host} fits"


def all_predicates(request: Request, policy: Policy) -> tuple[Predicate, ...]:
    """Return everything that is asked of a host, in the order of telling."""
    asked = (
        *run_overlays(request.run),
        *policy.overlays(request),
        *shape_predicates(request.placement, request.intent.zone, request.machine_type),
        *policy.predicates(request),
    )
    return tuple(dict.fromkeys(asked))


def find_remedies(
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    near: npt.NDArray[np.intp],
    only: npt.NDArray[np.intp],
) -> tuple[Remedy, ...]:
    """Return the smallest single changes for each rule; if there are none, combined ones.

    Args:
        fleet: a copy that nobody writes to.
        request: what was asked.
        policy: by which it was decided.
        near: the rows that do not fit, nearest first.
        only: for each row, the number of the one rule that it breaks; -1 if there are several. The
            number after those of the predicates means that the groups do not fit together.
    """
    predicates = all_predicates(request, policy)
    found: list[Remedy] = []
    for number, predicate in enumerate(predicates):
        rows = near[only[near] == number][:_ROWS_PER_RULE].tolist()
        offers = [
            (change, row) for row in rows for change in _offers(fleet, row, request, predicate)
        ]
        found.extend(_smallest_of_each_kind(fleet, request, policy, offers))
    rows = near[only[near] == len(predicates)][:_COMBINED].tolist()
    offers = [(change, row) for row in rows for change in _tree_changes(fleet, row, request)]
    found.extend(islice(_smallest_of_each_kind(fleet, request, policy, offers), 2))
    if not found:
        combined = (remedy_for(fleet, row, request, policy) for row in near[:_PROOFS].tolist())
        found.extend(islice((remedy for remedy in combined if remedy is not None), _COMBINED))
    return tuple(sorted(dict.fromkeys(found), key=_cost))


def remedy_for(fleet: FleetIndex, row: int, request: Request, policy: Policy) -> Remedy | None:
    """Return the fewest changes after which one host fits; None if none is known."""
    at = np.array([row])
    failing = [p for p in all_predicates(request, policy) if not p.passed(fleet, at)[0]]
    offers = [_offers(fleet, row, request, predicate) for predicate in failing]
    host = fleet.names[row]
    for changes in islice(product(*offers), _PROOFS):
        changed = _applied(fleet, request, changes)
        if changed is None:
            continue
        if _takes(*changed, host, policy):
            return Remedy(changes, host)
        for further in _tree_changes(changed[0], row, changed[1]):
            more = (*changes, further)
            again = _applied(fleet, request, more)
            if again is not None and _takes(*again, host, policy):
                return Remedy(more, host)
    return None


def _smallest_of_each_kind(
    fleet: FleetIndex, request: Request, policy: Policy, offers: Iterable[tuple[Adjustment, int]]
) -> Iterator[Remedy]:
    kinds: dict[type, list[tuple[Adjustment, int]]] = {}
    for change, row in offers:
        kinds.setdefault(type(change), []).append((change, row))
    for of_kind in kinds.values():
        of_kind.sort(key=lambda offer: _size(offer[0]))
        for change, row in of_kind[:_PROOFS]:
            changed = _applied(fleet, request, (change,))
            host = fleet.names[row]
            if changed is not None and _takes(*changed, host, policy):
                yield Remedy((change,), host)
                break


def _cost(remedy: Remedy) -> tuple[int, float]:
    return len(remedy.changes), sum(map(_size, remedy.changes))


def _size(change: Adjustment) -> float:
    if isinstance(change, AskAmount):
        return abs(change.asked - change.amount) / change.asked
    return change.amount if isinstance(change, FreeUp) else 0


def _applied(
    fleet: FleetIndex, request: Request, changes: Sequence[Adjustment]
) -> tuple[FleetIndex, Request] | None:
    """Return the fleet and the request as changed; None if the request then makes no sense."""
    fleet = fleet.copy()
    for change in changes:
        request = change.apply(request, fleet)
    try:
        check_request(request.placement)
    except InvalidInput:
        return None
    return fleet, request


def _takes(fleet: FleetIndex, request: Request, host: HostName, policy: Policy) -> bool:
    row = fleet.row(host)
    assert row is not None
    at = np.array([row])
    return (
        all(predicate.passed(fleet, at)[0] for predicate in all_predicates(request, policy))
        and Fitter(request.placement).fit(fleet, row) is not None
        and policy.refusal(fleet.view(row)) is None
    )


def _offers(
    fleet: FleetIndex, row: int, request: Request, predicate: Predicate
) -> tuple[Adjustment, ...]:
    """Return changes that may make a row pass: exact on a host with one provider."""
    offers = predicate.changes(fleet, row)
    if not fleet.nested[row]:
        return offers
    of_rule = (
        change
        for change in _tree_changes(fleet, row, request)
        if isinstance(change, AskAmount) and change.resource_class == predicate.rule
    )
    return tuple(dict.fromkeys((*offers, *of_rule)))


def _tree_changes(fleet: FleetIndex, row: int, request: Request) -> tuple[Adjustment, ...]:
    """Return single changes that may make the groups fit on a host's tree, smallest first."""
    amounts: dict[Adjustment, None] = {}
    drops: dict[Adjustment, None] = {}
    tree = fleet.tree(row)
    for group in request.placement.groups:
        for name, asked in group.resources.items():
            for amount in _amounts_in_reach(tree, request.placement, group, name):
                amounts[AskAmount(group.suffix, name, asked, amount)] = None
        drops.update(dict.fromkeys(_group_drops(group)))
    if request.placement.group_policy == "isolate":
        drops[Drop(Separate(sum(1 for group in request.placement.groups if group.suffix)))] = None
    return (*sorted(amounts, key=_size), *drops)


def _amounts_in_reach(
    tree: Sequence[ProviderUse],
    placement: PlacementRequest,
    group: RequestGroup,
    name: ResourceClass,
) -> Iterator[int]:
    """Return what some provider could give a group beside some of the other groups."""
    asked = group.resources[name]
    others = [g.resources[name] for g in placement.groups if g != group and name in g.resources]
    beside = {0}
    for amount in others[:_OTHERS]:
        beside |= {already + amount for already in beside}
    for use in tree:
        inventory = use.provider.inventories.get(name)
        if inventory is None:
            continue
        free = inventory.capacity - use.used.get(name, 0)
        for already in beside:
            top = min(free, inventory.max_unit) - already
            for amount in near_amounts(asked, inventory.min_unit, top, inventory.step_size):
                if amount != asked:
                    yield amount


def _group_drops(group: RequestGroup) -> Iterator[Adjustment]:
    for traits in sorted(group.required, key=sorted):
        yield Drop(HasTrait(traits))
    for trait in sorted(group.forbidden):
        yield Drop(LacksTrait(trait))
    for aggregates in sorted(group.member_of, key=sorted):
        yield Drop(InAggregate(aggregates))
    for aggregate in sorted(group.not_member_of):
        yield Drop(NotInAggregate(aggregate, spans=not group.suffix))
