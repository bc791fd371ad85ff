"""Zones that a host must be in beside the one that the instance is pinned to."""

from typing import ClassVar

import attrs

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.overlays import Limits
from computekit.scheduler.predicates import InZone
from computekit.scheduler.request import Request
from computekit.scheduler.zones import DEFAULT_ZONE

__all__ = ["AlsoInZone"]


@attrs.frozen
class AlsoInZone:
    """The host is in a zone that something else holds the instance to: a volume's.

    Attributes:
        zone: its name.
        default: the zone of hosts that are in none.
    """

    zone: str
    default: str = DEFAULT_ZONE
    rule: ClassVar[str] = "zone of volumes"

    @property
    def asked(self) -> str:
        return self.zone

    def limits(self, fleet: FleetIndex, /) -> Limits:
        return Limits(mask=self.passed(fleet, slice(None)))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return InZone(self.zone, self.default).passed(fleet, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return InZone(self.zone, self.default).there(fleet, row)

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"volumes of zone {self.zone}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        zones = request.run.zones - {self.zone}
        return attrs.evolve(request, run=attrs.evolve(request.run, zones=zones))
