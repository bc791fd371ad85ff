"""What would have to change so that a request fits: of the request or of the fleet."""

from typing import Protocol

import attrs

from computekit.ids import AggregateId, HostName, ProviderId
from computekit.model import FrozenMap, RequestGroup, ResourceClass
from computekit.placement import FleetIndex
from computekit.scheduler.request import Request

__all__ = [
    "Adjustment",
    "AskAmount",
    "AskZone",
    "Demand",
    "Drop",
    "EnableHost",
    "FreeUp",
    "ListInAggregate",
    "LowerFigure",
    "RaiseFigure",
    "ReportFigures",
    "WakeHost",
]


class Adjustment(Protocol):
    """One thing to change."""

    @property
    def text(self) -> str:
        """What to do, as an imperative."""
        ...

    @property
    def size(self) -> float:
        """How much it changes: 0 a switch, below 1 a part of what is asked, 1 a whole demand.

        What must be given back or moved away counts by the unit, from 1.
        """
        ...

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        """Return the request as changed; a change of the fleet is written into `fleet`."""
        ...


class Demand(Protocol):
    """Something that a request asks for and can do without."""

    @property
    def demand(self) -> str:
        """What is asked for, as a phrase after "without"."""
        ...

    def without(self, request: Request) -> Request: ...


@attrs.frozen
class AskAmount:
    """Ask for another amount of a resource class.

    Attributes:
        suffix: of the group that asks.
        resource_class: the class.
        asked: the amount now.
        amount: the nearest that would do.
    """

    suffix: str
    resource_class: ResourceClass
    asked: int
    amount: int

    @property
    def text(self) -> str:
        of = f" in group {self.suffix}" if self.suffix else ""
        return f"ask for {self.amount} {self.resource_class} instead of {self.asked}{of}"

    @property
    def size(self) -> float:
        return abs(self.asked - self.amount) / self.asked

    def apply(self, request: Request, _fleet: FleetIndex, /) -> Request:
        def changed(group: RequestGroup) -> RequestGroup:
            if group.suffix != self.suffix:
                return group
            amounts = FrozenMap({**group.resources, self.resource_class: self.amount})
            return attrs.evolve(group, resources=amounts)

        groups = tuple(changed(group) for group in request.placement.groups)
        return attrs.evolve(request, placement=attrs.evolve(request.placement, groups=groups))


@attrs.frozen
class AskZone:
    """Ask for another availability zone.

    Attributes:
        asked: the zone now.
        zone: one that would do; None: any.
    """

    asked: str
    zone: str | None

    @property
    def text(self) -> str:
        if self.zone is None:
            return f"do not ask for zone {self.asked}"
        return f"ask for zone {self.zone} instead of {self.asked}"

    @property
    def size(self) -> float:
        return 1.0

    def apply(self, request: Request, _fleet: FleetIndex, /) -> Request:
        return attrs.evolve(request, intent=attrs.evolve(request.intent, zone=self.zone))


@attrs.frozen
class Drop:
    """Do without something that is asked for.

    Attributes:
        what: the demand.
    """

    what: Demand

    @property
    def text(self) -> str:
        return f"do without {self.what.demand}"

    @property
    def size(self) -> float:
        return 1.0

    def apply(self, request: Request, _fleet: FleetIndex, /) -> Request:
        return self.what.without(request)


@attrs.frozen
class FreeUp:
    """Free resources on a host.

    Attributes:
        host: where.
        provider: of which provider.
        resource_class: the class.
        amount: how much must be given back.
    """

    host: HostName
    provider: ProviderId
    resource_class: ResourceClass
    amount: int

    @property
    def text(self) -> str:
        return f"free {self.amount} {self.resource_class} on {self.host}"

    @property
    def size(self) -> float:
        return float(self.amount)

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        fleet.apply_release({self.provider: FrozenMap({self.resource_class: self.amount})})
        return request


@attrs.frozen
class LowerFigure:
    """Bring a figure of a host down: move instances away, wait for builds to end ...

    Attributes:
        host: where.
        figure: its name in the index.
        value: what it may be at most.
        now: what it is.
    """

    host: HostName
    figure: str
    value: int
    now: float

    @property
    def text(self) -> str:
        return f"bring {self.figure.replace('_', ' ')} on {self.host} down to {self.value}"

    @property
    def size(self) -> float:
        return max(1.0, self.now - self.value)

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        fleet.set_figures(self.host, {self.figure: self.value})
        return request


@attrs.frozen
class EnableHost:
    """Let a host take instances again.

    Attributes:
        host: which one.
    """

    host: HostName

    @property
    def text(self) -> str:
        return f"enable {self.host}"

    @property
    def size(self) -> float:
        return 0.0

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        row = fleet.row(self.host)
        fleet.set_status(self.host, disabled=None, up=row is not None and bool(fleet.up[row]))
        return request


@attrs.frozen
class WakeHost:
    """Bring a host's agent back.

    Attributes:
        host: which one.
    """

    host: HostName

    @property
    def text(self) -> str:
        return f"bring {self.host} up"

    @property
    def size(self) -> float:
        return 0.0

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        row = fleet.row(self.host)
        disabled = None if row is None else fleet.disabled[row]
        fleet.set_status(self.host, disabled=disabled, up=True)
        return request


@attrs.frozen
class RaiseFigure:
    """Bring a figure of a host up: let it report it, give it more of it, upgrade it ...

    Attributes:
        host: where.
        figure: its name in the index.
        value: what it must be at least.
        now: what it is; 0 if it is not known.
    """

    host: HostName
    figure: str
    value: float
    now: float

    @property
    def text(self) -> str:
        return f"bring {self.figure.replace('_', ' ')} on {self.host} up to {self.value:g}"

    @property
    def size(self) -> float:
        return max(1.0, self.value - self.now)

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        fleet.set_figures(self.host, {self.figure: self.value})
        return request


@attrs.frozen
class ReportFigures:
    """Have a host report figures that are not known of it.

    Attributes:
        host: where.
        figures: their names.
    """

    host: HostName
    figures: frozenset[str]

    @property
    def text(self) -> str:
        return f"have {self.host} report {', '.join(sorted(self.figures))}"

    @property
    def size(self) -> float:
        return float(len(self.figures))

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        fleet.set_figures(self.host, dict.fromkeys(self.figures, 0.0))
        return request


@attrs.frozen
class ListInAggregate:
    """Add a word to what an aggregate says of a key: a project, a flavor, a kind of image.

    Attributes:
        aggregate: which.
        name: of it, for people.
        key: of its metadata; its value is a list with commas.
        word: what to add.
    """

    aggregate: AggregateId
    name: str
    key: str
    word: str

    @property
    def text(self) -> str:
        return f"add {self.word} to {self.key} of aggregate {self.name}"

    @property
    def size(self) -> float:
        return 1.0

    def apply(self, request: Request, fleet: FleetIndex, /) -> Request:
        found = fleet.aggregates.all.get(self.aggregate)
        if found is not None:
            words = [word for word in (found.metadata.get(self.key), self.word) if word]
            metadata = FrozenMap({**found.metadata, self.key: ",".join(words)})
            fleet.put_aggregates((attrs.evolve(found, metadata=metadata),))
        return request
