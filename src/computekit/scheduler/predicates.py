"""Predicates: one thing that is asked, answered for all hosts at once.

A predicate is a value: equal predicates of different requests share one answer. Its answer for a
row is exact if the host has one provider; for a host with several it is necessary, and the search
on the host's tree (`computekit.placement.fits`) decides.

Here: the protocol, and what is asked of the host itself. What only one request asks is an
overlay (`computekit.scheduler.overlays`).
"""

import difflib
from typing import ClassVar, Protocol

import attrs

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, AskZone, Drop, EnableHost, WakeHost
from computekit.scheduler.request import Request
from computekit.scheduler.zones import DEFAULT_ZONE

__all__ = ["Enabled", "HasMachineType", "InZone", "Predicate", "Up"]


class Predicate(Protocol):
    """One thing that is asked of a host.

    One whose class says `standing = True` promises that claims and releases, which alter only
    amounts, never alter its answer; it is then asked again only when the host itself changes.
    """

    @property
    def rule(self) -> str:
        """The word for what is judged: `enabled`, `zone`, `trait`, a resource class ..."""
        ...

    @property
    def asked(self) -> str:
        """What is asked for."""
        ...

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        """Return which rows pass."""
        ...

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        """Return what the row has of it."""
        ...

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        """Return the smallest changes that each make a failing row pass; the preferred first."""
        ...


@attrs.frozen
class Enabled:
    """The host takes new instances."""

    rule: ClassVar[str] = "enabled"
    standing: ClassVar[bool] = True
    asked: ClassVar[str] = "yes"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.disabled.where(self.rule, _is_none, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        reason = fleet.disabled[row]
        return "yes" if reason is None else f"disabled: {reason}" if reason else "disabled"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        return (EnableHost(fleet.names[row]),)


def _is_none(reason: str | None) -> bool:
    return reason is None


@attrs.frozen
class Up:
    """The host's agent answers."""

    rule: ClassVar[str] = "up"
    standing: ClassVar[bool] = True
    asked: ClassVar[str] = "yes"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.up[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "yes" if fleet.up[row] else "down"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        return (WakeHost(fleet.names[row]),)


@attrs.frozen
class InZone:
    """The host is in an availability zone.

    Attributes:
        zone: its name.
        default: the zone of hosts that are in none.
    """

    zone: str
    default: str = DEFAULT_ZONE
    rule: ClassVar[str] = "zone"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return self.zone

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        wanted = {self.zone, None} if self.zone == self.default else {self.zone}
        return fleet.labels["zone"].where(self, wanted.__contains__, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        zone = fleet.labels["zone"][row]
        return "no zone" if zone is None else zone

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        return (AskZone(self.zone, fleet.labels["zone"][row]),)


@attrs.frozen
class HasMachineType:
    """The host's hypervisor has a machine type (libvirt, domain capabilities).

    Attributes:
        machine_type: its name, or an alias: `q35`, `pc-q35-7.2` ...
    """

    machine_type: str
    rule: ClassVar[str] = "machine type"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return self.machine_type

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.labels["machine_types"].where(
            self.machine_type, lambda words: self.machine_type in _words(words), rows
        )

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        known = _words(fleet.labels["machine_types"][row])
        if self.machine_type in known:
            return self.machine_type
        near = difflib.get_close_matches(self.machine_type, known, n=3, cutoff=0.0)
        more = len(known) - len(near)
        return (", ".join(near) or "none") + (f" and {more} more" if more else "")

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"machine type {self.machine_type}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return attrs.evolve(request, machine_type=None)


def _words(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(text.split(" "))
