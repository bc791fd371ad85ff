"""The smallest changes after which a request fits; each is proved by deciding again."""

from collections.abc import Iterable, Iterator

import attrs
import numpy as np
import numpy.typing as npt

from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler.amount import Amount
from computekit.scheduler.changes import Adjustment
from computekit.scheduler.deciding_again import all_predicates, applied, takes
from computekit.scheduler.policy import Policy
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request
from computekit.scheduler.smallest import STATES, cost, smallest_changes
from computekit.scheduler.tree_changes import amount_changes, tree_changes

__all__ = ["Remedies", "Remedy", "find_remedies", "remedy_for"]

_ROWS_PER_RULE = 64
_PROOFS = 64
_HOSTS_SEARCHED = 64
_COMBINED = 3
_DOUBT = "(not everything was tried: less may do)"


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

    @property
    def size(self) -> tuple[int, float]:
        """How many changes there are, then how much they change; the least is the best."""
        return cost(self.changes)

    def apply(self, request: Request, fleet: FleetIndex) -> Request:
        """Write the changes of the fleet into `fleet`; return the request as changed."""
        for change in self.changes:
            request = change.apply(request, fleet)
        return request


@attrs.frozen
class Remedies:
    """What a look for remedies came to.

    Attributes:
        found: least first; none means that nothing on the list of changes helps, if `complete`.
        complete: whether it is certain that there is nothing smaller.
    """

    found: tuple[Remedy, ...]
    complete: bool = True

    @property
    def line(self) -> str:
        """The smallest remedy in words; or that there is none."""
        if self.found:
            return self.found[0].text + ("" if self.complete else f" {_DOUBT}")
        if self.complete:
            return "nothing on the list of changes helps"
        return "no change was found that helps, but not everything was tried"

    @property
    def lines(self) -> tuple[str, ...]:
        """All remedies in words, a line each; or that there are none."""
        if not self.found:
            return (self.line,)
        found = tuple(remedy.text for remedy in self.found)
        return found if self.complete else (*found, _DOUBT)


def find_remedies(
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    near: npt.NDArray[np.intp],
    only: npt.NDArray[np.intp],
) -> Remedies:
    """Return the smallest single changes for each rule; if there are none, combined ones.

    Args:
        fleet: a copy that nobody writes to.
        request: what was asked.
        policy: by which it was decided.
        near: the rows that do not fit, nearest first.
        only: for each row, the number of the one rule that it breaks; -1 if there are several. The
            number after those of the predicates means that the groups do not fit together.
    """
    predicates = all_predicates(request, policy, fleet)
    found: list[Remedy] = []
    for number, predicate in enumerate(predicates):
        rows = near[only[near] == number][:_ROWS_PER_RULE].tolist()
        offers = [
            (change, row) for row in rows for change in _offers(fleet, row, request, predicate)
        ]
        found.extend(_smallest_of_each_kind(fleet, request, policy, offers))
    rows = near[only[near] == len(predicates)][:_COMBINED].tolist()
    offers = [(change, row) for row in rows for change in tree_changes(fleet, row, request)]
    found.extend(_smallest_of_each_kind(fleet, request, policy, offers))
    complete = True
    if not found:
        found, complete = _combined(fleet, request, policy, near)
    least = sorted(dict.fromkeys(found), key=lambda remedy: remedy.size)
    several = bool(least) and least[0].size[0] > 1
    return Remedies(tuple(least[:_COMBINED] if several else least), complete)


def _combined(
    fleet: FleetIndex, request: Request, policy: Policy, near: npt.NDArray[np.intp]
) -> tuple[list[Remedy], bool]:
    """Return several changes together, and whether it is certain that no fewer would do."""
    found: list[Remedy] = []
    complete, left = len(near) <= _HOSTS_SEARCHED, STATES
    most: int | None = None
    for row in near[:_HOSTS_SEARCHED].tolist():
        if left <= 0:
            return found, False
        smallest = smallest_changes(fleet, row, request, policy, most=most, states=left)
        left -= smallest.states
        complete = complete and smallest.complete
        if smallest.changes is not None:
            found.append(Remedy(smallest.changes, fleet.names[row]))
            if len(found) >= _COMBINED:
                most = sorted(remedy.size[0] for remedy in found)[_COMBINED - 1]
    return found, complete


def remedy_for(fleet: FleetIndex, row: int, request: Request, policy: Policy) -> Remedies:
    """Return the fewest, then smallest changes after which one host fits."""
    smallest = smallest_changes(fleet, row, request, policy)
    if smallest.changes is None:
        return Remedies((), smallest.complete)
    return Remedies((Remedy(smallest.changes, fleet.names[row]),), smallest.complete)


def _smallest_of_each_kind(
    fleet: FleetIndex, request: Request, policy: Policy, offers: Iterable[tuple[Adjustment, int]]
) -> Iterator[Remedy]:
    kinds: dict[type, list[tuple[Adjustment, int]]] = {}
    for change, row in offers:
        kinds.setdefault(type(change), []).append((change, row))
    for of_kind in kinds.values():
        of_kind.sort(key=lambda offer: offer[0].size)
        for change, row in of_kind[:_PROOFS]:
            changed = applied(fleet, request, (change,))
            if changed is not None and takes(changed[0], row, changed[1], policy):
                yield Remedy((change,), fleet.names[row])
                break


def _offers(
    fleet: FleetIndex, row: int, request: Request, predicate: Predicate
) -> tuple[Adjustment, ...]:
    """Return changes that may make a row pass: exact on a host with one provider."""
    offers = predicate.changes(fleet, row)
    if isinstance(predicate, Amount) and fleet.nested[row]:
        offers += amount_changes(fleet, row, request, predicate.resource_class)
    return tuple(dict.fromkeys(offers))
