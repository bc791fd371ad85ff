"""Overlays: what one request asks of a host, laid over what all requests of its shape share.

An overlay is a predicate like any other, so that it explains itself, and it also says at once
which few rows it is about: named hosts, the hosts of other instances ... It never enters a shape.
"""

from collections.abc import Iterable
from typing import ClassVar, Protocol

import attrs
import numpy as np

from computekit.ids import HostName
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request

__all__ = ["Limits", "NotIgnored", "OnHost", "Overlay", "among", "mask_of", "rows_of"]


@attrs.frozen(eq=False)
class Limits:
    """Which rows may be chosen: all that every part of it allows.

    Attributes:
        only: none but these rows; None: all.
        without: none of these rows.
        mask: none but where this is true, over all rows; for what is about many. None: all.
    """

    only: frozenset[int] | None = None
    without: frozenset[int] = frozenset()
    mask: BoolArray | None = None

    def both(self, other: "Limits") -> "Limits":
        """Return the rows that this and another allow."""
        only = self.only if other.only is None else other.only
        if self.only is not None and other.only is not None:
            only = self.only & other.only
        mask = self.mask if other.mask is None else other.mask
        if self.mask is not None and other.mask is not None:
            mask = self.mask & other.mask
        return Limits(only, self.without | other.without, mask)

    @property
    def open(self) -> bool:
        """Whether every row may be chosen."""
        return self.only is None and self.mask is None and not self.without

    def allow(self, row: int) -> bool:
        """Return whether a row may be chosen."""
        return (
            (self.only is None or row in self.only)
            and row not in self.without
            and (self.mask is None or bool(self.mask[row]))
        )

    def rows(self, count: int) -> BoolArray:
        """Return which of all `count` rows may be chosen; written to by nobody else."""
        found = mask_of(count, self.only) if self.only is not None else np.ones(count, np.bool_)
        if self.without:
            found[list(self.without)] = False
        if self.mask is not None:
            found &= self.mask
        return found


class Overlay(Predicate, Protocol):
    """A predicate that belongs to one request; it never enters a shape."""

    def limits(self, fleet: FleetIndex, /) -> Limits:
        """Return which rows pass; costs as much as there are rows that it is about."""
        ...


@attrs.frozen
class OnHost:
    """The host is the one that was named.

    Attributes:
        host: its name.
    """

    host: HostName
    rule: ClassVar[str] = "host"

    @property
    def asked(self) -> str:
        return f"only {self.host}"

    def limits(self, fleet: FleetIndex, /) -> Limits:
        return Limits(only=rows_of(fleet, (self.host,)))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return among(fleet, frozenset({self.host}), rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return fleet.names[row]

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"host {self.host}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return attrs.evolve(request, run=attrs.evolve(request.run, host=None))


@attrs.frozen
class NotIgnored:
    """The host is none of those to be passed over.

    Attributes:
        hosts: their names.
    """

    hosts: frozenset[HostName]
    rule: ClassVar[str] = "ignored hosts"

    @property
    def asked(self) -> str:
        shown = sorted(self.hosts)[:3]
        more = len(self.hosts) - len(shown)
        return "not " + ", ".join(shown) + (f" and {more} more" if more else "")

    def limits(self, fleet: FleetIndex, /) -> Limits:
        return Limits(without=rows_of(fleet, self.hosts))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return ~among(fleet, self.hosts, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "ignored" if fleet.names[row] in self.hosts else "not ignored"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(NotIgnored(frozenset({fleet.names[row]}))),)

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"ignoring {', '.join(sorted(self.hosts))}"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        ignored = request.run.ignored_hosts - self.hosts
        return attrs.evolve(request, run=attrs.evolve(request.run, ignored_hosts=ignored))


def rows_of(fleet: FleetIndex, hosts: Iterable[HostName]) -> frozenset[int]:
    """Return the rows of hosts; those that are not there are left out."""
    return frozenset(row for host in hosts if (row := fleet.row(host)) is not None)


def among(fleet: FleetIndex, hosts: frozenset[HostName], rows: Rows) -> BoolArray:
    """Return which of `rows` are among some hosts."""
    if isinstance(rows, slice):
        return mask_of(len(fleet), rows_of(fleet, hosts))[rows]
    names = fleet.names
    return np.fromiter((names[row] in hosts for row in rows.tolist()), np.bool_, len(rows))


def mask_of(count: int, rows: Iterable[int]) -> BoolArray:
    """Return which of `count` rows are among `rows`."""
    found = np.zeros(count, dtype=np.bool_)
    found[list(rows)] = True
    return found
