"""Nova's filters on scheduler hints: beside other servers, away from them, near an address."""

import ipaddress
from typing import ClassVar, TypeAlias

import attrs

from computekit.ids import HostName, InstanceId
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.demands import Malformed, without_hints
from computekit.scheduler.overlays import Limits, Overlay, among, rows_of
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.remembered import remembered
from computekit.scheduler.request import PlacementIntent, Request

__all__ = [
    "AwayFrom",
    "Beside",
    "DifferentHostFilter",
    "InNetwork",
    "SameHostFilter",
    "SimpleCIDRAffinityFilter",
    "named_instances",
]

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_SAME = "same_host"
_DIFFERENT = "different_host"
_NEAR = "build_near_host_ip"
_CIDR = "cidr"


def named_instances(intent: PlacementIntent) -> frozenset[InstanceId]:
    """Return the instances that hints name, whose hosts a run has to say (`hosts_of`)."""
    return frozenset(
        InstanceId(name) for key in (_SAME, _DIFFERENT) for name in intent.hints.get(key, ())
    )


def _hosts_of(request: Request, hint: str) -> frozenset[HostName]:
    hosts_of = request.run.hosts_of
    return frozenset(
        host
        for name in request.intent.hints.get(hint, ())
        for host in hosts_of.get(InstanceId(name), frozenset[HostName]())
    )


def _some(hosts: frozenset[HostName]) -> str:
    shown = sorted(hosts)[:3]
    more = len(hosts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


@attrs.frozen
class Beside:
    """The host has one of some other instances.

    Attributes:
        hosts: where those are.
    """

    hosts: frozenset[HostName]
    rule: ClassVar[str] = "same host"

    @property
    def asked(self) -> str:
        return f"one of {_some(self.hosts)}" if self.hosts else "a host of instances that have none"

    def limits(self, fleet: FleetIndex, /) -> Limits:
        return Limits(only=rows_of(fleet, self.hosts))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return among(fleet, self.hosts, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "has one of them" if fleet.names[row] in self.hosts else "has none of them"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"hint {_SAME}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_hints(request, (_SAME,))


@attrs.frozen
class AwayFrom:
    """The host has none of some other instances.

    Attributes:
        hosts: where those are.
    """

    hosts: frozenset[HostName]
    rule: ClassVar[str] = "different host"

    @property
    def asked(self) -> str:
        return f"not {_some(self.hosts)}"

    def limits(self, fleet: FleetIndex, /) -> Limits:
        return Limits(without=rows_of(fleet, self.hosts))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return ~among(fleet, self.hosts, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "has one of them" if fleet.names[row] in self.hosts else "has none of them"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"hint {_DIFFERENT}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_hints(request, (_DIFFERENT,))


@attrs.frozen
class SameHostFilter:
    """Asks for a host that has one of the instances of the hint `same_host`.

    Where they are is read for the run; if none of them is anywhere, no host will do.
    """

    name: ClassVar[str] = "SameHostFilter"

    def overlays(self, request: Request, /) -> tuple[Overlay, ...]:
        if not request.intent.hints.get(_SAME):
            return ()
        return (Beside(_hosts_of(request, _SAME)),)


@attrs.frozen
class DifferentHostFilter:
    """Asks for a host that has none of the instances of the hint `different_host`."""

    name: ClassVar[str] = "DifferentHostFilter"

    def overlays(self, request: Request, /) -> tuple[Overlay, ...]:
        hosts = _hosts_of(request, _DIFFERENT)
        return (AwayFrom(hosts),) if hosts else ()


@attrs.frozen
class InNetwork:
    """The host's address lies in a network; a host whose address is not known fails.

    Attributes:
        network: as `10.1.0.0/24`.
    """

    network: str
    rule: ClassVar[str] = "host address"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return f"in {self.network}"

    def _holds(self, address: str | None) -> bool:
        try:
            found = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        return found in ipaddress.ip_network(self.network)

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.labels["host_ip"].where(self, self._holds, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return fleet.labels["host_ip"][row] or "not known"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"hint {_NEAR}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_hints(request, (_NEAR, _CIDR))


@attrs.frozen
class SimpleCIDRAffinityFilter:
    """Asks for a host whose address is in the network around the hint `build_near_host_ip`.

    The hint `cidr` is the length of the network's prefix: `/24` without it.
    """

    name: ClassVar[str] = "SimpleCIDRAffinityFilter"

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        hints = request.intent.hints
        near = hints.get(_NEAR)
        return _near(near, hints.get(_CIDR, ("/24",))) if near else ()


@remembered
def _near(near: tuple[str, ...], cidr: tuple[str, ...]) -> tuple[Predicate, ...]:
    text = f"{', '.join(near)}/{', '.join(cidr).lstrip('/')}"
    try:
        network: _Network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return (Malformed("host address", text[:80], "is no network", "hint", _NEAR),)
    return (InNetwork(str(network)),)
