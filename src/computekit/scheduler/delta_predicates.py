"""What request filters have added, as predicates: so that an explanation tells whose they are."""

from collections.abc import Iterator
from typing import ClassVar

import attrs
import numpy as np

from computekit.ids import AggregateId
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.overlays import mask_of, rows_of
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request
from computekit.scheduler.request_delta import RequestDelta

__all__ = ["Added", "InHostAggregates", "NotInHostAggregates", "Refused", "delta_predicates"]


@attrs.frozen
class Added:
    """What a request filter asks of traits, which are rules of their own, or passed over.

    Every host passes: it is here to be told.

    Attributes:
        rule: the filter.
        asked: what it has to say.
    """

    rule: str
    asked: str
    standing: ClassVar[bool] = True

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return np.ones(len(fleet.up[rows]), dtype=np.bool_)

    def there(self, _fleet: FleetIndex, _row: int, /) -> str:
        return "told"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return ()


@attrs.frozen
class Refused:
    """A request filter lets no host be chosen.

    Attributes:
        rule: the filter.
        asked: why.
    """

    rule: str
    asked: str
    standing: ClassVar[bool] = True

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return np.zeros(len(fleet.up[rows]), dtype=np.bool_)

    def there(self, _fleet: FleetIndex, _row: int, /) -> str:
        return "refused"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"the request filter {self.rule}"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return _without(request, RequestDelta(self.rule, refusal=self.asked))


@attrs.frozen
class InHostAggregates:
    """The host is in one of some aggregates.

    Attributes:
        rule: the filter that wants it.
        aggregates: which.
    """

    rule: str
    aggregates: frozenset[AggregateId]
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return f"in {_words(self.aggregates)}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return _members(fleet, self.aggregates)[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return _of_row(fleet, row)

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"the aggregates of {self.rule}"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        delta = RequestDelta(self.rule, any_of=frozenset({self.aggregates}))
        return _without(request, delta)


@attrs.frozen
class NotInHostAggregates:
    """The host is in none of some aggregates.

    Attributes:
        rule: the filter that wants it.
        aggregates: which.
    """

    rule: str
    aggregates: frozenset[AggregateId]
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return f"not in {_words(self.aggregates)}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return ~_members(fleet, self.aggregates)[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return _of_row(fleet, row)

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"the aggregates that {self.rule} leaves out"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return _without(request, RequestDelta(self.rule, none_of=self.aggregates))


def delta_predicates(request: Request) -> tuple[Predicate, ...]:
    """Return what the request filters have added to a request, beside traits and groups."""
    return tuple(found for delta in request.deltas for found in _of(delta))


def _of(delta: RequestDelta) -> Iterator[Predicate]:
    if delta.refusal is not None:
        yield Refused(delta.by, delta.refusal)
    for aggregates in sorted(delta.any_of, key=sorted):
        yield InHostAggregates(delta.by, aggregates)
    if delta.none_of:
        yield NotInHostAggregates(delta.by, delta.none_of)
    told = [*sorted(delta.required), *(f"not {trait}" for trait in sorted(delta.forbidden))]
    if told:
        yield Added(delta.by, "asks " + ", ".join(told))
    for note in delta.notes:
        yield Added(delta.by, f"passes over: {note}")


def _without(request: Request, delta: RequestDelta) -> Request:
    deltas = tuple(each.without(delta) if each.by == delta.by else each for each in request.deltas)
    return attrs.evolve(request, deltas=deltas)


def _members(fleet: FleetIndex, aggregates: frozenset[AggregateId]) -> BoolArray:
    known = fleet.aggregates.all
    hosts = (host for uuid in aggregates if uuid in known for host in known[uuid].hosts)
    return mask_of(len(fleet), rows_of(fleet, hosts))


def _of_row(fleet: FleetIndex, row: int) -> str:
    names = [aggregate.name for aggregate in fleet.aggregates.of(fleet.names[row])]
    return f"in {', '.join(names)}" if names else "in no aggregate"


def _words(aggregates: frozenset[AggregateId]) -> str:
    shown = sorted(aggregates)[:3]
    more = len(aggregates) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
