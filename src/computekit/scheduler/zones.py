"""Availability zones: which one an instance is pinned to, and what that means for each move.

Source of the rules: Nova's pinned availability zone (Compute API 2.104) and its behaviour on
moves; what it leaves open is closed here. An instance shows the zone of its host, or the default
one where its host is in none; to be pinned is to be kept in a zone by every later decision.
"""

from collections.abc import Iterable
from enum import Enum

import attrs

from computekit.errors import Fault, InvalidInput, StateConflict
from computekit.guest import check_name
from computekit.ids import HostName, InstanceId
from computekit.model import Aggregate

__all__ = [
    "DEFAULT_ZONE",
    "ZONE_KEY",
    "AskedZone",
    "MoveKind",
    "PinPolicy",
    "PinState",
    "ZoneConstraint",
    "az_constraint",
    "check_zone_name",
    "may_pin",
    "pin_after",
    "zone_of_host",
]

ZONE_KEY = "availability_zone"
"""The key of an aggregate's metadata that names the zone of its hosts."""

DEFAULT_ZONE = "nova"
"""The zone of hosts that are in none, where nobody says otherwise (Nova's default)."""


class PinPolicy(Enum):
    """Who may pin an instance to a zone, and unpin it, whoever else may change it."""

    ADMIN = "admin"
    PROJECT_MEMBER_OR_ADMIN = "project_member_or_admin"


def may_pin(roles: frozenset[str], same_project: bool, policy: PinPolicy = PinPolicy.ADMIN) -> bool:
    """Return whether somebody may pin and unpin an instance.

    Args:
        roles: what the caller may be, in lower case.
        same_project: whether the instance is of the caller's project.
        policy: the rule.
    """
    if "admin" in roles:
        return True
    return policy is PinPolicy.PROJECT_MEMBER_OR_ADMIN and same_project and "member" in roles


@attrs.frozen
class PinState:
    """What a change of the pin depends on.

    Attributes:
        instance: whose.
        pin: the zone that it is pinned to; None if to none.
        zone: the zone that it shows; None while it has no host.
        moving: whether its place may be about to change.
    """

    instance: InstanceId
    pin: str | None
    zone: str | None
    moving: bool = False


def pin_after(now: PinState, wanted: str | None) -> str | None:
    """Return the pin as it is wanted, if that may be.

    To unpin is always possible. To pin is possible to the zone only where the instance is, at
    rest, and from no other pin: an instance is never pinned to where it is not.

    Raises:
        StateConflict: it is pinned to another zone, is not in this one, has no host, or moves.
    """
    if wanted is None or wanted == now.pin:
        return wanted
    subject = f"instance {now.instance}"
    if now.pin is not None:
        raise StateConflict(subject, f"pinned to zone {now.pin}", "not pinned: unpin it first")
    if now.moving:
        raise StateConflict(subject, "on the move", "at rest, so that its zone is known")
    if now.zone is None:
        raise StateConflict(subject, "without a host", f"in zone {wanted}")
    if now.zone != wanted:
        raise StateConflict(subject, f"in zone {now.zone}", f"in zone {wanted}")
    return wanted


class MoveKind(Enum):
    """What may change an instance's place, or looks as if it could."""

    CREATE = "create"
    COLD_MIGRATE = "cold migrate"
    RESIZE = "resize"
    LIVE_MIGRATE = "live migrate"
    EVACUATE = "evacuate"
    UNSHELVE = "unshelve"
    REBUILD = "rebuild"
    REBOOT = "reboot"
    CONFIRM_RESIZE = "confirm resize"
    REVERT_RESIZE = "revert resize"


_IN_PLACE = frozenset({MoveKind.REBUILD, MoveKind.REBOOT, MoveKind.CONFIRM_RESIZE})


@attrs.frozen
class AskedZone:
    """The zone that the caller of a move names beside it.

    Attributes:
        zone: its name; None asks for any, and unpins.
    """

    zone: str | None


@attrs.frozen
class ZoneConstraint:
    """What zones mean for one move.

    Attributes:
        zones: the host must be in each of these; none: it may be in any, or in none.
        host: the only host that may be chosen, if every rule lets it; None: any.
        chosen: whether a host is chosen at all.
        pin: what the instance is pinned to once the move has claimed its place, never before.
    """

    zones: frozenset[str] = frozenset()
    host: HostName | None = None
    chosen: bool = True
    pin: str | None = None


def az_constraint(
    move: MoveKind,
    pin: str | None,
    *,
    host: HostName | None = None,
    asked: AskedZone | None = None,
    forced: bool = False,
    volume_zones: frozenset[str] = frozenset(),
    default_schedule_zone: str | None = None,
) -> ZoneConstraint:
    """Return what zones mean for a move: the same for every kind of it.

    A pinned instance stays in its zone, also where a host is named; one that is not pinned may go
    anywhere. What is named at creation and at unshelving becomes the pin.

    Args:
        move: what is done.
        pin: the zone that the instance is pinned to.
        host: the host that the caller names; for a reverted resize, the one that it came from.
        asked: the zone that the caller names; None where nothing is said of zones.
        forced: whether the caller wants the named host without asking the scheduler.
        volume_zones: zones of attached volumes that may not be attached across zones.
        default_schedule_zone: of new instances for which no zone is named; never applied again.

    Raises:
        InvalidInput: the move cannot be forced, or takes no zone.
    """
    faults: list[Fault] = []
    if forced:
        message = "no move goes past the scheduler; name the host without forcing it"
        faults.append(Fault("force", "not_offered", message))
    if asked is not None and move not in {MoveKind.CREATE, MoveKind.UNSHELVE}:
        message = f"no zone can be named for {move.value}; change the pin"
        faults.append(Fault("availability_zone", "not_offered", message))
    if faults:
        raise InvalidInput(tuple(faults))
    if move in _IN_PLACE:
        return ZoneConstraint(chosen=False, pin=pin)
    if move is MoveKind.REVERT_RESIZE:
        return ZoneConstraint(host=host, chosen=False, pin=pin)
    if asked is not None:
        pin = asked.zone
    if move is MoveKind.CREATE and pin is None:
        pin = default_schedule_zone
    zones = volume_zones if pin is None else volume_zones | {pin}
    return ZoneConstraint(zones, host, pin=pin)


def zone_of_host(host: HostName, aggregates: Iterable[Aggregate]) -> str | None:
    """Return the zone that a host's aggregates put it into; None if none of them does.

    Aggregates that would give one host several zones are refused when they are written.
    """
    return min(
        (a.metadata[ZONE_KEY] for a in aggregates if host in a.hosts and ZONE_KEY in a.metadata),
        default=None,
    )


def check_zone_name(name: str, path: str = ZONE_KEY) -> str:
    """Return a name that a zone may have (Compute API, aggregates).

    Raises:
        InvalidInput: it is not 1 to 255 printable characters, has spaces at its ends, or a colon,
            which is what separates a zone from a host.
    """
    faults: list[Fault] = []
    try:
        check_name(name, path)
    except InvalidInput as error:
        faults.extend(error.faults)
    if ":" in name:
        faults.append(Fault(path, "colon", "take out the colons"))
    if faults:
        raise InvalidInput(tuple(faults))
    return name
