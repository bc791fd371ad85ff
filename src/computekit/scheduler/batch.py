"""Many requests at once: what earlier ones take counts for later ones, and nothing is claimed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from computekit.ids import ConsumerId, ServerGroupId
from computekit.model import HOST_LEVEL
from computekit.placement import FleetIndex, Places
from computekit.scheduler.cells import parts_of, with_holds
from computekit.scheduler.decision import Decision, Placed, Selection, Unplaced
from computekit.scheduler.domains import domain_in
from computekit.scheduler.request import Request

if TYPE_CHECKING:
    from computekit.scheduler.scheduler import Scheduler

__all__ = ["BatchMode", "BatchPlaced", "BatchUnplaced", "place_many", "taken_by"]

BatchMode: TypeAlias = Literal["all_or_nothing", "best_effort"]
"""Whether all of a batch must be placed, or as many as can."""

_INSTANCES = "instances"


@attrs.frozen
class BatchPlaced:
    """As many were placed as had to be.

    Attributes:
        decisions: in the order of the requests; all of them `Placed`, unless as many were wanted as
            can be placed.
    """

    decisions: tuple[Decision, ...]

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Those that have a host."""
        return tuple(found for found in self.decisions if isinstance(found, Placed))

    @property
    def unplaced(self) -> tuple[Unplaced, ...]:
        """Those that have none, with what was taken before them counted."""
        return tuple(found for found in self.decisions if isinstance(found, Unplaced))


@attrs.frozen
class BatchUnplaced:
    """Not all of a batch can be placed, so that none of it is.

    Attributes:
        number: of the first request that no host can take, from 0.
        decision: about it; its explanation counts what those before it would take.
    """

    number: int
    decision: Unplaced

    @property
    def summary(self) -> str:
        """The reasons in one line."""
        before = f"after {self.number} that could be placed, " if self.number else ""
        return f"{before}{self.decision.summary}"


def place_many(
    scheduler: "Scheduler", requests: Sequence[Request], mode: BatchMode
) -> BatchPlaced | BatchUnplaced:
    """Do what `Scheduler.place_many` says."""
    index = scheduler.index
    found: list[Decision] = []
    with index.lock, ExitStack() as taken:
        index.refresh()
        for number, request in enumerate(requests):
            decision = scheduler.decide(request)
            if isinstance(decision, Placed):
                taken.enter_context(taken_by(index, request, decision.candidate, f"batch:{number}"))
            elif mode == "all_or_nothing":
                return BatchUnplaced(number, decision)
            found.append(decision)
    return BatchPlaced(tuple(found))


@contextmanager
def taken_by(
    index: FleetIndex, request: Request, selection: Selection, name: str
) -> Iterator[None]:
    """Count what a selection takes while this lasts; the lock is held, and nothing is refreshed.

    Args:
        index: that the selection is of.
        request: what is placed.
        selection: where it goes.
        name: by which a new member of a group counts.
    """
    row = index.row(selection.host)
    assert row is not None
    with ExitStack() as undo:
        known = index.figures.of(_INSTANCES, row) is not None
        index.apply_claim(selection.allocation, {_INSTANCES: 1} if known else None)
        undo.callback(index.apply_release, selection.allocation)
        if known:
            undo.callback(index.figures.add, row, {_INSTANCES: -1})
        if request.topology is not None and selection.cells is not None:
            nodes = index.cells.of(selection.host)
            parts = parts_of(ConsumerId(name), selection.host, selection.cells, request.topology)
            index.put_cells(selection.host, with_holds(nodes, parts))
            undo.callback(index.put_cells, selection.host, nodes)
        if request.intent.group is not None:
            undo.callback(_enter(index, request, request.intent.group, row, name))
        yield


def _enter(
    index: FleetIndex, request: Request, group: ServerGroupId, row: int, name: str
) -> Callable[[], None]:
    """Count a member of a group on a row; return how to take that back."""
    state = index.groups.of(group)
    if state.group is None:
        return lambda: None
    member = ConsumerId(name if request.run.instance is None else request.run.instance)
    before: Places = state.places.get(member, {})
    after = {level: set(domains) for level, domains in before.items()}
    for level in dict.fromkeys((*state.group.levels, HOST_LEVEL)):
        domain = domain_in(index, level, row)
        if domain is not None:
            after.setdefault(level, set()).add(domain)
    places: Mapping[str, frozenset[str]] = {k: frozenset(found) for k, found in after.items()}
    _move(index, group, member, places)
    return lambda: _move(index, group, member, before)


def _move(index: FleetIndex, group: ServerGroupId, member: ConsumerId, places: Places) -> None:
    index.groups.move(member, {group: places} if places else {})
    index.epoch += 1
